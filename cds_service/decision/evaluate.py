"""The page to read first: how an order is rated, step by step."""

from dataclasses import dataclass, replace

from cds_service.decision.chart import Case
from cds_service.decision.facts import Fact, Facts, establish_facts
from cds_service.decision.knowledge import (
    USUALLY_APPROPRIATE,
    USUALLY_NOT_APPROPRIATE,
    Knowledge,
    Question,
)
from cds_service.decision.question import question_for
from cds_service.decision.relevance import RELEVANT, relevance
from cds_service.decision.safety import (
    Alert,
    alerts_for,
    cautions,
    more_urgent,
    speaking,
)
from cds_service.decision.suggestions import (
    Advice,
    Suggestion,
    additions,
    answers_to,
    deletion,
    replacements,
)
from cds_service.decision.triggers import Situation
from cds_service.decision.variants import Outcomes, outcomes_of

APPROPRIATE = "appropriate"
NOT_APPROPRIATE = "not-appropriate"
NO_CRITERIA_APPLY = "no-criteria-apply"

# What a decision can be about.
RATED = "rated"
NO_CRITERIA = "no-criteria"
CONTRAST_NOT_STATED = "contrast-not-stated"
QUESTION = "question"
UNRESOLVED = "unresolved"
OUTSIDE_SCOPE = "outside-scope"
WELCOME = "welcome"
UNREADABLE = "unreadable"
NOT_CHECKED = "not-checked"
NOT_RELEVANT = "not-relevant"
NO_VARIANT = "no-variant"


@dataclass(frozen=True)
class Decision:
    """All that is said of one order, and why.

    `subject` is what the decision is about (one of the words above); `indicator` is None where no
    card is shown; `category` is what all possible variants agree on; `rating` is the PAMA rating
    or None; `topic` is the card's topic code. `called_for_by` names what asks for a card: the
    possible variants (or NO_VARIANT), if the rating does, and the safety rules that do.
    """

    case: Case
    relevance: str
    facts: Facts
    subject: str = NOT_RELEVANT
    outcomes: Outcomes = Outcomes((), True)
    category: str | None = None
    rating: str | None = None
    indicator: str | None = None
    topic: str = ""
    alerts: tuple[Alert, ...] = ()
    question: Question | None = None
    suggestions: tuple[Suggestion, ...] = ()
    called_for_by: frozenset[str] = frozenset()

    @property
    def shows_card(self) -> bool:
        return self.indicator is not None

    def rating_of(self, procedure_id: str) -> str | None:
        """The PAMA rating that a procedure would get in this patient, where it is certain."""
        if not self.outcomes.is_certain(procedure_id):
            return None
        return pama_rating(self.outcomes.category(procedure_id))


def evaluate_order(case: Case, knowledge: Knowledge) -> Decision:
    """Rate one order: which variant is the patient in, and what does it say of the procedure?"""
    facts = establish_facts(case)
    relevant = relevance(case, facts["vcf"], facts["new_vcf"])
    if relevant != RELEVANT:
        return Decision(case, relevant, facts)
    outcomes = _outcomes(case, facts, knowledge)
    alerts = alerts_for(knowledge.rules, Situation(case, facts, outcomes, knowledge.guideline))
    decision = Decision(case, relevant, facts, outcomes=outcomes, alerts=alerts)
    decision = _rate(decision)
    decision = _ask(decision, knowledge)
    decision = _heed_safety(decision)
    decision = replace(decision, topic=_topic(decision))
    return replace(decision, suggestions=_suggest(decision, knowledge))


def _outcomes(case: Case, facts: Facts, knowledge: Knowledge) -> Outcomes:
    variants = knowledge.guideline.variants_for(case.order.procedure)
    return outcomes_of(variants, {name: fact.value for name, fact in facts.items()})


def _rate(decision: Decision) -> Decision:
    """The category that the outcomes agree on, how urgent that is, and the PAMA rating."""
    procedure = decision.case.order.procedure
    outcomes = decision.outcomes
    if not outcomes.variants or (
        not procedure.contrast_not_stated and outcomes.categories(procedure.id) == {None}
    ):
        return replace(decision, subject=NO_CRITERIA, indicator="info", rating=NO_CRITERIA_APPLY)
    if procedure.contrast_not_stated:
        return replace(decision, subject=CONTRAST_NOT_STATED, indicator="info")
    category = outcomes.category(procedure.id)
    if category is None or (outcomes.none_possible and _needs_a_variant(decision)):
        return replace(decision, subject=QUESTION, category=category, indicator="info")
    rating = None if outcomes.none_possible else pama_rating(category)
    indicator = _indicator(decision, category)
    return replace(decision, subject=RATED, category=category, indicator=indicator, rating=rating)


def _needs_a_variant(decision: Decision) -> bool:
    """A treatment, other than a consultation, is not rated while no variant may apply."""
    procedure = decision.case.order.procedure
    return not procedure.is_imaging and not procedure.is_consultation


