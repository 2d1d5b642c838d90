"""One evaluated order, with all that its card and actions need."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

from cds_service.cards.ids import identifier
from cds_service.decision.evaluate import Decision
from cds_service.decision.guideline import Procedure
from cds_service.decision.terminology import Place
from cds_service.decision.topic import Topic
from cds_service.language import ENGLISH, Language

Json = dict
T = TypeVar("T")

# Why a card is not shown.
SILENT, REPEAT = "silent", "repeat"


@dataclass(frozen=True)
class EvaluatedOrder:
    """`resource` is the draft order without empty elements; `number` its place in the request.

    `base_url` is the public address of this service, without a slash at its end. `hidden` says why
    the card is not shown (SILENT or REPEAT), else it is empty; `unrated` whether the rating is not
    sent either; `language` is that of the card. `written` is for `once`, and
    shared by all that `replace` makes of the same order and decision.
    """

    decision: Decision
    resource: Json
    number: int
    hook_instance: str
    base_url: str
    topic: Topic
    unresolved_reasons: tuple[str, ...] = ()
    unmapped: tuple[tuple[str, ...], ...] = ()
    hidden: str = ""
    unrated: bool = False
    language: Language = ENGLISH
    written: dict[object, Any] = field(default_factory=dict, compare=False, repr=False)

    def once(self, key: object, make: Callable[[], T]) -> T:
        """What `make` writes of the order and the decision, or wrote in an earlier hook: it is the
        same in every hook, and never changed.
        """
        if key not in self.written:
            self.written[key] = make()
        return self.written[key]

    @property
    def shows_card(self) -> bool:
        return self.decision.shows_card and not self.hidden

    @property
    def size(self) -> int:
        """How many bytes it takes at most, about, with the words of a card; a test measures it."""
        return 30_000 + 500 * len(self.decision.case.findings)

    @property
    def has_id(self) -> bool:
        """Without an id an order cannot be named in an action."""
        return bool(self.decision.case.order.id)

    @cached_property
    def key(self) -> tuple[object, ...]:
        """What the identifiers are made of: the hook instance, the order and the decision."""
        decision, order = self.decision, self.decision.case.order
        alerts = [alert.rule.id for alert in decision.alerts]
        place = order.place.code if order.place else ""
        advice = (decision.subject, decision.topic, decision.category, decision.indicator, alerts)
        return (self.hook_instance, self.number, order.id, order.procedure.id, place, *advice)

    def uuid(self, *of: object) -> str:
        return identifier(self.topic.about.urn, *self.key, *of)

    @cached_property
    def card_id(self) -> str:
        return self.uuid("card")

    @cached_property
    def consult_id(self) -> str:
        return self.uuid("consult")

    @property
    def page(self) -> str:
        """The address of the page of the one possible variant, else that of the guideline."""
        topic = f"{self.base_url}/guidelines/{self.topic.id}"
        variants = self.decision.outcomes.variants
        return f"{topic}/{variants[0].id}" if self.decision.topic.startswith("variant") else topic

    @property
    def auc_applied(self) -> str | None:
        return self.page if self.decision.topic.startswith("variant") else None

    def say(self, text: str, **values: object) -> str:
        return self.language.say(text, **values)

    def study(self, procedure: Procedure, place: Place | None) -> str:
        """The name of a study of a region, in our own words."""
        region = self.say((place or self.topic.terminology.body_part).display)
        return self.say(procedure.order_text).format(region=region)

    @property
    def ordered(self) -> str:
        """The name of the study of the order."""
        order = self.decision.case.order
        return self.study(order.procedure, order.place)

    @property
    def source(self) -> str:
        """The guideline and its edition."""
        source = self.topic.about.source
        return f"{self.say(source.title)}, {self.say(source.edition)}"
