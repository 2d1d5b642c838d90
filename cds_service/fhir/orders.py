"""The draft orders of a hook to the core's Orders."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from cds_service.decision.chart import Finding, Order
from cds_service.decision.knowledge import Knowledge, Procedure
from cds_service.decision.terminology import OrderMeaning, Place, Terminology, union
from cds_service.fhir.findings import coded, finding_of
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
from cds_service.fhir.reading import Resource
from cds_service.fhir.unmapped import (
    Unmapped,
    by_known_system,
    may_be_about_the_spine,
    unmapped_codes,
)
from cds_service.fhir.validation import problem_with

ORDER_SIGN = "order-sign"
CONFLICTING_CODES = "conflicting-codes"
NOT_OURS = "not-ours"
MYELOGRAPHY = "ct-myelography-spine"
CT_WITH_CONTRAST = "ct-spine-w"


@dataclass(frozen=True)
class DraftOrder:
    """An order of ours, its resource as it came, and what counts as today for it."""

    order: Order
    resource: Json
    today: date
    unresolved_reasons: tuple[str, ...] = ()
    unmapped: tuple[Unmapped, ...] = ()


@dataclass
class Drafts:
    """The orders of ours, and why others were passed over; `spine_like` are the codes of those
    that are in no map, and whose words are about the spine.
    """

    orders: list[DraftOrder] = field(default_factory=list)
    others: list[Json] = field(default_factory=list)
    spine_like: list[Unmapped] = field(default_factory=list)
    passed_over: Counter[str] = field(default_factory=Counter)
    unmapped: Counter[str] = field(default_factory=Counter)
    conflicting: Counter[str] = field(default_factory=Counter)


def selected(hook: str, context: Json) -> Iterator[Json]:
    """The draft orders to look at.

    On order-select those that `selections` names; on order-sign, and without `selections`, all.
    """
    entries = dicts(as_dict(context.get("draftOrders")).get("entry"))
    drafts = [as_dict(entry.get("resource")) for entry in entries]
    selections = context.get("selections")
    if hook == ORDER_SIGN or not isinstance(selections, list):
        yield from drafts
        return
    names = {"/".join(as_text(s).split("/")[-2:]) for s in selections}
    yield from (d for d in drafts if reference(d) in names or as_text(d.get("id")) in names)


def read_orders(
    hook: str,
    context: Json,
    resources: Callable[[], list[Resource]],
    knowledge: Knowledge,
    today: date,
) -> Drafts:
    """The selected draft orders that ask for a procedure of the guideline.

    `resources` gives those of the chart, and is called only where a reason may be among them.
    """
    drafts = Drafts()
    for resource in selected(hook, context):
        meanings, why_not = _asked_for(resource, knowledge)
        unmapped = unmapped_codes(resource, knowledge.terminology)
        drafts.unmapped += by_known_system(unmapped, knowledge.terminology)
        if why_not:
            drafts.passed_over[why_not] += 1
            if why_not == NOT_OURS and may_be_about_the_spine(resource):
                drafts.spine_like += [u for u in unmapped if u[0] == "order"]
            if why_not == CONFLICTING_CODES:
                drafts.conflicting += _systems(resource, knowledge.terminology)
            drafts.others.append(resource)
            continue
        conditions = _conditions(context, resources) if resource.get("reasonReference") else {}
        reasons = _Reasons(resource, conditions, knowledge.terminology)
        authored = as_date(resource.get("authoredOn"))
        order = _order(resource, meanings, reasons, knowledge)
        unresolved = tuple(reasons.unresolved)
        drafts.orders.append(DraftOrder(order, resource, authored or today, unresolved, unmapped))
    return drafts


def problem_with_order(draft: DraftOrder, patient_id: str) -> str | None:
    """What makes an order unreadable: an invalid field, or that it is another patient's."""
    if refers_to_another(draft.resource.get("subject"), patient_id):
        return "subject"
    return problem_with(draft.resource)


def _systems(resource: Json, terminology: Terminology) -> Counter[str]:
    """The systems of the codes of an order that are in the order map."""
    keys = (terminology.normalise(s, code) for s, code, _ in codings(resource.get("code")))
    return Counter(key[0] for key in keys if key in terminology.orders)


def _asked_for(resource: Json, knowledge: Knowledge) -> tuple[list[OrderMeaning], str]:
    """What the codings of an order mean, the procedure that they agree on first; else why it is
    not ours.
    """
    if resource.get("resourceType") != "ServiceRequest":
        return [], "no-service-request"
    if resource.get("doNotPerform") is True:
        return [], "do-not-perform"
    meanings = list(_meanings(resource.get("code"), knowledge.terminology))
    if not meanings:
        return [], NOT_OURS
    procedure = _procedure(meanings, knowledge)
    if procedure is None:
        return [], CONFLICTING_CODES
    return sorted(meanings, key=lambda m: m.procedure != procedure.id), ""


