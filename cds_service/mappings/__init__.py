"""Reads `mappings/` into Knowledge, and refuses a folder in which anything is wrong."""

import hashlib
from pathlib import Path

from cds_service.decision.knowledge import Knowledge
from cds_service.mappings.checks import check
from cds_service.mappings.codes import read_terminology
from cds_service.mappings.guideline import read_guideline, read_rules
from cds_service.mappings.source import MappingsError, Problems, Source


def load(folder: Path) -> Knowledge:
    """The knowledge in a mappings folder.

    Raises MappingsError, which lists every problem with its file and row.
    """
    problems = Problems()
    source = Source(folder, problems)
    guideline = read_guideline(source)
    rules = read_rules(source)
    terminology = read_terminology(source, guideline)
    problems.raise_if_any()
    knowledge = Knowledge(guideline, rules, terminology, _version(folder))
    check(knowledge, source)
    problems.raise_if_any()
    return knowledge


def _version(folder: Path) -> str:
    """A fingerprint of all files: the same maps have the same version on every machine."""
    digest = hashlib.sha256()
    for file in sorted(folder.rglob("*.json")):
        digest.update(file.relative_to(folder).as_posix().encode() + b"\0")
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


__all__ = ["MappingsError", "load"]
