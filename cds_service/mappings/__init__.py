"""Reads a mappings folder into topics, and refuses one in which anything is wrong."""

import hashlib
from pathlib import Path

from cds_service.decision.topic import Topic, Topics
from cds_service.mappings.checks import check_shared, check_topic
from cds_service.mappings.source import (
    TOPICS,
    MappingsError,
    Problems,
    Source,
    sources_of_topics,
)
from cds_service.mappings.topic import Outline, read_outline, read_topic


def load(folder: Path) -> Topics:
    """The topics of a mappings folder, by the id of their CDS service.

    Raises MappingsError, which lists every problem with its file and row.
    """
    problems = Problems()
    if not folder.is_dir():
        raise MappingsError([f"{folder}: no such folder"])
    shared = Source(folder, problems)
    sources = sources_of_topics(shared)
    if not sources:
        problems.add(TOPICS, "", "no topic found")
    outlines = [outline for source in sources if (outline := read_outline(source))]
    problems.raise_if_any()
    selectors = frozenset().union(*(outline.selectors for outline in outlines))
    version = _version(folder)
    topics = [read_topic(outline, selectors, version) for outline in outlines]
    problems.raise_if_any()
    _check(shared, outlines, topics)
    problems.raise_if_any()
    return {topic.service_id: topic for topic in topics}


def _check(shared: Source, outlines: list[Outline], topics: list[Topic]) -> None:
    check_shared(shared, topics, [outline.source for outline in outlines])
    for outline, topic in zip(outlines, topics, strict=True):
        check_topic(topic, outline.source)


def _version(folder: Path) -> str:
    """A digest of names and content of all JSON files, the same on every machine."""
    digest = hashlib.sha256()
    for file in sorted(folder.rglob("*.json")):
        digest.update(file.relative_to(folder).as_posix().encode() + b"\0")
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


__all__ = ["MappingsError", "load"]
