"""What Inferno's Da Vinci CRD test kit checks of any service, though CDS Hooks does not ask for it.

Source: https://github.com/inferno-framework/davinci-crd-test-kit, lib/davinci_crd_test_kit,
service_response_validation_test.rb (systemActions) and suggestion_actions_validation.rb (delete).
"""

from cds_service.cards.actions import Offer, offers
from cds_service.cards.dialect import Dialect, ResponseOptions
from cds_service.cards.evaluated import EvaluatedOrder, Json

WANTS_SYSTEM_ACTIONS = "order-sign"


def _offers(evaluated: EvaluatedOrder, _: ResponseOptions) -> list[Offer]:
    """Without deletions: the kit allows one only together with another order."""
    return [o for o in offers(evaluated) if o.action["type"] != "delete"]


def _remarks(evaluated: EvaluatedOrder, _: ResponseOptions) -> str:
    removable = any(s.kind == "delete" for s in evaluated.decision.suggestions)
    if not removable:
        return ""
    return evaluated.say(evaluated.topic.about.texts.removable)


def _finish(hook: str, body: Json) -> Json:
    """On order-sign `systemActions` is always there, if need be as an empty list."""
    return (
        {**body, "systemActions": body.get("systemActions", [])}
        if hook == WANTS_SYSTEM_ACTIONS
        else body
    )


CRD_INFERNO = Dialect(offers=_offers, remarks=_remarks, finish=_finish)
