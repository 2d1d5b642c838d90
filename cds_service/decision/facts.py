"""The facts that the variants ask for: true, false or unknown, each with its evidence.

What makes each of them true or false is data of the topic (`facts.json`).
"""

from dataclasses import dataclass, replace

from cds_service.decision.chart import Case, Evidence
from cds_service.decision.situation import Criterion, Fact, Situation, Truth, evidence_of

CODED, ANSWERED, PRESUMED = "coded", "answered", "presumed"
ABSENT, IMPLIED, UNKNOWN, DOUBT = "absent", "implied", "unknown", "doubt"


@dataclass(frozen=True)
class FactDefinition:
    """A fact, in the words of cards and pages, and what decides it, in this order: `true_when`, an
    answer of the clinician, `unknown_when` (an entry leaves it open), `presumed_when`,
    `false_when` (coded), `implied_false_when` (by other facts), and `false_when_none_among`
    (nothing makes it true among these kinds of data, all of them supplied). Else it is unknown.

    `in_text` is the label within a sentence, `true` and `false` say the fact in words; `presumed`
    says why it is presumed; `none_found` says that there is none among %(data)s.
    """

    name: str
    label: str
    in_text: str
    true: str
    false: str
    true_when: Criterion
    unknown_when: Criterion | None = None
    presumed_when: Criterion | None = None
    false_when: Criterion | None = None
    implied_false_when: Criterion | None = None
    false_when_none_among: tuple[str, ...] = ()
    presumed: str = ""
    none_found: str = ""

    def establish(self, situation: Situation) -> Fact:
        """The fact in this case. The facts that its criteria name are in the situation already."""
        proof = self.true_when.truth(situation)
        if proof.value:
            return Fact(self.name, True, CODED, in_order(proof.evidence, situation.case))
        answered = _answered(self.name, situation.case)
        if answered:
            return answered
        doubt = _if_true(self.unknown_when, situation)
        if doubt:
            return Fact(self.name, None, DOUBT, doubt.evidence)
        if _if_true(self.presumed_when, situation):
            return Fact(self.name, True, PRESUMED)
        denial = _if_true(self.false_when, situation)
        if denial:
            return Fact(self.name, False, CODED, denial.evidence)
        if _if_true(self.implied_false_when, situation):
            return Fact(self.name, False, IMPLIED)
        return self._absent(proof.value, situation.case)

    def _absent(self, found: bool | None, case: Case) -> Fact:
        """False where the kinds of data came in full and nothing was found; else unknown."""
        kinds = self.false_when_none_among
        if kinds and found is False and case.chart.has(*kinds):
            return Fact(self.name, False, ABSENT)
        return Fact(self.name, None, UNKNOWN)


def _if_true(criterion: Criterion | None, situation: Situation) -> Truth | None:
    if criterion is None or not criterion.may_hold(situation.case):
        return None
    truth = criterion.truth(situation)
    return truth if truth.value else None


def establish_facts(definitions: tuple[FactDefinition, ...], situation: Situation) -> Situation:
    """The situation with all facts, established in their order; each may use those before it."""
    facts: dict[str, Fact] = {}
    situation = replace(situation, facts=facts)
    for definition in definitions:
        facts[definition.name] = definition.establish(situation)
    return situation


def in_order(evidence: tuple[Evidence, ...], case: Case) -> tuple[Evidence, ...]:
    """Evidence in the order of the findings: the reasons of the order come first."""
    if len(evidence) < 2:
        return evidence
    place = {finding.evidence: i for i, finding in enumerate(case.findings)}
    return tuple(sorted(evidence, key=lambda one: place.get(one, -1)))


def answers(case: Case, name: str) -> frozenset[bool]:
    """The answers among the reasons of the order to our question about a fact."""
    given = (f.answer for f in case.order.reasons if f.answer)
    return frozenset(value for fact, value in given if fact == name)


def _answered(name: str, case: Case) -> Fact | None:
    """The answer, where there is one; two answers that contradict each other are none."""
    given = answers(case, name)
    if len(given) != 1:
        return None
    proof = [f for f in case.order.reasons if f.answer and f.answer[0] == name]
    return Fact(name, next(iter(given)), ANSWERED, evidence_of(proof))
