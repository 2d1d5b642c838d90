"""Codes of orders, reasons and Conditions that are in no map, so that somebody may map them."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from cds_service.decision.terminology import Terminology
from cds_service.decision.topic import Sound
from cds_service.fhir.plain import Json, as_dict, as_list, as_text, codings
from cds_service.fhir.reading import Coding, Resource

ORDER, REASON, CONDITION = "order", "reason", "condition"


class Unmapped(NamedTuple):
    """A code that is in no map. Only an order's `display` is taken over; of a Condition no more
    than what its words sound like, in a word of the topic.
    """

    about: str
    system: str
    code: str
    display: str = ""
    sounds_like: str = ""


def unmapped_codes(resource: Json, terminology: Terminology) -> tuple[Unmapped, ...]:
    """The codes of an order and its reasons that are in no map, but for our own answers."""
    return tuple(_unmapped(resource, terminology))


def _unmapped(resource: Json, terminology: Terminology) -> Iterator[Unmapped]:
    concepts = [(resource.get("code"), ORDER, terminology.orders)]
    reasons = as_list(resource.get("reasonCode"))
    concepts += [(concept, REASON, terminology.meanings) for concept in reasons]
    for concept, about, known in concepts:
        for system, code, said in codings(concept):
            key = terminology.normalise(system, code)
            mapped = key in known or (key and terminology.meaning(key))
            if not mapped and system != terminology.answers:
                yield Unmapped(about, *(key or (system, code)), said if about == ORDER else "")


def unmapped_conditions(
    resources: Iterable[Resource], terminology: Terminology, sounds: Mapping[str, Sound]
) -> tuple[Unmapped, ...]:
    """Each code of Conditions that is in no map, once.

    `sounds` are what the words may sound like by a name, the most serious first.
    """
    order = [*sounds, ""]
    found: dict[tuple[str, str], str] = {}
    for resource in resources:
        if resource.type == "Condition":
            keys = {_unknown(coding, terminology) for coding in resource.codings or ()} - {None}
            heard = _sounds_like(resource.content.get("code"), sounds) if keys else ""
            for key in keys:
                found[key] = min(found.get(key, heard), heard, key=order.index)
    return tuple(Unmapped(CONDITION, *key, "", heard) for key, heard in found.items())


def _unknown(coding: Coding, terminology: Terminology) -> tuple[str, str] | None:
    """System and code, or None where they are in a map."""
    system, code = coding.system, coding.code
    if not code or terminology.knows(system, code):
        return None
    key = terminology.normalise(system, code)
    return None if key and terminology.meaning(key) else key or (system, code)


def _sounds_like(concept: Any, sounds: Mapping[str, Sound]) -> str:
    said = f" {_words(concept).lower()} "
    return next((n for n, s in sounds.items() if any(map(said.__contains__, s.words))), "")


def by_known_system(unmapped: Iterable[Unmapped], terminology: Terminology) -> Counter[str]:
    """How many by system; a system that we do not know is "other"."""
    keys = (terminology.normalise(code.system, code.code) for code in unmapped)
    return Counter(key[0] if key else "other" for key in keys)


def is_worded_like(resource: Json, expressions: Iterable[str]) -> bool:
    """Whether what the order's code says in words fits one of the regular expressions."""
    said = _words(resource.get("code"))
    return any(re.search(expression, said, re.IGNORECASE) for expression in expressions)


def _words(concept: Any) -> str:
    """All that a CodeableConcept says in words."""
    said = [words for _, _, words in codings(concept)]
    return " ".join([*said, as_text(as_dict(concept).get("text"))])
