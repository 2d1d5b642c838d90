"""Value sets and code systems as people read them, for the pages."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from cds_service.mappings.codes import expanded_codes, listed_codes
from cds_service.mappings.source import Problems, Source, set_name, sources_of_topics

# The names of code systems that are written otherwise than FHIR wants them.
WRITTEN = {
    "SNOMEDCT": "SNOMED CT",
    "ICD10": "ICD-10",
    "ICD10CM": "ICD-10-CM",
    "ICD10GM": "ICD-10-GM",
    "ICD10AM": "ICD-10-AM",
}


@dataclass(frozen=True)
class ListedCode:
    """One code of a value set; `system` is the address of its code system."""

    system: str
    code: str
    display: str


@dataclass(frozen=True)
class CodeRule:
    """Codes that are in a value set by a rule, or kept out of it where it `excludes`: `op` is
    `regex`, of the codes of an edition of ICD; `is-a`, a code and all below it, which a terminology
    server knows; or `value-set`, all codes of another one.
    """

    op: str
    value: str
    system: str = ""
    excludes: bool = False


@dataclass(frozen=True)
class ListedSet:
    """A value set in the words of its file; `expanded` of its codes a terminology server added."""

    name: str
    title: str
    description: str
    version: str
    copyright: str
    codes: tuple[ListedCode, ...]
    rules: tuple[CodeRule, ...]
    expanded: int


@dataclass(frozen=True)
class Listing:
    """The value sets that a topic may use, by name, and the names of code systems by address."""

    value_sets: Mapping[str, ListedSet]
    systems: Mapping[str, str]

    def system(self, address: str) -> str:
        return self.systems.get(address, address)

    @cached_property
    def titles(self) -> Mapping[str, str]:
        return {name: listed.title for name, listed in self.value_sets.items()}


@cache
def listing_of(mappings: Path, topic_id: str) -> Listing:
    """That of a topic. Read once, when the first page asks for it; the files were checked at the
    start.
    """
    source = next(
        s
        for s in sources_of_topics(Source(mappings, Problems()))
        if s.folder.endswith(f"/{topic_id}")
    )
    expanded = {d["url"]: d for _, d in source.with_shared("expansions")}
    documents = [d for _, d in source.with_shared("value-sets")]
    sets = {set_name(d): _listed(d, expanded.get(d["url"], {})) for d in documents}
    systems = dict(_system(d) for _, d in source.with_shared("naming-systems"))
    return Listing(dict(sorted(sets.items())), systems)


def _system(document: dict[str, Any]) -> tuple[str, str]:
    """Address and name of a code system."""
    preferred = next(i["value"] for i in document["uniqueId"] if i.get("preferred"))
    return preferred, WRITTEN.get(document["name"], document["name"])


def _listed(document: dict[str, Any], expansion: dict[str, Any]) -> ListedSet:
    codes = {(system, c["code"]): c["display"] for _, system, c in listed_codes(document)}
    by_hand = len(codes)
    for _, system, concept in expanded_codes(expansion, "", Problems()):
        codes.setdefault((system, concept["code"]), concept.get("display", concept["code"]))
    return ListedSet(
        name=set_name(document),
        title=document.get("title") or set_name(document),
        description=document.get("description", ""),
        version=document.get("version", ""),
        copyright=document.get("copyright", ""),
        codes=tuple(ListedCode(*key, display) for key, display in codes.items()),
        rules=tuple(_rules(document["compose"])),
        expanded=len(codes) - by_hand,
    )


def _rules(compose: dict[str, Any]) -> list[CodeRule]:
    found = []
    for kind in ("include", "exclude"):
        out = kind == "exclude"
        for part in compose.get(kind, []):
            system = part.get("system", "")
            found += [CodeRule(f["op"], f["value"], system, out) for f in part.get("filter", [])]
            named = part.get("valueSet", [])
            found += [CodeRule("value-set", n.rpartition(":")[2], "", out) for n in named]
    return found
