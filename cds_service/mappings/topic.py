"""Reads one topic from its folder, with what all topics share."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from cds_service.decision.definitions import CERTAINTY, KIND_OF, REPORT, Definition, NamedCriterion
from cds_service.decision.facts import FactDefinition
from cds_service.decision.guideline import Guideline, Rationale
from cds_service.decision.names import Names
from cds_service.decision.relevance import Relevance
from cds_service.decision.safety import INDICATORS, SafetyRule
from cds_service.decision.selection import Select, compile_selection, string_or_list
from cds_service.decision.situation import CriterionError
from cds_service.decision.terminology import Terminology
from cds_service.decision.topic import About, OrderWords, Question, Sound, Topic
from cds_service.decision.words import Words
from cds_service.mappings.codes import read_terminology, value_set_names
from cds_service.mappings.override_reasons import read_override_reasons
from cds_service.mappings.shapes import read_as
from cds_service.mappings.source import Document, Problems, Source


@dataclass(frozen=True)
class Facts:
    """The file `facts.json`; `findings` selects the findings that an order is about."""

    findings: dict[str, Any]
    facts: tuple[FactDefinition, ...]
    questions: tuple[Question, ...]


@dataclass(frozen=True)
class Rationales:
    """The file `rationales.json`."""

    rows: tuple[Rationale, ...]


@dataclass(frozen=True)
class Outline:
    """`topic.json` and `guideline.json`, which are read of every topic first: shared safety rules
    may name the procedures of any.
    """

    source: Source
    about: About
    guideline: Guideline
    words: tuple[Words, ...]

    @property
    def selectors(self) -> frozenset[str]:
        """The names by which a rule may mean procedures."""
        return frozenset().union(*(p.selectors for p in self.guideline.procedures))


def read_outline(source: Source) -> Outline | None:
    """The outline, or None where a file cannot be read; then problems are added."""
    about = read_as(About, source.document("topic.json"), source.problems)
    guideline = read_as(Guideline, source.document("guideline.json"), source.problems)
    words = [read_as(Words, document, source.problems) for document in source.documents("words")]
    if about and guideline and None not in words:
        return Outline(source, about, guideline, tuple(words))
    return None


def read_topic(outline: Outline, any_selectors: frozenset[str], version: str) -> Topic | None:
    """The topic, or None where one of its files cannot be read. `any_selectors`: see `_rules`."""
    source, problems = outline.source, outline.source.problems
    document = source.document("facts.json")
    names = _names(outline, document[1] if document else {})
    facts = read_as(Facts, document, problems, names)
    relevance = read_as(Relevance, source.document("relevance.json"), problems, names)
    rules = _rules(outline, names, any_selectors)
    words, heard, reasons = _words(source)
    if None in (facts, relevance, words, heard, reasons):
        return None
    return Topic(
        about=outline.about,
        guideline=outline.guideline,
        rationales={(row.variant, row.procedure): row for row in reasons.rows},
        facts=facts.facts,
        questions=facts.questions,
        relevance=relevance,
        rules=rules,
        findings=_selection(facts.findings, document[0], names, problems),
        terminology=_terminology(outline, facts, document),
        order_words=words,
        condition_words=heard,
        override_reasons=read_override_reasons(source.shared or source),
        version=version,
        definitions=tuple(names.definitions.values()),
        criteria=tuple(names.criteria.values()),
        findings_written=facts.findings,
    )


def _words(source: Source) -> tuple[Any, Any, Any]:
    """Words of orders and of Conditions, and the reasons of the ratings; None for what is wrong."""
    return (
        read_as(OrderWords, source.document("order-words.json"), source.problems),
        read_as(dict[str, Sound], source.document("condition-words.json"), source.problems),
        read_as(Rationales, source.document("rationales.json"), source.problems),
    )


def _terminology(outline: Outline, facts: Facts, document: Document) -> Terminology:
    """The codes, with what only the facts say of them."""
    read = read_terminology(outline.source, outline.about, outline.guideline, facts.questions)
    reported = frozenset(_reported(document[1]))
    return replace(read, reported=reported, words=outline.words)


def _selection(written: Any, file: str, names: Names, problems: Problems) -> Select | None:
    try:
        return compile_selection(written, names)
    except CriterionError as error:
        problems.add(file, "findings", str(error))
        return None


def _reported(written: Any) -> Iterator[str]:
    """The value sets that criteria look for in a DiagnosticReport."""
    if isinstance(written, dict):
        if REPORT in written.get("sources", ()):
            yield from string_or_list(written["finding"])
        for inner in written.values():
            yield from _reported(inner)
    elif isinstance(written, list):
        for inner in written:
            yield from _reported(inner)


def _names(outline: Outline, facts: dict[str, Any]) -> Names:
    """Every name that the criteria of the topic may use."""
    heard = {words.name for words in outline.words}
    names = Names(
        value_sets=value_set_names(outline.source) | set(outline.about.site_value_sets) | heard,
        facts=frozenset(_names_in(facts.get("facts"))),
        variants=frozenset(v.id for v in outline.guideline.variants),
        selectors=outline.selectors,
    )
    definitions = {d.name: d for d in _definitions(outline.source, names)}
    names = replace(names, definitions=definitions)
    for document in outline.source.with_shared("criteria"):
        criterion = read_as(NamedCriterion, document, outline.source.problems, names)
        if criterion:
            names = replace(names, criteria={**names.criteria, criterion.name: criterion})
    return names


def _names_in(written: Any) -> Iterator[str]:
    rows = written if isinstance(written, list) else ()
    named = (row.get("name") for row in rows if isinstance(row, dict))
    yield from (name for name in named if isinstance(name, str))


def _definitions(source: Source, names: Names) -> Iterator[Definition]:
    for document in source.with_shared("definitions"):
        definition = read_as(Definition, document, source.problems, names)
        if definition:
            try:
                _check_definition(definition, names)
            except CriterionError as error:
                source.problems.add(document[0], "", str(error))
            yield definition


def _check_definition(definition: Definition, names: Names) -> None:
    """Raises CriterionError where a name is not known."""
    names.check(definition.certainty, CERTAINTY, "certainty")
    for source in definition.sources:
        names.check(source, KIND_OF, "source")
    for name in sorted(name for part in definition.parts for name in part.sets):
        names.check(name, names.value_sets, "value set")


def _rules(outline: Outline, names: Names, any_selectors: frozenset[str]) -> tuple[SafetyRule, ...]:
    """The rules that the topic names, in the order of their urgency and then of their names. A
    shared rule may name `any_selectors`, those of all topics.
    """
    own, shared = outline.source, outline.source.shared
    rules = []
    for name in outline.about.safety_rules:
        file = f"safety-rules/{name}.json"
        source = own if own.has(file) else shared
        allowed = names if source is own else replace(names, selectors=any_selectors)
        if not source.has(file):
            own.problems.add(own.name("topic.json"), "safety_rules", f"there is no {file}")
        elif rule := read_as(SafetyRule, source.document(file), own.problems, allowed):
            _check_rule(rule, name, source.name(file), allowed, own.problems)
            rules.append(rule)
    urgency = {indicator: -i for i, indicator in enumerate(INDICATORS)}
    return tuple(sorted(rules, key=lambda rule: (urgency.get(rule.indicator, 1), rule.id)))


def _check_rule(rule: SafetyRule, name: str, file: str, names: Names, problems: Problems) -> None:
    if rule.id != name:
        problems.add(file, "id", f"{rule.id} is not the name of the file")
    for selector in sorted(rule.selectors - names.selectors):
        problems.add(file, selector, "is no procedure, kind, modality or trait")
