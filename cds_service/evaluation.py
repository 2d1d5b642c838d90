"""One evaluated order in plain values: the log line, the metrics and the row are views of it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cds_service.about import VERSION
from cds_service.cards.evaluated import EvaluatedOrder
from cds_service.decision.evaluate import NO_VARIANT, unknown_facts
from cds_service.decision.relevance import RELEVANT
from cds_service.decision.situation import Fact
from cds_service.fhir.unmapped import Unmapped

UNKNOWN, PRESUMED = "unknown", "presumed"


@dataclass(frozen=True)
class Evaluation:
    """What was decided of one order, and what of it was shown. A word that does not apply is empty.

    A field with the name of a column of `decisions` is stored there. `order_id` is the client's
    own id of the order: it is never logged, counted or stored, only digests of it are.
    `rules` are the safety rules that speak, `unknown` the facts that the possible variants ask for
    and nobody knows, `missing` the kinds of data that a relevant order was rated without.
    `suggestions` say what each button of the card does, by its id. `unmapped` are the codes of
    the order and its reasons that are in no map. `is_safety_card`: a safety rule asks for the card.
    """

    guideline: str
    edition: str
    rules_version: str
    card: str
    consult: str
    order_id: str
    procedure: str
    region: str
    relevance: str
    subject: str
    topic: str
    category: str
    rating: str
    indicator: str
    shown: bool
    hidden: str
    rules: tuple[str, ...]
    unknown: tuple[str, ...]
    missing: tuple[str, ...]
    question: str
    variants: tuple[str, ...]
    facts: Mapping[str, str]
    suggestions: Mapping[str, str]
    unmapped: tuple[Unmapped, ...]
    is_safety_card: bool
    service_version: str = VERSION

    @property
    def shown_indicator(self) -> str:
        """The indicator of the card, if one is shown."""
        return self.indicator if self.shown else ""


def evaluations_of(
    evaluated_orders: Iterable[EvaluatedOrder], suggestions: Mapping[str, Mapping[str, str]]
) -> list[Evaluation]:
    """All of a hook; `suggestions` by the id of the card."""
    return [evaluation_of(e, suggestions.get(e.card_id, {})) for e in evaluated_orders]


def evaluation_of(
    evaluated: EvaluatedOrder, suggestions: Mapping[str, str] | None = None
) -> Evaluation:
    """The one place where a decision is read for the log, the metrics and the store."""
    decision, order = evaluated.decision, evaluated.decision.case.order
    is_relevant = decision.relevance == RELEVANT
    variants = tuple(variant.id for variant in decision.outcomes.variants)
    return Evaluation(
        order_id=order.id,
        procedure=order.procedure.id,
        region=order.place.code if order.place else "",
        relevance=decision.relevance,
        subject=decision.subject,
        topic=decision.topic,
        category=decision.category or "",
        rating=decision.rating or "",
        indicator=decision.indicator or "",
        rules=tuple(alert.rule.id for alert in decision.alerts if alert.speaks),
        unknown=tuple(fact.name for fact in unknown_facts(decision)),
        missing=tuple(decision.case.chart.missing) if is_relevant else (),
        question=decision.question.fact if decision.question else "",
        variants=variants,
        facts=_values(decision.facts) if is_relevant else {},
        is_safety_card=not decision.called_for_by <= {*variants, NO_VARIANT},
        suggestions=suggestions or {},
        **_beside_the_decision(evaluated),
    )


def _beside_the_decision(evaluated: EvaluatedOrder) -> dict[str, Any]:
    return {
        "guideline": evaluated.topic.id,
        "edition": evaluated.topic.about.source.edition,
        "rules_version": evaluated.topic.version,
        "card": evaluated.card_id,
        "consult": evaluated.consult_id,
        "shown": evaluated.shows_card,
        "hidden": evaluated.hidden,
        "unmapped": evaluated.unmapped,
    }


def _values(facts: Mapping[str, Fact]) -> dict[str, str]:
    return {name: _value(fact) for name, fact in facts.items()}


def _value(fact: Fact) -> str:
    """`true`, `false`, `unknown`, or `presumed`, which is true without evidence."""
    if fact.value is None:
        return UNKNOWN
    return PRESUMED if fact.how == PRESUMED else str(fact.value).lower()
