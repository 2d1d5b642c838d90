"""Codes and what they mean: systems made equal, value sets, the order map, regions."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from cds_service.decision.icd import EDITIONS, and_above, icd_key
from cds_service.decision.words import Words

SNOMED_CT = "http://snomed.info/sct"
CPT = "http://www.ama-assn.org/go/cpt"
# Value sets of this ending hold codes that are only there to be told from others.
LOOK_ALIKES = "-look-alikes"
MOST_REMEMBERED, LONGEST_REMEMBERED = 50_000, 200
# A CPT code, and modifiers of two characters: 72149-26, 72149 26, 72149TC.
WITH_MODIFIERS = re.compile(r"(\d{4}[0-9A-Z])((?:[\s,-]*[0-9A-Z]{2})*)", re.ASCII)
MODIFIER = re.compile(r"[0-9A-Z]{2}")
BROKEN_OFF = frozenset({"53", "73", "74"})


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
    DiagnosticReport. `known` remembers what `knows` said. `looked_up` is what a terminology server
    said of codes in no map.
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
    known: dict[tuple[str, str], bool] = field(default_factory=dict, compare=False)
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
        if key[0] not in EDITIONS:
            return self.meanings.get(key) or self.looked_up.get(key)
        if key in self.by_rule:
            return self.by_rule[key]
        meaning = self._read(key)
        if len(self.by_rule) >= MOST_REMEMBERED:
            self.by_rule.clear()
        if len(key[1]) <= LONGEST_REMEMBERED:
            self.by_rule[key] = meaning
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

    def knows(self, system: str, code: str) -> bool:
        """Whether a finding code, written in whatever way, says something of a patient.

        Remembers what it said: charts repeat themselves.
        """
        known = self.known.get((system, code))
        if known is None:
            known = self._is_known(self.normalise(system, code))
            if len(self.known) >= MOST_REMEMBERED:
                self.known.clear()
            if len(system) + len(code) <= LONGEST_REMEMBERED:
                self.known[system, code] = known
        return known or (bool(self.looked_up) and self._is_known(self.normalise(system, code)))

    def _is_known(self, key: tuple[str, str] | None) -> bool:
        if key is None:
            return False
        meaning = self.meaning(key)
        return key[0] == self.answers or bool(meaning and not meaning.says_nothing)

    def hears(self, text: str) -> frozenset[str]:
        """The names of the `words` that a text sounds like. Remembers what it said."""
        heard = self.heard.get(text)
        if heard is None:
            heard = frozenset(words.name for words in self.words if words.hears(text))
            if len(self.heard) >= MOST_REMEMBERED:
                self.heard.clear()
            if len(text) <= LONGEST_REMEMBERED:
                self.heard[text] = heard
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


def union(places: Iterable[Place]) -> frozenset[str]:
    """All parts that the places count to."""
    return frozenset().union(*(place.parts for place in places))


def plain_system(system: str) -> str:
    """Common misspellings undone: https for http, a trailing slash, capitals; and the edition of
    SNOMED CT, and a version, dropped.
    """
    plain = system.strip().lower().partition("|")[0]
    plain = plain.replace("https://", "http://", 1).rstrip("/")
    return SNOMED_CT if plain.startswith(SNOMED_CT + "/") else plain


def without_modifier(code: str) -> str:
    """A CPT code without its modifiers (72149-26, 72149TC), unless one says that the procedure was
    broken off: then it stays as it is, and no map knows it.
    """
    written = WITH_MODIFIERS.fullmatch(code.strip().upper())
    if written is None or BROKEN_OFF.intersection(MODIFIER.findall(written[2])):
        return code.strip()
    return written[1]
