"""The query of the codes that are in no map."""

from dataclasses import dataclass

from sqlalchemy import case, func, select
from sqlalchemy.engine import Connection

from cds_service.fhir.unmapped import CONDITION, ORDER, REASON
from cds_service.language import N_
from cds_service.report.figures import Period
from cds_service.store.tables import unmapped_codes

# What a code was found in, for readers.
ABOUT = {ORDER: N_("order"), REASON: N_("reason"), CONDITION: N_("problem list")}


@dataclass(frozen=True)
class Unmapped:
    """A code that is in no map: of an order (with its words), a reason or a Condition (with what
    its words sound like), and how often.
    """

    about: str
    system: str
    code: str
    display: str
    sounds_like: str
    number: int


def unmapped_in(connection: Connection, period: Period, most: int | None = None) -> list[Unmapped]:
    """Those that sound serious first, Conditions that sound like nothing last: most of a problem
    list is in no map for good reason. Among these the most frequent ones first.
    """
    u = unmapped_codes.c
    number = func.count().label("number")
    display, sounds_like = (func.max(func.coalesce(c, "")) for c in (u.display, u.sounds_like))
    weight = case((sounds_like != "", 0), (u.about != CONDITION, 1), else_=2)
    asked = (
        select(u.about, u.system, u.code, display, sounds_like, number)
        .where(u.day.between(*period.days))
        .group_by(u.about, u.system, u.code)
        .order_by(weight, number.desc(), u.system, u.code)
        .limit(most)
    )
    return [Unmapped(*row) for row in connection.execute(asked)]
