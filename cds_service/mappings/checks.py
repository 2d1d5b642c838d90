"""What must hold across the files of a mappings folder."""

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

from stdnum import luhn, verhoeff

from cds_service.decision.facts import ESTABLISH
from cds_service.decision.knowledge import Guideline, Knowledge, SafetyRule
from cds_service.decision.suggestions import MEDICAL_MANAGEMENT
from cds_service.decision.terminology import SNOMED_CT
from cds_service.decision.triggers import TIMING, TRIGGERS
from cds_service.decision.variants import is_matched
from cds_service.mappings.codes import expanded_codes, listed_codes
from cds_service.mappings.hierarchies import read_hierarchies
from cds_service.mappings.source import Problems, Source, set_name

LOINC = "http://loinc.org"


def check(knowledge: Knowledge, source: Source) -> None:
    """Adds every problem to `source.problems`."""
    name = f"guidelines/{knowledge.guideline.id}.json"
    _guideline_refers_to_what_exists(knowledge.guideline, name, source.problems)
    _variants_exclude_each_other(knowledge.guideline, name, source.problems)
    _procedures_can_be_ordered(knowledge, name, source.problems)
    _rules_refer_to_what_exists(knowledge, source.problems)
    _look_alikes_are_no_malignancy(knowledge, source)
    _check_digits(source)


def _guideline_refers_to_what_exists(guideline: Guideline, name: str, problems: Problems) -> None:
    for variant in guideline.variants:
        for fact, _ in variant.criteria:
            if fact not in ESTABLISH or fact not in guideline.facts:
                problems.add(name, variant.id, f"criterion {fact} is no fact")
        for procedure, category in variant.ratings:
            if procedure not in guideline.procedures:
                problems.add(name, variant.id, f"{procedure} is no procedure")
            if category not in guideline.categories:
                problems.add(name, variant.id, f"{category} is no category")
    for question in guideline.questions:
        if question.fact not in ESTABLISH:
            problems.add(name, "questions", f"{question.fact} is no fact")


def _variants_exclude_each_other(guideline: Guideline, name: str, problems: Problems) -> None:
    """At most one variant of a kind matches, whatever the facts are: by enumeration of them all."""
    for kind in ("imaging", "treatment"):
        variants = [v for v in guideline.variants if v.kind == kind]
        facts = sorted({fact for v in variants for fact, _ in v.criteria})
        for world in product((False, True), repeat=len(facts)):
            values = dict(zip(facts, world, strict=True))
            matched = [v.id for v in variants if is_matched(v, values)]
            if len(matched) > 1:
                problems.add(name, " and ".join(matched), f"both apply where {_words(values)}")
                break


def _words(values: Mapping[str, bool]) -> str:
    return ", ".join(fact if value else f"not {fact}" for fact, value in values.items())


def _procedures_can_be_ordered(knowledge: Knowledge, name: str, problems: Problems) -> None:
    procedures = knowledge.guideline.procedures
    mapped = {meaning.procedure for meaning in knowledge.terminology.orders.values()}
    for procedure in sorted(set(procedures) - mapped - {MEDICAL_MANAGEMENT}):
        problems.add(name, procedure, "no order code maps to this procedure")
    for procedure in sorted(mapped - set(procedures)):
        problems.add("concept-maps", procedure, "is no procedure of the guideline")


def _rules_refer_to_what_exists(knowledge: Knowledge, problems: Problems) -> None:
    procedures = knowledge.guideline.procedures.values()
    selectors = {s for p in procedures for s in (p.id, p.kind, p.modality, *p.traits)}
    sets = _set_names(knowledge)
    ids = {rule.id for rule in knowledge.rules}
    for rule in knowledge.rules:
        name = f"safety-rules/{rule.id}.json"
        for selector in sorted(_selectors(rule) - selectors):
            problems.add(name, selector, "is no procedure, kind, modality or trait")
        if rule.instead_of and rule.instead_of not in ids:
            problems.add(name, "instead_of", f"{rule.instead_of} is no rule")
        if rule.when is None and rule.kind != "wrong-region":
            problems.add(name, "when", "a trigger is missing")
        elif rule.when is not None:
            for problem in _trigger_problems(rule.when, sets, knowledge.guideline):
                problems.add(name, "when", problem)


