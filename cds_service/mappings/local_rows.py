"""The rows of a site's own codes: CSV files or FHIR ConceptMaps in a folder.

orders CSV:    code,display,system,procedure,region     (region may be empty)
findings CSV:  code,display,system,finding,region       (a finding is a value set of ours)
"""

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fhir.resources.R4B.conceptmap import ConceptMap
from pydantic import ValidationError

from cds_service.configuration import Unusable, json_of, text_of
from cds_service.mappings.codes import PROCEDURES, region_of
from cds_service.mappings.source import Problems

TARGETS = {PROCEDURES: "procedure", ":value-set": "finding"}
COLUMNS = {"procedure": ["code", "display", "system", "procedure", "region"]}
COLUMNS["finding"] = ["code", "display", "system", "finding", "region"]
# Columns that `unmapped` adds, which may stay.
COUNT, SOUNDS_LIKE = "count", "sounds_like"


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


def rows_in(folder: Path, problems: Problems) -> Iterator[Row]:
    """All rows of a folder; what cannot be read is told."""
    try:
        files = sorted(folder.iterdir())
    except (OSError, ValueError) as error:
        problems.add(str(folder), "", f"no such folder: {getattr(error, 'strerror', error)}")
        return
    for file in files:
        read = READERS.get(file.suffix.lower())
        if read:
            yield from read(file, problems)


def _csv_rows(file: Path, problems: Problems) -> Iterator[Row]:
    try:
        lines = csv.DictReader(text_of(file, "list").splitlines())
        yield from _rows(lines, file.name, problems)
    except Unusable as error:
        problems.add(file.name, "", str(error))
    except csv.Error as error:
        problems.add(file.name, f"line {lines.line_num + 1}", str(error))


def _rows(lines: csv.DictReader, file: str, problems: Problems) -> Iterator[Row]:
    header = [name for name in lines.fieldnames or [] if name not in (COUNT, SOUNDS_LIKE)]
    kind = next((k for k, columns in COLUMNS.items() if header == columns), None)
    if kind is None:
        wanted = " or ".join(",".join(columns) for columns in COLUMNS.values())
        problems.add(file, "line 1", f"the columns must be {wanted}")
        return
    for row in lines:
        cells = [(row.get(column) or "").strip() for column in COLUMNS[kind]]
        code, display, system, means, region = cells
        where = (file, f"line {lines.line_num}")
        if not means and COUNT in row:
            continue
        yield Row(where, kind, code, display, system, means, region)


def _concept_map_rows(file: Path, problems: Problems) -> Iterator[Row]:
    try:
        document = json_of(file, "list")
        ConceptMap.model_validate(document)
    except (Unusable, ValidationError) as error:
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
