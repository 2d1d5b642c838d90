"""The explanation of a hook in plain values, from which both the terminal and JSON are made."""

from collections.abc import Iterator

from cds_service.decision.chart import Evidence
from cds_service.decision.evaluate import Decision
from cds_service.decision.guideline import Variant
from cds_service.decision.relevance import RELEVANT
from cds_service.decision.safety import Alert
from cds_service.decision.situation import Fact
from cds_service.decision.topic import Topic
from cds_service.decision.variants import is_excluded, is_matched
from cds_service.explain.words import NOT_SELECTED, why_passed_over, why_this_answer
from cds_service.fhir.plain import Json, codings, reference
from cds_service.fhir.selected import all_drafts, asked_for
from cds_service.hook_call import HookCall, HookOutcome
from cds_service.silence import Silence

SPEAKS = Silence()


def explanation_of(
    call: HookCall, outcome: HookOutcome, topic: Topic, silence: Silence = SPEAKS
) -> Json:
    """What was made of each draft order, in their sequence. `silence` says which of the cards that
    the outcome shows are kept back.
    """
    ours = {id(our.resource): n for n, our in enumerate(outcome.selected.ours)}
    others = {id(resource) for resource in outcome.selected.others}
    cards = {card["uuid"]: card for card in outcome.body["cards"]}
    orders = []
    for draft in all_drafts(call.context):
        named = {"order": reference(draft), "codes": list(_codes(draft))}
        if id(draft) in ours:
            number = ours[id(draft)]
            decision, card = outcome.decisions[number], outcome.evaluations[number].card
            hidden = silence.covers(decision)
            orders.append(named | _ours(decision, cards.get(card), hidden, topic))
        else:
            why = why_passed_over(asked_for(draft, topic)[0]) if id(draft) in others else ""
            orders.append(named | {"answer": "silence", "why": why or NOT_SELECTED})
    return {"service": topic.service_id, "rules_version": topic.version, "orders": orders}


def _codes(draft: Json) -> Iterator[str]:
    for system, code, display in codings(draft.get("code")):
        yield f"{system} {code} {display}".strip()


def _ours(decision: Decision, card: Json | None, hidden: bool, topic: Topic) -> Json:
    """Of a card that is kept back, too, it is told what it says."""
    order = decision.case.order
    told = {
        "answer": "card" if card and not hidden else "silence",
        "why": why_this_answer(decision, hidden, topic),
        "procedure": order.procedure.label,
        "region": order.place.display if order.place else "",
        "indicator": decision.indicator,
        "rating": decision.rating,
        "card": card["summary"] if card else None,
        "suggestions": [s["label"] for s in card.get("suggestions", [])] if card else [],
        "facts": [_fact(fact, topic) for fact in decision.facts.values()],
    }
    if decision.relevance != RELEVANT:
        return told
    return told | {
        "variants": [_variant(variant, decision, topic) for variant in _variants(decision, topic)],
        "safety_rules": [_rule(alert) for alert in decision.alerts],
        "not_supplied": decision.case.chart.missing,
        "not_read": list(decision.case.chart.unread),
    }


def _fact(fact: Fact, topic: Topic) -> Json:
    return {
        "fact": fact.name,
        "label": topic.fact[fact.name].label,
        "value": fact.value,
        "how": fact.how,
        "evidence": [_evidence(piece) for piece in fact.evidence],
    }


def _evidence(evidence: Evidence) -> Json:
    day = evidence.when.isoformat() if evidence.when else None
    return {"display": evidence.display, "source": evidence.source, "date": day}


def _variants(decision: Decision, topic: Topic) -> tuple[Variant, ...]:
    """Those that rate the kind of procedure that was ordered."""
    return tuple(topic.guideline.variants_for(decision.case.order.procedure))


def _variant(variant: Variant, decision: Decision, topic: Topic) -> Json:
    """Whether the patient is in it; where not, or perhaps not, by which facts."""
    values = {name: fact.value for name, fact in decision.facts.items()}
    state = "applies" if is_matched(variant, values) else "possible"
    state = "ruled out" if is_excluded(variant, values) else state
    wants = {f: wanted for f, wanted in variant.criteria.items() if values[f] is not wanted}
    if state == "ruled out":
        wants = {f: wanted for f, wanted in wants.items() if values[f] is not None}
    return {
        "variant": variant.id,
        "state": state,
        "wants": {topic.fact[fact].label: wanted for fact, wanted in wants.items()},
        "category": variant.category_of(decision.case.order.procedure.id),
    }


def _rule(alert: Alert) -> Json:
    return {
        "rule": alert.rule.id,
        "title": alert.rule.title,
        "about_this_order": alert.speaks,
        "evidence": [_evidence(piece) for piece in alert.evidence],
    }
