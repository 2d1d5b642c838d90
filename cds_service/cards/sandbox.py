"""The public CDS Hooks Sandbox: an order in an update needs a rating, a code and coded reasons.

Source: https://github.com/cds-hooks/sandbox, src/components/Pama/pama.jsx. It shows the code of a
rating as it stands, and its own word for none is "unknown"; it does nothing on create and delete.
"""

from cds_service.cards.actions import Offer, offers, system_action, update
from cds_service.cards.dialect import Dialect, ResponseOptions
from cds_service.cards.evaluated import EvaluatedOrder, Json
from cds_service.cards.rating import RATING
from cds_service.decision.verdict import UNREADABLE


def _offers(evaluated: EvaluatedOrder, _: ResponseOptions) -> list[Offer]:
    return [_understood(o, evaluated) for o in offers(evaluated) if o.action["type"] == "update"]


def _understood(given: Offer, evaluated: EvaluatedOrder) -> Offer:
    """The suggestion, whose order has a rating and coded reasons only."""
    resource = given.action["resource"]
    coded = [reason for reason in resource.get("reasonCode", []) if reason.get("coding")]
    whole = {**_rated(resource, evaluated), "reasonCode": coded}
    return given.with_action({**given.action, "resource": whole})


def _rated(resource: Json, evaluated: EvaluatedOrder) -> Json:
    """The order with a rating; without one, with the code `unknown`."""
    if _has_rating(resource):
        return resource
    system = evaluated.topic.about.urn + ":rating"
    unknown = {"system": system, "code": "unknown", "display": "No rating"}
    none = {"url": RATING, "valueCodeableConcept": {"coding": [unknown]}}
    return {**resource, "extension": [*resource.get("extension", []), none]}


def _has_rating(resource: Json) -> bool:
    return any(e.get("url") == RATING for e in resource.get("extension", []))


def _rate(evaluated: EvaluatedOrder) -> Json | None:
    """A rating for every order of the topic, so that the screen never keeps an old one."""
    action = system_action(evaluated)
    if action is None and _says_nothing(evaluated):
        action = update(evaluated.say("Take the rating away"), evaluated.resource)
    return action and {**action, "resource": _rated(action["resource"], evaluated)}


def _says_nothing(evaluated: EvaluatedOrder) -> bool:
    """Whether an order that can be changed and read carries no rating, of whatever service."""
    return (
        evaluated.has_id
        and evaluated.decision.subject != UNREADABLE
        and not _has_rating(evaluated.resource)
    )


SANDBOX = Dialect(offers=_offers, rate=_rate)
