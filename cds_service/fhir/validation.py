"""Validation with fhir.resources: each resource on its own, and only those that are used.

fhir.resources has no R4 models; those of R4B fit R4 for the resources that we read. They do not
check required codes, so the status codes that we rely on are checked here.
"""

import secrets
from hashlib import blake2b

from fhir.resources.R4B import get_fhir_model_class
from msgspec import Raw
from pydantic import ValidationError

from cds_service.fhir.plain import Json, codes, without_empty
from cds_service.fhir.reading import text_of, whole

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


# The result for a text, by a digest with a key of this process. The same chart comes with every
# hook of an ordering session; each of its resources is validated once.
_SAID: dict[bytes, str] = {}
FLAWLESS = ""
_KEY = secrets.token_bytes(32)
MOST_REMEMBERED = 20_000


def problem_with(resource: Json) -> str | None:
    """The field that makes a resource invalid, or None where it is valid. Never a value of it."""
    return problem_with_text(text_of(resource))


def problem_with_text(text: bytes | Raw) -> str | None:
    """The same for the JSON text of a resource."""
    digest = blake2b(text, digest_size=16, key=_KEY).digest()
    if (said := _SAID.get(digest)) is None:
        if len(_SAID) >= MOST_REMEMBERED:
            _SAID.clear()
        said = _SAID[digest] = _problem_with(whole(text)) or FLAWLESS
    return said or None


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
    for name in MODELS:
        get_fhir_model_class(name)
    problem_with({"resourceType": "Patient", "id": "warm-up"})


def _problem_with_status(resource: Json) -> str | None:
    for field, known in STATUS_CODES.items():
        if resource.get(field) and not codes(resource[field]) & known:
            return field
    return None
