"""Which findings are vertebral compression fractures, and which of them the order is about."""

from collections.abc import Iterable

from cds_service.decision.chart import Case, Finding
from cds_service.decision.terminology import Place, Terminology, union

YOUNG_TRAUMA_BELOW = 50
FRAGILE_FROM = 65
FRAGILE = {"osteoporosis", "osteoporotic-vertebral-fracture", "malignancy"}


def is_compression_fracture(finding: Finding, case: Case) -> bool | None:
    """True, False, or None where the answer hangs on an age or a chart that was not supplied."""
    sets = finding.sets
    if "traumatic-wedge-fracture" in sets:
        return _at_least(YOUNG_TRAUMA_BELOW, case)
    if "vertebral-compression-fracture" in sets:
        return True
    if "vertebral-fracture-type-not-stated" in sets:
        return _at_least(FRAGILE_FROM, case)
    return False


def compression_fractures(case: Case) -> tuple[Finding, ...]:
    """The reasons and Conditions, current or past, that surely are compression fractures."""
    return tuple(f for f in _candidates(case) if is_compression_fracture(f, case))


def may_have_a_fracture(case: Case) -> bool:
    """Whether a finding could be a compression fracture if more were known."""
    return any(is_compression_fracture(f, case) is None for f in _candidates(case))


def fractures_meant(case: Case) -> tuple[Finding, ...]:
    """The fractures that the order is about: the new ones and those in a reason, else all."""
    fractures = compression_fractures(case)
    return tuple(f for f in fractures if case.recent(f)) or fractures


def parts_of_fracture(case: Case) -> frozenset[str]:
    """The parts of the spine where the fracture is coded to be; empty where that is not coded."""
    return union(f.place for f in fractures_meant(case) if f.place)


def region_of_fractures(fractures: Iterable[Finding], terminology: Terminology) -> Place:
    """The region that shows all of these fractures, else the spine as a whole."""
    regions = {f.place.region for f in fractures if f.place and f.place.parts}
    places = [terminology.places[region] for region in sorted(regions)]
    return places[0] if len(places) == 1 else terminology.place_covering(union(places))


def region_of_new_fracture(case: Case, terminology: Terminology) -> Place:
    """The region of the one new fracture, else the spine: its region is to be chosen."""
    new = [f for f in compression_fractures(case) if f.is_new(case.today) and f.parts]
    regions = {f.place.region for f in new}
    return terminology.places[regions.pop() if len(regions) == 1 else "spine"]


def _candidates(case: Case) -> Iterable[Finding]:
    return (f for f in case.findings if f.certain and f.source in ("reason", "Condition"))


def _at_least(years: int, case: Case) -> bool | None:
    """Old enough, or fragile by code: then the doubtful fracture counts."""
    if any(f.sets & FRAGILE for f in _candidates(case)):
        return True
    age = case.age
    if age is not None and age >= years:
        return True
    return False if age is not None and case.chart.has("conditions") else None
