"""Checks the envelope of hook and feedback requests. FHIR resources are not checked here."""

from typing import Annotated, Any, Required, TypedDict

import msgspec
from marshmallow import EXCLUDE, Schema, ValidationError, fields, validate
from msgspec import Meta, Raw, convert

from cds_service.fhir.plain import Json, as_dict, as_text

CRITERIA = "com.epic.cdshooks.request.criteria-id"
LONGEST_NUMBER = 18
MOST_LETTERS = MOST_ELEMENTS = 1_000
FILLED = validate.Length(min=1, max=MOST_LETTERS)


class Body(TypedDict, total=False):
    """The fields of a hook request that are read, undecoded; of the prefetch its values."""

    hook: Raw
    hookInstance: Raw
    context: Raw
    prefetch: dict[str, Raw] | None
    fhirServer: Raw
    fhirAuthorization: Raw
    extension: Raw


Filled = Annotated[str, Meta(min_length=1, max_length=MOST_LETTERS)]
Selections = Annotated[list[str], Meta(max_length=MOST_ELEMENTS)]


class SoundContext(TypedDict, total=False):
    """A context that `ContextSchema` finds nothing wrong with."""

    userId: Required[Filled]
    patientId: Required[Filled]
    draftOrders: Required[dict[str, Any]]
    selections: Selections | None


class SoundBody(TypedDict, total=False):
    """A body that `HookSchema` finds nothing wrong with. What is not as this is left to it."""

    hook: Required[Filled]
    hookInstance: Required[Filled]
    context: Required[SoundContext]
    prefetch: dict[str, Any] | None
    fhirServer: str | None
    fhirAuthorization: dict[str, Any] | None
    extension: Any


class ShortList(fields.List):
    """A list with at most MOST_ELEMENTS. They are counted before any is read, since a message is
    made for each that is wrong.
    """

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> list:
        if isinstance(value, list) and len(value) > MOST_ELEMENTS:
            raise ValidationError(f"Holds more than {MOST_ELEMENTS} elements.")
        return super()._deserialize(value, *args, **kwargs)


class ContextSchema(Schema):
    """The fields of the order-select and order-sign contexts that we read."""

    class Meta:
        unknown = EXCLUDE

    userId = fields.Str(required=True, validate=FILLED)
    patientId = fields.Str(required=True, validate=FILLED)
    draftOrders = fields.Dict(required=True)
    selections = ShortList(fields.Str(), allow_none=True)


class HookSchema(Schema):
    """A CDS Hooks request; extensions and fields that we do not know are tolerated."""

    class Meta:
        unknown = EXCLUDE

    hook = fields.Str(required=True, validate=FILLED)
    hookInstance = fields.Str(required=True, validate=FILLED)
    context = fields.Nested(ContextSchema, required=True)
    prefetch = fields.Dict(allow_none=True, load_default=None)
    fhirServer = fields.Str(allow_none=True)
    fhirAuthorization = fields.Dict(allow_none=True)
    extension = fields.Raw(allow_none=True, load_default=None)


class FeedbackListSchema(Schema):
    """A CDS Hooks feedback request; its items are checked one by one, elsewhere."""

    class Meta:
        unknown = EXCLUDE

    feedback = fields.List(fields.Raw(allow_none=True), required=True)


HOOK, FEEDBACK_LIST = HookSchema(), FeedbackListSchema()


def envelope(body: Json) -> Json:
    """The checked envelope: at once where it is right, else by marshmallow, which can say what is
    wrong. Raises marshmallow's ValidationError.
    """
    try:
        sound = convert(body, SoundBody)
    except msgspec.ValidationError:
        return HOOK.load(body)
    return {"prefetch": None, "extension": None, **sound}


def criteria(body: Json) -> str:
    """The number of the Epic rule that triggered the hook, for support; empty without one."""
    said = as_text(as_dict(body["extension"]).get(CRITERIA))
    return said if said.isascii() and said.isdigit() and len(said) <= LONGEST_NUMBER else ""


def feedback_items(body: Json) -> list:
    """The items of a feedback request, unchecked. Raises marshmallow's ValidationError."""
    return FEEDBACK_LIST.load(body)["feedback"]


def fields_of(error: ValidationError) -> list[tuple[str, str]]:
    """Path and message of each field that is wrong: context.patientId, Missing data …"""
    return list(_flat(error.messages))


def _flat(messages: object, path: str = "") -> list[tuple[str, str]]:
    if isinstance(messages, dict):
        found = []
        for key, value in messages.items():
            found += _flat(value, f"{path}.{key}" if path else str(key))
        return found
    return [(path, " ".join(str(m) for m in messages))]
