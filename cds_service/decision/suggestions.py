"""The orders to offer instead: usually appropriate, and screened by every safety rule."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from cds_service.decision.chart import Case, Order
from cds_service.decision.fractures import (
    fractures_meant,
    region_of_fractures,
    region_of_new_fracture,
)
from cds_service.decision.knowledge import (
    USUALLY_NOT_APPROPRIATE,
    Answer,
    Knowledge,
    Procedure,
    Question,
)
from cds_service.decision.safety import Alert, is_avoided, speaking
from cds_service.decision.terminology import OrderCode, Place
from cds_service.decision.variants import Outcomes

MEDICAL_MANAGEMENT = "medical-management"


@dataclass(frozen=True)
class Suggestion:
    """A button on the card.

    `kind` is replace (the order becomes `procedure` at `place`), create (`procedure` is ordered
    besides), delete (the draft is dropped) or answer (`answer` joins the reasons of the order).
    """

    kind: str
    procedure: Procedure | None = None
    place: Place | None = None
    codes: tuple[OrderCode, ...] = ()
    answer: Answer | None = None
    fact: str = ""
    recommended: bool = False


@dataclass(frozen=True)
class Advice:
    """What the suggestions are drawn from."""

    case: Case
    outcomes: Outcomes
    alerts: tuple[Alert, ...]
    knowledge: Knowledge


def replacements(advice: Advice) -> tuple[Suggestion, ...]:
    """The usually appropriate procedures, as changes of the order; the first is recommended."""
    place = _place(advice)
    found = [_orderable(procedure, place, advice) for procedure in _procedures(advice)]
    others = [s for s in found if s and not _is_the_order(s, advice.case.order)]
    return _recommend_first(others, advice)


def deletion(advice: Advice) -> tuple[Suggestion, ...]:
    """Dropping the draft, where medical management is the only usually appropriate treatment."""
    appropriate = {v.usually_appropriate for v in advice.outcomes.variants}
    return (Suggestion("delete"),) if appropriate == {(MEDICAL_MANAGEMENT,)} else ()


def additions(advice: Advice) -> tuple[Suggestion, ...]:
    """Orders that a safety rule wants besides."""
    procedures = advice.knowledge.guideline.procedures
    wanted = [a.rule.add for a in speaking(advice.alerts, "caution") if a.rule.add]
    found = [_orderable(procedures[p], None, advice, kind="create") for p in wanted]
    return tuple(replace(s, recommended=True) for s in found if s)


def answers_to(question: Question) -> tuple[Suggestion, ...]:
    """One button per answer, yes and no; neither is recommended."""
    return tuple(
        Suggestion("answer", answer=answer, fact=question.fact)
        for answer in (question.yes, question.no)
    )


def _procedures(advice: Advice) -> list[Procedure]:
    """What every variant calls usually appropriate, in the first one's order; what the safety
    rules want first comes first, and what they avoid is left out.
    """
    variants = advice.outcomes.variants
    known = advice.knowledge.guideline.procedures
    shared = [
        known[p]
        for p in (variants[0].usually_appropriate if variants else ())
        if p != MEDICAL_MANAGEMENT and all(p in v.usually_appropriate for v in variants)
    ]
    ordered = advice.case.order.procedure
    if ordered.contrast_not_stated:
        shared.sort(key=lambda p: p.modality != ordered.modality)
    offered = [known[p] for a in advice.alerts for p in a.rule.allow]
    elsewhere = [ordered] if _to_be_moved(advice) else []
    candidates = list(dict.fromkeys([*elsewhere, *shared, *offered]))
    candidates = [p for p in candidates if not is_avoided(p, advice.alerts)]
    return sorted(candidates, key=lambda p: not _wanted_first(p, advice.alerts))


def _to_be_moved(advice: Advice) -> bool:
    """A study of the wrong region is offered for the fracture's, if it may be right there."""
    category = advice.outcomes.category(advice.case.order.procedure.id)
    may_be_right = category not in (None, USUALLY_NOT_APPROPRIATE)
    return may_be_right and bool(speaking(advice.alerts, "wrong-region"))


def _wanted_first(procedure: Procedure, alerts: Iterable[Alert]) -> bool:
    return any(procedure in a.rule.first for a in alerts)


def _place(advice: Advice) -> Place:
    """The region to order for: the fracture's where the ordered one is wrong or not stated."""
    case, terminology = advice.case, advice.knowledge.terminology
    if speaking(advice.alerts, "wrong-region"):
        return region_of_fractures(fractures_meant(case), terminology)
    return case.order.place or region_of_new_fracture(case, terminology)


def _orderable(
    procedure: Procedure, place: Place | None, advice: Advice, kind: str = "replace"
) -> Suggestion | None:
    """The suggestion with the codes to send, or None where no verified code exists."""
    region = None if "no-region" in procedure.traits or not place else place.code
    codes = advice.knowledge.terminology.codes_for(procedure.id, region)
    return Suggestion(kind, procedure, place, codes) if codes else None


def _is_the_order(suggestion: Suggestion, order: Order) -> bool:
    same_place = order.place is None or suggestion.place == order.place
    return suggestion.procedure == order.procedure and same_place


def _recommend_first(suggestions: list[Suggestion], advice: Advice) -> tuple[Suggestion, ...]:
    """The first is recommended, unless it is only a way out that no variant rates so high."""
    way_out = {p for a in advice.alerts for p in a.rule.allow}
    best = {p for v in advice.outcomes.variants for p in v.usually_appropriate}
    return tuple(
        replace(s, recommended=i == 0 and s.procedure.id not in way_out - best)
        for i, s in enumerate(suggestions)
    )
