"""The page to read first: how an order is rated, step by step."""

from dataclasses import dataclass, replace

from cds_service.decision.chart import Case
from cds_service.decision.facts import establish_facts
from cds_service.decision.relevance import RELEVANT, TOO_LITTLE_TO_GO_ON
from cds_service.decision.safety import Alert, alerts_for, cautions, more_urgent, speaking
from cds_service.decision.situation import NO_OUTCOMES, Fact, Facts, Situation
from cds_service.decision.suggestions import Suggestion, suggestions_for
from cds_service.decision.topic import Question, Topic
from cds_service.decision.variants import Outcomes, outcomes_of
from cds_service.decision.verdict import (
    CONTRAST_NOT_STATED,
    NO_CRITERIA,
    NOT_CHECKED,
    OUTSIDE_SCOPE,
    UNREADABLE,
    UNRESOLVED,
    Asks,
    NotChecked,
    Silent,
    Verdict,
    pama_rating,
    urgency,
    verdict_on,
)

NO_VARIANT = "no-variant"


@dataclass(frozen=True)
class Decision:
    """All that is said of one order, and why.

    `indicator` is that of the card, None for no card. `called_for_by` names what asks for the card:
    where the verdict does, the possible variants (or NO_VARIANT), and safety rules.
    """

    case: Case
    relevance: str
    facts: Facts
    verdict: Verdict
    outcomes: Outcomes = NO_OUTCOMES
    alerts: tuple[Alert, ...] = ()
    indicator: str | None = None
    suggestions: tuple[Suggestion, ...] = ()
    called_for_by: frozenset[str] = frozenset()

    @property
    def shows_card(self) -> bool:
        return self.indicator is not None

    @property
    def subject(self) -> str:
        """The word for the verdict in the log, the metrics and the store."""
        return self.verdict.subject

    @property
    def rating(self) -> str | None:
        """The PAMA rating of the order."""
        return self.verdict.rating

    @property
    def category(self) -> str | None:
        """The category that all possible variants give the ordered procedure, if they agree."""
        return self.outcomes.category(self.case.order.procedure.id)

    @property
    def question(self) -> Question | None:
        return self.verdict.question if isinstance(self.verdict, Asks) else None

    @property
    def topic(self) -> str:
        """The topic code of the card: letters and digits only, the same for the same advice."""
        if isinstance(self.verdict, Silent):
            return ""
        if isinstance(self.verdict, Asks | NotChecked):
            return "unresolved"
        if self.subject in (UNRESOLVED, CONTRAST_NOT_STATED):
            return "unresolved"
        if self.subject in (NO_CRITERIA, OUTSIDE_SCOPE):
            return "novariant"
        variants = self.outcomes.variants
        return f"variant{variants[0].number}" if len(variants) == 1 else "several"

    def rating_of(self, procedure_id: str) -> str | None:
        """The PAMA rating of a procedure in this patient, None where it is not certain."""
        if not self.outcomes.is_certain(procedure_id):
            return None
        return pama_rating(self.outcomes.category(procedure_id))


def evaluate_order(case: Case, topic: Topic) -> Decision:
    """Rate one order: which variant is the patient in, and what does it say of the procedure?"""
    situation = establish_facts(topic.facts, Situation(case, topic.guideline))
    relevance = topic.relevance.judge(situation)
    unrated = _not_to_be_rated(case, relevance)
    if unrated:
        return Decision(case, relevance, situation.facts, unrated, indicator=_told(unrated))
    variants = topic.guideline.variants_for(case.order.procedure)
    situation = replace(situation, outcomes=outcomes_of(variants, situation.values))
    alerts = alerts_for(topic.rules, situation)
    verdict = verdict_on(situation, alerts, topic)
    indicator, called_for_by = _urgency(verdict, situation, alerts)
    suggestions = suggestions_for(verdict, indicator, situation, alerts, topic)
    return Decision(
        case,
        relevance,
        situation.facts,
        verdict,
        situation.outcomes,
        alerts,
        indicator,
        suggestions,
        called_for_by,
    )


def _not_to_be_rated(case: Case, relevance: str) -> Silent | NotChecked | None:
    """Why the order is passed over, or was not checked."""
    if relevance == TOO_LITTLE_TO_GO_ON and case.tells_not_checked:
        return NotChecked(NOT_CHECKED)
    if relevance != RELEVANT:
        return Silent(relevance)
    return NotChecked(UNREADABLE, case.order.problem) if case.order.problem else None


def _told(verdict: Silent | NotChecked) -> str | None:
    return "info" if isinstance(verdict, NotChecked) else None


def _urgency(
    verdict: Verdict, situation: Situation, alerts: tuple[Alert, ...]
) -> tuple[str | None, frozenset[str]]:
    """The indicator of the card, and what asks for it. Safety rules soften or raise the one that
    the verdict asks for.
    """
    own = urgency(verdict, situation)
    if own == "warning" and speaking(alerts, "soften"):
        own = "info"
    cautioned = [alert.rule for alert in cautions(alerts)]
    causes = _causes(verdict, situation.outcomes) if own else set()
    causes |= {rule.id for rule in cautioned if rule.indicator}
    return more_urgent(own, *(rule.indicator for rule in cautioned)), frozenset(causes)


def _causes(verdict: Verdict, outcomes: Outcomes) -> set[str]:
    """What asks for a card, the cautions aside."""
    if verdict.subject == OUTSIDE_SCOPE:
        return {rule.id for rule in verdict.rules}
    return {variant.id for variant in outcomes.variants} or {NO_VARIANT}


def unknown_facts(decision: Decision) -> tuple[Fact, ...]:
    """The facts that the possible variants ask for and the chart leaves open."""
    asked = {fact for v in decision.outcomes.variants for fact in v.criteria}
    return tuple(f for name, f in decision.facts.items() if name in asked and f.value is None)
