"""The queries of the reports, each one statement that SQLite and PostgreSQL both understand."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from typing import Any

from sqlalchemy import ColumnElement, Select, Text, cast, distinct, func, select
from sqlalchemy.engine import Connection, Row

from cds_service.decision.relevance import RELEVANT
from cds_service.report.figures import CATEGORIES, NOT_RELEVANT, Figures, Period, Report, labels
from cds_service.report.orders import counted, orders
from cds_service.store.tables import ACCEPTED, OF_THE_CARD, OVERRIDDEN, decisions, feedback

NO_REASON = "no reason given"
UNRESOLVED = "unresolved"
# The column that a part of a report is made of.
KEYS = {
    "variant": "topic",
    "procedure": "procedure",
    "client": "client",
    "rule": "rules",
    "week": "day",
    "day": "day",
}
# What tells how an order was evaluated, and what became of its card.
TOLD = (
    "relevance", "category", "rating", "shown", "hidden", "missing", "topic", "subject", "question",
    "unknown", "accepted", "repeats", "changed",
)  # fmt: skip
Conditions = Sequence[ColumnElement[bool]]


def make_report(
    connection: Connection,
    period: Period,
    *bys: str,
    reasons: Mapping[str, str],
    client: str = "",
) -> Report:
    """The figures of the period, in all and by each of BY that is asked for; of one client, or of
    all. `reasons` says how the override reasons of cards are called, by code.
    """
    report = Report(period, Figures(), {by: {} for by in bys})
    for keys, figures in _figures(connection, _conditions(period, client), bys):
        report.total.add(figures)
        for by, key in zip(bys, keys, strict=True):
            for label in labels(by, key):
                report.parts[by].setdefault(label, Figures()).add(figures)
    parts = [figures for part in report.parts.values() for figures in part.values()]
    for figures in (report.total, *parts):
        figures.reasons = _called(figures.reasons, reasons)
    return report


def clients_in(connection: Connection, period: Period) -> list[str]:
    """The clients that had orders evaluated in the period."""
    clients = select(decisions.c.client).where(*_conditions(period, "")).distinct()
    return sorted(connection.scalars(clients))


def _conditions(period: Period, client: str) -> Conditions:
    of_client = [decisions.c.client == client] if client else []
    return [decisions.c.day.between(*period.days), *of_client]


def _called(counted: Counter[str], words: Mapping[str, str]) -> Counter[str]:
    called: Counter[str] = Counter()
    for name, number in counted.items():
        called[words.get(name, name)] += number
    return called


def _figures(
    connection: Connection, conditions: Conditions, bys: tuple[str, ...]
) -> Iterator[tuple[tuple[Any, ...], Figures]]:
    """Figures by the values of the key columns; the same values may come several times."""
    keys = [KEYS[by] for by in bys]
    for row in connection.execute(counted(orders(conditions), *keys, *TOLD)):
        values, told = row[: len(keys)], dict(zip(TOLD, row[len(keys) :], strict=False))
        yield tuple(values), _times(_figures_of(told), row[-1])
    for *values, code, number in connection.execute(_reasons(keys, conditions)):
        yield tuple(values), Figures(reasons=Counter({code or NO_REASON: number}))
    accepted = connection.execute(_accepted(keys, conditions))
    for (*values, does), number in _suggestions(accepted).items():
        yield tuple(values), Figures(suggestions=Counter({does: number}))


def _figures_of(told: dict[str, Any]) -> Figures:
    """Those of one order."""
    relevant, shown = told["relevance"] == RELEVANT, bool(told["shown"])
    unresolved = told["topic"] == UNRESOLVED
    return Figures(
        orders=1,
        relevant=int(relevant),
        rated=int(told["rating"] != ""),
        unresolved=int(unresolved),
        shown=int(shown),
        silent=int(told["hidden"] == "silent"),
        repeat=told["repeats"],
        changed=told["changed"],
        **_reaction(told),
        categories=Counter([CATEGORIES[told["category"]] if relevant else NOT_RELEVANT]),
        missing_facts=Counter(_missing_facts(told) if unresolved else ()),
        missing_data=Counter(filter(None, told["missing"].split(","))),
    )


def _reaction(told: dict[str, Any]) -> dict[str, int]:
    """What became of a card that was shown; nothing for one that was ignored."""
    if not told["shown"]:
        return {}
    if told["accepted"] is None:
        return {"superseded": 1} if told["changed"] else {}
    return {"accepted": 1} if told["accepted"] else {"overridden": 1}


def _missing_facts(told: dict[str, Any]) -> list[str]:
    """The fact that was asked for; without a question all unknown facts, or the subject."""
    if told["question"]:
        return [told["question"]]
    unknown = told["unknown"].split(",") if told["subject"] == UNRESOLVED else [told["subject"]]
    return [fact for fact in unknown if fact]


def _times(figures: Figures, number: int) -> Figures:
    """The figures of so many orders."""
    for each in fields(figures):
        value = getattr(figures, each.name)
        many = (
            Counter({k: v * number for k, v in value.items()})
            if isinstance(value, dict)
            else (value * number)
        )
        setattr(figures, each.name, many)
    return figures


def _accepted(keys: Sequence[str], conditions: Conditions) -> Select:
    """The suggestions of accepted cards, as JSON text."""
    columns = [decisions.c[key] for key in keys]
    return (
        select(*columns, cast(decisions.c.suggestions, Text), cast(feedback.c.suggestions, Text))
        .select_from(decisions)
        .join(feedback, OF_THE_CARD)
        .where(*conditions, decisions.c.shown, feedback.c.outcome == ACCEPTED)
    )


def _suggestions(rows: Iterable[Row]) -> Counter[tuple[Any, ...]]:
    """The number of accepted suggestions, by the keys and what the suggestion does."""
    found: Counter[tuple[Any, ...]] = Counter()
    for *values, offered, accepted in rows:
        does = json.loads(offered)
        found.update((*values, does[one]) for one in json.loads(accepted) if one in does)
    return found


def _reasons(keys: Sequence[str], conditions: Conditions) -> Select:
    """The number of orders whose card was overridden, by the code of the reason."""
    d, f = decisions.c, feedback.c
    what = (*(d[key] for key in keys), f.reason_code)
    return (
        select(*what, func.count(distinct(func.coalesce(d.order_key, d.consult))))
        .select_from(decisions)
        .join(feedback, OF_THE_CARD)
        .where(*conditions, d.shown, f.outcome == OVERRIDDEN)
        .group_by(*what)
    )
