"""Reads the prefetch: its resources, and which kinds of data came in full."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from msgspec import Raw

from cds_service.fhir.amounts import MOST_CODES, MOST_KEYS, MOST_RESOURCES, MOST_WORDS, check
from cds_service.fhir.plain import dicts
from cds_service.fhir.reading import Head, Resource, head_of

# The prefetch keys that we ask for, and the resource that each holds.
KINDS = {
    "patient": "Patient",
    "conditions": "Condition",
    "procedures": "Procedure",
    "observations": "Observation",
    "devices": "Device",
    "allergies": "AllergyIntolerance",
}
# Read under whatever key it is sent. It is not asked for: its absence means nothing.
ALSO_READ = "DiagnosticReport"
KEYS = {resource_type: key for key, resource_type in KINDS.items()}
READ = frozenset({*KEYS, ALSO_READ})
FAILED = (None, "OperationOutcome")


@dataclass
class Prefetched:
    """`sent` are the kinds of data that were sent, also empty; `partial` those of them that came in
    part only; `counts` says how many resources came of each kind, `codes` how many codes they have
    together, and `words` how many letters the names of Conditions. It takes `most` resources.
    """

    most: int = MOST_RESOURCES
    resources: list[Resource] = field(default_factory=list)
    sent: set[str] = field(default_factory=set)
    partial: set[str] = field(default_factory=set)
    counts: Counter[str] = field(default_factory=Counter)
    codes: int = 0
    words: int = 0

    @property
    def supplied(self) -> set[str]:
        """The kinds that came in full."""
        return self.sent - self.partial

    def add_sent(self, key: str, value: Raw) -> None:
        """Adds the value of a key, unless it stands for a failure. Raises TooMuch."""
        head = head_of(value)
        if head.resourceType not in FAILED or memoryview(value) == b"null":
            self.add(key, [(head, value)])

    def add(self, key: str, pages: list[tuple[Head, bytes | Raw]]) -> None:
        """Adds the pages of a key: head and text of each. Raises TooMuch."""
        kinds = {key} if key in KINDS else set()
        for head, text in pages:
            kinds |= self.add_resources(resources_in(head, text))
        self.sent |= kinds
        if any(has_next_page(head) for head, _ in pages):
            self.partial |= kinds

    def add_resources(self, resources: Iterable[Resource]) -> set[str]:
        """Adds resources; returns their kinds. Raises TooMuch."""
        counted: Counter[str] = Counter()
        for resource in resources:
            if resource.type in READ:
                counted[resource.type] += 1
                self.resources.append(resource)
                self.codes += len(resource.codings or ())
                self.words += len(resource.words)
        check(len(self.resources), self.most, "resources")
        check(self.codes, MOST_CODES, "codes of resources")
        check(self.words, MOST_WORDS, "letters in the names of Conditions")
        found = {KEYS[name]: number for name, number in counted.items() if name in KEYS}
        self.counts.update(found)
        return set(found)


def read_prefetch(prefetch: Mapping[str, Raw], most: int = MOST_RESOURCES) -> Prefetched:
    """The resources of all keys, whose values are undecoded JSON; `most` is how many there may be.

    A key that discovery names counts as sent, also with null or an empty Bundle, but not with an
    OperationOutcome or anything that is no resource: then it failed. Under another name the kind is
    that of the resources. A Bundle with a next page came in part. Raises TooMuch.
    """
    check(len(prefetch), MOST_KEYS, "keys in the prefetch")
    found = Prefetched(most)
    for key, value in prefetch.items():
        found.add_sent(key, value)
    return found


def resources_in(head: Head, text: bytes | Raw) -> Iterator[Resource]:
    """The resources of a Bundle, of Bundles in it, or the one resource itself."""
    if head.resourceType != "Bundle":
        yield Resource(text)
        return
    for entry in head.entry:
        resource = Resource(entry.resource)
        if resource.type == "Bundle":
            yield from resources_in(head_of(entry.resource), entry.resource)
        else:
            yield resource


def has_next_page(bundle: Head) -> bool:
    return any(link.get("relation") == "next" for link in dicts(bundle.link))
