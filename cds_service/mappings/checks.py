"""What must hold across the files of a mappings folder, besides that each name is known."""

import re
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any, get_args

from cds_service.decision.chart import REMARKS
from cds_service.decision.guideline import Kind
from cds_service.decision.safety import SafetyRule
from cds_service.decision.topic import Topic
from cds_service.decision.variants import is_matched
from cds_service.mappings import texts
from cds_service.mappings.code_checks import check_codes
from cds_service.mappings.codes import PROCEDURES, REGIONS, elements, value_set_names
from cds_service.mappings.source import Source

# The value sets that code names: `fhir/findings.py` to read Observations, `decision/chart.py` for
# what a card adds in words.
NAMED_IN_CODE = frozenset({"egfr", "pregnancy-status", *REMARKS})


def check_shared(shared: Source, topics: list[Topic], sources: list[Source]) -> None:
    """Adds every problem of what all topics share to `problems`."""
    used = {name for topic in topics for name in topic.about.safety_rules}
    for source in (shared, *sources):
        for file, rule in source.documents("safety-rules"):
            if rule.get("id") not in used:
                shared.problems.add(file, "id", "no topic names this rule")
    for name in sorted(NAMED_IN_CODE - value_set_names(shared)):
        shared.problems.add("value-sets", name, "is named in the code, and is not there")
    procedures = {p.id for topic in topics for p in topic.guideline.procedures}
    for file, row, _, element in elements(shared, PROCEDURES):
        for target in element["target"]:
            if target["code"] not in procedures:
                shared.problems.add(file, row, f"{target['code']} is no procedure of a topic")


def check_topic(topic: Topic, source: Source) -> None:
    """Adds every problem of a topic to `source.problems`."""
    found = {
        "guideline.json": [*_problems_of_guideline(topic), *texts.problems_of_guideline(topic)],
        "rationales.json": [*_problems_of_rationales(topic)],
        "facts.json": [*_problems_of_facts(topic), *texts.problems_of_facts(topic)],
        "topic.json": [*_problems_of_about(topic, source), *texts.problems_of_about(topic)],
        "order-words.json": [*_problems_of_words(topic)],
        "condition-words.json": [*_problems_of_sounds(topic)],
    }
    for file, problems in found.items():
        for row, text in problems:
            source.problems.add(source.name(file), row, text)
    for rule in topic.rules:
        for row, text in _problems_of_rule(rule, topic):
            source.problems.add(source.file_of(f"safety-rules/{rule.id}.json"), row, text)
    check_codes(topic.terminology, source)


def _problems_of_rule(rule: SafetyRule, topic: Topic) -> Iterator[tuple[str, str]]:
    yield from texts.problems_of_rule(rule)
    if rule.instead_of and rule.instead_of not in topic.about.safety_rules:
        yield "instead_of", f"{rule.instead_of} is no rule of the topic"


def _problems_of_rationales(topic: Topic) -> Iterator[tuple[str, str]]:
    """Each rating has one reason."""
    rated = {(v.id, procedure) for v in topic.guideline.variants for procedure in v.ratings}
    for variant, procedure in sorted(rated - topic.rationales.keys()):
        yield "rows", f"{variant}, {procedure}: the reason is missing"
    for variant, procedure in sorted(topic.rationales.keys() - rated):
        yield "rows", f"{variant}, {procedure}: there is no such rating"


def _problems_of_guideline(topic: Topic) -> Iterator[tuple[str, str]]:
    guideline = topic.guideline
    for variant in guideline.variants:
        for fact in variant.criteria:
            if fact not in topic.fact:
                yield f"variants[{variant.id}].criteria", f"{fact} is no fact"
        for procedure, category in variant.ratings.items():
            if procedure not in guideline.procedure:
                yield f"variants[{variant.id}].ratings", f"{procedure} is no procedure"
            if category not in guideline.category:
                yield f"variants[{variant.id}].ratings", f"{category} is no category"
    mapped = {meaning.procedure for meaning in topic.terminology.orders.values()}
    for procedure in guideline.procedures:
        if procedure.id not in mapped and "no-order" not in procedure.traits:
            yield f"procedures[{procedure.id}]", "no order code maps to this procedure"
        for included in sorted(procedure.includes - guideline.procedure.keys()):
            yield f"procedures[{procedure.id}].includes", f"{included} is no procedure"
    yield from _variants_that_overlap(topic)


