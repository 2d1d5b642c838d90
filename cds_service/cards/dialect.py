"""What a dialect of CDS Hooks may do differently, and what a client options besides."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from cds_service.cards.actions import Offer, offers, system_action
from cds_service.cards.evaluated import EvaluatedOrder, Json
from cds_service.language import ENGLISH, Language


@dataclass(frozen=True)
class ResponseOptions:
    """`preference_list` has the site's keys of orders, by procedure and region (which may be
    empty); `links` and `ratings` say whether they are sent, None as the dialect does it.
    """

    preference_list: Mapping[tuple[str, str], str] = field(default_factory=dict)
    links: bool | None = None
    ratings: bool | None = None


@dataclass(frozen=True)
class Dialect:
    """A table of differences; what is not named is as HL7 writes it.

    `offers` makes the buttons of a card, `remarks` a paragraph for its detail, `topic` its topic
    code, `finish_card` has the last word on a card, `rate` makes the rating of an order, and
    `finish` has the last word on the answer to a hook.
    """

    selection_behavior: str = "at-most-one"
    links: bool = True
    ratings: bool = True
    offers: Callable[[EvaluatedOrder, ResponseOptions], list[Offer]] = lambda evaluated, _: offers(
        evaluated
    )
    remarks: Callable[[EvaluatedOrder, ResponseOptions], str] = lambda *_: ""
    topic: Callable[[EvaluatedOrder], str] = lambda evaluated: evaluated.decision.topic
    finish_card: Callable[[Json], Json] = lambda card: card
    rate: Callable[[EvaluatedOrder], Json | None] = system_action
    finish: Callable[[str, Json], Json] = lambda _, body: body


@dataclass(frozen=True)
class ResponseStyle:
    """How a client is answered, and in which language."""

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
