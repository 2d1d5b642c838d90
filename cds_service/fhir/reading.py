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
from cds_service.decision.words import is_latin
from cds_service.fhir.plain import Json, as_dict, as_text, dicts


class Coding(Struct, frozen=True):
    system: str = ""
    code: str = ""
    display: str = ""


class Concept(Struct, frozen=True):
    """A CodeableConcept."""

    coding: list[Coding] = []
    text: str = ""

    @property
    def words(self) -> str:
        """Its text and displays, separated."""
        said = [self.text] if self.text else []
        said += [coding.display for coding in self.coding if coding.display]
        return "; ".join(said)


NO_CONCEPT = Concept()


class Reaction(Struct, frozen=True):
    """Of an AllergyIntolerance."""

    substance: Concept = NO_CONCEPT


class CodedFields(Struct):
    """The fields in which the readers find codes, of any type of resource, typed as in FHIR."""

    resourceType: str = ""
    id: str = ""
    code: Concept = NO_CONCEPT
    type: Concept = NO_CONCEPT
    valueCodeableConcept: Concept = NO_CONCEPT
    reaction: list[Reaction] = []
    conclusionCode: list[Concept] = []

    @property
    def codings(self) -> list[Coding]:
        found = self.code.coding + self.type.coding + self.valueCodeableConcept.coding
        for concept in self.conclusionCode:
            found += concept.coding
        for reaction in self.reaction:
            found += reaction.substance.coding
        return found


class Entry(Struct):
    """An entry of a Bundle, its resource as text."""

    resource: Raw = Raw(b"null")


class Head(Struct):
    """The type of a resource, and the entries and links if it is a Bundle."""

    resourceType: Any = None
    entry: list[Entry] = []
    link: Any = None


# What decoding raises: the text is no JSON, or no UTF-8, which msgspec checks only in strings.
NOT_JSON = (DecodeError, UnicodeDecodeError)
CODED_FIELDS, HEAD, WHOLE = Decoder(CodedFields), Decoder(Head), Decoder()
# Half a surrogate pair, which is left where a client cuts off a text.
HIGH, LOW = rb"\\u[dD][89abAB][0-9a-fA-F]{2}", rb"\\u[dD][c-fC-F][0-9a-fA-F]{2}"
HALF = re.compile(rb"%b(?!%b)|(?<!%b)%b" % (HIGH, LOW, HIGH, LOW))


def decoded(text: bytes | bytearray, decoder: Decoder = WHOLE) -> Any:
    """The value of a JSON text from the network; half a surrogate pair becomes U+FFFD.

    Raises msgspec.ValidationError where it is not of the decoder's type, else one of NOT_JSON.
    """
    try:
        return decoder.decode(text)
    except ValidationError:
        raise
    except DecodeError:
        return decoder.decode(HALF.sub(rb"\\ufffd", text))


def whole(text: bytes | Raw) -> Any:
    """The value of a JSON text, of any type."""
    return WHOLE.decode(text)


def text_of(value: Any) -> bytes:
    """The JSON text of a value."""
    return encode(value)


class Resource:
    """A resource of the chart, decoded as far as it is needed. `codings` are None where its coded
    fields are not of the types of FHIR; `words` are what the code of a Condition says in words.
    """

    def __init__(self, text: bytes | Raw):
        self.text = text
        self.words = ""
        self.codings: list[Coding] | None = None
        try:
            seen = CODED_FIELDS.decode(text)
            self.type, self.id, self.codings = seen.resourceType, seen.id, seen.codings
            if self.type == "Condition":
                self.words = seen.code.words
        except ValidationError:
            self.type, self.id = (as_text(self.content.get(n)) for n in ("resourceType", "id"))

    @cached_property
    def content(self) -> Json:
        """The whole resource; empty if it is no JSON object."""
        return as_dict(whole(self.text))

    def may_say_something(self, terminology: Terminology) -> bool:
        """Whether a code of it is in a map, or its codes could not be read; and of a Condition
        whose codes are in none, whether its words sound like something.
        """
        if self.codings is None:
            return True
        for coding in self.codings:
            if terminology.knows(coding.system, coding.code):
                return True
        return bool(self.words and terminology.hears(self.words))

    def is_illegible(self, terminology: Terminology) -> bool:
        """Whether it has neither words in Latin script nor a coding of a system that we know."""
        for coding in self.codings or ():
            if terminology.see(coding.system, coding.code).key:
                return False
        return not is_latin(self.words)


def head_of(text: bytes | Raw) -> Head:
    """The head of a JSON text; an empty one if it is no object."""
    try:
        return HEAD.decode(text)
    except ValidationError:
        return _odd_head(as_dict(whole(text)))


def _odd_head(bundle: Json) -> Head:
    """The head of an object with fields of other types than in FHIR; these are left out."""
    inner = [Raw(text_of(entry.get("resource"))) for entry in dicts(bundle.get("entry"))]
    return Head(bundle.get("resourceType"), [Entry(text) for text in inner], bundle.get("link"))
