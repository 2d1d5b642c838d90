"""FHIR dates and times, as precise as they are written, and which came first."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from cds_service.fhir.plain import as_date, as_text

DAY = len("2026-11-21")


@dataclass(frozen=True)
class Moment:
    """A time that lies within the days `first` to `last`; `at` where the time of day is known."""

    first: date
    last: date
    at: datetime | None = None

    @property
    def is_a_day(self) -> bool:
        """Whether it is known to the day; of some FHIR dates only month or year are."""
        return self.first == self.last

    def is_surely_by(self, other: "Moment") -> bool:
        """Whether it was not after the other; the same day counts where no time tells."""
        if self.at and other.at:
            return self.at <= other.at
        return self.last <= other.last

    def may_be_by(self, other: "Moment") -> bool:
        """The same, where a date without day or month may have been its first day."""
        if self.at and other.at:
            return self.at <= other.at
        return self.first <= other.last


def moment(value: Any) -> Moment | None:
    """The moment of a FHIR date, dateTime or instant; None of anything else."""
    text = as_text(value)
    first = as_date(text)
    if first is None:
        return None
    return Moment(first, _last_day(first, text), _time(text))


def _last_day(first: date, text: str) -> date:
    if len(text) >= DAY:
        return first
    if "-" not in text:
        return date(first.year, 12, 31)
    return (first.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)


def _time(text: str) -> datetime | None:
    """The point in time; None without a time zone, which FHIR demands of a time of day."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo else None
