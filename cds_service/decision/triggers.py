"""When a safety rule applies: a small language of triggers, read from the rules' files.

A trigger is one of
    {"finding": SET, "timing": "new" | "current" | "any"}   new: a reason, or a new Condition
    {"observation": SET, "below": NUMBER, "days": NUMBER}    the latest value
    {"pregnant": SET, "days": N, "min_age": N, "max_age": N}
    {"younger_than": YEARS}
    {"fact": NAME, "is": [VALUES]}
    {"variant": ID}                                          that variant, and no other
    {"usually_appropriate": MODALITY}                        in a variant that is possible
    {"any": [TRIGGERS]}, {"all": [TRIGGERS]}
A function here returns the evidence where its trigger holds, and None where it does not.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cds_service.decision.chart import YEARS, Case, Evidence, Finding
from cds_service.decision.facts import Facts
from cds_service.decision.knowledge import Guideline
from cds_service.decision.variants import Outcomes

Proof = tuple[Evidence, ...]
Trigger = Mapping[str, Any]


@dataclass(frozen=True)
class Situation:
    """What a trigger may look at."""

    case: Case
    facts: Facts
    outcomes: Outcomes
    guideline: Guideline


def proof_of(trigger: Trigger, situation: Situation) -> Proof | None:
    """The evidence for which the trigger holds, or None."""
    kind = next(iter(trigger))
    return TRIGGERS[kind](trigger, situation)


def _finding(trigger: Trigger, situation: Situation) -> Proof | None:
    case = situation.case
    timely = TIMING[trigger["timing"]]
    return _proof([f for f in case.coded(trigger["finding"]) if timely(f, case)])


def _observation(trigger: Trigger, situation: Situation) -> Proof | None:
    case = situation.case
    values = [
        f
        for f in case.coded(trigger["observation"])
        if f.value is not None and f.seen_within(trigger["days"], case.today)
    ]
    if not values:
        return None
    latest = max((f.when for f in values if f.when), default=None)
    # Of several on the latest day, and of those without a date, the lowest counts.
    last = min(
        (f for f in values if f.when in (latest, None)), key=lambda f: (f.value, f.when is None)
    )
    return _proof([last]) if last.value < trigger["below"] else None


def _pregnant(trigger: Trigger, situation: Situation) -> Proof | None:
    case = situation.case
    if case.chart.sex == "male" or not _age_within(trigger, case.age):
        return None
    coded = [f for f in case.coded(trigger["pregnant"]) if f.current]
    return _proof([f for f in coded if f.seen_within(trigger["days"], case.today)])


def _age_within(trigger: Trigger, age: int | None) -> bool:
    return age is None or trigger["min_age"] <= age <= trigger["max_age"]


def _younger_than(trigger: Trigger, situation: Situation) -> Proof | None:
    age = situation.case.age
    if age is None or age >= trigger["younger_than"]:
        return None
    return (Evidence(str(age), "Patient", remark=YEARS),)


def _fact(trigger: Trigger, situation: Situation) -> Proof | None:
    fact = situation.facts[trigger["fact"]]
    return fact.evidence if fact.value in trigger["is"] else None


def _variant(trigger: Trigger, situation: Situation) -> Proof | None:
    outcomes = situation.outcomes
    alone = [v.id for v in outcomes.variants] == [trigger["variant"]]
    return () if alone and not outcomes.none_possible else None


def _usually_appropriate(trigger: Trigger, situation: Situation) -> Proof | None:
    procedures = situation.guideline.procedures
    best = {p for v in situation.outcomes.variants for p in v.usually_appropriate}
    modalities = {procedures[p].modality for p in best}
    return () if trigger["usually_appropriate"] in modalities else None


def _any(trigger: Trigger, situation: Situation) -> Proof | None:
    proofs = [proof_of(t, situation) for t in trigger["any"]]
    held = [p for p in proofs if p is not None]
    return _joined(held) if held else None


def _all(trigger: Trigger, situation: Situation) -> Proof | None:
    proofs = [proof_of(t, situation) for t in trigger["all"]]
    return None if None in proofs else _joined(proofs)


def _joined(proofs: list[Proof]) -> Proof:
    return tuple(dict.fromkeys(e for proof in proofs for e in proof))


def _proof(findings: list[Finding]) -> Proof | None:
    if not findings:
        return None
    return tuple(dict.fromkeys(f.evidence for f in findings))


TIMING: dict[str, Callable[[Finding, Case], bool]] = {
    "new": lambda finding, case: case.recent(finding),
    "current": lambda finding, case: finding.current,
    "any": lambda finding, case: True,
}

TRIGGERS: dict[str, Callable[[Trigger, Situation], Proof | None]] = {
    "finding": _finding,
    "observation": _observation,
    "pregnant": _pregnant,
    "younger_than": _younger_than,
    "fact": _fact,
    "variant": _variant,
    "usually_appropriate": _usually_appropriate,
    "any": _any,
    "all": _all,
}
