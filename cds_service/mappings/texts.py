"""Checks the placeholders, `%(name)s` or `{name}`, in the texts of a topic: each one is filled."""

import re
from collections.abc import Iterator

from cds_service.decision.safety import SafetyRule
from cds_service.decision.topic import Topic

PLACE = re.compile(r"%\(\w+\)s|\{\w+\}")
SENTENCE = {"%(order)s"}
Problem = tuple[str, str]


def problems_of_rule(rule: SafetyRule) -> Iterator[Problem]:
    """Row and text of what is wrong."""
    yield from _unfilled("text", rule.text, {"{evidence}"})
    yield from _unfilled("not_rated", rule.not_rated, SENTENCE)
    if rule.kind == "outside-scope" and not (rule.not_rated and rule.state):
        yield "not_rated", "a rule outside-scope has a sentence and a state"


def problems_of_facts(topic: Topic) -> Iterator[Problem]:
    for fact in topic.facts:
        yield from _unfilled(f"facts[{fact.name}].none_found", fact.none_found, {"%(data)s"})
        if fact.presumed_when and not fact.presumed:
            yield f"facts[{fact.name}].presumed", "says why the fact is presumed, and is missing"


def problems_of_guideline(topic: Topic) -> Iterator[Problem]:
    for procedure in topic.guideline.procedures:
        row = f"procedures[{procedure.id}].order_text"
        yield from _unfilled(row, procedure.order_text, {"{region}"})


def problems_of_about(topic: Topic) -> Iterator[Problem]:
    about = topic.about
    for kind, text in about.texts.no_variant.items():
        yield from _unfilled(f"texts.no_variant.{kind}", text, SENTENCE)
    wanted = {"%(guideline)s", "%(edition)s"}
    yield from _unfilled("service.description", about.service.description, wanted)


def _unfilled(row: str, text: str, filled: set[str]) -> Iterator[Problem]:
    for place in PLACE.findall(text):
        if place not in filled:
            yield row, f"{place} is filled by nothing"
