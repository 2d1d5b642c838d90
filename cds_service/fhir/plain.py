"""Access to JSON of any shape. Nothing here raises: a value of another type counts as empty."""

from collections.abc import Iterator
from datetime import date
from typing import Any

Json = dict[str, Any]

EMPTY = ({}, [], "", None)


def as_dict(value: Any) -> Json:
    return value if isinstance(value, dict) else {}


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def as_text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def as_number(value: Any) -> float | None:
    """The number, None where it is none, or too large for a float."""
    try:
        return float(value) if isinstance(value, int | float) else None
    except OverflowError:
        return None


def dicts(value: Any) -> Iterator[Json]:
    """The objects in what should be a list of objects."""
    return (item for item in as_list(value) if isinstance(item, dict))


def codings(concept: Any) -> list[tuple[str, str, str]]:
    """System, code and display of each coding of a CodeableConcept that has a code."""
    listed = concept.get("coding") if isinstance(concept, dict) else None
    return [
        (as_text(coding.get("system")), coding["code"], as_text(coding.get("display")))
        for coding in as_list(listed)
        if isinstance(coding, dict) and as_text(coding.get("code"))
    ]


def codes(concept: Any) -> frozenset[str]:
    return frozenset(code for _, code, _ in codings(concept))


def as_date(value: Any) -> date | None:
    """The day of a FHIR date or dateTime; of a partial one the first day."""
    parts = as_text(value)[:10].split("-")
    try:
        year, month, day = (int(p) for p in [*parts, "1", "1"][:3])
        return date(year, month, day)
    except ValueError:
        return None


def reference(resource: Json) -> str:
    """Type and id of a resource, as other resources refer to it."""
    kind = as_text(resource.get("resourceType")) or "Resource"
    return f"{kind}/{as_text(resource.get('id'))}" if as_text(resource.get("id")) else kind


def refers_to_another(target: Any, patient_id: str) -> bool:
    """Whether a reference names a Patient other than this one. False without a known patient."""
    kind, _, found = as_text(as_dict(target).get("reference")).rpartition("/")
    return bool(patient_id) and kind.split("/")[-1] == "Patient" and found != patient_id


def without_empty(value: Any) -> Any:
    """The value less the empty objects, lists and strings in it, which FHIR does not allow.

    A null in a list of primitives stays: it holds the place of one that has only extensions.
    """
    if isinstance(value, dict):
        kept = {key: without_empty(item) for key, item in value.items()}
        return {key: item for key, item in kept.items() if item not in EMPTY}
    if isinstance(value, list):
        of_objects = any(isinstance(item, dict) for item in value)
        empty = EMPTY if of_objects else EMPTY[:3]
        return [item for item in map(without_empty, value) if item not in empty]
    return value
