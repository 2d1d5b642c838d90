"""Sections on what is not sure: both answers, what was missing, what would have been asked."""

from collections.abc import Iterator

from cds_service.retrospective.as_of import LENIENT
from cds_service.retrospective.section import Section, Told


def sections_on_doubt(of: Told) -> Iterator[Section]:
    """How far the two answers differ, and what kept orders from being rated."""
    yield _certainty(of)
    yield from _missing(of)


def _certainty(of: Told) -> Section:
    say, found = of.say, of.figures.certainty
    note = say(
        "An export shows a chart as it is today. Strictly, only what a date proves was known "
        "when the order was written; leniently, what has no date was known, too. The truth "
        "lies between. Where both answers agree, it does not matter."
    )
    counts = {
        say("The same answer in both"): found.same,
        say("A card in both"): found.card_in_both,
        say("A card strictly only"): found.card_strictly,
        say("A card leniently only"): found.card_leniently,
    }
    return of.counted(say("How sure"), note, counts)


def _missing(of: Told) -> Iterator[Section]:
    say, names, found = of.say, of.names, of.figures
    yield of.counted(
        say("What was missing where an order could not be rated"), "",
        {names.of(word): number for word, number in found.missing.items()},
    )  # fmt: skip
    yield of.counted(
        say("Which questions would have been asked"), "",
        {names.of(word): number for word, number in found.questions.items()},
    )  # fmt: skip
    note = say("Kinds of data that the export does not hold, or that could not be read.")
    supplied = {names.of(word): number for word, number in found.not_supplied.items()}
    yield of.counted(say("Data that was not supplied"), note, supplied)
    decided = {names.of(p.key): p.orders[LENIENT] for p in found.parts["decision"]}
    yield of.counted(say("What was decided"), "", decided)
