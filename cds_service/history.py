"""What is kept of a consult: the rows for the store. No patient, practitioner or order in them."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from cds_service.about import VERSION
from cds_service.cards.evaluated import EvaluatedOrder
from cds_service.decision.evaluate import NO_VARIANT, Decision, unknown_facts
from cds_service.decision.facts import Fact
from cds_service.decision.relevance import RELEVANT
from cds_service.store.retention import day_of
from cds_service.store.tables import decisions, unmapped_codes

# A code or a system is kept if it looks like one: nobody's name fits.
CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9.\-_^/]{0,63}")
SYSTEM = re.compile(r"(https?://|urn:)[!-~]{1,190}")
LONGEST_WORDS = 200
NOT_A_CODE = "(not a code)"
# Whether of an order or a reason, system, code, and of an order its words.
Unmapped = tuple[str, str, str, str]
# What the buttons of each card do, by the ids of card and suggestion.
Offered = Mapping[str, Mapping[str, str]]
UNKNOWN, PRESUMED = "unknown", "presumed"


@dataclass(frozen=True)
class Visit:
    """The call that the evaluated orders belong to. `pseudonym` makes names that cannot be turned
    back; `at` is in seconds since 1970; `criteria` names the rule of the EHR that fired
    the hook, if any.
    """

    client: str
    tenant: str
    hook: str
    hook_instance: str
    patient_id: str
    at: float
    milliseconds: float
    criteria: str
    pseudonym: Callable[..., str]


def rows_of(
    visit: Visit,
    evaluated_orders: list[EvaluatedOrder],
    offered: Offered,
    spine_like: list[Unmapped],
) -> list[tuple[str, dict]]:
    """A row for each evaluated order, and one for each code that is in no map, of these orders and
    of others that may be about the spine.
    """
    rows = [(decisions.name, _decision(visit, consult, offered)) for consult in evaluated_orders]
    unmapped = [row for c in evaluated_orders for row in _unmapped(visit, c.consult_id, c.unmapped)]
    hook = visit.pseudonym("hook", visit.client, visit.hook_instance)
    unmapped += _unmapped(visit, hook, spine_like)
    return rows + [(unmapped_codes.name, row) for row in unmapped]


def advice_key(visit: Visit, consult: EvaluatedOrder) -> str | None:
    """The same for the same advice on the same order; None for an order without an id."""
    if not consult.has_id:
        return None
    decision, order = consult.decision, consult.decision.case.order
    place = order.place.code if order.place else ""
    return visit.pseudonym(
        "advice", visit.client, visit.patient_id, order.id, order.procedure.id, place,
        decision.subject, decision.category, _variants(decision), sorted(_facts(decision).items()),
    )  # fmt: skip


def is_safety_card(decision: Decision) -> bool:
    """Whether a safety rule asks for the card, not only the rating."""
    asked = {v.id for v in decision.outcomes.variants} | {NO_VARIANT}
    return not decision.called_for_by <= asked


def _decision(visit: Visit, consult: EvaluatedOrder, offered: Offered) -> dict:
    decision, order = consult.decision, consult.decision.case.order
    relevant = decision.relevance == RELEVANT
    return {
        "client": visit.client,
        "card": consult.card_id,
        "day": day_of(visit.at),
        "at": visit.at,
        "procedure": order.procedure.id,
        "region": order.place.code if order.place else "",
        "relevance": decision.relevance,
        "subject": decision.subject,
        "topic": decision.topic,
        "category": decision.category or "",
        "rating": decision.rating or "",
        "indicator": decision.indicator or "",
        "shown": consult.shows_card,
        "hidden": consult.hidden,
        "rules": ",".join(a.rule.id for a in decision.alerts if a.speaks),
        "unknown": ",".join(fact.name for fact in unknown_facts(decision)),
        "missing": ",".join(decision.case.chart.missing) if relevant else "",
        "question": decision.question.fact if decision.question else "",
        "consult": consult.consult_id,
        "order_key": _order_key(visit, consult),
        "advice_key": advice_key(visit, consult) if decision.shows_card else None,
        "tenant": visit.tenant,
        "hook": visit.hook,
        "hook_instance": visit.pseudonym("hook", visit.client, visit.hook_instance),
        "service_version": VERSION,
        "rules_version": consult.topic.version,
        "edition": consult.topic.about.source.edition,
        "variants": _variants(decision),
        "milliseconds": visit.milliseconds,
        "criteria": visit.criteria or None,
        "facts": _facts(decision) if relevant else {},
        "suggestions": offered.get(consult.card_id, {}),
    }


def _order_key(visit: Visit, consult: EvaluatedOrder) -> str | None:
    if not consult.has_id:
        return None
    return visit.pseudonym("order", visit.client, visit.patient_id, consult.decision.case.order.id)


def _variants(decision: Decision) -> str:
    return ",".join(variant.id for variant in decision.outcomes.variants)


def _facts(decision: Decision) -> dict[str, str]:
    return {name: _value(fact) for name, fact in decision.facts.items()}


def _value(fact: Fact) -> str:
    if fact.value is None:
        return UNKNOWN
    return PRESUMED if fact.how == PRESUMED else str(fact.value).lower()


def _unmapped(visit: Visit, consult: str, codes: Iterable[Unmapped]) -> Iterator[dict]:
    """The words of a code only where they are those of an order."""
    for about, system, code, words in dict.fromkeys(codes):
        yield {
            "client": visit.client,
            "consult": consult,
            "about": about,
            "system": system if SYSTEM.fullmatch(system) else "",
            "code": code if CODE.fullmatch(code) else NOT_A_CODE,
            "display": "".join(c if c.isprintable() else " " for c in words)[:LONGEST_WORDS],
            "day": day_of(visit.at),
        }
