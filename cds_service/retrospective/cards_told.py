"""Sections on the cards: of which orders, and how urgent."""

from collections.abc import Callable, Iterator

from cds_service.retrospective.as_of import LENIENT, MODES
from cds_service.retrospective.disclosure import SMALLEST, ratio
from cds_service.retrospective.figures import Part, in_all
from cds_service.retrospective.names import NO_CARD, NO_DEPARTMENT
from cds_service.retrospective.section import Line, Section, Told

Name = Callable[[Part], str]


def sections_on_cards(of: Told) -> Iterator[Section]:
    """By what the patients have, by the order, and by indicator."""
    yield _by_topic(of)
    yield from _by_the_order(of)
    yield _by_indicator(of)


def _by_topic(of: Told) -> Section:
    note = of.say("The variants of the guideline that the patients were in, as far as was known.")
    parts = of.figures.parts["topic"]
    return _cards(
        of, of.say("By variant"), note, parts, lambda p: of.names.topic(p.guideline, p.key)
    )


def _by_the_order(of: Told) -> Iterator[Section]:
    say, names = of.say, of.names
    parts = of.figures.parts
    yield _cards(of, say("By procedure"), "", parts["procedure"], lambda p: names.of(p.key))
    yield _cards(
        of,
        say("By department"),
        say("The department is read from the order as was asked for when the run was started."),
        parts["department"],
        lambda p: p.key or say(NO_DEPARTMENT),
    )
    yield _cards(of, say("By month"), "", parts["month"], lambda p: p.key)


def _cards(of: Told, title: str, note: str, parts: list[Part], name: Name) -> Section:
    """Orders and cards of parts; those with few orders are one line."""
    large = [part for part in parts if part.orders[LENIENT] >= SMALLEST]
    lines = [_card_line(of, name(part), part) for part in large]
    small = [part for part in parts if part not in large]
    if small:
        few = of.say("others, fewer than %(number)s orders each", number=SMALLEST)
        lines.append(_card_line(of, few, in_all(small)))
    say = of.say
    head = (say("Orders"), say("Cards, strictly"), say("Cards, leniently"),
            say("Per 100 orders, strictly"), say("Per 100 orders, leniently"))  # fmt: skip
    return Section(title, note, head, tuple(lines))


def _card_line(of: Told, label: str, part: Part) -> Line:
    numbers = of.numbers
    rates = (numbers.per_hundred(part.cards[m], part.orders[m]) for m in MODES)
    counts = (numbers.count(part.cards[m]) for m in MODES)
    bar = ratio(part.cards[LENIENT], part.orders[LENIENT])
    return Line(label, (numbers.count(part.orders[LENIENT]), *counts, *rates), bar)


def _by_indicator(of: Told) -> Section:
    say = of.say
    total, parts = of.figures.total, of.figures.parts["indicator"]
    head = (say("Orders, strictly"), say("Orders, leniently"),
            say("Per 100 orders, strictly"), say("Per 100 orders, leniently"))  # fmt: skip
    lines = (
        of.in_both_modes(of.names.of(p.key) or say(NO_CARD), p.orders, total.orders) for p in parts
    )
    return Section(say("How urgent"), "", head, tuple(lines))
