"""The orders of a report: the evaluations of one order, at order-select and at order-sign and after
each change, are one as long as no day lies between two of them.

An order is told by its first card, so that what was ordered at first is what counts; without a card
by its last evaluation.
"""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Select, Subquery, and_, case, exists, func, or_, select

from cds_service.store.tables import ACCEPTED, DAY_SECONDS, decisions, feedback

NAMES = (
    "client", "at", "day", "procedure", "region", "relevance", "subject", "topic", "category",
    "rating", "shown", "hidden", "rules", "unknown", "missing", "question", "order_key",
)  # fmt: skip


def orders(conditions: Sequence[ColumnElement[bool]]) -> Subquery:
    """A row for each order among the evaluations that meet the conditions, with the columns of the
    evaluation that tells it, and: `accepted` (1, 0 for overridden, NULL without feedback, of any of
    its cards), `repeats` (1 where a card was kept back as a repeat) and `changed` (1 where it asked
    for something else within a day after the card).
    """
    by_order = _by_order(conditions)
    same = (by_order.c.client, by_order.c.order, by_order.c.part)
    first_card = (
        case((by_order.c.shown, 0), else_=1),
        case((by_order.c.shown, by_order.c.at), else_=-by_order.c.at),
    )
    kept_back = case((by_order.c.hidden == "repeat", 1), else_=0)
    told = select(
        *(by_order.c[name] for name in NAMES),
        func.max(by_order.c.accepted).over(partition_by=same).label("accepted"),
        func.max(kept_back).over(partition_by=same).label("repeats"),
        func.row_number().over(partition_by=same, order_by=first_card).label("place"),
    ).subquery()
    one = told.c
    changed = case((and_(one.shown, _asked_for_something_else(told)), 1), else_=0)
    return select(told, changed.label("changed")).where(one.place == 1).subquery("orders")


def _by_order(conditions: Sequence[ColumnElement[bool]]) -> Subquery:
    """The evaluations with the name of their order, which part of its evaluations they belong to,
    and what became of their card.
    """
    d = decisions.c
    order = func.coalesce(d.order_key, d.consult)
    in_time = {"partition_by": (d.client, order), "order_by": d.at}
    evaluations = (
        select(*(d[name] for name in NAMES), d.card, order.label("order"))
        .add_columns(func.lag(d.at).over(**in_time).label("before"))
        .where(*conditions)
        .subquery()
    )
    e, became = evaluations.c, _feedback()
    begins = case((or_(e.before.is_(None), e.at - e.before > DAY_SECONDS), 1), else_=0)
    part = func.sum(begins).over(partition_by=(e.client, e.order), order_by=e.at)
    of_card = and_(became.c.client == e.client, became.c.card == e.card)
    joined = evaluations.outerjoin(became, of_card)
    return select(evaluations, part.label("part"), became.c.accepted).select_from(joined).subquery()


def _feedback() -> Subquery:
    """Whether a card was accepted (1), or overridden only (0)."""
    f = feedback.c
    accepted = func.max(case((f.outcome == ACCEPTED, 1), else_=0)).label("accepted")
    return select(f.client, f.card, accepted).group_by(f.client, f.card).subquery()


def _asked_for_something_else(told: Subquery) -> ColumnElement[bool]:
    """Whether the order came again within a day with another procedure or region."""
    later, one = decisions.c, told.c
    return exists(
        select(1)
        .select_from(decisions)
        .where(
            later.order_key == one.order_key,
            later.at > one.at,
            later.at <= one.at + DAY_SECONDS,
            or_(later.procedure != one.procedure, later.region != one.region),
        )
        .correlate(told)
    )


def counted(table: Subquery, *names: str | ColumnElement) -> Select:
    """The number of its rows for each combination of values."""
    columns = [table.c[name] if isinstance(name, str) else name for name in names]
    return select(*columns, func.count()).select_from(table).group_by(*columns)
