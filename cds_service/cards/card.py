"""The card of an evaluated order, and the response to a hook."""

from dataclasses import dataclass

from cds_service.cards.actions import Offer, removal_of_rating
from cds_service.cards.detail import detail
from cds_service.cards.dialect import ResponseStyle
from cds_service.cards.evaluated import EvaluatedOrder, Json
from cds_service.cards.markdown import as_plain_text
from cds_service.cards.summary import summary
from cds_service.decision.topic import Topic
from cds_service.language import ENGLISH, N_


@dataclass(frozen=True)
class CardsAndActions:
    """The response to a hook; and what each suggestion does, by the ids of card and suggestion."""

    body: Json
    offered: dict[str, dict[str, str]]


def respond(
    evaluated_orders: list[EvaluatedOrder],
    no_longer_rated: list[Json],
    hook: str,
    style: ResponseStyle,
    topic: Topic,
) -> CardsAndActions:
    """The response to a hook: cards, and ratings as system actions.

    These are sent twice: as `systemActions` (CDS Hooks), and in `extension` (Argonaut's guide, read
    by the Sandbox). `no_longer_rated` are orders that lose the rating of the topic.
    """
    dialect, options = style.dialect, style.options
    shown = [(c, dialect.offers(c, options)) for c in evaluated_orders if c.shows_card]
    body: Json = {"cards": [_card(c, buttons, style) for c, buttons in shown]}
    actions = _ratings(evaluated_orders, no_longer_rated, style, topic)
    if actions:
        body |= {"systemActions": actions, "extension": {"systemActions": actions}}
    offered = {c.card_id: {o.body["uuid"]: o.does for o in buttons} for c, buttons in shown}
    return CardsAndActions(dialect.finish(hook, body), offered)


def _ratings(
    evaluated_orders: list[EvaluatedOrder],
    no_longer_rated: list[Json],
    style: ResponseStyle,
    topic: Topic,
) -> list[Json]:
    if not style.sends_ratings:
        return []
    rate = style.dialect.rate
    actions = [action for c in evaluated_orders if not c.unrated and (action := rate(c))]
    say = style.language.say
    return actions + [removal_of_rating(resource, topic, say) for resource in no_longer_rated]


def _card(evaluated: EvaluatedOrder, buttons: list[Offer], style: ResponseStyle) -> Json:
    words = evaluated.once(style, lambda: _words(evaluated, style))
    made = {"uuid": evaluated.card_id, **words}
    if buttons:
        made["suggestions"] = [button.body for button in buttons]
        made["selectionBehavior"] = style.dialect.selection_behavior
    return style.dialect.finish_card(made, style.options)


def _words(evaluated: EvaluatedOrder, style: ResponseStyle) -> Json:
    """What a card says: the same in every hook that comes to the same decision."""
    made = {
        "summary": summary(evaluated),
        "detail": _detail(evaluated, style),
        "indicator": evaluated.decision.indicator,
        "source": _source(evaluated, style.dialect.topic(evaluated)),
        "overrideReasons": _override_reasons(evaluated),
    }
    if style.sends_links:
        made["links"] = [
            {"label": _link_label(evaluated), "url": _page(evaluated), "type": "absolute"}
        ]
    return made


def _detail(evaluated: EvaluatedOrder, style: ResponseStyle) -> str:
    remarks = style.dialect.remarks(evaluated, style.options)
    written = detail(evaluated, remarks, style.dialect.takes_answers)
    return as_plain_text(written) if style.options.plain_text else written


def _override_reasons(evaluated: EvaluatedOrder) -> list[Json]:
    return [
        {"system": reason.system, "code": reason.code, "display": evaluated.say(reason.display)}
        for reason in evaluated.topic.override_reasons
    ]


def _source(evaluated: EvaluatedOrder, topic: str) -> Json:
    source = evaluated.topic.about.source
    system = evaluated.topic.about.urn + ":topic"
    return {
        "label": f"{evaluated.say(source.title)} ({evaluated.say(source.edition)})",
        "url": source.url,
        "topic": {"system": system, "code": topic, "display": _topic_display(evaluated)},
    }


TOPIC_DISPLAYS = {
    "several": N_("Several variants agree"),
    "novariant": N_("No variant applies"),
    "unresolved": N_("Not resolved yet"),
}


def _topic_display(evaluated: EvaluatedOrder) -> str:
    topic = evaluated.decision.topic
    if topic in TOPIC_DISPLAYS:
        return evaluated.say(TOPIC_DISPLAYS[topic])
    return evaluated.say("Variant %(number)s", number=topic.removeprefix("variant"))


def _link_label(evaluated: EvaluatedOrder) -> str:
    if evaluated.auc_applied:
        topic = _topic_display(evaluated)
        return evaluated.say("%(topic)s: all ratings, what next, what to beware of", topic=topic)
    return evaluated.say("All variants of the guideline and their ratings")


def _page(evaluated: EvaluatedOrder) -> str:
    """The address of the page, which names the language of the card."""
    chosen = evaluated.language
    return evaluated.page if chosen is ENGLISH else f"{evaluated.page}?lang={chosen.code}"
