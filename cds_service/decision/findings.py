"""Which findings of a case prove what: by value set, by source, by time and by place."""

from collections.abc import Iterable

from cds_service.decision.chart import Case, Finding
from cds_service.decision.fractures import (
    compression_fractures,
    fractures_meant,
    parts_of_fracture,
)

SYMPTOMS = frozenset({"radiculopathy", "neurologic-deficit", "cord-compression"})
SAID_OF_THE_PATIENT = ("reason", "Condition")
SEEN_IN_THE_PATIENT = ("Observation", "DiagnosticReport")
PRESUMED_OSTEOPOROTIC_FROM = 65
PRESUMED_OSTEOPOROTIC_FROM_IN_WOMEN = 50
OBSERVATIONS_COUNT_FOR = 90


def certain(case: Case) -> Iterable[Finding]:
    return (f for f in case.findings if f.certain)


def coded_as(
    case: Case, sets: Iterable[str], sources: tuple[str, ...] = SAID_OF_THE_PATIENT
) -> list[Finding]:
    """The certain findings in one of the value sets; an Observation or a report says it for a
    while only."""
    found = [f for f in certain(case) if f.source in sources and not f.sets.isdisjoint(sets)]
    return [f for f in found if f.source not in SEEN_IN_THE_PATIENT or still_counts(f, case)]


def is_symptom(finding: Finding, case: Case) -> bool:
    if not finding.sets.isdisjoint(SYMPTOMS):
        return True
    return "spine-pain" in finding.sets and not lies_elsewhere(finding, parts_of_fracture(case))


def lies_elsewhere(finding: Finding, parts: frozenset[str]) -> bool:
    """Both regions are coded, and they do not touch."""
    return bool(parts and finding.parts) and parts.isdisjoint(finding.parts)


def still_counts(finding: Finding, case: Case) -> bool:
    if finding.source in SEEN_IN_THE_PATIENT:
        return finding.seen_within(OBSERVATIONS_COUNT_FOR, case.today)
    return finding.current


def at_two_places(fractures: Iterable[Finding]) -> list[Finding]:
    """The fractures, if two of them are stated at different levels or regions."""
    placed = [f for f in fractures if f.parts]
    apart = any(_differ(a, b) for i, a in enumerate(placed) for b in placed[i + 1 :])
    return placed if apart else []


def _differ(a: Finding, b: Finding) -> bool:
    if a.place.is_level and b.place.is_level:
        return a.place != b.place
    return a.parts.isdisjoint(b.parts)


def may_be_presumed_osteoporotic(case: Case) -> bool:
    """The age and sex at which a fracture that is coded neither traumatic nor neoplastic is."""
    other = {"traumatic-vertebral-fracture", "neoplastic-vertebral-fracture"}
    fractures = compression_fractures(case)
    if not fractures or any(f.sets & other for f in fractures) or case.age is None:
        return False
    if case.age >= PRESUMED_OSTEOPOROTIC_FROM:
        return True
    return case.chart.sex == "female" and case.age >= PRESUMED_OSTEOPOROTIC_FROM_IN_WOMEN


def is_osteoporotic_for_sure(case: Case) -> bool:
    """The fracture is coded osteoporotic, and neither bone metastasis nor myeloma is coded."""
    coded = any("osteoporotic-vertebral-fracture" in f.sets for f in fractures_meant(case))
    tumor = coded_as(case, {"bone-metastasis", "vertebral-metastasis", "myeloma"})
    return coded and not tumor and case.chart.has("conditions")
