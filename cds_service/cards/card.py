"""The card of a consult, and the answer to a hook."""

from cds_service.cards.actions import suggestions, system_action, without_our_rating
from cds_service.cards.consult import Consult, Json
from cds_service.cards.detail import detail
from cds_service.cards.summary import summary

TOPICS = "urn:vcf-appropriateness:topic"

# HL7 CDS Hooks 3.0, CodeSystem non-adherence-reason-codes, its six categories.
NON_ADHERENCE = "http://terminology.hl7.org/CodeSystem/non-adherence-reason-codes"
OVERRIDE_REASONS = tuple(
    {"code": code, "system": NON_ADHERENCE, "display": display}
    for code, display in (
        ("cds-not-applicable", "PC CDS does not apply to patient"),
        ("cds-suboptimal-context", "PC CDS delivered in suboptimal context"),
        (
            "recipient-disagrees-evidence",
            "Recipient disagrees with recommendation because of issues with the evidence",
        ),
        (
            "recipient-concerns-outcomes",
            "Recipient has concerns regarding potential health outcomes",
        ),
        (
            "does-not-align-preferences",
            "Recommendation does not align with patient preferences or values",
        ),
        ("not-convenient-feasible", "Recommendation is not convenient or feasible"),
    )
)


def card(consult: Consult) -> Json:
    """One CDS Hooks card."""
    buttons = suggestions(consult)
    made = {
        "uuid": consult.card_id,
        "summary": summary(consult),
        "detail": detail(consult),
        "indicator": consult.decision.indicator,
        "source": _source(consult),
        "overrideReasons": list(OVERRIDE_REASONS),
        "links": [{"label": _link_label(consult), "url": consult.page, "type": "absolute"}],
    }
    if buttons:
        made["suggestions"] = buttons
        made["selectionBehavior"] = "at-most-one"
    return made


def response(consults: list[Consult], no_longer_rated: list[Json]) -> Json:
    """The answer to a hook: cards, and ratings where CDS Hooks and where Argonaut put them."""
    cards = [card(c) for c in consults if c.shows_card]
    actions = [action for c in consults if not c.unrated and (action := system_action(c))]
    actions += [without_our_rating(resource) for resource in no_longer_rated]
    if not actions:
        return {"cards": cards}
    return {"cards": cards, "systemActions": actions, "extension": {"systemActions": actions}}


def _source(consult: Consult) -> Json:
    guideline = consult.guideline
    return {
        "label": f"{guideline.title} ({guideline.edition})",
        "url": guideline.url,
        "topic": {
            "system": TOPICS,
            "code": consult.decision.topic,
            "display": _topic_display(consult),
        },
    }


def _topic_display(consult: Consult) -> str:
    topic = consult.decision.topic
    number = topic.removeprefix("variant")
    named = {
        "several": "Several variants agree",
        "novariant": "No variant applies",
        "unresolved": "Not resolved yet",
    }
    return named.get(topic) or f"Variant {number}"


def _link_label(consult: Consult) -> str:
    if consult.auc_applied:
        return f"{_topic_display(consult)}: all ratings, what next, what to beware of"
    return "All variants of the guideline and their ratings"
