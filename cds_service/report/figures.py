"""The figures of a report."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from datetime import date, timedelta

from cds_service.language import N_

EPOCH = date(1970, 1, 1)
BY = ("variant", "procedure", "client", "rule", "week")
NO_RULE = "no rule"

# What a card was about besides a variant, by its topic code.
TOPICS = {
    "several": "Several variants agree",
    "novariant": "No variant applies",
    "unresolved": N_("Not resolved"),
    "": N_("Not relevant"),
}
VARIANT = "variant"

# The categories of a rating in words, in the order of the legend.
NOT_RATED, NOT_RELEVANT = N_("Not rated"), "Not relevant"
CATEGORIES = {
    "usually-appropriate": N_("Usually appropriate"),
    "may-be-appropriate": N_("May be appropriate"),
    "may-be-appropriate-disagreement": "May be appropriate",
    "usually-not-appropriate": N_("Usually not appropriate"),
    "": NOT_RATED,
}

# What each figure of `Figures` is called.
HEADINGS = {
    "orders": "orders", "relevant": "relevant", "rated": "rated",
    "unresolved": "unresolved", "shown": "cards shown", "silent": "silent",
    "repeat": "repeats kept back", "accepted": N_("accepted"),
    "overridden": N_("overridden"), "superseded": N_("order changed instead"),
    "ignored": N_("ignored"), "changed": "orders changed",
    "alerts_per_100": N_("cards per 100 orders"),
    "categories": "ratings", "missing_facts": "missing facts", "missing_data": "data not supplied",
    "suggestions": "suggestions taken", "reasons": "reasons of overriding",
}  # fmt: skip


@dataclass
class Figures:
    """Counts of orders. The evaluations of one order, at order-select and order-sign and after each
    change, are one, told by the first card (see `orders.py`).

    `relevant` are about what the topic is about, `rated` got a PAMA rating, `unresolved` could not
    be rated. Of the cards: `shown`, or kept back as `silent` or as a `repeat` of one that was
    overridden. Of those shown: `accepted`, `overridden`, `superseded` (no feedback came, but the
    order then asked for something else), or `ignored`; and `changed`: the order came again within
    a day and asked for something else. The counters say how
    the orders were rated, which fact was missing, which kind of data was not supplied, which
    suggestion was taken, and which reason was given: a card counts once for each.
    """

    orders: int = 0
    relevant: int = 0
    rated: int = 0
    unresolved: int = 0
    shown: int = 0
    silent: int = 0
    repeat: int = 0
    accepted: int = 0
    overridden: int = 0
    superseded: int = 0
    changed: int = 0
    categories: Counter[str] = field(default_factory=Counter)
    missing_facts: Counter[str] = field(default_factory=Counter)
    missing_data: Counter[str] = field(default_factory=Counter)
    suggestions: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)

    @property
    def ignored(self) -> int:
        return self.shown - self.accepted - self.overridden - self.superseded

    @property
    def alerts_per_100(self) -> float:
        """Cards shown for every hundred orders."""
        return round(100 * self.shown / self.orders, 1) if self.orders else 0.0

    def add(self, other: "Figures") -> None:
        for each in fields(self):
            mine, theirs = getattr(self, each.name), getattr(other, each.name)
            setattr(self, each.name, mine + theirs)

    @property
    def counts(self) -> dict[str, float]:
        """All single numbers by name, in the order of the table."""
        names = ("orders", "relevant", "rated", "unresolved", "shown", "silent", "repeat")
        names += ("accepted", "overridden", "superseded", "ignored", "changed", "alerts_per_100")
        return {name: getattr(self, name) for name in names}

    @property
    def breakdowns(self) -> dict[str, Counter[str]]:
        names = ("categories", "missing_facts", "missing_data", "suggestions", "reasons")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True)
class Period:
    """Whole UTC days, both included."""

    since: date
    until: date

    @property
    def days(self) -> tuple[int, int]:
        """First and last day, counted from 1970 as in the database."""
        return (self.since - EPOCH).days, (self.until - EPOCH).days


@dataclass(frozen=True)
class Report:
    """The figures of a period: in all, and by name of BY and label."""

    period: Period
    total: Figures
    parts: dict[str, dict[str, Figures]]


def labels(by: str, key: str | int) -> list[str]:
    """The labels of the parts to which a value of the key column belongs; weeks begin on Monday."""
    if by == "day":
        return [day_named(int(key)).isoformat()]
    if by == "week":
        day = day_named(int(key))
        return [(day - timedelta(days=day.weekday())).isoformat()]
    if by == "rule":
        return str(key).split(",") if key else [NO_RULE]
    if by == "variant":
        return [word_of(str(key))]
    return [str(key)]


def word_of(topic: str) -> str:
    """The topic code of a card in words: variant3 -> Variant 3."""
    number = topic.removeprefix(VARIANT)
    return f"Variant {number}" if number.isdecimal() else TOPICS.get(topic, topic)


def in_order(words: Iterable[str]) -> list[str]:
    """Variants by their number, then the others as a reader expects them."""
    others = list(TOPICS.values())

    def place(word: str) -> tuple[int, int]:
        number = word.rpartition(" ")[2]
        return (0, int(number)) if number.isdecimal() else (1, others.index(word))

    return sorted(words, key=place)


def day_named(day: int) -> date:
    """The date of a day that is counted from 1970."""
    return EPOCH + timedelta(days=day)
