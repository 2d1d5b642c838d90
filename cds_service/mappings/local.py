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

from cds_service.decision.knowledge import Knowledge
from cds_service.decision.terminology import Meaning, OrderCode, OrderMeaning, Terminology
from cds_service.mappings.codes import BASE, PROCEDURES, region_of
from cds_service.mappings.source import MappingsError, Problems

FINDINGS = BASE + "value-set"
# Value sets that hold no standard code: only a site can fill them.
OF_SITES = frozenset({"bone-marrow-edema-or-cleft", "worsening"})
COLUMNS = {"procedure": ["code", "display", "system", "procedure", "region"]}
COLUMNS["finding"] = ["code", "display", "system", "finding", "region"]
COUNT = "count"

Key = tuple[str, str]


@dataclass(frozen=True)
class Row:
    """One code of the site; `kind` is procedure or finding, `means` which one."""

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
    order_codes: dict[tuple[str, str | None], tuple[OrderCode, ...]] = field(default_factory=dict)
    displays: dict[Key, str] = field(default_factory=dict)
    systems: dict[str, str] = field(default_factory=dict)

    @property
    def size(self) -> int:
        return len(self.orders) + len(self.meanings)


def with_local_codes(knowledge: Knowledge, folder: Path) -> tuple[Knowledge, int]:
    """The knowledge with the codes of a site's folder, and how many they are.

    Raises MappingsError, which lists every problem with its file and row.
    """
    problems = Problems()
    local = LocalCodes()
    for row in _rows(folder, problems):
        _take(row, local, knowledge, problems)
    if not local.size and not problems.lines:
        problems.add(str(folder), "", "no code found (*.csv or *.json)")
    problems.raise_if_any()
    return replace(knowledge, terminology=_joined(knowledge.terminology, local)), local.size


def _joined(shipped: Terminology, local: LocalCodes) -> Terminology:
    return replace(
        shipped,
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
        kind = {PROCEDURES: "procedure", FINDINGS: "finding"}.get(group.get("target"))
        if kind is None:
            wanted = f"{PROCEDURES} or {FINDINGS}"
            problems.add(file.name, f"group[{i}].target", f"must be {wanted}")
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


def _take(row: Row, local: LocalCodes, knowledge: Knowledge, problems: Problems) -> None:
    key = (row.system, row.code)
    problem = _problem(row, key, local, knowledge)
    if problem:
        problems.add(*row.where, problem)
        return
    local.systems[row.system] = row.system
    local.displays[key] = row.display or row.code
    place = knowledge.terminology.places.get(row.region)
    if row.kind == "finding":
        local.meanings[key] = Meaning(frozenset({row.means}), place)
        return
    local.orders[key] = OrderMeaning(row.means, (place,) if place else (), True, "")
    wanted = (row.means, row.region or None)
    sent = local.order_codes.get(wanted, ())
    if row.system not in [code.system for code in sent]:
        made = OrderCode(row.system, row.code, row.display or row.code)
        local.order_codes[wanted] = (*sent, made)


def _problem(row: Row, key: Key, local: LocalCodes, knowledge: Knowledge) -> str | None:
    """What is wrong with a row, if anything."""
    terminology = knowledge.terminology
    known = terminology.normalise(row.system, row.code)
    if not row.code or not row.system:
        return "code and system are needed"
    if row.means not in _meanings(row.kind, knowledge):
        return f"{row.means or 'an empty cell'} is no {row.kind} of ours"
    if row.region and row.region not in terminology.places:
        return f"{row.region} is no region of ours"
    if key in local.orders or key in local.meanings:
        return f"{row.code} is mapped twice"
    if known and (known in terminology.orders or terminology.meaning(known)):
        return f"{row.code} of {row.system} has its meaning already"
    return None


def _meanings(kind: str, knowledge: Knowledge) -> frozenset[str]:
    if kind == "procedure":
        return frozenset(knowledge.guideline.procedures)
    shipped = knowledge.terminology.meanings.values()
    return OF_SITES.union(*(meaning.sets for meaning in shipped))


__all__ = ["MappingsError", "with_local_codes"]
