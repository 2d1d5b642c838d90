"""Reads the prefetch, and what was fetched, as the Chart of the core."""

from collections.abc import Iterator
from dataclasses import dataclass

from cds_service.decision.chart import Chart, Finding
from cds_service.decision.terminology import Terminology
from cds_service.decision.topic import Topic
from cds_service.fhir.amounts import MOST_READ_WHOLE, check, values_in
from cds_service.fhir.findings import NEVER_EVIDENCE, finding_of
from cds_service.fhir.plain import Json, as_date, as_text, codes, reference, refers_to_another
from cds_service.fhir.prefetch import KEYS, Prefetched
from cds_service.fhir.reading import Resource
from cds_service.fhir.unmapped import Unmapped, unmapped_conditions
from cds_service.fhir.validation import problem_with_text


@dataclass(frozen=True)
class SentChart:
    """The chart, which kinds of data were `sent`, also empty or in part, and the codes of its
    Conditions that are in no map.
    """

    chart: Chart
    sent: frozenset[str]
    unmapped: tuple[Unmapped, ...] = ()

    @property
    def size(self) -> int:
        """How many bytes it takes at most, about; a test measures it."""
        return 4_000 + 2_000 * (
            len(self.chart.findings) + len(self.chart.unread) + len(self.unmapped)
        )


def read_sent(prefetched: Prefetched, patient_id: str, topic: Topic) -> SentChart:
    """All that is read of a prefetch. Raises TooMuch."""
    chart = read_chart(prefetched, patient_id, topic.terminology)
    resources, sounds = prefetched.resources, topic.condition_words
    unmapped = unmapped_conditions(resources, topic.terminology, sounds)
    return SentChart(chart, frozenset(prefetched.sent), unmapped)


def read_chart(prefetched: Prefetched, patient_id: str, terminology: Terminology) -> Chart:
    """The chart of the patient. Each resource whose code is in a map is validated on its own.

    One that is invalid, or another patient's, is left out and named in `unread`. Its kind then does
    not count as supplied: the missing finding may be in it. One that came twice counts once. Raises
    TooMuch.
    """
    findings, unread = [], []
    supplied = prefetched.supplied
    for resource, finding in _found(prefetched, terminology):
        problem = _problem(resource, patient_id)
        if problem:
            unread.append(f"{reference(resource.content)} ({problem})")
            supplied.discard(KEYS.get(resource.type))
        else:
            findings.append(finding)
    if any(_is_illegible(resource, terminology) for resource in prefetched.resources):
        supplied.discard("conditions")
    known, problem = _patient(prefetched, patient_id)
    unread += [f"Patient ({problem})"] if problem else []
    if not known:
        supplied.discard("patient")
    return Chart(
        findings=tuple(findings),
        birth_date=as_date(known.get("birthDate")),
        sex=as_text(known.get("gender")),
        supplied=frozenset(supplied),
        counts=dict(prefetched.counts),
        unread=tuple(unread),
    )


def _found(prefetched: Prefetched, terminology: Terminology) -> Iterator[tuple[Resource, Finding]]:
    """The resources whose code is in a map, each once, with their findings. Raises TooMuch."""
    seen: set[tuple[str, str]] = set()
    values = 0
    for resource in prefetched.resources:
        if resource.type == "Patient" or not resource.may_say_something(terminology):
            continue
        values += values_in(resource.text)
        check(values, MOST_READ_WHOLE, "values in resources that have to be read")
        finding = finding_of(resource.content, terminology)
        name = (resource.type, resource.id)
        if finding and not (resource.id and name in seen):
            seen.add(name)
            yield resource, finding


def _is_illegible(condition: Resource, terminology: Terminology) -> bool:
    """A Condition that counts, and of which nothing can be read, may be anything."""
    if condition.type != "Condition" or not condition.is_illegible(terminology):
        return False
    return not codes(condition.content.get("verificationStatus")) & NEVER_EVIDENCE


def _patient(prefetched: Prefetched, patient_id: str) -> tuple[Json, str | None]:
    """The first Patient that was sent, empty where there is none or a problem, and the problem."""
    sent = next((r for r in prefetched.resources if r.type == "Patient"), None)
    check(values_in(sent.text) if sent else 0, MOST_READ_WHOLE, "values in a Patient")
    problem = _problem(sent, patient_id) if sent else None
    return (sent.content if sent and not problem else {}), problem


def _problem(resource: Resource, patient_id: str) -> str | None:
    """Why a resource is left out: it is another patient's, or the field that is invalid."""
    if resource.type == "Patient":
        other = resource.id not in ("", patient_id)
    else:
        owners = (resource.content.get("subject"), resource.content.get("patient"))
        other = any(refers_to_another(owner, patient_id) for owner in owners)
    return "another patient's" if other else problem_with_text(resource.text)
