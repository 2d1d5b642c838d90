"""One coded FHIR resource, or one reason of an order, to one Finding."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from cds_service.decision.chart import Finding
from cds_service.decision.icd import ICD_10_CM
from cds_service.decision.terminology import (
    ANSWERS,
    Meaning,
    Place,
    Terminology,
)
from cds_service.fhir.plain import (
    Json,
    as_date,
    as_dict,
    as_list,
    as_number,
    as_text,
    codes,
    codings,
    dicts,
)

CURRENT = frozenset({"active", "recurrence", "relapse"})
NEVER_EVIDENCE = frozenset({"refuted", "entered-in-error"})
LONGEST_DISPLAY = 200


def coded(concept: Any, terminology: Terminology) -> tuple[frozenset[str], Finding | None]:
    """The known systems in which a concept is coded, and its Finding where a map holds a code."""
    systems: set[str] = set()
    meanings: list[Meaning] = []
    display = encounter = ""
    answer = None
    for system, code, said in codings(concept):
        key = terminology.normalise(system, code)
        if key is None:
            continue
        systems.add(key[0])
        if key[0] == ICD_10_CM:
            encounter = encounter or _encounter(key[1])
        if key[0] == ANSWERS:
            answer = _answer(key[1]) or answer
        meaning = terminology.meaning(key)
        if meaning:
            meanings.append(meaning)
        if meaning or answer:
            display = display or said or terminology.display(key)
    if not meanings and not answer:
        return frozenset(systems), None
    sets = frozenset().union(*(m.sets for m in meanings))
    place = _most_precise(m.place for m in meanings)
    shown = display[:LONGEST_DISPLAY]
    return frozenset(systems), Finding("", sets, shown, place, encounter=encounter, answer=answer)


def finding_of(resource: Json, terminology: Terminology) -> Finding | None:
    """What a resource of the chart says, or None where it is no evidence or in no map."""
    read = READERS.get(as_text(resource.get("resourceType")))
    return read(resource, terminology) if read else None


def _condition(resource: Json, terminology: Terminology) -> Finding | None:
    """Refuted and entered-in-error never count; only absent and confirmed are certain."""
    _, finding = coded(resource.get("code"), terminology)
    verification = codes(resource.get("verificationStatus"))
    if finding is None or verification & NEVER_EVIDENCE:
        return None
    clinical = codes(resource.get("clinicalStatus"))
    return replace(
        _located(finding, resource, terminology),
        source="Condition",
        when=_onset(resource),
        current=not clinical or bool(clinical & CURRENT),
        certain=not verification or "confirmed" in verification,
    )


def _onset(resource: Json) -> Any:
    return (
        as_date(resource.get("onsetDateTime"))
        or as_date(as_dict(resource.get("onsetPeriod")).get("start"))
        or as_date(resource.get("recordedDate"))
    )


def _procedure(resource: Json, terminology: Terminology) -> Finding | None:
    _, finding = coded(resource.get("code"), terminology)
    if finding is None or resource.get("status") not in (None, "completed"):
        return None
    period = as_dict(resource.get("performedPeriod"))
    when = as_date(resource.get("performedDateTime")) or as_date(period.get("start"))
    return replace(_located(finding, resource, terminology), source="Procedure", when=when)


def _device(resource: Json, terminology: Terminology) -> Finding | None:
    _, finding = coded(resource.get("type"), terminology)
    if finding is None or resource.get("status") in ("inactive", "entered-in-error"):
        return None
    return replace(finding, source="Device")


def _allergy(resource: Json, terminology: Terminology) -> Finding | None:
    """By its code, else by the substance of a reaction."""
    reactions = (r.get("substance") for r in dicts(resource.get("reaction")))
    found = (coded(concept, terminology)[1] for concept in (resource.get("code"), *reactions))
    finding = next((f for f in found if f), None)
    verification = codes(resource.get("verificationStatus"))
    if finding is None or verification & NEVER_EVIDENCE:
        return None
    clinical = codes(resource.get("clinicalStatus"))
    return replace(
        finding,
        source="AllergyIntolerance",
        when=as_date(resource.get("recordedDate")),
        current=not clinical or "active" in clinical,
    )


CONCLUDED = frozenset({"bone-marrow-edema-or-cleft", "asymptomatic", "worsening"})
MEASURED = frozenset({"egfr", "pregnancy-status"})


def _observation(resource: Json, terminology: Terminology) -> Finding | None:
    """What is observed: the value where there is one, else the code itself."""
    if resource.get("status") in ("entered-in-error", "cancelled"):
        return None
    _, finding = coded(resource.get("code"), terminology)
    value = coded(resource.get("valueCodeableConcept"), terminology)[1]
    number = as_number(as_dict(resource.get("valueQuantity")).get("value"))
    has_value = any(name.startswith("value") for name in resource)
    sets = finding.sets if finding else frozenset()
    sets = (sets & MEASURED) | (value.sets if value else frozenset()) if has_value else sets
    if not sets:
        return None
    seen = replace(value or finding, source="Observation", sets=sets, when=_observed(resource))
    if "egfr" not in sets or number is None:
        return seen
    return replace(seen, value=number, display=f"eGFR {number:g} mL/min/1.73 m²")


def _report(resource: Json, terminology: Terminology) -> Finding | None:
    """What a DiagnosticReport concludes of edema, symptoms and their course, which sites map."""
    if resource.get("status") in ("entered-in-error", "cancelled"):
        return None
    found = (coded(c, terminology)[1] for c in as_list(resource.get("conclusionCode")))
    concluded = [f for f in found if f and f.sets & CONCLUDED]
    if not concluded:
        return None
    sets = frozenset().union(*(f.sets & CONCLUDED for f in concluded))
    return replace(concluded[0], source="DiagnosticReport", sets=sets, when=_observed(resource))


def _observed(resource: Json) -> Any:
    return (
        as_date(resource.get("effectiveDateTime"))
        or as_date(as_dict(resource.get("effectivePeriod")).get("start"))
        or as_date(resource.get("issued"))
    )


READERS: dict[str, Callable[[Json, Terminology], Finding | None]] = {
    "Condition": _condition,
    "Procedure": _procedure,
    "Device": _device,
    "AllergyIntolerance": _allergy,
    "Observation": _observation,
    "DiagnosticReport": _report,
}


# What a code that does not state the bone means with a body site of the spine.
OF_THE_SPINE = {
    "fracture-bone-not-stated": "vertebral-compression-fracture",
    "infection-bone-not-stated": "spinal-infection",
}


def _located(finding: Finding, resource: Json, terminology: Terminology) -> Finding:
    """The finding with what the body site adds to it: where in the spine it is, and that what its
    code does not place (a fracture, an infection) is one of the spine.
    """
    sites = resource.get("bodySite")
    found = [
        coded(site, terminology)[1] for site in (sites if isinstance(sites, list) else [sites])
    ]
    spine = [f for f in found if f and "spine-body-site" in f.sets]
    if not spine:
        return finding
    place = finding.place or _most_precise(f.place for f in spine)
    added = {OF_THE_SPINE[name] for name in finding.sets & OF_THE_SPINE.keys()}
    return replace(finding, sets=finding.sets | added, place=place)


def _encounter(code: str) -> str:
    """The 7th character of an ICD-10-CM code, which tells the first from later encounters."""
    bare = code.replace(".", "")
    return bare[6] if len(bare) == 7 else ""


def _answer(code: str) -> tuple[str, bool] | None:
    """An answer to one of our questions: prior-vcf-yes."""
    fact, _, said = code.rpartition("-")
    return (fact.replace("-", "_"), said == "yes") if said in ("yes", "no") else None


def _most_precise(places: Iterable[Place | None]) -> Place | None:
    """A level before a region, a region before the spine as a whole."""
    known = [p for p in places if p]
    return min(known, key=lambda p: (not p.is_level, not p.parts, len(p.parts)), default=None)
