"""ConceptMaps, ValueSets, CodeSystems and NamingSystems, read into the core's Terminology."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from cds_service.decision.code_systems import plain_system
from cds_service.decision.guideline import Guideline
from cds_service.decision.icd import EDITIONS, icd_key
from cds_service.decision.terminology import (
    Coding,
    Meaning,
    OrderMeaning,
    Place,
    Terminology,
)
from cds_service.decision.topic import About, Question
from cds_service.mappings.icd_rules import read_patterns
from cds_service.mappings.source import Problems, Source, set_name

# How the addresses of our own code systems end.
PROCEDURES, REGIONS, ANSWERS = ":procedure", ":region", ":answer"

Key = tuple[str, str]


def read_terminology(
    source: Source, about: About, guideline: Guideline, questions: tuple[Question, ...]
) -> Terminology:
    """All codes of a topic and those that all topics share, ready to be looked up."""
    answers = about.urn + ANSWERS
    places = _places(source)
    displays = {
        (answers, question.code_of(said)): answer.label
        for question in questions
        for said, answer in question.answers.items()
    }
    sets = _sets(source, displays)
    located = _located(source, places, displays)
    meanings = {
        key: Meaning(frozenset(sets.get(key, ())), located.get(key)) for key in sets | located
    }
    orders = _orders(source, places, displays)
    return Terminology(
        systems={answers: answers, **_systems(source)},
        meanings=meanings,
        patterns=read_patterns(source),
        orders={k: order for k, order in orders.items() if order.procedure in guideline.procedure},
        order_codes=_order_codes(source),
        places=places,
        displays=displays,
        answers=answers,
        body_part=places.get(about.region, Place(about.region, about.region)),
        body_sites=about.body_sites,
    )


def _systems(source: Source) -> dict[str, str]:
    """Every name of a code system, as URI, OID or misspelling, to the one that we use."""
    systems = {}
    for name, document in source.naming_systems:
        ids = document["uniqueId"]
        preferred = [i["value"] for i in ids if i.get("preferred")]
        if len(preferred) != 1:
            source.problems.add(name, "uniqueId", "exactly one must be preferred")
            continue
        for identifier in ids:
            value = identifier["value"]
            prefix = "urn:oid:" if identifier["type"] == "oid" else ""
            for written in (prefix + value, value, plain_system(value)):
                systems[written] = preferred[0]
    return systems


def _places(source: Source) -> dict[str, Place]:
    places = {}
    for _, document in source.code_systems:
        for concept in document["concept"]:
            properties = concept.get("property", [])
            parts = frozenset(p["valueCode"] for p in properties if p["code"] == "covers")
            home = next((p["valueCode"] for p in properties if p["code"] == "region"), None)
            code = concept["code"]
            places[code] = Place(code, concept["display"], parts, home)
    return places


def _sets(source: Source, displays: dict[Key, str]) -> dict[Key, set[str]]:
    """The value sets that list each code."""
    sets = defaultdict(set)
    for name, document in source.value_sets:
        for row, system, concept in listed_codes(document):
            key = _key(system, concept["code"])
            if set_name(document) in sets[key]:
                source.problems.add(name, row, f"{concept['code']} is listed twice")
            sets[key].add(set_name(document))
            displays.setdefault(key, concept["display"])
    for name, document in source.expansions:
        url = document.get("url")
        if url not in {known["url"] for _, known in source.value_sets}:
            source.problems.add(name, "url", f"{url} is no value set of value-sets/")
            continue
        for _, system, concept in expanded_codes(document, name, source.problems):
            key = _key(system, concept["code"])
            sets[key].add(set_name(document))
            displays.setdefault(key, concept.get("display", concept["code"]))
    return dict(sets)


def listed_codes(value_set: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Row, system and concept of each code that a ValueSet lists."""
    for i, include in enumerate(value_set["compose"]["include"]):
        for j, concept in enumerate(include.get("concept", [])):
            yield f"compose.include[{i}].concept[{j}]", include["system"], concept


def expanded_codes(
    value_set: dict[str, Any], name: str, problems: Problems
) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Row, system and concept of each code of an expansion, which is flat."""
    contains = value_set.get("expansion", {}).get("contains", [])
    if not contains:
        problems.add(name, "expansion.contains", "no code found")
    for i, concept in enumerate(contains):
        row = f"expansion.contains[{i}]"
        if "system" in concept and "code" in concept and "contains" not in concept:
            yield row, concept["system"], concept
        else:
            problems.add(name, row, "must have a system and a code, and hold no others")


def value_set_names(source: Source) -> frozenset[str]:
    return frozenset(set_name(document) for _, document in source.value_sets)


def _located(
    source: Source, places: dict[str, Place], displays: dict[Key, str]
) -> dict[Key, Place]:
    located = {}
    for name, row, system, element in elements(source, REGIONS):
        code = element["target"][0]["code"]
        key = _key(system, element["code"])
        displays.setdefault(key, element["display"])
        if code in places:
            located[key] = places[code]
        else:
            source.problems.add(name, row, f"{code} is no region of code-systems/")
    return located


def _orders(
    source: Source, places: dict[str, Place], displays: dict[Key, str]
) -> dict[Key, OrderMeaning]:
    orders: dict[Key, OrderMeaning] = {}
    for name, row, system, element in elements(source, PROCEDURES):
        key = _key(system, element["code"])
        targets = element["target"]
        procedures = {t["code"] for t in targets}
        if key in orders or len(procedures) != 1:
            source.problems.add(name, row, f"{element['code']} maps to more than one procedure")
            continue
        regions = [region_of(t) for t in targets]
        for region in regions:
            if region and region not in places:
                source.problems.add(name, row, f"{region} is no region of code-systems/")
        exact = all(t["equivalence"] == "equivalent" for t in targets)
        found = tuple(places[r] for r in regions if r in places)
        orders[key] = OrderMeaning(procedures.pop(), found, exact, targets[0].get("comment", ""))
        displays.setdefault(key, element["display"])
    return orders


def _order_codes(source: Source) -> dict[tuple[str, str | None], tuple[Coding, ...]]:
    """What to send: of each system the first code without a comment, per procedure and region."""
    codes: dict[tuple[str, str | None], dict[str, Coding]] = defaultdict(dict)
    for _, _, system, element in elements(source, PROCEDURES):
        for target in element["target"]:
            if not target.get("comment"):
                code = Coding(system, element["code"], element["display"])
                codes[(target["code"], region_of(target))].setdefault(system, code)
    return {key: tuple(by_system.values()) for key, by_system in codes.items()}


def region_of(target: dict[str, Any]) -> str | None:
    products = target.get("product", [])
    return next((p["value"] for p in products if p["property"].endswith(REGIONS)), None)


def elements(source: Source, target: str) -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    """File, row, system and element of each code in the ConceptMaps to a target."""
    for name, document in source.concept_maps:
        for i, group in enumerate(document["group"]):
            if group["target"].endswith(target):
                for j, element in enumerate(group["element"]):
                    yield name, f"group[{i}].element[{j}]", group["source"], element


def _key(system: str, code: str) -> Key:
    return icd_key(system, code) if system in EDITIONS else (system, code)
