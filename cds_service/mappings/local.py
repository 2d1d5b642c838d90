"""A site's own codes, joined to ours: order codes and findings from the rows of a folder."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from cds_service.decision.code_systems import plain_system
from cds_service.decision.terminology import (
    Coding,
    Meaning,
    OrderMeaning,
    Terminology,
)
from cds_service.decision.topic import Topic, Topics
from cds_service.mappings.forms import has_form
from cds_service.mappings.local_rows import Row, rows_in
from cds_service.mappings.source import MappingsError, Problems

OID = re.compile(r"(?:urn:oid:)?(\d+(?:\.\d+)+)", re.IGNORECASE)

Key = tuple[str, str]


@dataclass
class LocalCodes:
    """What the rows add to `terminology`: ours, which knows the names of the site's systems."""

    terminology: Terminology
    orders: dict[Key, OrderMeaning] = field(default_factory=dict)
    meanings: dict[Key, Meaning] = field(default_factory=dict)
    order_codes: dict[tuple[str, str | None], tuple[Coding, ...]] = field(default_factory=dict)
    displays: dict[Key, str] = field(default_factory=dict)

    @property
    def keys(self) -> set[Key]:
        return set(self.orders) | set(self.meanings)


def with_local_codes(topics: Topics, folder: Path) -> tuple[Topics, int]:
    """The topics with the codes of a site's folder, and how many they are.

    A code counts for each topic that has the procedure or finding. Raises MappingsError, which
    lists every problem with its file and row.
    """
    problems = Problems()
    rows = list(rows_in(folder, problems))
    local = {s: LocalCodes(_with_systems(t.terminology, rows)) for s, t in topics.items()}
    for row in rows:
        meant = [s for s, topic in topics.items() if row.means in _known(row.kind, topic)]
        problem = _problem(row, bool(meant))
        if problem:
            problems.add(*row.where, problem)
            continue
        for service in meant:
            _take(row, local[service], problems)
    found = set().union(*(codes.keys for codes in local.values()))
    if not found and not problems.lines:
        problems.add(str(folder), "", "no code found (*.csv or *.json)")
    problems.raise_if_any()
    joined = {s: replace(t, terminology=_joined(local[s])) for s, t in topics.items()}
    return joined, len(found)


def _with_systems(shipped: Terminology, rows: Iterable[Row]) -> Terminology:
    """Knows the site's own systems, too, by every name that a known system may come under; they
    are called as the first row calls them.
    """
    named: dict[str, str] = {}
    for system in dict.fromkeys(row.system for row in rows if row.system):
        names = list(_names(system))
        if not any(name in shipped.systems for name in names):
            called = next((named[name] for name in names if name in named), names[0])
            named.update(dict.fromkeys(names, called))
    return replace(shipped, systems={**named, **shipped.systems}, seen={}, by_rule={})


def _names(system: str) -> Iterator[str]:
    """What to call a system, then its other names."""
    oid = OID.fullmatch(system)
    if oid:
        yield f"urn:oid:{oid[1]}"
        yield oid[1]
    yield system
    yield plain_system(system)


def _joined(local: LocalCodes) -> Terminology:
    shipped = local.terminology
    return replace(
        shipped,
        seen={},
        by_rule={},
        meanings={**shipped.meanings, **local.meanings},
        orders={**shipped.orders, **local.orders},
        displays={**shipped.displays, **local.displays},
        order_codes={
            key: shipped.order_codes.get(key, ()) + local.order_codes.get(key, ())
            for key in shipped.order_codes | local.order_codes
        },
    )


def _take(row: Row, local: LocalCodes, problems: Problems) -> None:
    """A row by the key under which a chart's code is looked up."""
    key = local.terminology.normalise(row.system, row.code)
    problem = _conflict(row, key, local)
    if problem:
        problems.add(*row.where, problem)
        return
    local.displays.setdefault(key, row.display or row.code)
    if row.kind == "finding":
        local.meanings[key] = _meaning(row, local.meanings.get(key, Meaning()), local)
    else:
        _take_order(row, key, local)


def _meaning(row: Row, so_far: Meaning, local: LocalCodes) -> Meaning:
    """What a code means with one row more."""
    place = local.terminology.places.get(row.region)
    return Meaning(so_far.sets | {row.means}, so_far.place or place)


def _take_order(row: Row, key: Key, local: LocalCodes) -> None:
    place = local.terminology.places.get(row.region)
    local.orders[key] = OrderMeaning(row.means, (place,) if place else (), True, "")
    wanted = (row.means, row.region or None)
    sent = local.order_codes.get(wanted, ())
    if key[0] not in [code.system for code in sent]:
        local.order_codes[wanted] = (*sent, Coding(*key, row.display or row.code))


def _problem(row: Row, is_known: bool) -> str | None:
    """What is wrong with a row in itself, if anything."""
    if not row.code or not row.system:
        return "code and system are needed"
    return None if is_known else f"{row.means or 'an empty cell'} is no {row.kind} of ours"


def _conflict(row: Row, key: Key, local: LocalCodes) -> str | None:
    """What is wrong with a row in its topic, if anything. Findings of one code are joined."""
    ours, listed = local.terminology, local.meanings.get(key)
    if row.region and row.region not in ours.places:
        return f"{row.region} is no region of ours"
    if not has_form(*key):
        return f"{row.code} can never match: {key[0]} has no code that is written so"
    if key in ours.orders or ours.meaning(key):
        return f"{row.code} of {row.system} has its meaning already"
    joins = listed and row.kind == "finding" and row.means not in listed.sets
    if key in local.orders or (listed and not joins):
        return f"{row.code} is mapped twice"
    if listed and listed.place and row.region not in ("", listed.place.code):
        return f"{row.code} has two regions, {listed.place.code} and {row.region}"
    return None


def _known(kind: str, topic: Topic) -> frozenset[str]:
    """The procedures or value sets of a topic, which a row may name."""
    if kind == "procedure":
        return frozenset(topic.guideline.procedure)
    shipped = topic.terminology.meanings.values()
    return frozenset(topic.about.site_value_sets).union(*(meaning.sets for meaning in shipped))


__all__ = ["MappingsError", "with_local_codes"]
