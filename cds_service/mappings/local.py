"""A site's own codes: order codes and findings, as CSV files or FHIR ConceptMaps in a folder.

orders CSV:    code,display,system,procedure,region     (region may be empty)
findings CSV:  code,display,system,finding,region       (a finding is a value set of ours)
"""

import csv
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from fhir.resources.R4B.conceptmap import ConceptMap
from pydantic import ValidationError

from cds_service.decision.terminology import Coding, Meaning, OrderMeaning, Terminology
from cds_service.decision.topic import Topic, Topics
from cds_service.mappings.codes import PROCEDURES, region_of
from cds_service.mappings.source import MappingsError, Problems

TARGETS = {PROCEDURES: "procedure", ":value-set": "finding"}
COLUMNS = {"procedure": ["code", "display", "system", "procedure", "region"]}
COLUMNS["finding"] = ["code", "display", "system", "finding", "region"]
COUNT = "count"

Key = tuple[str, str]


@dataclass(frozen=True)
class Row:
    """One code of the site. `kind` is procedure or finding; `means` is the id of the procedure, or
    the name of the value set; `where` is file and row.
    """

    where: tuple[str, str]
    kind: str
    code: str
    display: str
    system: str
    means: str
    region: str


@dataclass
class LocalCodes:
    """What the rows add to a Terminology."""

    orders: dict[Key, OrderMeaning] = field(default_factory=dict)
    meanings: dict[Key, Meaning] = field(default_factory=dict)
    order_codes: dict[tuple[str, str | None], tuple[Coding, ...]] = field(default_factory=dict)
    displays: dict[Key, str] = field(default_factory=dict)
    systems: dict[str, str] = field(default_factory=dict)

    @property
    def keys(self) -> set[Key]:
        return set(self.orders) | set(self.meanings)


def with_local_codes(topics: Topics, folder: Path) -> tuple[Topics, int]:
    """The topics with the codes of a site's folder, and how many they are.

    A code counts for each topic that has the procedure or finding. Raises MappingsError, which
    lists every problem with its file and row.
    """
    problems = Problems()
    local = {service: LocalCodes() for service in topics}
    for row in _rows(folder, problems):
        meant = {s: topic for s, topic in topics.items() if row.means in _known(row.kind, topic)}
        problem = _problem(row, bool(meant))
        if problem:
            problems.add(*row.where, problem)
            continue
        for service, topic in meant.items():
            _take(row, local[service], topic, problems)
    found = set().union(*(codes.keys for codes in local.values()))
    if not found and not problems.lines:
        problems.add(str(folder), "", "no code found (*.csv or *.json)")
    problems.raise_if_any()
    joined = {
        s: replace(t, terminology=_joined(t.terminology, local[s])) for s, t in topics.items()
    }
    return joined, len(found)


def _joined(shipped: Terminology, local: LocalCodes) -> Terminology:
    return replace(
        shipped,
        known={},
        by_rule={},
        systems={**local.systems, **shipped.systems},
        meanings={**shipped.meanings, **local.meanings},
        orders={**shipped.orders, **local.orders},
        displays={**shipped.displays, **local.displays},
        order_codes={
            key: shipped.order_codes.get(key, ()) + local.order_codes.get(key, ())
            for key in shipped.order_codes | local.order_codes
        },
    )


def _rows(folder: Path, problems: Problems) -> Iterator[Row]:
    if not folder.is_dir():
        problems.add(str(folder), "", "no such folder")
        return
    for file in sorted(folder.iterdir()):
        read = READERS.get(file.suffix.lower())
        if read:
            yield from read(file, problems)


