"""Expansions on disk: `expansions/<set>.json` in a mappings folder."""

import json
import os
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from cds_service.configuration import json_of
from cds_service.decision.code_systems import SNOMED_CT
from cds_service.expansion.pages import Expansion
from cds_service.mappings import load
from cds_service.mappings.hierarchies import Hierarchy
from cds_service.mappings.source import EXPANSIONS

CONTAINS = '"contains": []'


def read_codes(folder: Path, hierarchy: Hierarchy) -> dict[str, str]:
    """The codes and displays of the expansion that is there; empty without one.

    Raises ValueError or KeyError where the file cannot be read.
    """
    file = _file(folder, hierarchy)
    if not file.exists():
        return {}
    document = json_of(file, "mappings")
    return {c["code"]: c.get("display", c["code"]) for c in document["expansion"]["contains"]}


def write(folder: Path, hierarchy: Hierarchy, expansion: Expansion, server: str) -> None:
    """Writes an expansion into the folder, after a copy of the folder was loaded with it: no
    expansion can keep the service from starting. Raises MappingsError or OSError.
    """
    text = _text(hierarchy, expansion, server)
    with TemporaryDirectory() as place:
        copy = Path(shutil.copytree(folder, Path(place) / "mappings"))
        _put(_file(copy, hierarchy), text)
        load(copy)
    _put(_file(folder, hierarchy), text)


def _file(folder: Path, hierarchy: Hierarchy) -> Path:
    return folder / EXPANSIONS / f"{hierarchy.name}.json"


def _put(file: Path, text: str) -> None:
    """Writes the file atomically."""
    file.parent.mkdir(exist_ok=True)
    made = file.with_suffix(".new")
    made.write_text(text, "utf-8")
    os.replace(made, file)


def _text(hierarchy: Hierarchy, expansion: Expansion, server: str) -> str:
    """The ValueSet with one concept per line, so that two of them can be compared."""
    provenance = {"name": "server", "valueUri": server}
    document = {
        **hierarchy.about,
        "expansion": {
            **expansion.about,
            "total": len(expansion.codes),
            "parameter": [*expansion.versions, provenance],
            "contains": [],
        },
    }
    rows = [
        json.dumps({"system": SNOMED_CT, "code": code, "display": words}, ensure_ascii=False)
        for code, words in expansion.codes.items()
    ]
    contains = '"contains": [\n      ' + ",\n      ".join(rows) + "\n    ]"
    whole = json.dumps(document, indent=2, ensure_ascii=False)
    return whole.replace(CONTAINS, contains) + "\n"
