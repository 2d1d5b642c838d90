"""Codes and what they mean: systems made equal, value sets, the order map, regions."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from cds_service.decision.code_systems import CPT, plain_system, without_modifier
from cds_service.decision.icd import EDITIONS, and_above, icd_key
from cds_service.decision.words import Words

# Value sets of this ending hold codes that are only there to be told from others.
LOOK_ALIKES = "-look-alikes"
MOST_REMEMBERED, LONGEST_REMEMBERED = 50_000, 200
LONGEST_HEARD = 2_000


@dataclass(frozen=True)
class Place:
    """A region of the body part that a topic is about, or a level in it.

    `parts` are the parts that it counts to (a level at a junction counts to both
    sides; none where the region is not stated). `home` is the region of a level.
    """

    code: str
    display: str
    parts: frozenset[str] = frozenset()
    home: str | None = None

    @property
    def is_level(self) -> bool:
        return self.home is not None

    @property
    def region(self) -> str:
        return self.home or self.code


@dataclass(frozen=True)
class Meaning:
    """What the maps say of one code: the value sets that hold it, and where it is."""

    sets: frozenset[str] = frozenset()
    place: Place | None = None

    @property
    def says_nothing(self) -> bool:
        """Whether the code is only there to be told from others."""
        return self.place is None and all(name.endswith(LOOK_ALIKES) for name in self.sets)


class Seen(NamedTuple):
    """What the maps say of a code: its `key` (None for a system that no map knows), whether it is
    in a value set or has a place, and whether it says something of a patient.
    """

    key: tuple[str, str] | None
    is_listed: bool
    says_something: bool


@dataclass(frozen=True)
class OrderMeaning:
    """What an order code asks for. `comment` says how the code and the procedure differ."""

    procedure: str
    places: tuple[Place, ...]
    exact: bool
    comment: str


@dataclass(frozen=True)
class Coding:
    """A code that we send."""

    system: str
    code: str
    display: str


@dataclass(frozen=True)
class BodySite:
    """A Condition of the value set `finding` with a bodySite of the value set `site` is one of the
    value set `means`, too.
    """

    finding: str
    site: str
    means: str


@dataclass(frozen=True)
class Pattern:
    """A value set that is defined by a rule over the codes (with dot) of an edition of ICD."""

    set_name: str
    include: re.Pattern[str]
    exclude: re.Pattern[str] | None

    def matches(self, code: str) -> bool:
        if self.exclude and self.exclude.fullmatch(code):
            return False
        return self.include.fullmatch(code) is not None


@dataclass(frozen=True)
class Terminology:
    """The maps in memory. Keys are (system, code) as `normalise` returns them; `patterns` are by
    edition of ICD and first letter of the code.

    `answers` is the code system of the answers to our questions; `body_part` the place that stands
    for an order without a region. `reported` are the value sets that a criterion looks for in a
    DiagnosticReport. `looked_up` is what a terminology server said of codes in no map. `seen`,
    `by_rule` and `heard` remember what was found: charts repeat themselves.
    """

    systems: Mapping[str, str]
    meanings: Mapping[tuple[str, str], Meaning]
    patterns: Mapping[tuple[str, str], tuple[Pattern, ...]]
    orders: Mapping[tuple[str, str], OrderMeaning]
    order_codes: Mapping[tuple[str, str | None], tuple[Coding, ...]]
    places: Mapping[str, Place]
    displays: Mapping[tuple[str, str], str]
    answers: str
    body_part: Place
    body_sites: tuple[BodySite, ...] = ()
    words: tuple[Words, ...] = ()
    reported: frozenset[str] = frozenset()
    looked_up: Mapping[tuple[str, str], Meaning] = field(default_factory=dict)
    seen: dict[tuple[str, str], Seen] = field(default_factory=dict, compare=False)
    by_rule: dict[tuple[str, str], Meaning | None] = field(default_factory=dict, compare=False)
    heard: dict[str, frozenset[str]] = field(default_factory=dict, compare=False)

    @property
    def size(self) -> int:
        """How many codes are in the maps."""
        return len(self.meanings) + len(self.orders)

    def normalise(self, system: str, code: str) -> tuple[str, str] | None:
        """The canonical system and code, or None for a system that no map knows.

        A system may come as a URI or an OID, an ICD code with or without its dot, a CPT code with
        a modifier.
        """
        canonical = self.systems.get(system) or self.systems.get(plain_system(system))
        if canonical is None:
            return None
        if canonical in EDITIONS:
            return icd_key(canonical, code)
        return canonical, without_modifier(code) if canonical == CPT else code.strip()

    def meaning(self, key: tuple[str, str]) -> Meaning | None:
        """What a finding code means, or None where it is in no value set and has no place."""
        return self._listed(key) or self.looked_up.get(key)

    def _listed(self, key: tuple[str, str]) -> Meaning | None:
        if key[0] not in EDITIONS:
            return self.meanings.get(key)
        if key in self.by_rule:
            return self.by_rule[key]
        meaning = self._read(key)
        _remember(self.by_rule, key, meaning, len(key[1]))
        return meaning

    def _read(self, key: tuple[str, str]) -> Meaning | None:
        """An ICD code by the rules of its edition; it is where the nearest code above it is."""
        listed = self.meanings.get(key)
        system, code = key
        patterns = self.patterns.get((system, code[:1]), ())
        by_rule = frozenset(p.set_name for p in patterns if p.matches(code))
        if not by_rule:
            return listed
        above = (self.meanings.get((system, header)) for header in and_above(code))
        place = next((m.place for m in above if m and m.place), None)
        return Meaning(listed.sets | by_rule if listed else by_rule, place)

    def display(self, key: tuple[str, str]) -> str:
        """The words for a code that came without: those of an ICD code may be of a header."""
        system, code = key
        written = and_above(code) if system in EDITIONS else (code,)
        return next((d for c in written if (d := self.displays.get((system, c)))), code)

    def see(self, system: str, code: str) -> Seen:
        """What the maps, without what was looked up, say of a code as a chart has it."""
        seen = self.seen.get((system, code))
        if seen is None:
            seen = self._see(system, code)
            _remember(self.seen, (system, code), seen, len(system) + len(code))
        return seen

    def _see(self, system: str, code: str) -> Seen:
        key = self.normalise(system, code)
        meaning = self._listed(key) if key else None
        says_something = bool(meaning and not meaning.says_nothing)
        return Seen(
            key, meaning is not None, says_something or bool(key and key[0] == self.answers)
        )

    def knows(self, system: str, code: str) -> bool:
        """Whether a finding code, written in whatever way, says something of a patient."""
        seen = self.seen.get((system, code)) or self.see(system, code)
        return seen.says_something or seen.key in self.looked_up

    def hears(self, text: str) -> frozenset[str]:
        """The names of the `words` that a text sounds like: of all where it is too long to say."""
        heard = self.heard.get(text)
        if heard is None:
            too_long = len(text) > LONGEST_HEARD
            heard = frozenset(w.name for w in self.words if too_long or w.hears(text))
            _remember(self.heard, text, heard, len(text))
        return heard

    def codes_for(self, procedure: str, region: str | None) -> tuple[Coding, ...]:
        """The codes to send for a procedure of a region; without any, those of the body
        part as a whole, or of no region.
        """
        regions = (region, self.body_part.code, None)
        return next((c for r in regions if (c := self.order_codes.get((procedure, r)))), ())

    def place_covering(self, parts: frozenset[str]) -> Place:
        """The region that covers just these parts, else the body part as a whole."""
        regions = (p for p in self.places.values() if not p.is_level and p.parts)
        return next((p for p in regions if p.parts == parts), self.body_part)


def _remember(answers: dict, asked: Any, answer: Any, length: int) -> None:
    """Remembers an answer, unless what was asked is long; forgets all when they are too many."""
    if len(answers) >= MOST_REMEMBERED:
        answers.clear()
    if length <= LONGEST_REMEMBERED:
        answers[asked] = answer


def union(places: Iterable[Place]) -> frozenset[str]:
    """All parts that the places count to."""
    return frozenset().union(*(place.parts for place in places))
