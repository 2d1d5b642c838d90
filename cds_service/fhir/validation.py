"""Validation with fhir.resources: each resource on its own, when something rests on it.

fhir.resources has no R4 models; those of R4B fit R4 for the resources that we read. They do not
check required codes, so the status codes that we rely on are checked here.
"""

from fhir.resources.R4B import get_fhir_model_class
from pydantic import ValidationError

from cds_service.fhir.plain import Json, codes, without_empty

STATUS_CODES = {
    "clinicalStatus": {"active", "recurrence", "relapse", "inactive", "remission", "resolved"},
    "verificationStatus": {
        "unconfirmed",
        "provisional",
        "differential",
        "confirmed",
        "refuted",
        "entered-in-error",
    },
}
# A Procedure without a status counts, although FHIR requires one.
TOLERATED = {"Procedure": {"status": "unknown"}}

MODELS = (
    "AllergyIntolerance",
    "Condition",
    "Device",
    "DiagnosticReport",
    "Observation",
    "Patient",
    "Procedure",
    "ServiceRequest",
)


def problem_with(resource: Json) -> str | None:
    """The field that makes a resource invalid, or None where it is valid. Never a value of it."""
    try:
        model = get_fhir_model_class(resource["resourceType"])
        tolerated = TOLERATED.get(resource["resourceType"], {})
        model.model_validate({**tolerated, **without_empty(resource)})
    except ValidationError as error:
        return _place_of(error) or "the resource"
    return _problem_with_status(resource)


def _place_of(error: ValidationError) -> str:
    """The path of the first wrong field; nothing where pydantic cannot tell, for half a surrogate
    pair in its message.
    """
    try:
        return ".".join(str(part) for part in error.errors()[0]["loc"])
    except UnicodeEncodeError:
        return ""


def warm_up() -> None:
    """Builds the models once, so that the first request does not pay for it."""
    for name in MODELS:
        get_fhir_model_class(name)
    problem_with({"resourceType": "Patient", "id": "warm-up"})


def _problem_with_status(resource: Json) -> str | None:
    for field, known in STATUS_CODES.items():
        if resource.get(field) and not codes(resource[field]) & known:
            return field
    return None
