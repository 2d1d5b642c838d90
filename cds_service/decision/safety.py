"""The safety rules: which of them hold, and what they do to the advice.

The kinds of rule:
    caution        the card is at least as urgent as the rule says
    soften         a warning about the rating becomes information
    quiet          the rating is not held against the order
    outside-scope  the guideline does not cover this: information, no rating
    alternative    allows, and offers, studies that the rule it answers keeps out
    line           one line in the detail
    wrong-region   a caution for an order of another region than the fracture's
All that hold act together, and all screen the suggestions whatever was ordered.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from cds_service.decision.chart import Case
from cds_service.decision.fractures import fractures_meant, parts_of_fracture
from cds_service.decision.knowledge import Procedure, SafetyRule
from cds_service.decision.triggers import Proof, Situation, proof_of

INDICATORS = ("info", "warning", "critical")


@dataclass(frozen=True)
class Alert:
    """A rule that holds for the patient; it `speaks` where it is about the order at hand."""

    rule: SafetyRule
    evidence: Proof
    speaks: bool


def alerts_for(rules: Iterable[SafetyRule], situation: Situation) -> tuple[Alert, ...]:
    """Every rule whose trigger holds, in the order of the rules."""
    procedure = situation.case.order.procedure
    alerts = []
    for rule in rules:
        proof = _proof(rule, situation)
        if proof is not None:
            alerts.append(Alert(rule, proof, procedure in rule.orders))
    return tuple(alerts)


def speaking(alerts: Iterable[Alert], *kinds: str) -> tuple[Alert, ...]:
    """The alerts of these kinds that are about the order."""
    return tuple(a for a in alerts if a.speaks and a.rule.kind in kinds)


def cautions(alerts: Iterable[Alert]) -> tuple[Alert, ...]:
    return speaking(alerts, "caution", "wrong-region")


def more_urgent(*indicators: str | None) -> str | None:
    """The most urgent of the indicators; None means no card."""
    given = [i for i in indicators if i is not None]
    return max(given, key=INDICATORS.index) if given else None


def is_avoided(procedure: Procedure, alerts: Iterable[Alert]) -> bool:
    """Whether a rule keeps the procedure out of the suggestions, and no `alternative` to that
    rule allows it back. What another rule keeps out stays out.
    """
    alerts = tuple(alerts)
    lifted = {a.rule.instead_of for a in alerts if procedure.id in a.rule.allow}
    return any(procedure in a.rule.avoid and a.rule.id not in lifted for a in alerts)


def _proof(rule: SafetyRule, situation: Situation) -> Proof | None:
    if rule.kind == "wrong-region":
        return _lies_elsewhere(situation.case)
    return proof_of(rule.when, situation)


def _lies_elsewhere(case: Case) -> Proof | None:
    """All coded fractures lie outside the ordered region, and no pain inside it settles it."""
    ordered = case.order.place.parts if case.order.place else frozenset()
    fracture = parts_of_fracture(case)
    if not ordered or not fracture or not ordered.isdisjoint(fracture) or _hurts_in(ordered, case):
        return None
    return tuple(dict.fromkeys(f.evidence for f in fractures_meant(case) if f.parts))


def _hurts_in(parts: frozenset[str], case: Case) -> bool:
    pains = (f for f in case.coded("spine-pain") if case.recent(f))
    return any(not parts.isdisjoint(pain.parts) for pain in pains)
