"""Search in the value sets of a topic, for those who review them."""

from collections.abc import Iterator
from dataclasses import dataclass

from cds_service.decision.icd import EDITIONS, icd_key
from cds_service.decision.topic import Topic
from cds_service.decision.words import plain_words
from cds_service.mappings.listing import ListedSet, Listing
from cds_service.web.search import LONGEST_QUERY

MOST_SHOWN = 200


@dataclass(frozen=True)
class FoundCode:
    """A code of a value set. `by_rule`: it is not listed, but a rule over codes takes it in."""

    value_set: str
    system: str
    code: str
    display: str
    by_rule: bool = False


@dataclass(frozen=True)
class FoundCodes:
    """The first MOST_SHOWN, and how many there are."""

    shown: list[FoundCode]
    number: int


def codes_in(listed: ListedSet, topic: Topic, query: str) -> FoundCodes:
    """The codes of one value set with all words of the query, all of them without a query."""
    return _first([*_listed(listed, query), *_by_rule(topic, query, {listed.name})])


def codes_of(topic: Topic, listing: Listing, query: str) -> FoundCodes:
    """The codes of all value sets with all words of the query."""
    sets = listing.value_sets
    listed = (code for value_set in sets.values() for code in _listed(value_set, query))
    return _first([*listed, *_by_rule(topic, query, set(sets))])


def _first(found: list[FoundCode]) -> FoundCodes:
    """Those that are listed come before what a rule says of the same code."""
    once = {(code.value_set, code.system, code.code): code for code in reversed(found)}
    kept = [code for code in found if once[code.value_set, code.system, code.code] is code]
    return FoundCodes(kept[:MOST_SHOWN], len(kept))


def _listed(listed: ListedSet, query: str) -> Iterator[FoundCode]:
    asked = plain_words(query[:LONGEST_QUERY]).split()
    for code in listed.codes:
        text = plain_words(f"{code.display} {code.code}")
        if all(word in text for word in asked):
            yield FoundCode(listed.name, code.system, code.code, code.display)


def _by_rule(topic: Topic, query: str, sets: set[str]) -> Iterator[FoundCode]:
    """What the query is, read as a code of each edition of ICD."""
    code = query.strip()
    if not code or len(code) > LONGEST_QUERY:
        return
    for key in sorted({icd_key(edition, code) for edition in EDITIONS}):
        meaning = topic.terminology.meaning(key)
        for name in sorted(meaning.sets & sets if meaning else ()):
            yield FoundCode(name, *key, topic.terminology.display(key), by_rule=True)
