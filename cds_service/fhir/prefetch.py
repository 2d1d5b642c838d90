"""What the prefetch holds: the resources by type, and which kinds of data came in full."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from cds_service.fhir.plain import Json, as_dict, as_text, dicts

# The prefetch keys that we ask for, and the resource that each holds.
KINDS = {
    "patient": "Patient",
    "conditions": "Condition",
    "procedures": "Procedure",
    "observations": "Observation",
    "devices": "Device",
    "allergies": "AllergyIntolerance",
}
# Read where it is sent, under whatever key; that it is not sent says nothing.
ALSO_READ = frozenset({"DiagnosticReport"})
KEYS = {resource_type: key for key, resource_type in KINDS.items()}


@dataclass
class Prefetched:
    """`sent` are the kinds that were answered, `partial` those of them that came in part only;
    `counts` says how many resources came of each kind.
    """

    resources: list[Json] = field(default_factory=list)
    sent: set[str] = field(default_factory=set)
    partial: set[str] = field(default_factory=set)
    counts: Counter[str] = field(default_factory=Counter)

    @property
    def supplied(self) -> set[str]:
        """The kinds that came in full."""
        return self.sent - self.partial

    def add(self, key: str, values: Iterable[Any]) -> None:
        """The answer to a key, as one value or in pages."""
        kinds = {key} if key in KINDS else set()
        more = False
        for value in values:
            kinds |= self._add(value)
            more = more or has_next_page(value)
        self.sent |= kinds
        if more:
            self.partial |= kinds

    def _add(self, value: Any) -> set[str]:
        kinds = set()
        for resource in resources_in(value):
            resource_type = as_text(resource.get("resourceType"))
            kind = KEYS.get(resource_type)
            if kind:
                kinds.add(kind)
                self.counts[kind] += 1
            if kind or resource_type in ALSO_READ:
                self.resources.append(resource)
        return kinds


def read_prefetch(prefetch: Any) -> Prefetched:
    """The resources of all keys.

    A key of ours that was sent is an answer, also with null or an empty Bundle; with an
    OperationOutcome, or anything that is no resource, it failed. A key under another name is known
    by the resources in it. A Bundle with a next page came in part.
    """
    found = Prefetched()
    for key, value in as_dict(prefetch).items():
        if value is None or not _failed(value):
            found.add(key, [value])
    return found


def resources_in(value: Any) -> Iterator[Json]:
    """The resources of a Bundle, of Bundles in it, or the one resource itself."""
    resource = as_dict(value)
    if resource.get("resourceType") != "Bundle":
        yield resource
        return
    for entry in dicts(resource.get("entry")):
        yield from resources_in(entry.get("resource"))


def has_next_page(value: Any) -> bool:
    links = dicts(as_dict(value).get("link"))
    return any(link.get("relation") == "next" for link in links)


def _failed(value: Any) -> bool:
    return as_dict(value).get("resourceType") in (None, "OperationOutcome")