def _csv_rows(file: Path, problems: Problems) -> Iterator[Row]:
    try:
        text = file.read_text("utf-8-sig")
    except (OSError, ValueError) as error:
        problems.add(file.name, "", f"cannot be read: {error}")
        return
    lines = csv.DictReader(text.splitlines())
    header = [name for name in lines.fieldnames or [] if name != COUNT]
    kind = next((k for k, columns in COLUMNS.items() if header == columns), None)
    if kind is None:
        wanted = " or ".join(",".join(columns) for columns in COLUMNS.values())
        problems.add(file.name, "line 1", f"the columns must be {wanted}")
        return
    for row in lines:
        cells = [(row.get(column) or "").strip() for column in COLUMNS[kind]]
        code, display, system, means, region = cells
        where = (file.name, f"line {lines.line_num}")
        if not means and COUNT in row:
            continue
        yield Row(where, kind, code, display, system, means, region)


def _concept_map_rows(file: Path, problems: Problems) -> Iterator[Row]:
    try:
        document = json.loads(file.read_text("utf-8"))
        ConceptMap.model_validate(document)
    except (OSError, ValueError, ValidationError) as error:
        problems.add(file.name, "", f"no ConceptMap: {str(error).splitlines()[0]}")
        return
    for i, group in enumerate(document.get("group", [])):
        target = group.get("target", "")
        kind = next((kind for end, kind in TARGETS.items() if target.endswith(end)), None)
        if kind is None:
            wanted = " or ".join(TARGETS)
            problems.add(file.name, f"group[{i}].target", f"must end in {wanted}")
            continue
        for j, element in enumerate(group["element"]):
            for target in element.get("target", []):
                yield _mapped((file.name, f"group[{i}].element[{j}]"), kind, group, element, target)


def _mapped(where: tuple[str, str], kind: str, group: Any, element: Any, target: Any) -> Row:
    said = element.get("display", "")
    system, region = group.get("source", ""), region_of(target) or ""
    return Row(where, kind, element.get("code", ""), said, system, target.get("code", ""), region)


READERS: dict[str, Callable[[Path, Problems], Iterator[Row]]] = {
    ".csv": _csv_rows,
    ".json": _concept_map_rows,
}


def _take(row: Row, local: LocalCodes, topic: Topic, problems: Problems) -> None:
    key = (row.system, row.code)
    problem = _conflict(row, key, local, topic.terminology)
    if problem:
        problems.add(*row.where, problem)
        return
    local.systems[row.system] = row.system
    local.displays[key] = row.display or row.code
    place = topic.terminology.places.get(row.region)
    if row.kind == "finding":
        local.meanings[key] = Meaning(frozenset({row.means}), place)
        return
    local.orders[key] = OrderMeaning(row.means, (place,) if place else (), True, "")
    wanted = (row.means, row.region or None)
    sent = local.order_codes.get(wanted, ())
    if row.system not in [code.system for code in sent]:
        made = Coding(row.system, row.code, row.display or row.code)
        local.order_codes[wanted] = (*sent, made)


def _problem(row: Row, is_known: bool) -> str | None:
    """What is wrong with a row in itself, if anything."""
    if not row.code or not row.system:
        return "code and system are needed"
    return None if is_known else f"{row.means or 'an empty cell'} is no {row.kind} of ours"


def _conflict(row: Row, key: Key, local: LocalCodes, terminology: Terminology) -> str | None:
    """What is wrong with a row in its topic, if anything."""
    known = terminology.normalise(row.system, row.code)
    if row.region and row.region not in terminology.places:
        return f"{row.region} is no region of ours"
    if key in local.orders or key in local.meanings:
        return f"{row.code} is mapped twice"
    if known and (known in terminology.orders or terminology.meaning(known)):
        return f"{row.code} of {row.system} has its meaning already"
    return None


def _known(kind: str, topic: Topic) -> frozenset[str]:
    """The procedures or value sets of a topic, which a row may name."""
    if kind == "procedure":
        return frozenset(topic.guideline.procedure)
    shipped = topic.terminology.meanings.values()
    return topic.about.site_value_sets.union(*(meaning.sets for meaning in shipped))


__all__ = ["MappingsError", "with_local_codes"]