def _variants_that_overlap(topic: Topic) -> Iterator[tuple[str, str]]:
    """At most one variant of a kind matches, whatever the facts are: by enumeration of them all."""
    for kind in get_args(Kind):
        variants = [v for v in topic.guideline.variants if v.kind == kind]
        facts = sorted({fact for v in variants for fact in v.criteria})
        for world in product((False, True), repeat=len(facts)):
            values = dict(zip(facts, world, strict=True))
            matched = [v.id for v in variants if is_matched(v, values)]
            if len(matched) > 1:
                yield " and ".join(matched), f"both apply where {_words(values)}"
                break


def _words(values: Mapping[str, bool]) -> str:
    return ", ".join(fact if value else f"not {fact}" for fact, value in values.items())


def _problems_of_facts(topic: Topic) -> Iterator[tuple[str, str]]:
    """A fact names only facts before it; questions and relevance name facts that there are."""
    known: set[str] = set()
    for fact in topic.facts:
        for criterion in (
            fact.true_when,
            fact.presumed_when,
            fact.false_when,
            fact.implied_false_when,
        ):
            for name in _facts_in(criterion.written if criterion else None):
                if name not in known:
                    yield f"facts[{fact.name}]", f"{name} is established later"
        known.add(fact.name)
    for question in topic.questions:
        if question.fact not in known:
            yield "questions", f"{question.fact} is no fact"
    if topic.relevance.fact not in known:
        yield "facts", f"{topic.relevance.fact}, which relevance.json names, is no fact"


def _facts_in(written: Any) -> Iterator[str]:
    """The facts that a criterion names, as far as it is written out."""
    if isinstance(written, dict):
        if "fact" in written:
            yield written["fact"]
        for inner in written.values():
            yield from _facts_in(inner)
    elif isinstance(written, list):
        for inner in written:
            yield from _facts_in(inner)


def _problems_of_words(topic: Topic) -> Iterator[tuple[str, str]]:
    """Procedures and regions that are not known; expressions that are no regular expressions."""
    words = topic.order_words
    named = [p for study in words.studies for p in study.procedures.values()]
    for procedure in (*named, *words.other_studies, *sorted(words.regional)):
        if procedure not in topic.guideline.procedure:
            yield "studies", f"{procedure} is no procedure"
    for number, study in enumerate(words.studies):
        for contrast in sorted(words.contrast.keys() - study.procedures.keys()):
            yield f"studies[{number}].procedures", f"a procedure for {contrast} is missing"
    for region in words.regions:
        if region not in topic.terminology.places:
            yield "regions", f"{region} is no region"
    lists = (words.regions, words.other_studies, words.contrast)
    single = (*words.similar, words.neutral, *(study.words for study in words.studies))
    for expression in (*single, *(e for one in lists for e in one.values())):
        try:
            re.compile(expression)
        except re.error as error:
            yield expression, f"is no regular expression: {error}"


def _problems_of_sounds(topic: Topic) -> Iterator[tuple[str, str]]:
    """A word in capitals, or none at all, would be in no text or in every one."""
    names = {"", *(words.name for words in topic.terminology.words)}
    for name, sound in topic.condition_words.items():
        if sound.heard_as not in names:
            yield f"{name}.heard_as", f"{sound.heard_as} is no file of words/"
        for word in sound.words:
            if not word.strip() or word != word.lower():
                yield f"{name}.words", f"{word!r} is not in lower case, or empty"


def _problems_of_about(topic: Topic, source: Source) -> Iterator[tuple[str, str]]:
    about = topic.about
    for fact in about.facts_without_variant:
        if fact not in topic.fact:
            yield "facts_without_variant", f"{fact} is no fact"
    for kind in get_args(Kind):
        if kind not in about.texts.no_variant:
            yield "texts.no_variant", f"a text for {kind} is missing"
    sets = value_set_names(source) | set(about.site_value_sets)
    for rule in about.body_sites:
        for name in (rule.finding, rule.site, rule.means):
            if name not in sets:
                yield "body_sites", f"{name} is no value set"
    if about.region not in topic.terminology.places:
        yield "region", f"{about.region} is no region"
    if not any(elements(source, REGIONS)):
        yield "region", "no ConceptMap of concept-maps/ maps findings to regions"
