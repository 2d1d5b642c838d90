"""The queries of the reports, each one statement that SQLite and PostgreSQL both understand."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    Text,
    and_,
    case,
    cast,
    distinct,
    exists,
    func,
    or_,
    select,
)
from sqlalchemy.engine import Connection, Row

from cds_service.decision.relevance import RELEVANT
from cds_service.report.figures import CATEGORIES, NOT_RELEVANT, Figures, Period, Report, labels
from cds_service.store.tables import (
    ACCEPTED,
    DAY_SECONDS,
    OF_THE_CARD,
    OVERRIDDEN,
    decisions,
    feedback,
)

Keys = Sequence[ColumnElement]

NO_REASON = "no reason given"
UNRESOLVED = "unresolved"
# The column that a part of a report is made of.
KEYS = {
    "variant": decisions.c.topic,
    "procedure": decisions.c.procedure,
    "client": decisions.c.client,
    "rule": decisions.c.rules,
    "week": decisions.c.day,
    "day": decisions.c.day,
}


def make_report(
    connection: Connection, period: Period, *bys: str, reasons: Mapping[str, str]
) -> Report:
    """The figures of the period, in all and by each of BY that is asked for. `reasons` says how the
    override reasons of cards are called, by code.
    """
    report = Report(period, Figures(), {by: {} for by in bys})
    for keys, figures in _figures(connection, period, bys):
        report.total.add(figures)
        for by, key in zip(bys, keys, strict=True):
            for label in labels(by, key):
                report.parts[by].setdefault(label, Figures()).add(figures)
    parts = [figures for part in report.parts.values() for figures in part.values()]
    for figures in (report.total, *parts):
        figures.reasons = _called(figures.reasons, reasons)
    return report


def _called(counted: Counter[str], words: Mapping[str, str]) -> Counter[str]:
    called: Counter[str] = Counter()
    for name, number in counted.items():
        called[words.get(name, name)] += number
    return called


def _figures(
    connection: Connection, period: Period, bys: tuple[str, ...]
) -> Iterator[tuple[tuple[Any, ...], Figures]]:
    """Figures by the values of the key columns; the same values may come several times."""
    keys = [KEYS[by] for by in bys]
    for query, read in QUERIES:
        for row in connection.execute(query(keys, *period.days)):
            yield row[: len(keys)], read(*row[len(keys) :])
    accepted = connection.execute(_accepted(keys, *period.days))
    for (*values, does), number in _suggestions(accepted).items():
        yield tuple(values), Figures(suggestions=Counter({does: number}))


def _within(since: int, until: int) -> ColumnElement[bool]:
    return decisions.c.day.between(since, until)


def _number(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.sum(case((condition, 1), else_=0))


def _counts(keys: Keys, since: int, until: int) -> Select:
    d = decisions.c
    return (
        select(
            *keys,
            d.category,
            func.count(),
            _number(d.relevance == RELEVANT),
            _number(d.rating != ""),
            _number(d.shown),
            _number(d.hidden == "silent"),
            _number(d.hidden == "repeat"),
        )
        .where(_within(since, until))
        .group_by(*keys, d.category)
    )


def _read_counts(category: str, orders: int, relevant: int, rated: int, *cards: int) -> Figures:
    shown, silent, repeat = cards
    rated_as = Counter({CATEGORIES[category]: relevant, NOT_RELEVANT: orders - relevant})
    return Figures(orders, relevant, rated, 0, shown, silent, repeat, categories=+rated_as)


def _not_supplied(keys: Keys, since: int, until: int) -> Select:
    missing = decisions.c.missing
    within = _within(since, until)
    return (
        select(*keys, missing, func.count()).where(within, missing != "").group_by(*keys, missing)
    )


def _read_not_supplied(missing: str, number: int) -> Figures:
    return Figures(missing_data=Counter(dict.fromkeys(missing.split(","), number)))


def _unresolved(keys: Keys, since: int, until: int) -> Select:
    d = decisions.c
    what = (*keys, d.subject, d.question, d.unknown)
    return (
        select(*what, func.count())
        .where(_within(since, until), d.topic == UNRESOLVED)
        .group_by(*what)
    )


def _read_unresolved(subject: str, question: str, unknown: str, number: int) -> Figures:
    """By the fact that was asked for; without a question by all unknown facts, or the subject."""
    facts = [question] if question else unknown.split(",") if subject == UNRESOLVED else [subject]
    return Figures(
        unresolved=number, missing_facts=Counter(dict.fromkeys(filter(None, facts), number))
    )


def _reactions(keys: Keys, since: int, until: int) -> Select:
    """Each shown card once; one that was overridden first and then accepted counts as accepted."""
    accepted = func.max(case((feedback.c.outcome == ACCEPTED, 1), else_=0)).label("accepted")
    of_card = select(feedback.c.client, feedback.c.card, accepted).where(feedback.c.day >= since)
    of_card = of_card.group_by(feedback.c.client, feedback.c.card).subquery()
    same = and_(of_card.c.client == decisions.c.client, of_card.c.card == decisions.c.card)
    return (
        select(*keys, of_card.c.accepted, func.count())
        .select_from(decisions)
        .join(of_card, same)
        .where(_within(since, until), decisions.c.shown)
        .group_by(*keys, of_card.c.accepted)
    )


def _read_reactions(accepted: int, number: int) -> Figures:
    return Figures(accepted=number) if accepted else Figures(overridden=number)


def _changed(keys: Keys, since: int, until: int) -> Select:
    """Shown cards whose order came again within a day and asked for something else."""
    later = decisions.alias("later")
    other = or_(later.c.procedure != decisions.c.procedure, later.c.region != decisions.c.region)
    came_again = exists().where(
        later.c.order_key == decisions.c.order_key,
        later.c.at > decisions.c.at,
        later.c.at <= decisions.c.at + DAY_SECONDS,
        other,
    )
    return (
        select(*keys, func.count())
        .where(_within(since, until), decisions.c.shown, came_again)
        .group_by(*keys)
    )


def _accepted(keys: Keys, since: int, until: int) -> Select:
    """The suggestions of accepted cards, as JSON text."""
    return (
        select(*keys, cast(decisions.c.suggestions, Text), cast(feedback.c.suggestions, Text))
        .select_from(decisions)
        .join(feedback, OF_THE_CARD)
        .where(_within(since, until), decisions.c.shown, feedback.c.outcome == ACCEPTED)
    )


def _suggestions(rows: Iterable[Row]) -> Counter[tuple[Any, ...]]:
    """The number of accepted suggestions, by the keys and what the suggestion does."""
    found: Counter[tuple[Any, ...]] = Counter()
    for *values, offered, accepted in rows:
        does = json.loads(offered)
        found.update((*values, does[one]) for one in json.loads(accepted) if one in does)
    return found


def _reasons(keys: Keys, since: int, until: int) -> Select:
    f = feedback.c
    what = (*keys, f.reason_code)
    return (
        select(*what, func.count(distinct(decisions.c.consult)))
        .select_from(decisions)
        .join(feedback, OF_THE_CARD)
        .where(_within(since, until), decisions.c.shown, f.outcome == OVERRIDDEN)
        .group_by(*what)
    )


def _read_reasons(code: str, number: int) -> Figures:
    return Figures(reasons=Counter({code or NO_REASON: number}))


QUERIES = (
    (_counts, _read_counts),
    (_not_supplied, _read_not_supplied),
    (_unresolved, _read_unresolved),
    (_reactions, _read_reactions),
    (_changed, lambda number: Figures(changed=number)),
    (_reasons, _read_reasons),
)
