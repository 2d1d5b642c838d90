"""Definitions: names for findings that count under conditions only. Sources of findings."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cds_service.decision.chart import Finding
from cds_service.decision.situation import Criterion, Situation

REPORT = "DiagnosticReport"
SEEN = ("Observation", REPORT)
# The kind of data that each source comes from; a reason comes with the order. Observations are
# asked for by code, and reports not at all, so that their absence says nothing.
KIND_OF = {
    "reason": None,
    "Condition": "conditions",
    "Procedure": "procedures",
    "Device": "devices",
    "AllergyIntolerance": "allergies",
    "Observation": None,
    REPORT: None,
}
USUAL_SOURCES = tuple(source for source in KIND_OF if source != REPORT)

CERTAINTY: Mapping[str, Callable[[Finding], bool]] = {
    "confirmed": lambda finding: finding.certain,
    "unconfirmed": lambda finding: not finding.certain,
    "any": lambda finding: True,
}


@dataclass(frozen=True)
class NamedCriterion:
    """A file of `criteria/`; `title` is for pages."""

    name: str
    when: Criterion
    title: str = ""


@dataclass(frozen=True)
class Part:
    """Findings of these value sets count `when` the criterion is true; without one, always."""

    sets: frozenset[str]
    when: Criterion | None = None


@dataclass(frozen=True)
class Definition:
    """A name for findings that count under conditions. Of the parts the first one that lists a
    value set of the finding decides. Where the criterion of that part is unknown, it is unknown
    whether the finding counts. `title` is for pages.
    """

    name: str
    sources: tuple[str, ...]
    certainty: str
    parts: tuple[Part, ...]
    title: str = ""

    def of(self, situation: Situation) -> tuple[tuple[Finding, ...], bool]:
        """The findings that count, and whether it is unknown of others."""
        known = situation.selected.get(self.name)
        if known is None:
            known = situation.selected[self.name] = self._of(situation)
        return known

    def _of(self, situation: Situation) -> tuple[tuple[Finding, ...], bool]:
        is_certain = CERTAINTY[self.certainty]
        candidates = [
            f for f in situation.case.findings if f.source in self.sources and is_certain(f)
        ]
        judged = [(f, self._counts(f, situation)) for f in candidates]
        return tuple(f for f, counts in judged if counts), any(c is None for _, c in judged)

    def _counts(self, finding: Finding, situation: Situation) -> bool | None:
        part = next((p for p in self.parts if not p.sets.isdisjoint(finding.sets)), None)
        if part is None:
            return False
        return part.when.truth(situation).value if part.when else True
