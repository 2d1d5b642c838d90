"""The guideline by hand: what follows from facts that a person states, without a chart."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from cds_service.decision.chart import Case, Chart, Finding, Order
from cds_service.decision.facts import ANSWERED, FactDefinition, establish_facts
from cds_service.decision.guideline import Kind, Procedure, Variant
from cds_service.decision.situation import Facts, Situation
from cds_service.decision.topic import Topic
from cds_service.decision.variants import Outcomes, Values, facts_that_matter, outcomes_of


@dataclass(frozen=True)
class FoundByHand:
    """`asked` are the facts that the variants of the kind ask for, `facts` all with their values;
    `decides` is the unknown fact to ask for next, None where none changes a rating.
    """

    asked: tuple[FactDefinition, ...]
    facts: Facts
    outcomes: Outcomes
    procedures: tuple[Procedure, ...]
    decides: FactDefinition | None

    @property
    def implied(self) -> tuple[FactDefinition, ...]:
        """The facts that follow from those that were stated."""
        known = (f for f in self.asked if self.facts[f.name].value is not None)
        return tuple(f for f in known if self.facts[f.name].how != ANSWERED)


def find_by_hand(kind: Kind, stated: Mapping[str, bool], topic: Topic) -> FoundByHand:
    """The variants of a kind that the stated facts leave, with what they rate."""
    variants = tuple(v for v in topic.guideline.variants if v.kind == kind)
    rated = {p for variant in variants for p in variant.ratings}
    procedures = tuple(p for p in topic.guideline.procedures if p.id in rated)
    case = _case_of(procedures[0], stated)
    situation = establish_facts(topic.facts, Situation(case, topic.guideline))
    outcomes = outcomes_of(variants, situation.values)
    asked = facts_asked(variants, topic)
    decides = _deciding(outcomes, situation.values, procedures, topic)
    return FoundByHand(asked, situation.facts, outcomes, procedures, decides)


def facts_asked(variants: Iterable[Variant], topic: Topic) -> tuple[FactDefinition, ...]:
    """The facts that any of the variants asks for, in the order of the topic."""
    names = {name for variant in variants for name in variant.criteria}
    return tuple(fact for fact in topic.facts if fact.name in names)


def premises(topic: Topic) -> frozenset[str]:
    """The facts that every variant wants to be true: what the guideline is about at all."""
    true = [{f for f, wanted in v.criteria.items() if wanted} for v in topic.guideline.variants]
    return frozenset.intersection(*map(frozenset, true))


def _case_of(procedure: Procedure, stated: Mapping[str, bool]) -> Case:
    """A case in which the facts are answers of the clinician. None of them has a date, so that
    today may be any day.
    """
    answers = (Finding("reason", frozenset(), "", answer=answer) for answer in stated.items())
    order = Order("", procedure, None, True, "", tuple(answers), has_coded_reasons=True)
    return Case(order, Chart(), date.min)


def _deciding(
    outcomes: Outcomes, values: Values, procedures: Iterable[Procedure], topic: Topic
) -> FactDefinition | None:
    """The first fact that can change the rating of a procedure, in the order of the questions;
    one that nothing is asked of comes last.
    """
    matter = {
        fact for p in procedures for fact in facts_that_matter(outcomes.variants, values, p.id)
    }
    named = [question.fact for question in topic.questions] + [fact.name for fact in topic.facts]
    return next((topic.fact[name] for name in named if name in matter), None)
