"""Which department an order came from, by what the order refers to. Never the name of a person."""

from typing import Any

from cds_service.fhir.plain import Json, as_dict, as_text, dicts
from cds_service.retrospective.job import ENCOUNTER, LOCATION, Export
from cds_service.retrospective.scan import LONGEST_NAME, words_of


def department_of(order: Json, encounters: dict[str, Json], export: Export, by: str) -> str:
    """The name of the department, empty where nothing tells it."""
    if by == ENCOUNTER:
        found = _of_encounter(encounters.get(last_of(order.get("encounter")), {}), export)
    elif by == LOCATION:
        found = _of_location(order, export)
    else:
        found = _named(last_of(order.get("requester")), export)
    return found[:LONGEST_NAME]


def last_of(target: Any) -> str:
    """Type and id to which a reference leads."""
    return "/".join(as_text(as_dict(target).get("reference")).split("/")[-2:])


def _of_encounter(encounter: Json, export: Export) -> str:
    """Its service provider, else its type."""
    types = (words_of(concept) for concept in dicts(encounter.get("type")))
    return _place(encounter.get("serviceProvider"), export) or next(types, "")


def _of_location(order: Json, export: Export) -> str:
    places = (_place(target, export) for target in dicts(order.get("locationReference")))
    kinds = (words_of(concept) for concept in dicts(order.get("locationCode")))
    return next(filter(None, (*places, *kinds)), "")


def _place(target: Any, export: Export) -> str:
    """A reference to an organization or location in words, else as it is."""
    name = last_of(target)
    return as_text(as_dict(target).get("display")) or _named(name, export) or name


def _named(name: str, export: Export) -> str:
    """The name behind a reference; that of a role leads on to its organization."""
    found = export.names.get(name, "")
    return export.names.get(found, found)
