"""Reads one coded FHIR resource, or one reason of an order, as one Finding."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from cds_service.decision.chart import Finding
from cds_service.decision.icd import ICD_10_CM
from cds_service.decision.terminology import Meaning, Place, Terminology
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
        if key[0] == terminology.answers:
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


def worded(concept: Any, terminology: Terminology) -> Finding | None:
    """What a concept sounds like whose codes are in no map."""
    said = [as_text(as_dict(concept).get("text")), *(words for _, _, words in codings(concept))]
    words = "; ".join(filter(None, dict.fromkeys(said)))
    heard = terminology.hears(words)
    return Finding("", heard, words[:LONGEST_DISPLAY]) if heard else None


def finding_of(resource: Json, terminology: Terminology) -> Finding | None:
    """The finding of a resource, or None where its code is in no map or its status rules it out."""
    read = READERS.get(as_text(resource.get("resourceType")))
    return read(resource, terminology) if read else None


def _condition(resource: Json, terminology: Terminology) -> Finding | None:
    """None with the verification status refuted or entered-in-error. A finding is certain with the
    status confirmed, and without a status.
    """
    _, finding = coded(resource.get("code"), terminology)
    finding = finding or worded(resource.get("code"), terminology)
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
    """The allergy by its code, else by the substance of a reaction."""
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


# The value sets of Observations whose value is what counts.
MEASURED = frozenset({"egfr", "pregnancy-status"})


def _observation(resource: Json, terminology: Terminology) -> Finding | None:
    """The finding of the value where there is one, else of the code itself."""
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
    """The coded conclusions of a DiagnosticReport, of the value sets that a criterion looks for in
    reports.
    """
    if resource.get("status") in ("entered-in-error", "cancelled"):
        return None
    found = (coded(c, terminology)[1] for c in as_list(resource.get("conclusionCode")))
    concluded = [f for f in found if f and f.sets & terminology.reported]
    if not concluded:
        return None
    sets = frozenset().union(*(f.sets & terminology.reported for f in concluded))
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


def _located(finding: Finding, resource: Json, terminology: Terminology) -> Finding:
    """The finding with what the body site adds to it: where it is, and what it is there,
    where its code leaves that open.
    """
    sites = resource.get("bodySite")
    found = [
        coded(site, terminology)[1] for site in (sites if isinstance(sites, list) else [sites])
    ]
    named = {name for f in found if f for name in f.sets}
    here = [rule for rule in terminology.body_sites if rule.site in named]
    if not here:
        return finding
    place = finding.place or _most_precise(f.place for f in found if f)
    means = {rule.means for rule in here if rule.finding in finding.sets}
    return replace(finding, sets=finding.sets | means, place=place)


def _encounter(code: str) -> str:
    """The 7th character of an ICD-10-CM code, which says which encounter for an injury it is."""
    bare = code.replace(".", "")
    return bare[6] if len(bare) == 7 else ""


def _answer(code: str) -> tuple[str, bool] | None:
    """An answer to one of our questions: the fact, and yes or no."""
    fact, _, said = code.rpartition("-")
    return (fact.replace("-", "_"), said == "yes") if said in ("yes", "no") else None


def _most_precise(places: Iterable[Place | None]) -> Place | None:
    """A level before a region, a region before the body part as a whole."""
    known = [p for p in places if p]
    return min(known, key=lambda p: (not p.is_level, not p.parts, len(p.parts)), default=None)
