"""What was known of a patient when an order was written.

An export holds resources as they are today. Each is dated by what says when it was recorded; what
came later is left out. Not all of them say it, so there are two answers, between which the truth
lies:
    strict   what has no such date was not known, and a change of status without a date had not
             happened
    lenient  what has no such date was known, unless it began later, and has its status of today
"""

from collections.abc import Iterator
from typing import Any

from cds_service.fhir.plain import Json, as_dict, as_text, codes, codings, dicts
from cds_service.fhir.reading import Resource, text_of
from cds_service.retrospective.moment import Moment, moment

STRICT, LENIENT = MODES = ("strict", "lenient")

# The fields that say when a resource was known, the first that is there. `manufactureDate` of a
# Device and `meta.lastUpdated` say nothing of it.
SEEN = ("issued", "effectiveDateTime", "effectiveInstant", "effectivePeriod.end")
KNOWN_AT = {
    "Condition": ("recordedDate",),
    "AllergyIntolerance": ("recordedDate",),
    "Procedure": ("performedDateTime", "performedPeriod.end"),
    "Observation": SEEN,
    "DiagnosticReport": SEEN,
}
# Else the fields that say when it began: before, it cannot have been known; from then on it is
# assumed to have been.
BEGAN = {
    "Condition": ("onsetDateTime", "onsetPeriod.start"),
    "AllergyIntolerance": ("onsetDateTime",),
    "Procedure": ("performedPeriod.start",),
    "Observation": ("effectivePeriod.start",),
    "DiagnosticReport": ("effectivePeriod.start",),
}
ALWAYS_KNOWN = "Patient"
ENDED = frozenset({"inactive", "remission", "resolved"})
ABATEMENT = ("abatementDateTime", "abatementPeriod.start")


def as_known(
    resources: list[Resource], orders: list[Json], ordered: Moment, mode: str
) -> Iterator[Resource]:
    """The resources that were known, as they were, when the orders were written.

    A Condition that an order names as its reason was known, unless its date says otherwise.
    """
    named = {name for order in orders for name in _reasons(order)}
    for resource in resources:
        is_named = f"{resource.type}/{resource.id}" in named
        if was_known(resource.content, ordered, mode, is_named):
            yield _as_it_was(resource, ordered, mode)


def was_known(resource: Json, ordered: Moment, mode: str, is_named: bool = False) -> bool:
    """Whether a resource was known at that time; `is_named`: the order refers to it."""
    kind = as_text(resource.get("resourceType"))
    if kind == ALWAYS_KNOWN:
        return True
    known = _first_of(resource, KNOWN_AT.get(kind, ()))
    if known:
        return _is_by(known, ordered, mode)
    if is_named or mode == STRICT:
        return is_named
    began = _first_of(resource, BEGAN.get(kind, ()))
    return began is None or began.may_be_by(ordered)


def as_it_was(resource: Json, ordered: Moment, mode: str) -> Json:
    """The resource as it was: what had ended by then had ended, what ended later had not."""
    if not codes(resource.get("clinicalStatus")) & ENDED and not _has_abatement(resource):
        return resource
    ended = _first_of(resource, ABATEMENT)
    had_ended = _is_by(ended, ordered, mode) if ended else mode == LENIENT
    return resource if had_ended else _reopened(resource)


def draft_of(order: Json) -> Json:
    """The order as it was before it was signed."""
    return {**order, "status": "draft"}


def _is_by(dated: Moment, ordered: Moment, mode: str) -> bool:
    """A date without day or month: strictly its last day counts, leniently its first."""
    return dated.is_surely_by(ordered) if mode == STRICT else dated.may_be_by(ordered)


def _as_it_was(resource: Resource, ordered: Moment, mode: str) -> Resource:
    before = as_it_was(resource.content, ordered, mode)
    return resource if before is resource.content else Resource(text_of(before))


def _has_abatement(resource: Json) -> bool:
    return any(name.startswith("abatement") for name in resource)


def _reopened(resource: Json) -> Json:
    kept = {name: value for name, value in resource.items() if not name.startswith("abatement")}
    for system, code, _ in codings(resource.get("clinicalStatus")):
        if code in ENDED:
            kept["clinicalStatus"] = {"coding": [{"system": system, "code": "active"}]}
    return kept


def _first_of(resource: Json, paths: tuple[str, ...]) -> Moment | None:
    return next((found for path in paths if (found := moment(_at(resource, path)))), None)


def _at(resource: Json, path: str) -> Any:
    name, _, inner = path.partition(".")
    return as_dict(resource.get(name)).get(inner) if inner else resource.get(name)


def _reasons(order: Json) -> Iterator[str]:
    """Type and id of each resource that the order gives as its reason."""
    for target in dicts(order.get("reasonReference")):
        yield "/".join(as_text(target.get("reference")).split("/")[-2:])