def _selectors(rule: SafetyRule) -> set[str]:
    named = {*rule.orders.named, *rule.orders.but_not, *rule.avoid.named, *rule.avoid.but_not}
    return named | {*rule.first.named, *rule.allow} | ({rule.add} if rule.add else set())


def _set_names(knowledge: Knowledge) -> set[str]:
    terminology = knowledge.terminology
    listed = {name for meaning in terminology.meanings.values() for name in meaning.sets}
    rules = (pattern for found in terminology.patterns.values() for pattern in found)
    return listed | {pattern.set_name for pattern in rules}


def _trigger_problems(trigger: Any, sets: set[str], guideline: Guideline) -> Iterator[str]:
    if not isinstance(trigger, dict) or not trigger or next(iter(trigger)) not in TRIGGERS:
        yield f"{trigger} is no trigger"
        return
    kind, value = next(iter(trigger.items()))
    if kind in ("any", "all"):
        for inner in value:
            yield from _trigger_problems(inner, sets, guideline)
    if kind in ("finding", "observation", "pregnant") and value not in sets:
        yield f"{value} is no value set"
    if kind == "finding" and trigger.get("timing") not in TIMING:
        yield f"timing of {value} is none of {', '.join(TIMING)}"
    if kind == "fact" and value not in ESTABLISH:
        yield f"{value} is no fact"
    if kind == "variant" and value not in {v.id for v in guideline.variants}:
        yield f"{value} is no variant"


def _look_alikes_are_no_malignancy(knowledge: Knowledge, source: Source) -> None:
    terminology = knowledge.terminology
    files = {key: name for name, _, listed, key in _codes(source) if listed == "malignancy"}
    for key in terminology.meanings:
        sets = terminology.meaning(key).sets
        if {"malignancy", "malignancy-look-alikes"} <= sets:
            text = f"{key[1]} is a look-alike and a malignancy"
            source.problems.add(files.get(key, "value-sets/malignancy.json"), key[0], text)


def _codes(source: Source) -> Iterator[tuple[str, str, str, tuple[str, str]]]:
    """File, row, value set and key of each code of an expansion, then of each that is listed."""
    for name, document in source.expansions:
        for row, system, concept in expanded_codes(document, name, source.problems):
            yield name, row, set_name(document), (system, concept["code"])
    for name, document in source.value_sets:
        for row, system, concept in listed_codes(document):
            yield name, row, set_name(document), (system, concept["code"])


def _check_digits(source: Source) -> None:
    for name, row, _, (system, code) in _codes(source):
        _check_digit(system, code, name, row, source.problems)
    for hierarchy in read_hierarchies(source):
        for code in (*hierarchy.roots, *hierarchy.excluded_roots):
            _check_digit(SNOMED_CT, code, hierarchy.file, "filter", source.problems)
    for name, document in source.concept_maps:
        for i, group in enumerate(document["group"]):
            for j, element in enumerate(group["element"]):
                row = f"group[{i}].element[{j}]"
                _check_digit(group["source"], element["code"], name, row, source.problems)


def _check_digit(system: str, code: str, name: str, row: str, problems: Problems) -> None:
    """LOINC ends in a Luhn digit, SNOMED CT in a Verhoeff digit; LOINC answers (LA…) in neither."""
    if system == LOINC and not code.startswith("LA") and not luhn.is_valid(code.replace("-", "")):
        problems.add(name, row, f"{code} is no LOINC code: its check digit is wrong")
    if system == SNOMED_CT and not verhoeff.is_valid(code):
        problems.add(name, row, f"{code} is no SNOMED CT code: its check digit is wrong")
