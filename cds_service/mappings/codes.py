"""ConceptMaps, ValueSets, CodeSystems and NamingSystems, read into the core's Terminology."""

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from cds_service.decision.guideline import Guideline
from cds_service.decision.terminology import (
    ICD_10_CM,
    Coding,
    Meaning,
    OrderMeaning,
    Pattern,
    Place,
    Terminology,
    with_dot,
)
from cds_service.decision.topic import About, Question
from cds_service.mappings.source import Problems, Source

# How the addresses of our own code systems and value sets end.
PROCEDURES, REGIONS, VALUE_SET, ANSWERS = ":procedure", ":region", ":value-set:", ":answer"

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
    located = _located(source, places)
    meanings = {
        key: Meaning(frozenset(sets.get(key, ())), located.get(key)) for key in sets | located
    }
    orders = _orders(source, places, displays)
    if about.region not in places:
        source.problems.add(source.name("topic.json"), "region", f"{about.region} is no region")
    return Terminology(
        systems={answers: answers, **_systems(source)},
        meanings=meanings,
        patterns=_patterns(source),
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
            prefix = "urn:oid:" if identifier["type"] == "oid" else ""
            systems[prefix + identifier["value"]] = preferred[0]
            systems[identifier["value"]] = preferred[0]
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


def set_name(value_set: dict[str, Any]) -> str:
    return value_set["url"].rpartition(VALUE_SET)[2]


def value_set_names(source: Source) -> frozenset[str]:
    return frozenset(set_name(document) for _, document in source.value_sets)


def _patterns(source: Source) -> tuple[Pattern, ...]:
    """The rules over ICD-10-CM codes. Those over SNOMED CT are for a terminology server."""
    patterns = []
    for name, document in source.value_sets:
        compose = document["compose"]
        includes = list(_expressions(source, name, compose["include"]))
        excludes = list(_expressions(source, name, compose.get("exclude", [])))
        if includes:
            exclude = re.compile("|".join(excludes)) if excludes else None
            patterns.append(Pattern(set_name(document), re.compile("|".join(includes)), exclude))
    return tuple(patterns)


def _expressions(source: Source, name: str, parts: list[dict[str, Any]]) -> Iterator[str]:
    for part in parts:
        for rule in part.get("filter", []):
            if rule["op"] == "is-a":
                continue
            if part["system"] != ICD_10_CM or (rule["property"], rule["op"]) != ("code", "regex"):
                text = "only regex rules over ICD-10-CM codes, and is-a rules, are understood"
                source.problems.add(name, "filter", text)
                continue
            yield rule["value"]


def _located(source: Source, places: dict[str, Place]) -> dict[Key, Place]:
    located = {}
    for name, row, system, element in elements(source, REGIONS):
        code = element["target"][0]["code"]
        if code in places:
            located[_key(system, element["code"])] = places[code]
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
    return system, with_dot(code) if system == ICD_10_CM else code
