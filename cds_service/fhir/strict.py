"""Resources that are surely valid, told in a tenth of the time that fhir.resources takes.

The structs are made of the models of fhir.resources, and accept less: of each model the fields of
plain types, with values in their usual form. What they do not accept may be valid all the same:
fhir.resources has the last word on it, and words the error. Of a chart that was never seen,
validation was half of the cost (`docs/performance.md`). `tests/spec/test_strict.py` holds that
nothing is accepted here that fhir.resources refuses.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping
from functools import cache, reduce
from operator import or_
from types import NoneType
from typing import Annotated, Any, Literal, get_args, get_origin

from fhir.resources.R4B import get_fhir_model_class
from msgspec import DecodeError, Meta, Raw, Struct, defstruct
from msgspec.json import Decoder

CLINICAL = frozenset({"active", "recurrence", "relapse", "inactive", "remission", "resolved"})
VERIFICATION = frozenset(
    {"unconfirmed", "provisional", "differential", "confirmed", "refuted", "entered-in-error"}
)

# Days that each month has, and parts of seconds that Python can hold.
DAY = r"[12]\d{3}-(0[1-9]|1[0-2])-(0[1-9]|1\d|2[0-8])"
TIME = r"T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,6})?(Z|[+-](0\d|1[0-2]):[0-5]\d)"
Text = Annotated[str, Meta(pattern=r"[!-~]")]
Uri = Annotated[str, Meta(pattern=r"^[!-~]+\Z")]
Code = Annotated[str, Meta(pattern=r"^[!-~]+( [!-~]+)*\Z")]
SOME = Meta(min_length=1)
# By the name of a type in FHIR. What lies in an element of another type is not accepted.
PRIMITIVE = {
    "bool": bool,
    "Canonical": Uri,
    "Code": Code,
    "Date": Annotated[str, Meta(pattern=rf"^(?a:{DAY})\Z")],
    "DateTime": Annotated[str, Meta(pattern=rf"^(?a:{DAY}({TIME})?)\Z")],
    "Decimal": int | float,
    "Id": Annotated[str, Meta(pattern=r"^[A-Za-z0-9\-.]{1,64}\Z")],
    "Instant": Annotated[str, Meta(pattern=rf"^(?a:{DAY}{TIME})\Z")],
    "String": Text,
    "Uri": Uri,
    "Xhtml": Text,
}
ELEMENTS = frozenset(
    {"CodeableConcept", "Coding", "HumanName", "Identifier", "Meta", "Narrative", "Period"}
    | {"Quantity", "Reference"}
)
RESOURCES = ("AllergyIntolerance", "Condition", "Device", "DiagnosticReport", "Observation",
             "Patient", "Procedure", "ServiceRequest")  # fmt: skip
# Fields that lead back to what they are in.
LEFT_OUT = frozenset({("Identifier", "assigner"), ("Reference", "identifier")})
# What an element would be empty without: an empty one counts as missing.
NEEDED = frozenset({("CodeableConcept", "coding"), ("Coding", "code"), ("Reference", "reference")})
# A Procedure without a status counts, although FHIR requires one.
TOLERATED = {"Procedure": {"status": "unknown"}}


def _struct(model: str, fixed: Mapping[str, Any], **options: Any) -> type[Struct]:
    """The struct of a model, with `fixed` types of fields, and options of msgspec."""
    fields, groups = [], defaultdict(list)
    for name, info in get_fhir_model_class(model).model_fields.items():
        about, here = info.json_schema_extra or {}, (model, name)
        if here in LEFT_OUT or not about.get("element_property"):
            continue
        kind = fixed.get(name) or _type(info.annotation, model)
        if kind:
            groups[about.get("one_of_many")].append(name)
            required = info.is_required() or about.get("element_required") or here in NEEDED
            is_required = required and name not in TOLERATED.get(model, {})
            fields.append((name, kind) if is_required else (name, kind | None, None))
    groups.pop(None, None)
    checks = {"__post_init__": _at_most_one_of(list(groups.values()))} if groups else {}
    return defstruct(
        model, fields, namespace=checks, forbid_unknown_fields=True, kw_only=True, **options
    )


def _at_most_one_of(groups: list[list[str]]) -> Callable[[Struct], None]:
    """A check of the fields that exclude each other: onsetDateTime and onsetPeriod, for example."""

    def check(struct: Struct) -> None:
        for group in groups:
            if sum(getattr(struct, name) is not None for name in group) > 1:
                raise ValueError("one of these is meant")

    return check


def _type(annotation: Any, model: str) -> Any:
    """What is accepted in a field of a model; None where it is nothing."""
    annotation = next((a for a in get_args(annotation) if a is not NoneType), annotation)
    if get_origin(annotation) is list:
        inner = _type(get_args(annotation)[0], model)
        return inner and Annotated[list[inner], SOME]
    name = _name_of(annotation)
    if name in PRIMITIVE:
        return PRIMITIVE[name]
    is_inside = name in ELEMENTS and model != "Extension"
    return _element(name) if is_inside or (name == "Extension" and model in RESOURCES) else None


def _name_of(annotation: Any) -> str:
    """The name of a type in FHIR."""
    for marked in getattr(annotation, "__metadata__", ()):
        return (marked if isinstance(marked, type) else type(marked)).__name__
    return annotation.__name__.removesuffix("Type")


@cache
def _element(name: str) -> type[Struct]:
    return _struct(name, {})


def _status(known: frozenset[str]) -> type[Struct]:
    """A CodeableConcept of these codes."""
    coding = _struct("Coding", {"code": Literal[tuple(sorted(known))]})
    return _struct("CodeableConcept", {"coding": Annotated[list[coding], SOME]})


@cache
def _decoder() -> Decoder:
    """Of all resources that are read; made when it is first used, from the models."""
    statuses = {"clinicalStatus": _status(CLINICAL), "verificationStatus": _status(VERIFICATION)}
    structs = [_struct(r, statuses, tag_field="resourceType", tag=r) for r in RESOURCES]
    return Decoder(reduce(or_, structs))


def is_surely_valid(text: bytes | Raw) -> bool:
    """Whether fhir.resources would find nothing wrong with a resource; False says nothing."""
    try:
        _decoder().decode(text)
        return True
    except (DecodeError, UnicodeDecodeError):
        return False
