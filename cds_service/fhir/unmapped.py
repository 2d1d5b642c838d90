"""Codes of orders and their reasons that are in no map, for those who map a site's codes."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator

from cds_service.decision.terminology import SNOMED_CT, Terminology
from cds_service.fhir.plain import Json, as_dict, as_list, as_text, codings
from cds_service.fhir.reading import Resource

# "order" or "reason", system, code, and display (of an order; else empty).
Unmapped = tuple[str, str, str, str]


def unmapped_codes(resource: Json, terminology: Terminology) -> tuple[Unmapped, ...]:
    """The codes of an order and its reasons that are in no map, but for our own answers."""
    return tuple(_unmapped(resource, terminology))


def _unmapped(resource: Json, terminology: Terminology) -> Iterator[Unmapped]:
    concepts = [(resource.get("code"), "order", terminology.orders)]
    reasons = as_list(resource.get("reasonCode"))
    concepts += [(concept, "reason", terminology.meanings) for concept in reasons]
    for concept, about, known in concepts:
        for system, code, said in codings(concept):
            key = terminology.normalise(system, code)
            mapped = key in known or (key and terminology.meaning(key))
            if not mapped and system != terminology.answers:
                yield about, *(key or (system, code)), said if about == "order" else ""


def unknown_conditions(resources: Iterable[Resource], terminology: Terminology) -> frozenset[str]:
    """The SNOMED CT codes of Conditions that are in no map."""
    coded = (c for r in resources if r.type == "Condition" for c in r.codings or ())
    keys = (terminology.normalise(coding.system, coding.code) for coding in coded)
    unknown = (k[1] for k in keys if k and k[0] == SNOMED_CT and not terminology.meaning(k))
    return frozenset(unknown)


def by_known_system(unmapped: Iterable[Unmapped], terminology: Terminology) -> Counter[str]:
    """The number of codes by system; systems without a NamingSystem are "other"."""
    keys = (terminology.normalise(system, code) for _, system, code, _ in unmapped)
    return Counter(key[0] if key else "other" for key in keys)


def is_worded_like(resource: Json, expressions: Iterable[str]) -> bool:
    """Whether what the order's code says in words fits one of the regular expressions."""
    concept = resource.get("code")
    said = [words for _, _, words in codings(concept)]
    text = " ".join([*said, as_text(as_dict(concept).get("text"))])
    return any(re.search(expression, text, re.IGNORECASE) for expression in expressions)
