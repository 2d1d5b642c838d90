"""The public CDS Hooks Sandbox: every changed order needs a rating, a code and coded reasons.

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
    """The same with all that the Sandbox reads."""
    resource = given.action["resource"]
    coded = [reason for reason in resource.get("reasonCode", []) if reason.get("coding")]
    whole = {**_rated(resource, evaluated), "reasonCode": coded}
    return given.with_action({**given.action, "resource": whole})


def _rated(resource: Json, evaluated: EvaluatedOrder) -> Json:
    """With a rating, be it that there is none."""
    if _has_rating(resource):
        return resource
    system = evaluated.topic.about.urn + ":rating"
    unknown = {"system": system, "code": "unknown", "display": "No rating"}
    none = {"url": RATING, "valueCodeableConcept": {"coding": [unknown]}}
    return {**resource, "extension": [*resource.get("extension", []), none]}


def _has_rating(resource: Json) -> bool:
    return any(e.get("url") == RATING for e in resource.get("extension", []))


def _rate(evaluated: EvaluatedOrder) -> Json | None:
    """A rating for every order of ours, so that an old one never stays on the screen."""
    action = system_action(evaluated)
    if action is None and _says_nothing(evaluated):
        action = update(evaluated.say("Take the rating away"), evaluated.resource)
    return action and {**action, "resource": _rated(action["resource"], evaluated)}


def _says_nothing(evaluated: EvaluatedOrder) -> bool:
    """An order of ours without a rating, also of another service."""
    return (
        evaluated.has_id
        and evaluated.decision.subject != UNREADABLE
        and not _has_rating(evaluated.resource)
    )


SANDBOX = Dialect(offers=_offers, rate=_rate)
