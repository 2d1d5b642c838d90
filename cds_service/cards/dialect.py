"""What a dialect of CDS Hooks may do differently, and what a client wishes besides."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from cds_service.cards.actions import Offer, offers, system_action
from cds_service.cards.consult import Consult, Json
from cds_service.language import ENGLISH, Language


@dataclass(frozen=True)
class Wishes:
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
    offers: Callable[[Consult, Wishes], list[Offer]] = lambda consult, _: offers(consult)
    remarks: Callable[[Consult, Wishes], str] = lambda *_: ""
    topic: Callable[[Consult], str] = lambda consult: consult.decision.topic
    finish_card: Callable[[Json], Json] = lambda card: card
    rate: Callable[[Consult], Json | None] = system_action
    finish: Callable[[str, Json], Json] = lambda _, body: body


@dataclass(frozen=True)
class Manner:
    """How a client is answered, and in which language."""

    dialect: Dialect = Dialect()
    wishes: Wishes = Wishes()
    language: Language = ENGLISH

    @property
    def sends_links(self) -> bool:
        wished = self.wishes.links
        return self.dialect.links if wished is None else wished

    @property
    def sends_ratings(self) -> bool:
        wished = self.wishes.ratings
        return self.dialect.ratings if wished is None else wished
