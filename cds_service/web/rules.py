"""The pages of what the machine reads: facts, criteria and safety rules in words, and the codes."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from flask import Blueprint, abort, render_template, request

from cds_service.decision.definitions import Definition
from cds_service.decision.facts import FactDefinition
from cds_service.decision.safety import SafetyRule
from cds_service.decision.topic import Question, Topics
from cds_service.language import N_
from cds_service.mappings.listing import listing_of
from cds_service.web.code_search import codes_in, codes_of
from cds_service.web.in_words import InWords, Line
from cds_service.web.languages import spoken

# What decides a fact, in this order; see `decision/facts.py`.
TRUE, OPEN, PRESUMED = N_("True where"), N_("Else left open where"), N_("Else presumed true where")
FALSE, IMPLIED = N_("Else false where"), N_("Else false, since it follows, where")
# What the kinds of rule do; see `decision/safety.py`.
EFFECTS = {
    "caution": N_("The card is at least as urgent as: %(indicator)s."),
    "wrong-region": N_("The card is at least as urgent as: %(indicator)s."),
    "soften": N_("A warning about the rating becomes information."),
    "quiet": N_("No rating is shown and no question asked, unless the order is appropriate."),
    "outside-scope": N_("The guideline does not cover this: information, and no rating."),
    "alternative": N_("What another rule keeps out is offered all the same."),
    "line": N_("One line on the card."),
}
INDICATORS = {"info": N_("Information"), "warning": N_("Warning"), "critical": N_("Critical")}


@dataclass(frozen=True)
class FactInWords:
    """A fact, its question if there is one, and what decides it: headings with criteria.
    `none_among` are kinds of data: with all of them sent and nothing found, the fact is false.
    """

    fact: FactDefinition
    question: Question | None
    parts: list[tuple[str, Line]]
    none_among: str


@dataclass(frozen=True)
class DefinitionInWords:
    """A definition: where its findings come from, and which count under which criterion."""

    name: str
    title: str
    sources: str
    parts: list[tuple[Line, Line | None]]


@dataclass(frozen=True)
class RuleInWords:
    """A safety rule: what it does, when, and to which procedures, under headings."""

    rule: SafetyRule
    effect: str
    when: Line
    procedures: list[tuple[str, str]]


def rules(topics: Topics, mappings: Path) -> Blueprint:
    """`/guidelines/TOPIC/rules`, `/guidelines/TOPIC/codes` and `/guidelines/TOPIC/codes/SET`."""
    blueprint = Blueprint("rules", __name__)
    by_id = {topic.id: topic for topic in topics.values()}

    def words_of(topic_id: str) -> InWords:
        topic = by_id.get(topic_id) or abort(404)
        return InWords(topic, listing_of(mappings, topic.id), spoken())

    _add_codes(blueprint, words_of)

    @blueprint.get("/guidelines/<topic_id>/rules")
    def show_rules(topic_id: str) -> str:
        words = words_of(topic_id)
        return render_template("rules.html", topic=words.topic, words=words, **_told(words))

    return blueprint


def _add_codes(blueprint: Blueprint, words_of: Callable[[str], InWords]) -> None:
    @blueprint.get("/guidelines/<topic_id>/codes")
    def show_codes(topic_id: str) -> str:
        words, query = words_of(topic_id), request.args.get("q", "")
        found = codes_of(words.topic, words.listing, query) if query.strip() else None
        told = {"topic": words.topic, "words": words, "query": query}
        return render_template("value-sets.html", found=found, **told)

    @blueprint.get("/guidelines/<topic_id>/codes/<name>")
    def show_set(topic_id: str, name: str) -> str:
        words, query = words_of(topic_id), request.args.get("q", "")
        listed = words.listing.value_sets.get(name) or abort(404)
        found = codes_in(listed, words.topic, query)
        told = {"topic": words.topic, "words": words, "query": query}
        return render_template("value-set.html", listed=listed, found=found, **told)


def _told(words: InWords) -> dict[str, object]:
    """All that the page of the rules says."""
    topic = words.topic
    return {
        "relevance": _relevance(words),
        "facts": [_fact(fact, words) for fact in topic.facts],
        "criteria": [
            (c.name, words.say(c.title) or c.name, words.line(c.when.written))
            for c in topic.criteria
        ],
        "definitions": [_definition(definition, words) for definition in topic.definitions],
        "safety": [_rule(rule, words) for rule in topic.rules],
    }


def _relevance(words: InWords) -> list[tuple[str, Line]]:
    relevance = words.topic.relevance
    return [
        (
            N_("With coded reasons, an order of this part of the body: one of them fits."),
            words.line(relevance.specific_reasons.written),
        ),
        (
            N_("With coded reasons, any other order: one of them fits."),
            words.line(relevance.other_reasons.written),
        ),
        (
            N_("Without coded reasons, an order of this part of the body only."),
            words.line(relevance.without_reasons.written),
        ),
        (
            N_("The findings that it is about; they say which region is offered instead."),
            words.line(words.topic.findings_written),
        ),
    ]


def _fact(fact: FactDefinition, words: InWords) -> FactInWords:
    parts = (
        (TRUE, fact.true_when),
        (OPEN, fact.unknown_when),
        (PRESUMED, fact.presumed_when),
        (FALSE, fact.false_when),
        (IMPLIED, fact.implied_false_when),
    )
    question = next((q for q in words.topic.questions if q.fact == fact.name), None)
    told = [(heading, words.line(when.written)) for heading, when in parts if when]
    return FactInWords(fact, question, told, words.kinds(fact.false_when_none_among))


def _definition(definition: Definition, words: InWords) -> DefinitionInWords:
    parts = [
        (
            Line("", tuple(words.named(name) for name in sorted(part.sets))),
            words.line(part.when.written) if part.when else None,
        )
        for part in definition.parts
    ]
    title = words.say(definition.title) or definition.name
    return DefinitionInWords(definition.name, title, words.sources(definition.sources), parts)


def _rule(rule: SafetyRule, words: InWords) -> RuleInWords:
    indicator = words.say(INDICATORS.get(rule.indicator or "", ""))
    effect = EFFECTS[rule.kind]
    said = words.say(effect, indicator=indicator) if "%(" in effect else words.say(effect)
    return RuleInWords(rule, said, words.line(rule.when.written), list(_procedures(rule, words)))


def _procedures(rule: SafetyRule, words: InWords) -> Iterator[tuple[str, str]]:
    """Under headings, the procedures that the rule is about, keeps out, puts first and so on."""
    named = (
        (N_("About orders of"), rule.orders, rule.orders_except),
        (N_("Kept out of the suggestions"), rule.avoid, rule.avoid_except),
        (N_("First among the suggestions"), rule.first, frozenset()),
        (N_("Offered all the same"), frozenset(rule.allow), frozenset()),
        (N_("Ordered besides"), frozenset([rule.add] if rule.add else []), frozenset()),
    )
    for heading, selectors, but_not in named:
        if selectors:
            yield heading, words.procedures(selectors, but_not)
