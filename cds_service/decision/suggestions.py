"""The suggestions of a card: what is usually appropriate, or allowed by a safety rule, and kept out
by none.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from cds_service.decision.chart import Case, Order
from cds_service.decision.guideline import (
    USUALLY_APPROPRIATE,
    USUALLY_NOT_APPROPRIATE,
    Procedure,
)
from cds_service.decision.places import region_of, region_of_new
from cds_service.decision.safety import Alert, cautions, is_avoided, speaking
from cds_service.decision.situation import Situation
from cds_service.decision.terminology import Coding, Place
from cds_service.decision.topic import Answer, Question, Topic
from cds_service.decision.variants import Outcomes
from cds_service.decision.verdict import NO_CRITERIA, OUTSIDE_SCOPE, UNRESOLVED, Asks, Verdict


@dataclass(frozen=True)
class Suggestion:
    """A button on the card.

    `kind` is replace (the order becomes `procedure` at `place`), create (`procedure` is ordered
    besides), delete (the draft is dropped) or answer (`answer` joins the reasons of the order).
    """

    kind: str
    procedure: Procedure | None = None
    place: Place | None = None
    codes: tuple[Coding, ...] = ()
    answer: Answer | None = None
    fact: str = ""
    recommended: bool = False


@dataclass(frozen=True)
class Advice:
    """What the suggestions depend on."""

    situation: Situation
    alerts: tuple[Alert, ...]
    topic: Topic

    @property
    def case(self) -> Case:
        return self.situation.case

    @property
    def outcomes(self) -> Outcomes:
        return self.situation.outcomes

    @property
    def ordered(self) -> Procedure:
        return self.case.order.procedure

    @property
    def category(self) -> str | None:
        return self.outcomes.category(self.ordered.id)


def suggestions_for(
    verdict: Verdict,
    indicator: str | None,
    situation: Situation,
    alerts: tuple[Alert, ...],
    topic: Topic,
) -> tuple[Suggestion, ...]:
    """The suggestions, in the order of the buttons. None without a card."""
    advice = Advice(situation, alerts, topic)
    cautioned = cautions(alerts)
    if indicator is None or speaking(alerts, "quiet"):
        return ()
    if verdict.subject == UNRESOLVED and not cautioned:
        return ()
    answers = _answers_to(verdict.question) if isinstance(verdict, Asks) else ()
    added = _additions(advice)
    if added:
        return added + answers
    if verdict.subject in (NO_CRITERIA, OUTSIDE_SCOPE):
        return _urgent_changes(advice)
    return _changes(advice) + answers if cautioned or not answers else answers


def _urgent_changes(advice: Advice) -> tuple[Suggestion, ...]:
    """Of an order that is not rated: what a caution wants first even so."""
    urgent = [a for a in cautions(advice.alerts) if a.rule.also_unrated]
    return tuple(s for s in _replacements(advice) if _is_wanted_first(s.procedure, urgent))


def _changes(advice: Advice) -> tuple[Suggestion, ...]:
    """What the order may be changed to, or that it may be dropped. A usually appropriate order is
    changed only where a safety rule asks for it.
    """
    if any(alert.rule.no_change for alert in cautions(advice.alerts)):
        return ()
    offered = _replacements(advice)
    if advice.category == USUALLY_APPROPRIATE and not _is_to_be_replaced(advice):
        cautioned = cautions(advice.alerts)
        offered = tuple(s for s in offered if _is_wanted_first(s.procedure, cautioned))
    if advice.category == USUALLY_NOT_APPROPRIATE:
        offered += _deletion(advice)
    return offered


def _is_to_be_replaced(advice: Advice) -> bool:
    """Whether a caution, other than an info, avoids what was ordered, or the region is wrong."""
    serious = [a for a in cautions(advice.alerts) if a.rule.indicator != "info"]
    against = any(a.rule.avoids(advice.ordered) for a in serious)
    return against or bool(speaking(advice.alerts, "wrong-region"))


def _replacements(advice: Advice) -> tuple[Suggestion, ...]:
    """The usually appropriate procedures, as changes of the order; the first is recommended."""
    place = _place(advice)
    found = [_orderable(procedure, place, advice) for procedure in _procedures(advice)]
    others = [s for s in found if s and not _is_the_order(s, advice.case.order)]
    return _recommend_first(others, advice)


def _deletion(advice: Advice) -> tuple[Suggestion, ...]:
    """Dropping the draft, where each variant calls only something usually appropriate that is no
    order (trait no-order).
    """
    procedures = advice.topic.guideline.procedure
    best = [v.usually_appropriate for v in advice.outcomes.variants]
    if advice.outcomes.none_possible:
        return ()
    no_order = all(
        len(of_variant) == 1 and "no-order" in procedures[of_variant[0]].traits
        for of_variant in best
    )
    return (Suggestion("delete"),) if best and no_order else ()


def _additions(advice: Advice) -> tuple[Suggestion, ...]:
    """Orders that a safety rule adds, all recommended."""
    procedures = advice.topic.guideline.procedure
    wanted = {a.rule.add: None for a in speaking(advice.alerts, "caution") if a.rule.add}
    wanted = [p for p in wanted if p not in advice.case.order.drafted]
    found = [_orderable(procedures[p], None, advice, kind="create") for p in wanted]
    return tuple(replace(s, recommended=True) for s in found if s)


def _answers_to(question: Question) -> tuple[Suggestion, ...]:
    """One button per answer, yes and no; neither is recommended."""
    answers = question.answers.values()
    return tuple(Suggestion("answer", answer=a, fact=question.fact) for a in answers)


def _procedures(advice: Advice) -> list[Procedure]:
    """What all possible variants call usually appropriate, in the order of the first variant, and
    what rules allow. What the safety rules put first comes first, what they avoid is left out.
    """
    variants = advice.outcomes.variants
    known = advice.topic.guideline.procedure
    shared = [
        known[p]
        for p in (variants[0].usually_appropriate if variants else ())
        if all(p in v.usually_appropriate for v in variants)
    ]
    if advice.ordered.contrast_not_stated:
        shared.sort(key=lambda p: p.modality != advice.ordered.modality)
    offered = [known[p] for a in advice.alerts for p in a.rule.allow]
    elsewhere = [advice.ordered] if _to_be_moved(advice) else []
    candidates = list(dict.fromkeys([*elsewhere, *shared, *offered]))
    candidates = [p for p in candidates if _may_replace(p, advice)]
    return sorted(candidates, key=lambda p: not _is_wanted_first(p, advice.alerts))


def _may_replace(procedure: Procedure, advice: Advice) -> bool:
    """No safety rule avoids it. A consultation is replaced by consultations only, nothing by one
    that is drafted already, and nothing by a treatment while no variant may apply.
    """
    if is_avoided(procedure, advice.alerts):
        return False
    if procedure.is_consultation and procedure.id in advice.case.order.drafted:
        return False
    if procedure.is_imaging or procedure.is_consultation:
        return procedure.is_consultation or not advice.ordered.is_consultation
    return not advice.ordered.is_consultation and not advice.outcomes.none_possible


def _to_be_moved(advice: Advice) -> bool:
    """A study of the wrong region is offered for the right one, where it is usually appropriate."""
    is_right = advice.category == USUALLY_APPROPRIATE
    return is_right and bool(speaking(advice.alerts, "wrong-region"))


def _is_wanted_first(procedure: Procedure, alerts: Iterable[Alert]) -> bool:
    return any(alert.rule.wants_first(procedure) for alert in alerts)


def _place(advice: Advice) -> Place:
    """The region to order for: that of the findings where the ordered one is wrong or missing."""
    case, terminology = advice.case, advice.topic.terminology
    findings = advice.topic.findings(advice.situation).findings
    if speaking(advice.alerts, "wrong-region"):
        return region_of(findings, terminology)
    return case.order.place or region_of_new(findings, case.today, terminology)


def _orderable(
    procedure: Procedure, place: Place | None, advice: Advice, kind: str = "replace"
) -> Suggestion | None:
    """The suggestion with the codes to send, or None where no verified code exists."""
    region = None if "no-region" in procedure.traits or not place else place.code
    codes = advice.topic.terminology.codes_for(procedure.id, region)
    return Suggestion(kind, procedure, place, codes) if codes else None


def _is_the_order(suggestion: Suggestion, order: Order) -> bool:
    same_place = order.place is None or suggestion.place == order.place
    return suggestion.procedure == order.procedure and same_place


def _recommend_first(suggestions: Iterable[Suggestion], advice: Advice) -> tuple[Suggestion, ...]:
    """The first is recommended, unless only a rule allows it, and no possible variant calls it
    usually appropriate.
    """
    way_out = {p for a in advice.alerts for p in a.rule.allow}
    best = {p for v in advice.outcomes.variants for p in v.usually_appropriate}
    return tuple(
        replace(s, recommended=i == 0 and s.procedure.id not in way_out - best)
        for i, s in enumerate(suggestions)
    )
