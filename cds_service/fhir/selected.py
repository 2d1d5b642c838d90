"""The draft orders that a hook is about, and which of them ask for a procedure of the topic.

Only the orders are read here. Most orders of a hospital are of no topic, and for them the chart of
the patient is not read.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from cds_service.decision.guideline import Procedure
from cds_service.decision.terminology import OrderMeaning, Terminology
from cds_service.decision.topic import Topic
from cds_service.fhir.plain import Json, as_dict, as_text, codings, dicts, reference
from cds_service.fhir.unmapped import (
    ORDER,
    Unmapped,
    by_known_system,
    is_worded_like,
    unmapped_codes,
)

ORDER_SIGN = "order-sign"
CONFLICTING_CODES = "conflicting-codes"
NOT_OURS = "not-ours"
# What else is no order, or none any more.
OPEN_STATUSES = frozenset({"draft", "active", "on-hold"})


@dataclass(frozen=True)
class OurOrder:
    """A draft order that asks for a procedure of the guideline.

    `meanings` is what its codes mean, those for the `procedure` first; `unmapped` are the codes of
    the order and its reasons that are in no map.
    """

    resource: Json
    procedure: Procedure
    meanings: tuple[OrderMeaning, ...]
    unmapped: tuple[Unmapped, ...]


@dataclass
class SelectedOrders:
    """The orders of the topic, `ours`, and the `others`. `drafted` are the ids of all procedures
    among the draft orders, selected or not.

    `passed_over` counts the others by reason. `unmapped` counts codes that are in no map, and
    `conflicting` codes that contradict each other, by code system. `similar` are the unmapped codes
    of others whose words are like those of the topic's orders.
    """

    ours: list[OurOrder] = field(default_factory=list)
    drafted: frozenset[str] = frozenset()
    others: list[Json] = field(default_factory=list)
    similar: list[Unmapped] = field(default_factory=list)
    passed_over: Counter[str] = field(default_factory=Counter)
    unmapped: Counter[str] = field(default_factory=Counter)
    conflicting: Counter[str] = field(default_factory=Counter)


def select_orders(hook: str, context: Json, topic: Topic) -> SelectedOrders:
    """The draft orders that the hook is about."""
    selected = SelectedOrders()
    drafts = all_drafts(context)
    asked = {id(resource): asked_for(resource, topic) for resource in drafts}
    selected.drafted = frozenset(procedure.id for _, procedure, _ in asked.values() if procedure)
    for resource in _selected(hook, context, drafts):
        unmapped = unmapped_codes(resource, topic.terminology)
        selected.unmapped.update(by_known_system(unmapped, topic.terminology))
        why_not, procedure, meanings = asked[id(resource)]
        if procedure:
            selected.ours.append(OurOrder(resource, procedure, meanings, unmapped))
        else:
            _pass_over(selected, resource, why_not, unmapped, topic)
    return selected


def _selected(hook: str, context: Json, drafts: list[Json]) -> Iterator[Json]:
    """On order-select the drafts that `selections` names; without it, and on order-sign, all."""
    selections = context.get("selections")
    if hook == ORDER_SIGN or not isinstance(selections, list):
        yield from drafts
        return
    names = {"/".join(as_text(s).split("/")[-2:]) for s in selections}
    yield from (d for d in drafts if reference(d) in names or as_text(d.get("id")) in names)


def all_drafts(context: Json) -> list[Json]:
    """Every draft order of a hook, whatever it is."""
    entries = dicts(as_dict(context.get("draftOrders")).get("entry"))
    return [as_dict(entry.get("resource")) for entry in entries]


def _pass_over(
    selected: SelectedOrders,
    resource: Json,
    why_not: str,
    unmapped: tuple[Unmapped, ...],
    topic: Topic,
) -> None:
    selected.others.append(resource)
    selected.passed_over[why_not] += 1
    if why_not == NOT_OURS and is_worded_like(resource, topic.order_words.similar):
        selected.similar += [u for u in unmapped if u.about == ORDER]
    if why_not == CONFLICTING_CODES:
        selected.conflicting.update(_systems(resource, topic.terminology))


def _systems(resource: Json, terminology: Terminology) -> Counter[str]:
    """The systems of the codes of an order that are in the order map."""
    keys = (terminology.normalise(s, code) for s, code, _ in codings(resource.get("code")))
    return Counter(key[0] for key in keys if key in terminology.orders)


def asked_for(
    resource: Json, topic: Topic
) -> tuple[str, Procedure | None, tuple[OrderMeaning, ...]]:
    """Why an order is not of the topic, or empty; its procedure; and what its codes mean."""
    if resource.get("resourceType") != "ServiceRequest":
        return "no-service-request", None, ()
    if resource.get("doNotPerform") is True:
        return "do-not-perform", None, ()
    status = resource.get("status")
    if isinstance(status, str) and status not in OPEN_STATUSES:
        return "status", None, ()
    meanings = _meanings(resource.get("code"), topic.terminology)
    if not meanings:
        return NOT_OURS, None, ()
    procedure = _procedure(meanings, topic)
    if procedure is None:
        return CONFLICTING_CODES, None, ()
    return "", procedure, tuple(sorted(meanings, key=lambda m: m.procedure != procedure.id))


def _meanings(concept: Any, terminology: Terminology) -> list[OrderMeaning]:
    keys = (terminology.normalise(system, code) for system, code, _ in codings(concept))
    return [terminology.orders[key] for key in keys if key in terminology.orders]


def _procedure(meanings: list[OrderMeaning], topic: Topic) -> Procedure | None:
    """The one procedure that the codings ask for, or None where they contradict each other."""
    named = {topic.guideline.procedure[m.procedure] for m in meanings}
    found = [p for p in named if not any(p.id in other.includes for other in named)]
    stated = [p for p in found if not p.contrast_not_stated] or found
    same_modality = len({p.modality for p in found}) == 1
    return stated[0] if len(stated) == 1 and same_modality else None
