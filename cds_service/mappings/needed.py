"""What the service needs of a FHIR resource of the mappings, beyond what FHIR itself requires."""

import re
from typing import Any, NotRequired, TypedDict

from msgspec import ValidationError, convert

PLACE = re.compile(r"^(?P<text>.*?)(?: - at `\$\.?(?P<path>.*)`)?$", re.DOTALL)


class Concept(TypedDict):
    code: str
    display: str


class Filter(TypedDict):
    property: str
    op: str
    value: str


class Include(TypedDict):
    system: str
    concept: NotRequired[list[Concept]]
    filter: NotRequired[list[Filter]]


class Exclude(TypedDict):
    system: NotRequired[str]
    valueSet: NotRequired[list[str]]
    filter: NotRequired[list[Filter]]


class Compose(TypedDict):
    include: list[Include]
    exclude: NotRequired[list[Exclude]]


class ValueSet(TypedDict):
    url: str
    compose: Compose


class Property(TypedDict):
    code: str
    valueCode: str


class Place(Concept):
    property: NotRequired[list[Property]]


class CodeSystem(TypedDict):
    concept: list[Place]


class Product(TypedDict):
    property: str
    value: str


class Target(TypedDict):
    code: str
    equivalence: str
    product: NotRequired[list[Product]]
    comment: NotRequired[str]


class Element(Concept):
    target: list[Target]


class Group(TypedDict):
    source: str
    target: str
    element: list[Element]


class ConceptMap(TypedDict):
    group: list[Group]


class Identifier(TypedDict):
    type: str
    value: str


class NamingSystem(TypedDict):
    uniqueId: list[Identifier]


class Contained(TypedDict):
    system: NotRequired[str]
    code: NotRequired[str]
    display: NotRequired[str]


class Expanded(TypedDict):
    contains: NotRequired[list[Contained]]


class Expansion(TypedDict):
    url: str
    expansion: Expanded


SHAPES = {
    "value-sets": ValueSet,
    "expansions": Expansion,
    "code-systems": CodeSystem,
    "concept-maps": ConceptMap,
    "naming-systems": NamingSystem,
}


def missing_in(kind: str, document: dict[str, Any]) -> tuple[str, str] | None:
    """Row and text of the first thing that is needed in a file of this folder and is not there."""
    try:
        convert(document, SHAPES[kind])
    except ValidationError as error:
        return place_of(error)
    return None


def place_of(error: ValidationError) -> tuple[str, str]:
    """The path of what is wrong, and the text."""
    found = PLACE.match(str(error))
    return found["path"] or "", found["text"]
