"""Resources that are surely valid, told in a tenth of the time that fhir.resources takes.

Each struct accepts less than the model of fhir.resources with its name: the fields that charts
usually hold, with values in their usual form. What it does not accept may be valid all the same:
fhir.resources has the last word on it, and words the error. Of a chart that was never seen,
validation was half of the cost (`docs/performance.md`). `tests/spec/test_strict.py` holds that
nothing is accepted here that fhir.resources refuses.
"""

from typing import Annotated, Literal

from msgspec import DecodeError, Meta, Raw, Struct
from msgspec.json import Decoder

CLINICAL = frozenset({"active", "recurrence", "relapse", "inactive", "remission", "resolved"})
VERIFICATION = frozenset(
    {"unconfirmed", "provisional", "differential", "confirmed", "refuted", "entered-in-error"}
)

# Days that each month has, and parts of seconds that Python can hold.
DAY = r"[12]\d{3}-(0[1-9]|1[0-2])-(0[1-9]|1\d|2[0-8])"
TIME = r"T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,6})?(Z|[+-](0\d|1[0-2]):[0-5]\d)"
Text = Annotated[str, Meta(pattern=r"[!-~]")]
Code = Annotated[str, Meta(pattern=r"^[!-~]+( [!-~]+)*\Z")]
Id = Annotated[str, Meta(pattern=r"^[A-Za-z0-9\-.]{1,64}\Z")]
Uri = Annotated[str, Meta(pattern=r"^[!-~]+\Z")]
Day = Annotated[str, Meta(pattern=rf"^(?a:{DAY})\Z")]
DateTime = Annotated[str, Meta(pattern=rf"^(?a:{DAY}({TIME})?)\Z")]
Instant = Annotated[str, Meta(pattern=rf"^(?a:{DAY}{TIME})\Z")]
SOME = Meta(min_length=1)


class Element(Struct, forbid_unknown_fields=True, kw_only=True):
    """A part of a resource."""


class Coding(Element):
    code: Code
    system: Uri | None = None
    version: Text | None = None
    display: Text | None = None
    userSelected: bool | None = None


class CodeableConcept(Element):
    coding: Annotated[list[Coding], SOME]
    text: Text | None = None


class ClinicalCoding(Coding):
    code: Literal[tuple(sorted(CLINICAL))]


class VerificationCoding(Coding):
    code: Literal[tuple(sorted(VERIFICATION))]


class ClinicalStatus(CodeableConcept):
    coding: Annotated[list[ClinicalCoding], SOME]


class VerificationStatus(CodeableConcept):
    coding: Annotated[list[VerificationCoding], SOME]


class Reference(Element):
    reference: Text
    type: Uri | None = None
    display: Text | None = None


class Identifier(Element):
    value: Text | None = None
    system: Uri | None = None
    use: Code | None = None
    type: CodeableConcept | None = None


class Period(Element):
    start: DateTime
    end: DateTime | None = None


class Quantity(Element):
    value: int | float | None = None
    unit: Text | None = None
    system: Uri | None = None
    code: Code | None = None


class Extension(Element):
    """One with a text or a code."""

    url: Uri
    valueString: Text | None = None
    valueCode: Code | None = None

    def __post_init__(self) -> None:
        if (self.valueString is None) == (self.valueCode is None):
            raise ValueError("an extension with one value is meant")


class Narrative(Element):
    status: Literal["generated", "extensions", "additional", "empty"]
    div: Text


class ResourceMeta(Element):
    versionId: Id | None = None
    lastUpdated: Instant | None = None
    source: Uri | None = None
    profile: list[Uri] | None = None


class HumanName(Element):
    family: Text | None = None
    given: Annotated[list[Text], SOME] | None = None
    text: Text | None = None
    use: Code | None = None


Concepts = Annotated[list[CodeableConcept], SOME]
References = Annotated[list[Reference], SOME]


class Resource(Element, tag_field="resourceType", kw_only=True):
    id: Id | None = None
    meta: ResourceMeta | None = None
    text: Narrative | None = None
    extension: Annotated[list[Extension], SOME] | None = None
    identifier: Annotated[list[Identifier], SOME] | None = None


class Patient(Resource, tag=True, kw_only=True):
    active: bool | None = None
    name: Annotated[list[HumanName], SOME] | None = None
    gender: Code | None = None
    birthDate: Day | None = None


class Condition(Resource, tag=True, kw_only=True):
    subject: Reference
    clinicalStatus: ClinicalStatus | None = None
    verificationStatus: VerificationStatus | None = None
    category: Concepts | None = None
    severity: CodeableConcept | None = None
    code: CodeableConcept | None = None
    bodySite: Concepts | None = None
    encounter: Reference | None = None
    onsetDateTime: DateTime | None = None
    abatementDateTime: DateTime | None = None
    recordedDate: DateTime | None = None
    recorder: Reference | None = None
    asserter: Reference | None = None


class Procedure(Resource, tag=True, kw_only=True):
    subject: Reference
    status: Code | None = None
    category: CodeableConcept | None = None
    code: CodeableConcept | None = None
    bodySite: Concepts | None = None
    encounter: Reference | None = None
    performedDateTime: DateTime | None = None
    performedPeriod: Period | None = None

    def __post_init__(self) -> None:
        if self.performedDateTime is not None and self.performedPeriod is not None:
            raise ValueError("one time is meant")


class Report(Resource, kw_only=True):
    """What Observation and DiagnosticReport both have."""

    status: Code
    code: CodeableConcept
    category: Concepts | None = None
    subject: Reference | None = None
    encounter: Reference | None = None
    effectiveDateTime: DateTime | None = None
    issued: Instant | None = None
    performer: References | None = None


class Observation(Report, tag=True, kw_only=True):
    valueString: Text | None = None
    valueQuantity: Quantity | None = None
    valueCodeableConcept: CodeableConcept | None = None
    interpretation: Concepts | None = None

    def __post_init__(self) -> None:
        values = (self.valueString, self.valueQuantity, self.valueCodeableConcept)
        if len(values) - values.count(None) > 1:
            raise ValueError("one value is meant")


class DiagnosticReport(Report, tag=True, kw_only=True):
    result: References | None = None
    conclusion: Text | None = None
    conclusionCode: Concepts | None = None


class Device(Resource, tag=True, kw_only=True):
    status: Code | None = None
    type: CodeableConcept | None = None
    patient: Reference | None = None


class AllergyIntolerance(Resource, tag=True, kw_only=True):
    patient: Reference
    clinicalStatus: ClinicalStatus | None = None
    verificationStatus: VerificationStatus | None = None
    type: Code | None = None
    category: Annotated[list[Code], SOME] | None = None
    criticality: Code | None = None
    code: CodeableConcept | None = None
    recordedDate: DateTime | None = None


class ServiceRequest(Resource, tag=True, kw_only=True):
    status: Code
    intent: Code
    subject: Reference
    category: Concepts | None = None
    priority: Code | None = None
    code: CodeableConcept | None = None
    encounter: Reference | None = None
    authoredOn: DateTime | None = None
    requester: Reference | None = None
    performer: References | None = None
    reasonCode: Concepts | None = None
    reasonReference: References | None = None
    bodySite: Concepts | None = None


Known = Patient | Condition | Procedure | Observation | DiagnosticReport | Device
STRICT = Decoder(Known | AllergyIntolerance | ServiceRequest)


def is_surely_valid(text: bytes | Raw) -> bool:
    """Whether fhir.resources would find nothing wrong with a resource; False says nothing."""
    try:
        STRICT.decode(text)
        return True
    except (DecodeError, UnicodeDecodeError):
        return False