def _order(
    resource: Json, meanings: list[OrderMeaning], reasons: "_Reasons", knowledge: Knowledge
) -> Order:
    procedure = knowledge.guideline.procedures[meanings[0].procedure]
    place = _place(meanings, knowledge.terminology)
    same = [m for m in meanings if m.procedure == procedure.id]
    return Order(
        id=as_text(resource.get("id")),
        procedure=procedure,
        place=place,
        about_spine="spine" in procedure.traits or place is not None,
        display=_display(resource.get("code"), procedure),
        reasons=tuple(reasons.findings),
        has_coded_reasons=reasons.coded,
        questions_asked=len({f.answer[0] for f in reasons.findings if f.answer}),
        rated_as="" if any(m.exact for m in same) else same[0].comment,
    )


def _meanings(concept: Any, terminology: Terminology) -> Iterator[OrderMeaning]:
    for system, code, _ in codings(concept):
        key = terminology.normalise(system, code)
        meaning = terminology.orders.get(key) if key else None
        if meaning:
            yield meaning


def _procedure(meanings: list[OrderMeaning], knowledge: Knowledge) -> Procedure | None:
    """The one procedure that the codings ask for, or None where they contradict each other."""
    ids = {m.procedure for m in meanings}
    if {MYELOGRAPHY, CT_WITH_CONTRAST} <= ids:
        # A myelogram and the CT after it are coded as two; together they are CT myelography.
        ids.discard(CT_WITH_CONTRAST)
    found = [knowledge.guideline.procedures[i] for i in ids]
    stated = [p for p in found if not p.contrast_not_stated] or found
    same_modality = len({p.modality for p in found}) == 1
    return stated[0] if len(stated) == 1 and same_modality else None


def _place(meanings: list[OrderMeaning], terminology: Terminology) -> Place | None:
    """The region that the codings agree on; the spine, region not stated, where they do not."""
    places = [_covering(m.places, terminology) for m in meanings if m.places]
    if not places:
        return None
    stated = [p for p in places if p.parts] or places
    return stated[0] if len({p.parts for p in stated}) == 1 else terminology.places["spine"]


def _covering(places: tuple[Place, ...], terminology: Terminology) -> Place:
    return places[0] if len(places) == 1 else terminology.place_covering(union(places))


def _display(concept: Any, procedure: Procedure) -> str:
    said = as_text(as_dict(concept).get("text"))
    return said or next((d for _, _, d in codings(concept) if d), procedure.label)


class _Reasons:
    """The reasons of an order: reasonCode, and the Conditions behind reasonReference."""

    def __init__(self, resource: Json, conditions: dict[str, Json], terminology: Terminology):
        self.findings: list[Finding] = []
        self.unresolved: list[str] = []
        self.coded = False
        for concept in as_list(resource.get("reasonCode")):
            systems, finding = coded(concept, terminology)
            self._add(systems, finding)
        contained = {f"#{as_text(r.get('id'))}": r for r in dicts(resource.get("contained"))}
        for target in dicts(resource.get("reasonReference")):
            self._follow(as_text(target.get("reference")), {**conditions, **contained}, terminology)

    def _follow(self, target: str, known: dict[str, Json], terminology: Terminology) -> None:
        """A Condition that is no evidence is no reason either."""
        name = target if target.startswith("#") else "/".join(target.split("/")[-2:])
        condition = known.get(name)
        if condition is None:
            self.unresolved.append(name)
        elif not problem_with(condition):
            systems, _ = coded(condition.get("code"), terminology)
            self._add(systems, finding_of(condition, terminology))

    def _add(self, systems: frozenset[str], finding: Finding | None) -> None:
        self.coded = self.coded or bool(systems)
        if finding:
            self.findings.append(replace(finding, source="reason"))


def _conditions(context: Json, resources: Callable[[], list[Resource]]) -> dict[str, Json]:
    """The Conditions that a reasonReference can mean, by their reference."""
    entries = dicts(as_dict(context.get("draftOrders")).get("entry"))
    drafts = [as_dict(entry.get("resource")) for entry in entries]
    in_chart = [r.content for r in resources() if r.type == "Condition"]
    both = [*in_chart, *(d for d in drafts if d.get("resourceType") == "Condition")]
    return {reference(condition): condition for condition in both}
