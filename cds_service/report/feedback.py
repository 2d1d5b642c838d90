"""The feedback of users as an export, with the fields of 45 CFR 170.315(b)(11)(ii)(C).

These are the intervention, the action taken, the feedback, the user, the date and the location.
The service knows no user: the EHR finds the one that belongs to the card.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.engine import Connection

from cds_service.about import VERSION
from cds_service.decision.topic import Topics
from cds_service.report.figures import Period, word_of
from cds_service.report.formats import csv_of
from cds_service.report.reasons import reason_words
from cds_service.store.tables import OF_THE_CARD, decisions, feedback

FIELDS = ("intervention", "action_taken", "user_feedback", "user", "date", "location", "card")
NOT_KEPT = "not kept by the service"


def feedback_in(connection: Connection, period: Period, topics: Topics) -> Iterator[dict[str, str]]:
    """A row for each feedback that was received in the period, by its time."""
    asked = (
        select(feedback, decisions.c.topic, decisions.c.procedure, decisions.c.edition)
        .add_columns(decisions.c.guideline, decisions.c.service_version)
        .add_columns(decisions.c.suggestions.label("offered"))
        .select_from(feedback)
        .outerjoin(decisions, OF_THE_CARD)
        .where(feedback.c.day.between(*period.days))
        .order_by(feedback.c.outcome_at, feedback.c.card)
    )
    words = reason_words(topics)
    for row in connection.execute(asked).mappings():
        yield {
            "intervention": _intervention(row, topics),
            "action_taken": _action(row),
            "user_feedback": _said(row, words),
            "user": NOT_KEPT,
            "date": datetime.fromtimestamp(row["outcome_at"], UTC).isoformat(timespec="seconds"),
            "location": "/".join(filter(None, (row["client"], row["tenant"]))),
            "card": row["card"],
        }


def _intervention(row: dict, topics: Topics) -> str:
    """Service, version and edition, the topic of the card, and the procedure."""
    services = {topic.id: service for service, topic in topics.items()}
    service = services.get(row["guideline"], next(iter(topics)))
    if row["topic"] is None:
        return f"{service}: a card that is not known"
    name = f"{service} {row['service_version'] or VERSION} ({row['edition']})"
    return f"{name}: {word_of(row['topic'])}, {row['procedure']}"


def _action(row: dict) -> str:
    offered = row["offered"] or {}
    taken = [offered.get(one, "a suggestion that is not known") for one in row["suggestions"]]
    return ": ".join(filter(None, (row["outcome"], ", ".join(taken))))


def _said(row: dict, words: Mapping[str, str]) -> str:
    code = row["reason_code"]
    reason = words.get(code, code) if code else ""
    return "; ".join(filter(None, (reason, row["comment"])))


def as_csv(rows: list[dict[str, str]]) -> str:
    return csv_of(list(FIELDS), [list(row.values()) for row in rows])


def as_json(rows: list[dict[str, str]]) -> str:
    return json.dumps(rows, indent=2, ensure_ascii=False)
