"""Codes of orders, reasons and Conditions that are in no map, so that somebody may map them."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from cds_service.decision.terminology import Terminology
from cds_service.decision.topic import Sound
from cds_service.fhir.plain import Json, as_dict, as_list, as_text, codings
from cds_service.fhir.reading import Coding, Resource

LONGEST_NAME = 500  # of an order; more is not looked at
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
    said: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for resource in resources:
        if resource.type == "Condition":
            for coding in resource.codings or ():
                key = _unknown(coding, terminology)
                if key:
                    said[key].add(resource.words)
    order = [*sounds, ""]
    heard = {key: {_sounds_like(text, terminology, sounds) for text in said[key]} for key in said}
    return tuple(
        Unmapped(CONDITION, *key, "", min(names, key=order.index)) for key, names in heard.items()
    )


def _unknown(coding: Coding, terminology: Terminology) -> tuple[str, str] | None:
    """System and code, or None where they are in a map or there is no code."""
    seen = terminology.see(coding.system, coding.code)
    if seen.is_listed or seen.says_something or seen.key in terminology.looked_up:
        return None
    return (seen.key or (coding.system, coding.code)) if coding.code else None


def _sounds_like(text: str, terminology: Terminology, sounds: Mapping[str, Sound]) -> str:
    """The name of the most serious sound; empty where it sounds like none."""
    heard, said = terminology.hears(text), f" {text.lower()} ".replace(";", " ")
    for name, sound in sounds.items():
        if sound.heard_as in heard or any(map(said.__contains__, sound.words)):
            return name
    return ""


def by_known_system(unmapped: Iterable[Unmapped], terminology: Terminology) -> Counter[str]:
    """How many by system; a system that we do not know is "other"."""
    keys = (terminology.normalise(code.system, code.code) for code in unmapped)
    return Counter(key[0] if key else "other" for key in keys)


def is_worded_like(resource: Json, expressions: Iterable[str]) -> bool:
    """Whether what the order's code says in words fits one of the regular expressions."""
    said = _words(resource.get("code"))
    return any(re.search(expression, said, re.IGNORECASE) for expression in expressions)


def _words(concept: Any) -> str:
    """What a CodeableConcept says in words."""
    said = [words for _, _, words in codings(concept)]
    return " ".join([*said, as_text(as_dict(concept).get("text"))])[:LONGEST_NAME]
