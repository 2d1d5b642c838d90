"""Expands a definition completely, page by page, and notes the version of SNOMED CT."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import inf
from typing import Any

from cds_service.decision.code_systems import SNOMED_CT
from cds_service.expansion.server import TerminologyError, TerminologyServer
from cds_service.fhir.plain import Json
from cds_service.mappings.hierarchies import Hierarchy

PAGE = 1000
STATE_A_VERSION = frozenset({"version", "used-codesystem"})
INCOMPLETE = frozenset(
    f"http://hl7.org/fhir/StructureDefinition/valueset-{why}" for why in ("toocostly", "unclosed")
)


@dataclass(frozen=True)
class Expansion:
    """The codes with their displays. `versions` are the parameters that state the version, `about`
    has timestamp and identifier; both as the server sent them.
    """

    codes: dict[str, str]
    versions: list[Json]
    about: Json


def definition(hierarchy: Hierarchy) -> Json:
    """The hierarchy as a ValueSet that names no other, so that any server can expand it."""
    exclude = [_rule(root) for root in hierarchy.excluded_roots]
    if hierarchy.excluded:
        concepts = [{"code": code} for code in hierarchy.excluded]
        exclude.append({"system": SNOMED_CT, "concept": concepts})
    include = [_rule(root) for root in hierarchy.roots]
    compose = {"include": include} | ({"exclude": exclude} if exclude else {})
    return {**hierarchy.about, "compose": compose}


def _rule(root: str) -> Json:
    is_a = {"property": "concept", "op": "is-a", "value": root}
    return {"system": SNOMED_CT, "filter": [is_a]}


def expansion_of(hierarchy: Hierarchy, server: TerminologyServer) -> Expansion:
    """The expansion. Raises TerminologyError, also where it is incomplete or states no version."""
    first, concepts = _all_pages(definition(hierarchy), server)
    selectable = [c for c in concepts if not c.get("abstract")]
    for concept in selectable:
        if concept.get("system") != SNOMED_CT or "code" not in concept:
            raise TerminologyError(f"a code of {concept.get('system')} came")
    if not selectable:
        raise TerminologyError("no code came")
    codes = {c["code"]: c.get("display", c["code"]) for c in selectable}
    about = {name: first[name] for name in ("identifier", "timestamp") if name in first}
    return Expansion(dict(sorted(codes.items())), _versions(first), about)


def _all_pages(asked: Json, server: TerminologyServer) -> tuple[Json, list[Json]]:
    """The first page, and the concepts of all pages. Without a stated total the end is an empty
    page, or, from a server without paging, the same short page again.
    """
    first = page = _page(asked, server, 0)
    concepts = list(_flat(first))
    while page.get("contains") and len(concepts) < first.get("total", inf):
        page = _page(asked, server, len(concepts))
        if page.get("contains") and _versions(page) != _versions(first):
            raise TerminologyError("the version changed between two pages; try again")
        if _codes(page) & {c.get("code") for c in concepts}:
            if "total" in first or len(concepts) >= PAGE:
                raise TerminologyError("the same codes came on two pages")
            break
        concepts.extend(_flat(page))
    _check_number(first, concepts)
    return first, concepts


def _check_number(first: Json, concepts: list[Json]) -> None:
    """The total may count a concept with two parents once, which comes twice in a tree."""
    total = first.get("total", len(concepts))
    if total not in (len(concepts), len({c.get("code") for c in concepts})):
        raise TerminologyError(f"{total} codes were announced, and {len(concepts)} came")


def _page(asked: Json, server: TerminologyServer, offset: int) -> Json:
    """The `expansion` of one page. Raises TerminologyError where it says that it is incomplete."""
    page = server.expand(asked, offset, PAGE).get("expansion")
    if page is None:
        raise TerminologyError("a value set without an expansion came")
    if any(e["url"] in INCOMPLETE and e.get("valueBoolean") for e in page.get("extension", [])):
        raise TerminologyError("the expansion is incomplete, as the server says itself")
    if page.get("contains") and not _versions(page):
        raise TerminologyError("the server does not say which version of SNOMED CT it used")
    return page


def _versions(page: Json) -> list[Json]:
    """The parameters that state a version of SNOMED CT: `http://snomed.info/sct|…`."""
    return [p for p in page.get("parameter", []) if p["name"] in STATE_A_VERSION and _version(p)]


def _version(parameter: Json) -> str:
    said = parameter.get("valueUri") or parameter.get("valueString") or ""
    system, _, version = said.partition("|")
    return version if system == SNOMED_CT else ""


def version_of(versions: list[Json]) -> str:
    """The version in one line."""
    return ", ".join(dict.fromkeys(_version(parameter) for parameter in versions))


def _flat(part: Json) -> Iterator[Any]:
    """All concepts of a page, also nested ones."""
    for concept in part.get("contains", []):
        yield concept
        yield from _flat(concept)


def _codes(page: Json) -> set[Any]:
    return {concept.get("code") for concept in _flat(page)}
