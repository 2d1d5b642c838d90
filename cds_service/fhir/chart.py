"""The prefetch to the core's Chart."""

from collections.abc import Iterable

from cds_service.decision.chart import Chart, Finding
from cds_service.decision.terminology import Terminology
from cds_service.fhir.findings import finding_of
from cds_service.fhir.plain import (
    Json,
    as_date,
    as_text,
    reference,
    refers_to_another,
)
from cds_service.fhir.prefetch import KEYS, Prefetched
from cds_service.fhir.validation import problem_with


def read_chart(prefetched: Prefetched, patient_id: str, terminology: Terminology) -> Chart:
    """Each resource whose code is in a map is validated on its own.

    One that is invalid, or is another patient's, is left out and named in `unread`. Its kind then
    came in part: what could not be read may be just what is looked for.
    """
    findings: list[Finding] = []
    unread: list[str] = []
    supplied = prefetched.supplied
    patient: Json = {}
    for resource in _each_once(prefetched.resources):
        if resource["resourceType"] == "Patient":
            patient = patient or resource
            continue
        finding = finding_of(resource, terminology)
        if finding is None:
            continue
        problem = _problem(resource, patient_id)
        if problem:
            unread.append(f"{reference(resource)} ({problem})")
            supplied.discard(KEYS.get(resource["resourceType"]))
        else:
            findings.append(finding)
    problem = _problem(patient, patient_id) if patient else None
    if problem:
        unread.append(f"Patient ({problem})")
        patient = {}
    if not patient:
        supplied.discard("patient")
    return Chart(
        findings=tuple(findings),
        birth_date=as_date(patient.get("birthDate")),
        sex=as_text(patient.get("gender")),
        supplied=frozenset(supplied),
        counts=dict(prefetched.counts),
        unread=tuple(unread),
    )


def _problem(resource: Json, patient_id: str) -> str | None:
    """What keeps a resource out of the chart."""
    if resource["resourceType"] == "Patient":
        other = as_text(resource.get("id")) not in ("", patient_id)
    else:
        owners = (resource.get("subject"), resource.get("patient"))
        other = any(refers_to_another(owner, patient_id) for owner in owners)
    return "another patient's" if other else problem_with(resource)


def _each_once(resources: Iterable[Json]) -> Iterable[Json]:
    """A resource that came under two keys counts once."""
    seen: set[str] = set()
    for resource in resources:
        name = reference(resource)
        if "/" not in name or name not in seen:
            seen.add(name)
            yield resource
