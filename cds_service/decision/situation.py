"""What a criterion is given, a situation, and what it returns, a truth value with evidence."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from cds_service.decision.chart import Case, Evidence, Finding
from cds_service.decision.guideline import Guideline
from cds_service.decision.variants import Outcomes


class CriterionError(ValueError):
    """A criterion that cannot be compiled; the text says which name or form is wrong."""


class Truth(NamedTuple):
    """`value` is True, False or None (unknown); `evidence` is what makes it true."""

    value: bool | None
    evidence: tuple[Evidence, ...] = ()


TRUE, FALSE, UNKNOWN = Truth(True), Truth(False), Truth(None)


@dataclass(frozen=True)
class Fact:
    """A statement on the patient: `value` is True, False or None (unknown).

    `how` is one of coded, answered, presumed, absent (nothing of the kind in the data supplied),
    implied (follows from another fact) and unknown.
    """

    name: str
    value: bool | None
    how: str
    evidence: tuple[Evidence, ...] = ()


Facts = Mapping[str, Fact]
NO_OUTCOMES = Outcomes((), True)


@dataclass(frozen=True)
class Situation:
    """A case with the facts that are established so far, and the variants that are possible.

    `selected` caches the findings of each definition in this case.
    """

    case: Case
    guideline: Guideline
    facts: Facts = field(default_factory=dict)
    outcomes: Outcomes = NO_OUTCOMES
    selected: dict[str, Any] = field(default_factory=dict)

    @property
    def values(self) -> dict[str, bool | None]:
        """The value of each fact, by name."""
        return {name: fact.value for name, fact in self.facts.items()}


Holds = Callable[[Situation], Truth]


class Criterion:
    """A compiled criterion: its JSON, `written`, the function that evaluates it, `truth`, and the
    value sets of which one must hold a finding for it to be true, `needs` (none: not known).
    """

    def __init__(self, written: Mapping[str, Any], truth: Holds, needs: frozenset[str]):
        self.written, self.truth, self.needs = written, truth, needs

    def may_hold(self, case: Case) -> bool:
        """A quick look: false where it cannot be true."""
        return not self.needs or not self.needs.isdisjoint(case.sets)

    def holds(self, situation: Situation) -> bool:
        return self.truth(situation).value is True


def evidence_of(findings: Iterable[Finding]) -> tuple[Evidence, ...]:
    """The evidence of each finding, once."""
    return tuple(dict.fromkeys(f.evidence for f in findings))
