"""Validation with fhir.resources: each resource on its own, and only those that are used.

fhir.resources has no R4 models; those of R4B fit R4 for the resources that we read. They do not
check required codes, so the status codes that we rely on are checked here.
"""

from fhir.resources.R4B import get_fhir_model_class
from msgspec import Raw
from pydantic import ValidationError

from cds_service.fhir.plain import Json, codes, without_empty
from cds_service.fhir.reading import text_of, whole
from cds_service.fhir.strict import (
    CLINICAL,
    RESOURCES,
    TOLERATED,
    VERIFICATION,
    is_surely_valid,
)

STATUS_CODES = {"clinicalStatus": CLINICAL, "verificationStatus": VERIFICATION}


def problem_with(resource: Json) -> str | None:
    """The field that makes a resource invalid, or None where it is valid. Never a value of it."""
    return problem_with_text(text_of(resource))


def problem_with_text(text: bytes | Raw) -> str | None:
    """The same for the JSON text of a resource."""
    return None if is_surely_valid(text) else _problem_with(whole(text))


def _problem_with(resource: Json) -> str | None:
    try:
        model = get_fhir_model_class(resource["resourceType"])
        tolerated = TOLERATED.get(resource["resourceType"], {})
        model.model_validate({**tolerated, **without_empty(resource)})
    except ValidationError as error:
        return ".".join(str(part) for part in error.errors()[0]["loc"]) or "the resource"
    return _problem_with_status(resource)


def warm_up() -> None:
    """Builds the models once, so that the first request does not pay for it."""
    for name in RESOURCES:
        _problem_with({"resourceType": name})
        is_surely_valid(text_of({"resourceType": name}))


def _problem_with_status(resource: Json) -> str | None:
    for field, known in STATUS_CODES.items():
        if resource.get(field) and not codes(resource[field]) & known:
            return field
    return None
