"""Sections on what the cards cost and bring: in a day, and if they are overridden."""

from collections.abc import Iterator

from cds_service.retrospective.as_of import LENIENT, MODES
from cds_service.retrospective.section import Line, Section, Told

OVERRIDDEN = (0, 50, 90)  # percent
MOST_CARDS = 5  # of a clinician-day that have a line of their own


def sections_on_burden(of: Told) -> Iterator[Section]:
    yield _burden(of)
    yield _scenarios(of)


def _burden(of: Told) -> Section:
    say, burden = of.say, of.figures.manifest.burden
    note = say(
        "For each clinician and day with an order of ours: on how many of these days so many "
        "cards would have come."
    )
    days = {mode: _grouped(burden.get(mode, {})) for mode in MODES}
    totals = {mode: sum(days[mode].values()) for mode in MODES}
    labels = [str(cards) for cards in range(MOST_CARDS)]
    labels.append(say("%(number)s or more", number=MOST_CARDS))
    lines = [
        of.in_both_modes(label, {m: days[m][cards] for m in MODES}, totals)
        for cards, label in enumerate(labels)
    ]
    head = (say("Days, strictly"), say("Days, leniently"),
            say("Of 100 days, strictly"), say("Of 100 days, leniently"))  # fmt: skip
    return Section(say("Cards for a clinician in a day"), note, head, tuple(lines))


def _scenarios(of: Told) -> Section:
    say, total = of.say, of.figures.total
    note = say(
        "These are scenarios and no forecast: how often cards will be overridden, nobody can "
        "read from past orders."
    )
    lines = []
    for share in OVERRIDDEN:
        kept = {mode: round(total.cards[mode] * (100 - share) / 100) for mode in MODES}
        lines.append(Line(say("%(percent)s %% overridden", percent=share), _followed(of, kept)))
    head = (say("Cards followed"), say("Per 100 orders"), say("A day"))
    return Section(say("If cards are overridden"), note, head, tuple(lines))


def _followed(of: Told, cards: dict[str, int]) -> tuple[str, ...]:
    """So many cards: in all, for a hundred orders, and in a day."""
    numbers, orders = of.numbers, of.figures.total.orders[LENIENT]
    return (
        numbers.between(cards, numbers.count),
        numbers.between(cards, lambda number: numbers.per_hundred(number, orders)),
        numbers.between(cards, lambda number: numbers.a_day(number, of.days)),
    )


def _grouped(days: dict[str, int]) -> dict[int, int]:
    """Days by their number of cards; the last stands for it and all above."""
    found = dict.fromkeys(range(MOST_CARDS + 1), 0)
    for cards, number in days.items():
        found[min(int(cards), MOST_CARDS)] += number
    return found
