"""The feedback of CDS Hooks on a card, and Epic's way of writing it.

Source: CDS Hooks 3.0, section Feedback.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from flask import Response
from marshmallow import (
    EXCLUDE,
    Schema,
    ValidationError,
    fields,
    pre_load,
    validate,
    validates_schema,
)

from cds_service.cards.ids import identifier
from cds_service.fhir.plain import Json, as_dict, as_text, dicts
from cds_service.store.retention import day_of
from cds_service.store.rows import Row, kept_reason
from cds_service.store.store import Store
from cds_service.store.tables import ACCEPTED, OVERRIDDEN, feedback
from cds_service.web.errors import NotKept, issues_of, outcome
from cds_service.web.request_log import current
from cds_service.web.schemas import FILLED, ShortList, fields_of

LONGEST_COMMENT = 4_000
TIMES = validate.Range(datetime(2000, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC))
# Where Epic puts a reason that is one of its own, not one of the card's.
EPIC = "com.epic.cdshooks.feedback.overrideReason"


class AcceptedSuggestionSchema(Schema):
    class Meta:
        unknown = EXCLUDE

    id = fields.Str(required=True, validate=FILLED)


class FeedbackSchema(Schema):
    """One item. Epic writes overrideReasons for overrideReason."""

    class Meta:
        unknown = EXCLUDE

    card = fields.Str(required=True, validate=FILLED)
    outcome = fields.Str(required=True, validate=validate.OneOf((ACCEPTED, OVERRIDDEN)))
    outcomeTimestamp = fields.AwareDateTime(
        required=True, format="iso", default_timezone=UTC, validate=TIMES
    )
    acceptedSuggestions = ShortList(fields.Nested(AcceptedSuggestionSchema), load_default=list)
    overrideReason = fields.Raw(load_default=None, allow_none=True)
    extension = fields.Raw(load_default=None, allow_none=True)

    @pre_load
    def take_epics_name(self, data: Any, **_: Any) -> Any:
        if isinstance(data, dict) and "overrideReasons" in data:
            return {"overrideReason": data["overrideReasons"], **data}
        return data

    @validates_schema
    def says_what_was_accepted(self, data: Json, **_: Any) -> None:
        if data["outcome"] == ACCEPTED and not data["acceptedSuggestions"]:
            raise ValidationError("Missing data for required field.", "acceptedSuggestions")


FEEDBACK = FeedbackSchema()


@dataclass(frozen=True)
class Sender:
    """Who sent the feedback, when it came (seconds since 1970), and whether comments are kept."""

    client: str
    tenant: str
    at: float
    keeps_comments: bool


@dataclass(frozen=True)
class Feedback:
    """How many items were `sent`, the rows of the valid ones, and what is wrong with the others."""

    sent: int
    rows: list[Row]
    problems: list[Json]


def keep_feedback(feedback: Feedback, store: Store | None) -> Response:
    """Keeps the valid items. The response is an OperationOutcome: their number, and what is wrong
    with the others; status 400 where none is valid.

    Raises NotKept where they cannot be kept now, so that the client sends them again.
    """
    rows, problems = feedback.rows, feedback.problems
    current().feedback = Counter(row["outcome"] for _, row in rows)
    if problems and not rows:
        return outcome(400, problems)
    if store and not store.add_feedback(rows):
        raise NotKept
    warnings = [{**problem, "severity": "warning"} for problem in problems]
    return outcome(200, [_count(len(rows), feedback.sent, kept=store is not None), *warnings])


def _count(taken: int, sent: int, kept: bool) -> Json:
    text = f"{taken} of {sent} items were {'taken' if kept else 'read; none is kept here'}."
    return {"severity": "information", "code": "informational", "diagnostics": text}


def read_feedback(items: list[Any], sender: Sender) -> Feedback:
    """Each item is read on its own, so that an invalid one does not affect the others."""
    rows: list[Row] = []
    wrong: list[tuple[str, str]] = []
    for number, item in enumerate(items):
        try:
            rows.append((feedback.name, _row(FEEDBACK.load(item), sender)))
        except ValidationError as error:
            wrong.extend(_wrong_fields(f"feedback[{number}]", error))
    return Feedback(len(items), rows, issues_of(wrong))


def _wrong_fields(where: str, error: ValidationError) -> Iterator[tuple[str, str]]:
    for path, text in fields_of(error):
        path = path.removeprefix("_schema")
        path = f"{where}.{path}" if path else where
        yield path, text


def _row(item: Json, sender: Sender) -> Json:
    system, code = _reason(item)
    return {
        "client": sender.client,
        "card": _id(item["card"]),
        "outcome": item["outcome"],
        "outcome_at": item["outcomeTimestamp"].timestamp(),
        "day": day_of(sender.at),
        "received_at": sender.at,
        "tenant": sender.tenant,
        "suggestions": [_id(taken["id"]) for taken in item["acceptedSuggestions"]],
        "comment": _comment(item) if sender.keeps_comments else None,
        "reason_system": system,
        "reason_code": code,
        "reason_display": "",
    }


def _id(text: str) -> str:
    """A UUID in its canonical form. Another text is no id of ours: a UUID made of it is kept."""
    try:
        return str(UUID(text))
    except ValueError:
        return identifier("unknown", text)


def _reason(item: Json) -> tuple[str, str]:
    """System and code of the reason of an override, as far as they are kept. Epic may send a list
    of one, or a reason of the site's own list, of which there is no code.
    """
    given = _override(item)
    coding = as_dict(given.get("reason")) or _epics_own(item, given)
    return kept_reason(*(as_text(coding.get(key)) for key in ("system", "code", "display")))


def _override(item: Json) -> Json:
    given = item["overrideReason"]
    return as_dict(given) or next(dicts(given), {})


def _epics_own(item: Json, given: Json) -> Json:
    """A reason of the site's own list: category, display and title as extensions."""
    extension = {**as_dict(item["extension"]), **as_dict(given.get("extension"))}
    keys = (f"{EPIC}.{key}" for key in ("reasonTitle", "reasonDisplay", "reasonCategory"))
    return {"system": EPIC} if any(extension.get(key) for key in keys) else {}


def _comment(item: Json) -> str | None:
    """The comment without control characters, cut to its longest."""
    text = as_text(_override(item).get("userComment"))
    printable = "".join(c if c.isprintable() else " " for c in text)
    return printable.strip()[:LONGEST_COMMENT] or None
