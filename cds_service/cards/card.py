"""The card of a consult, and the answer to a hook."""

from dataclasses import dataclass

from cds_service.cards.actions import Offer, without_our_rating
from cds_service.cards.consult import Consult, Json
from cds_service.cards.detail import detail
from cds_service.cards.dialect import Manner
from cds_service.cards.summary import summary
from cds_service.language import ENGLISH, N_

TOPICS = "urn:vcf-appropriateness:topic"

# HL7 CDS Hooks 3.0, CodeSystem non-adherence-reason-codes, its six categories.
NON_ADHERENCE = "http://terminology.hl7.org/CodeSystem/non-adherence-reason-codes"
OVERRIDE_REASONS = tuple(
    {"code": code, "system": NON_ADHERENCE, "display": display}
    for code, display in (
        ("cds-not-applicable", N_("PC CDS does not apply to patient")),
        ("cds-suboptimal-context", N_("PC CDS delivered in suboptimal context")),
        (
            "recipient-disagrees-evidence",
            N_("Recipient disagrees with recommendation because of issues with the evidence"),
        ),
        (
            "recipient-concerns-outcomes",
            N_("Recipient has concerns regarding potential health outcomes"),
        ),
        (
            "does-not-align-preferences",
            N_("Recommendation does not align with patient preferences or values"),
        ),
        ("not-convenient-feasible", N_("Recommendation is not convenient or feasible")),
    )
)


@dataclass(frozen=True)
class Answered:
    """The answer to a hook, and what each button does: by the ids of card and suggestion."""

    body: Json
    offered: dict[str, dict[str, str]]


def respond(
    consults: list[Consult], no_longer_rated: list[Json], hook: str, manner: Manner
) -> Answered:
    """The answer to a hook: cards, and ratings where CDS Hooks and where Argonaut put them."""
    dialect, wishes = manner.dialect, manner.wishes
    shown = [(c, dialect.offers(c, wishes)) for c in consults if c.shows_card]
    body: Json = {"cards": [_card(c, buttons, manner) for c, buttons in shown]}
    actions = _ratings(consults, no_longer_rated, manner)
    if actions:
        body |= {"systemActions": actions, "extension": {"systemActions": actions}}
    offered = {c.card_id: {o.body["uuid"]: o.does for o in buttons} for c, buttons in shown}
    return Answered(dialect.finish(hook, body), offered)


def _ratings(consults: list[Consult], no_longer_rated: list[Json], manner: Manner) -> list[Json]:
    if not manner.sends_ratings:
        return []
    rate = manner.dialect.rate
    actions = [action for c in consults if not c.unrated and (action := rate(c))]
    say = manner.language.say
    return actions + [without_our_rating(resource, say) for resource in no_longer_rated]


def _card(consult: Consult, buttons: list[Offer], manner: Manner) -> Json:
    dialect = manner.dialect
    made = {
        "uuid": consult.card_id,
        "summary": summary(consult),
        "detail": detail(consult, dialect.remarks(consult, manner.wishes)),
        "indicator": consult.decision.indicator,
        "source": _source(consult, dialect.topic(consult)),
        "overrideReasons": _override_reasons(consult),
    }
    if manner.sends_links:
        made["links"] = [{"label": _link_label(consult), "url": _page(consult), "type": "absolute"}]
    if buttons:
        made["suggestions"] = [button.body for button in buttons]
        made["selectionBehavior"] = dialect.selection_behavior
    return dialect.finish_card(made)


def _override_reasons(consult: Consult) -> list[Json]:
    said = ((reason, reason["display"]) for reason in OVERRIDE_REASONS)
    return [{**reason, "display": consult.say(display)} for reason, display in said]


def _source(consult: Consult, topic: str) -> Json:
    guideline = consult.guideline
    return {
        "label": f"{consult.say(guideline.title)} ({consult.say(guideline.edition)})",
        "url": guideline.url,
        "topic": {"system": TOPICS, "code": topic, "display": _topic_display(consult)},
    }


TOPIC_DISPLAYS = {
    "several": N_("Several variants agree"),
    "novariant": N_("No variant applies"),
    "unresolved": N_("Not resolved yet"),
}


def _topic_display(consult: Consult) -> str:
    topic = consult.decision.topic
    if topic in TOPIC_DISPLAYS:
        return consult.say(TOPIC_DISPLAYS[topic])
    return consult.say("Variant %(number)s", number=topic.removeprefix("variant"))


def _link_label(consult: Consult) -> str:
    if consult.auc_applied:
        topic = _topic_display(consult)
        return consult.say("%(topic)s: all ratings, what next, what to beware of", topic=topic)
    return consult.say("All variants of the guideline and their ratings")


def _page(consult: Consult) -> str:
    """The page in the language of the card, whatever the browser prefers."""
    chosen = consult.language
    return consult.page if chosen is ENGLISH else f"{consult.page}?lang={chosen.code}"
