"""JSON as it came to resources, by msgspec: at first of each no more than its codes.

Nearly all of a chart is about something else. What has no code that a map knows says nothing, and
is passed over unread; what has one is read whole, by the readers and by fhir.resources.
"""

import re
from functools import cached_property
from typing import Any

from msgspec import DecodeError, Raw, Struct, ValidationError
from msgspec.json import Decoder, encode

from cds_service.decision.terminology import Terminology
from cds_service.fhir.plain import Json, as_dict, as_text, dicts


class Coding(Struct, frozen=True):
    system: str = ""
    code: str = ""


class Concept(Struct, frozen=True):
    """A CodeableConcept."""

    coding: list[Coding] = []


class Reaction(Struct, frozen=True):
    """Of an AllergyIntolerance."""

    substance: Concept = Concept()


class CodedFields(Struct):
    """What is looked at of every resource: where the readers find codes, each as FHIR has it."""

    resourceType: str = ""
    id: str = ""
    code: Concept = Concept()
    type: Concept = Concept()
    valueCodeableConcept: Concept = Concept()
    reaction: list[Reaction] = []
    conclusionCode: list[Concept] = []

    @property
    def codings(self) -> list[Coding]:
        found = [*self.code.coding, *self.type.coding, *self.valueCodeableConcept.coding]
        for reaction in self.reaction:
            found += reaction.substance.coding
        for concept in self.conclusionCode:
            found += concept.coding
        return found


class Entry(Struct):
    """An entry of a Bundle, its resource as text."""

    resource: Raw = Raw(b"null")


class Head(Struct):
    """What tells a Bundle from other resources, and what is in it."""

    resourceType: Any = None
    entry: list[Entry] = []
    link: Any = None


# What a text is that cannot be read: no JSON, or no UTF-8, which msgspec finds out late.
NOT_JSON = (DecodeError, UnicodeDecodeError)
CODED_FIELDS, HEAD, WHOLE = Decoder(CodedFields), Decoder(Head), Decoder()
# Half a surrogate pair, which a text that was cut off may end in.
HIGH, LOW = rb"\\u[dD][89abAB][0-9a-fA-F]{2}", rb"\\u[dD][c-fC-F][0-9a-fA-F]{2}"
HALF = re.compile(rb"%b(?!%b)|(?<!%b)%b" % (HIGH, LOW, HIGH, LOW))


def decoded(text: bytes, decoder: Decoder = WHOLE) -> Any:
    """What came over the network; half a surrogate pair becomes the replacement character.

    Raises msgspec.ValidationError where it is of another type, else one of NOT_JSON.
    """
    try:
        return decoder.decode(text)
    except ValidationError:
        raise
    except DecodeError:
        return decoder.decode(HALF.sub(rb"\\ufffd", text))


def whole(text: bytes | Raw) -> Any:
    """All that a text says."""
    return WHOLE.decode(text)


def text_of(value: Any) -> bytes:
    """The text that says it all."""
    return encode(value)


class Resource:
    """A resource of the chart. `codings` are None where its coded fields are
    not as FHIR has them.
    """

    def __init__(self, text: bytes | Raw):
        self.text = text
        self.codings: list[Coding] | None = None
        try:
            seen = CODED_FIELDS.decode(text)
            self.type, self.id, self.codings = seen.resourceType, seen.id, seen.codings
        except ValidationError:
            self.type, self.id = (as_text(self.content.get(n)) for n in ("resourceType", "id"))

    @cached_property
    def content(self) -> Json:
        """All of it, if it is an object."""
        return as_dict(whole(self.text))

    def may_say_something(self, terminology: Terminology) -> bool:
        """Whether a code of it is in a map."""
        if self.codings is None:
            return True
        return any(terminology.knows(coding.system, coding.code) for coding in self.codings)


def head_of(text: bytes | Raw) -> Head:
    """The head of a resource; an empty one of what is no object."""
    try:
        return HEAD.decode(text)
    except ValidationError:
        return _odd_head(as_dict(whole(text)))


def _odd_head(bundle: Json) -> Head:
    """What is no entry, or no list of entries, is passed over."""
    inner = [Raw(text_of(entry.get("resource"))) for entry in dicts(bundle.get("entry"))]
    return Head(bundle.get("resourceType"), [Entry(text) for text in inner], bundle.get("link"))