def _indicator(decision: Decision, category: str) -> str | None:
    """How urgent the rating itself is; consultations and biopsy pass when they may be right."""
    procedure = decision.case.order.procedure
    if category == USUALLY_APPROPRIATE:
        return None
    if category == USUALLY_NOT_APPROPRIATE:
        return "warning"
    return None if procedure.is_consultation or procedure.modality == "biopsy" else "info"


def _ask(decision: Decision, knowledge: Knowledge) -> Decision:
    """The question that would decide; where none is left to ask, the order stays unresolved."""
    if decision.subject != QUESTION:
        return decision
    question = question_for(decision.case, decision.facts, decision.outcomes, knowledge.guideline)
    return replace(decision, question=question, subject=QUESTION if question else UNRESOLVED)


def _heed_safety(decision: Decision) -> Decision:
    """The safety rules have the last word on how urgent the card is."""
    if speaking(decision.alerts, "outside-scope"):
        decision = replace(
            decision,
            subject=OUTSIDE_SCOPE,
            indicator="info",
            rating=NO_CRITERIA_APPLY,
            question=None,
        )
    elif speaking(decision.alerts, "quiet") and decision.rating != APPROPRIATE:
        decision = replace(decision, subject=WELCOME, indicator=None, rating=None, question=None)
    elif speaking(decision.alerts, "soften") and decision.indicator == "warning":
        decision = replace(decision, indicator="info")
    cautioned = [a.rule for a in cautions(decision.alerts)]
    urgent = more_urgent(decision.indicator, *(rule.indicator for rule in cautioned))
    causes = _causes(decision) | {rule.id for rule in cautioned if rule.indicator}
    return replace(decision, indicator=urgent, called_for_by=frozenset(causes))


def _causes(decision: Decision) -> set[str]:
    """What asks for a card, the cautions aside."""
    if decision.indicator is None:
        return set()
    if decision.subject == OUTSIDE_SCOPE:
        return {a.rule.id for a in speaking(decision.alerts, "outside-scope")}
    return {v.id for v in decision.outcomes.variants} or {NO_VARIANT}


def _topic(decision: Decision) -> str:
    """Letters and digits only, the same for the same advice."""
    if decision.subject in (QUESTION, UNRESOLVED, CONTRAST_NOT_STATED):
        return "unresolved"
    if decision.subject in (NO_CRITERIA, OUTSIDE_SCOPE):
        return "novariant"
    variants = decision.outcomes.variants
    return f"variant{variants[0].number}" if len(variants) == 1 else "several"


def _suggest(decision: Decision, knowledge: Knowledge) -> tuple[Suggestion, ...]:
    """What the buttons of the card do."""
    advice = Advice(decision.case, decision.outcomes, decision.alerts, knowledge)
    cautioned = cautions(decision.alerts)
    if not decision.shows_card or speaking(decision.alerts, "quiet"):
        return ()
    if decision.subject == UNRESOLVED and not cautioned:
        return ()
    added = additions(advice)
    if added or decision.subject in (NO_CRITERIA, OUTSIDE_SCOPE):
        return added
    if decision.question and not cautioned:
        return answers_to(decision.question)
    offered = replacements(advice)
    if decision.category == USUALLY_APPROPRIATE and not _is_to_be_replaced(decision):
        offered = tuple(s for s in offered if _is_wanted_first(s, cautioned))
    if decision.category == USUALLY_NOT_APPROPRIATE:
        offered += deletion(advice)
    return offered


def _is_to_be_replaced(decision: Decision) -> bool:
    """A usually appropriate order that a rule speaks against, or that misses the fracture."""
    procedure = decision.case.order.procedure
    serious = [a for a in cautions(decision.alerts) if a.rule.indicator != "info"]
    against = any(procedure in a.rule.avoid for a in serious)
    return against or bool(speaking(decision.alerts, "wrong-region"))


def _is_wanted_first(suggestion: Suggestion, alerts: tuple[Alert, ...]) -> bool:
    return any(suggestion.procedure in a.rule.first for a in alerts)


def pama_rating(category: str | None) -> str:
    """An ACR category in the three words of the Argonaut PAMA guide."""
    return NOT_APPROPRIATE if category == USUALLY_NOT_APPROPRIATE else APPROPRIATE


def unreadable(decision: Decision) -> Decision:
    """The decision on an order that is ours and relevant, but cannot be trusted as it was sent."""
    return _unrated(decision, UNREADABLE)


def not_checked(decision: Decision) -> Decision:
    """The decision on an order of which too little is known, where that is to be told."""
    return _unrated(decision, NOT_CHECKED)


def _unrated(decision: Decision, subject: str) -> Decision:
    return Decision(
        decision.case,
        decision.relevance,
        decision.facts,
        subject=subject,
        indicator="info",
        topic="unresolved",
    )


def unknown_facts(decision: Decision) -> tuple[Fact, ...]:
    """The facts that the possible variants ask for and the chart leaves open."""
    asked = {fact for v in decision.outcomes.variants for fact, _ in v.criteria}
    return tuple(f for name, f in decision.facts.items() if name in asked and f.value is None)
