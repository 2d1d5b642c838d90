"""How responses are written: by the dialect of an EHR, and the options of a client."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from cds_service.cards.actions import Offer, offers, system_action
from cds_service.cards.evaluated import EvaluatedOrder, Json
from cds_service.language import ENGLISH, Language


@dataclass(frozen=True)
class ResponseOptions:
    """What a client sets besides its dialect. `preference_list` has the site's keys of orders, by
    procedure and region (which may be empty); `links` and `ratings` say whether these are sent,
    None leaves it to the dialect. `plain_text` is for screens that do not render Markdown.
    """

    preference_list: Mapping[tuple[str, str], str] = field(default_factory=dict)
    links: bool | None = None
    ratings: bool | None = None
    plain_text: bool = False


@dataclass(frozen=True)
class Dialect:
    """What an EHR needs differently; the defaults are CDS Hooks as HL7 specifies it.

    `takes_answers` says whether a button may add the answer to a question to the order.
    `offers` makes the suggestions of a card, `remarks` a paragraph for its detail, `topic` its
    topic code, and `rate` the system action with the rating of an order. `finish_card` and `finish`
    may change a card, and the whole response to a hook, at the end.
    """

    selection_behavior: str = "at-most-one"
    links: bool = True
    ratings: bool = True
    takes_answers: bool = True
    offers: Callable[[EvaluatedOrder, ResponseOptions], list[Offer]] = lambda evaluated, _: offers(
        evaluated
    )
    remarks: Callable[[EvaluatedOrder, ResponseOptions], str] = lambda *_: ""
    topic: Callable[[EvaluatedOrder], str] = lambda evaluated: evaluated.decision.topic
    finish_card: Callable[[Json, ResponseOptions], Json] = lambda card, _: card
    rate: Callable[[EvaluatedOrder], Json | None] = system_action
    finish: Callable[[str, Json], Json] = lambda _, body: body


@dataclass(frozen=True, eq=False)
class ResponseStyle:
    """How responses to a client are written: dialect, options and language. One is another, though
    it may say the same.
    """

    dialect: Dialect = Dialect()
    options: ResponseOptions = ResponseOptions()
    language: Language = ENGLISH

    @property
    def sends_links(self) -> bool:
        wished = self.options.links
        return self.dialect.links if wished is None else wished

    @property
    def sends_ratings(self) -> bool:
        wished = self.options.ratings
        return self.dialect.ratings if wished is None else wished
