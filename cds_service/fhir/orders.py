"""Reads a draft order of the topic as the Order of the core, with its reasons."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import Any

from cds_service.decision.chart import Finding, Order
from cds_service.decision.guideline import Procedure
from cds_service.decision.terminology import OrderMeaning, Place, Terminology, union
from cds_service.fhir.findings import coded, finding_of, worded
from cds_service.fhir.plain import (
    Json,
    as_date,
    as_dict,
    as_list,
    as_text,
    codings,
    dicts,
    reference,
    refers_to_another,
)
from cds_service.fhir.prefetch import Prefetched
from cds_service.fhir.selected import OurOrder
from cds_service.fhir.unmapped import Unmapped
from cds_service.fhir.validation import problem_with


@dataclass(frozen=True)
class DraftOrder:
    """An order of the topic, its resource as it came, and the day that counts as today for it.

    `unresolved_reasons` are references to reasons that were not sent; `unmapped` are codes of the
    order and its reasons that are in no map.
    """

    order: Order
    resource: Json
    today: date
    unresolved_reasons: tuple[str, ...] = ()
    unmapped: tuple[Unmapped, ...] = ()


def read_order(
    our: OurOrder,
    patient_id: str,
    drafted: frozenset[str],
    conditions: "Conditions",
    terminology: Terminology,
    today: date,
) -> DraftOrder:
    """One order, read on its own. `drafted` are the ids of all procedures among the draft orders,
    `today` is the day for an order without `authoredOn`.
    """
    resource = our.resource
    reasons = _Reasons(resource, conditions, terminology)
    order = replace(_order(our, reasons, terminology, patient_id), drafted=drafted)
    authored = as_date(resource.get("authoredOn"))
    unresolved = tuple(reasons.unresolved)
    return DraftOrder(order, resource, authored or today, unresolved, our.unmapped)


def _order(our: OurOrder, reasons: "_Reasons", terminology: Terminology, patient_id: str) -> Order:
    resource, procedure = our.resource, our.procedure
    place = _place(our.meanings, terminology)
    same = [m for m in our.meanings if m.procedure == procedure.id]
    return Order(
        id=as_text(resource.get("id")),
        procedure=procedure,
        place=place,
        is_specific="specific" in procedure.traits or place is not None,
        display=_display(resource.get("code"), procedure),
        reasons=tuple(reasons.findings),
        has_coded_reasons=reasons.coded,
        questions_asked=len({f.answer[0] for f in reasons.findings if f.answer}),
        rated_as="" if any(m.exact for m in same) else same[0].comment,
        problem=_problem(resource, patient_id),
    )


def _problem(resource: Json, patient_id: str) -> str:
    """The field that makes an order unreadable: it is invalid, or names another patient."""
    if refers_to_another(resource.get("subject"), patient_id):
        return "subject"
    return problem_with(resource) or ""


def _place(meanings: tuple[OrderMeaning, ...], terminology: Terminology) -> Place | None:
    """The region that the codings agree on, the body part as a whole where they do not, None where
    they have no region.
    """
    places = [_covering(m.places, terminology) for m in meanings if m.places]
    if not places:
        return None
    stated = [p for p in places if p.parts] or places
    return stated[0] if len({p.parts for p in stated}) == 1 else terminology.body_part


def _covering(places: tuple[Place, ...], terminology: Terminology) -> Place:
    return places[0] if len(places) == 1 else terminology.place_covering(union(places))


def _display(concept: Any, procedure: Procedure) -> str:
    said = as_text(as_dict(concept).get("text"))
    return said or next((d for _, _, d in codings(concept) if d), procedure.label)


# The known systems of a reason, and its finding if a code of it is in a map.
Read = tuple[frozenset[str], Finding | None]


class Conditions:
    """The Conditions that a reasonReference can mean, by their reference. They are asked for when
    an order refers to one, and each is read once, however many orders refer to it.
    """

    def __init__(self, by_name: Callable[[], dict[str, Json]], terminology: Terminology):
        self._named, self._terminology = by_name, terminology
        self._read: dict[str, Read] = {}

    @cached_property
    def _by_name(self) -> dict[str, Json]:
        return self._named()

    def __contains__(self, name: str) -> bool:
        return name in self._by_name

    def read(self, name: str) -> Read:
        """Nothing, where it is invalid; no finding, where its status rules it out."""
        if name not in self._read:
            self._read[name] = self._as_reason(self._by_name[name])
        return self._read[name]

    def _as_reason(self, condition: Json) -> Read:
        if problem_with(condition):
            return frozenset(), None
        systems, _ = coded(condition.get("code"), self._terminology)
        return systems, finding_of(condition, self._terminology)


class _Reasons:
    """The reasons of an order: reasonCode, and the Conditions behind reasonReference."""

    def __init__(self, resource: Json, conditions: Conditions, terminology: Terminology):
        self.findings: list[Finding] = []
        self.unresolved: list[str] = []
        self.coded = False
        for concept in as_list(resource.get("reasonCode")):
            systems, finding = coded(concept, terminology)
            self._add(systems, finding or worded(concept, terminology))
        contained = Conditions(lambda: _contained(resource), terminology)
        for target in dicts(resource.get("reasonReference")):
            written = as_text(target.get("reference"))
            known = contained if written.startswith("#") else conditions
            self._follow(written, known)

    def _follow(self, target: str, known: Conditions) -> None:
        """Takes a Condition as a reason, if its status does not rule it out."""
        name = target if target.startswith("#") else "/".join(target.split("/")[-2:])
        if name in known:
            self._add(*known.read(name))
        else:
            self.unresolved.append(name)

    def _add(self, systems: frozenset[str], finding: Finding | None) -> None:
        self.coded = self.coded or bool(systems)
        if finding:
            self.findings.append(replace(finding, source="reason"))


def _contained(resource: Json) -> dict[str, Json]:
    """The resources in an order, by the references to them."""
    return {f"#{as_text(r.get('id'))}": r for r in dicts(resource.get("contained"))}


def conditions_among(
    drafts: Iterable[Json], prefetched: Callable[[], Prefetched]
) -> dict[str, Json]:
    """Those of the chart, and those among the drafts, by their reference; a draft comes first."""
    in_chart = [r.content for r in prefetched().resources if r.type == "Condition"]
    both = [*in_chart, *drafted_conditions(drafts)]
    return {reference(condition): condition for condition in both}


def drafted_conditions(drafts: Iterable[Json]) -> list[Json]:
    return [draft for draft in drafts if draft.get("resourceType") == "Condition"]
