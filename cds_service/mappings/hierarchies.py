"""The value sets that are defined by a hierarchy of SNOMED CT, as a terminology server knows it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cds_service.decision.code_systems import SNOMED_CT
from cds_service.mappings.codes import listed_codes
from cds_service.mappings.source import Problems, Source, set_name, sources_of_topics

ABOUT = ("resourceType", "url", "version", "name", "title", "status", "copyright")


@dataclass(frozen=True)
class Hierarchy:
    """One such definition: what is a `roots`, but no `excluded_roots`, and none of `excluded`.

    `listed` are the codes that its file lists besides; `about` is what a copy of it says of itself.
    """

    name: str
    file: str
    about: dict[str, Any]
    roots: tuple[str, ...]
    excluded_roots: tuple[str, ...]
    excluded: tuple[str, ...]
    listed: dict[str, str]


def hierarchies_of(folder: Path) -> list[Hierarchy]:
    """The definitions in a mappings folder. Raises MappingsError."""
    shared = Source(folder, Problems())
    sources = [shared, *sources_of_topics(shared)]
    found = {h.name: h for source in sources for h in read_hierarchies(source)}
    shared.problems.raise_if_any()
    return list(found.values())


def read_hierarchies(source: Source) -> list[Hierarchy]:
    """The definitions among the value sets, by name."""
    by_url = {document["url"]: document for _, document in source.value_sets}
    found = []
    for name, document in source.value_sets:
        roots = tuple(_roots(document["compose"]["include"]))
        if roots:
            found.append(_hierarchy(name, document, roots, by_url, source.problems))
    return found


def _hierarchy(
    name: str, document: Any, roots: tuple[str, ...], by_url: dict[str, Any], problems: Problems
) -> Hierarchy:
    excluding = document["compose"].get("exclude", [])
    excluded = []
    for url in (url for part in excluding for url in part.get("valueSet", [])):
        if url in by_url:
            excluded.extend(_snomed_ct(by_url[url]))
        else:
            problems.add(name, "compose.exclude", f"{url} is no value set of value-sets/")
    return Hierarchy(
        name=set_name(document),
        file=name,
        about={field: document[field] for field in ABOUT if field in document},
        roots=roots,
        excluded_roots=tuple(_roots(excluding)),
        excluded=tuple(excluded),
        listed=_snomed_ct(document),
    )


def _roots(parts: list[dict[str, Any]]) -> Iterator[str]:
    for part in parts:
        if part.get("system") == SNOMED_CT:
            yield from (rule["value"] for rule in part.get("filter", []) if rule["op"] == "is-a")


def _snomed_ct(document: Any) -> dict[str, str]:
    """The codes of SNOMED CT that a value set lists, with their words."""
    listed = ((system, concept) for _, system, concept in listed_codes(document))
    return {c["code"]: c["display"] for system, c in listed if system == SNOMED_CT}
