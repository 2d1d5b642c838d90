"""One hook from request to answer: read the orders, read the chart, decide, and say so."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cache
from urllib.parse import quote

from msgspec import Raw

from cds_service.cards.card import respond
from cds_service.cards.dialect import ResponseStyle
from cds_service.cards.evaluated import SILENT, EvaluatedOrder
from cds_service.cards.rating import has_our_rating
from cds_service.choices import CARD, PRECONDITION_FAILED, SILENCE
from cds_service.decision.chart import Case
from cds_service.decision.evaluate import (
    NOT_RELEVANT,
    Decision,
    evaluate_order,
    not_checked,
    unreadable,
)
from cds_service.decision.knowledge import Knowledge
from cds_service.decision.needs import BY_WEIGHT, kinds_needed
from cds_service.decision.relevance import RELEVANT, TOO_LITTLE_TO_GO_ON
from cds_service.fhir.chart import read_chart
from cds_service.fhir.orders import (
    ORDER_SIGN,
    DraftOrder,
    Drafts,
    problem_with_order,
    read_orders,
)
from cds_service.fhir.plain import Json, as_text, without_empty
from cds_service.fhir.prefetch import Prefetched, read_prefetch
from cds_service.fhir.reading import head_of, text_of
from cds_service.fhir.unmapped import Unmapped, unknown_conditions
from cds_service.fhir.validation import problem_with
from cds_service.silence import Silence

PAGE_SIZE = 200

# Fetches paths by key and returns the resources that came, by key, and how each fetch ended.
Fetch = Callable[[Mapping[str, str]], tuple[Mapping[str, list[Json]], Counter[str]]]

# Takes the SNOMED CT codes of Conditions that are in no map, without waiting.
Wonder = Callable[[set[str]], None]

# Why the card of an evaluated order is not to be shown; empty where it is.
Hide = Callable[[EvaluatedOrder], str]


def nothing(_: EvaluatedOrder) -> str:
    """Hides nothing."""
    return ""


class TooLittleToGoOn(Exception):
    """Neither a coded reason nor the conditions: nothing can be said, and the client wants to
    be told with a 412.
    """


@dataclass(frozen=True)
class HookCall:
    """What a client posted, checked for its envelope only; the values of the prefetch are JSON as
    it came.

    `today` is the day for orders that carry no date; `base_url` the address of this service as
    the client sees it; `on_too_little` what to do on order-sign with an order that cannot be
    checked; `templates` the prefetch templates; `fetch` gets what was not sent, if there is a way;
    `wonder` takes codes that are in no map; `silence` and `hide` say why an order's card is not to
    be shown, `style` how it is written.
    """

    hook: str
    hook_instance: str
    context: Json
    prefetch: Mapping[str, Raw]
    today: date
    base_url: str
    on_too_little: str = SILENCE
    templates: Mapping[str, str] = field(default_factory=dict)
    fetch: Fetch | None = None
    wonder: Wonder | None = None
    silence: Silence = Silence()
    style: ResponseStyle = ResponseStyle()
    hide: Hide = nothing

    @property
    def patient_id(self) -> str:
        return as_text(self.context.get("patientId"))


@dataclass
class HookOutcome:
    """The response body, the evaluated orders behind it, what the buttons of each card do, why
    other orders were passed over, how each fetch ended, how many codes of each system were in no
    map or contradicted each other, and the codes of other orders that may be about the spine.
    """

    body: Json
    evaluated_orders: list[EvaluatedOrder] = field(default_factory=list)
    offered: dict[str, dict[str, str]] = field(default_factory=dict)
    passed_over: Counter[str] = field(default_factory=Counter)
    fetches: Counter[str] = field(default_factory=Counter)
    unmapped: Counter[str] = field(default_factory=Counter)
    conflicting: Counter[str] = field(default_factory=Counter)
    spine_like: list[Unmapped] = field(default_factory=list)

    @property
    def decisions(self) -> list[Decision]:
        return [evaluated.decision for evaluated in self.evaluated_orders]


def answer_hook(call: HookCall, knowledge: Knowledge) -> HookOutcome:
    """Rate every selected draft order that is ours. The same call gives the same answer.

    Decides first with what was sent, and fetches only what could change that. Raises
    TooLittleToGoOn where the call asks for it.
    """
    sent = cache(lambda: read_prefetch(call.prefetch))
    drafts, evaluated_orders = _decide(call, sent, knowledge)
    fetches: Counter[str] = Counter()
    wanted = (
        _wanted(call, sent(), drafts, evaluated_orders, knowledge)
        if call.fetch and evaluated_orders
        else {}
    )
    if wanted:
        answers, fetches = call.fetch(wanted)
        for key, pages in answers.items():
            texts = [text_of(page) for page in pages]
            sent().add(key, [(head_of(text), text) for text in texts])
        if answers:
            drafts, evaluated_orders = _decide(call, sent, knowledge)
    if call.wonder and evaluated_orders:
        call.wonder(unknown_conditions(sent().resources, knowledge.terminology))
    evaluated_orders = [_hidden(call, _told(call, evaluated)) for evaluated in evaluated_orders]
    passed = [c.resource for c in evaluated_orders if c.decision.subject == NOT_RELEVANT]
    stale = [without_empty(r) for r in drafts.others + passed if _holds_an_old_rating(r)]
    stale = [] if call.silence.keeps_quiet else stale
    answered = respond(evaluated_orders, stale, call.hook, call.style)
    unmapped, conflicting = drafts.unmapped, drafts.conflicting
    return HookOutcome(
        answered.body,
        evaluated_orders,
        answered.offered,
        drafts.passed_over,
        fetches,
        unmapped,
        conflicting,
        drafts.spine_like,
    )


def _decide(
    call: HookCall, sent: Callable[[], Prefetched], knowledge: Knowledge
) -> tuple[Drafts, list[EvaluatedOrder]]:
    """The orders of ours and the decision on each, with the data at hand.

    The chart is not even looked at where no order is ours, as with most orders of a hospital.
    """
    drafts = read_orders(call.hook, call.context, lambda: sent().resources, knowledge, call.today)
    if not drafts.orders:
        return drafts, []
    chart = read_chart(sent(), call.patient_id, knowledge.terminology)
    cases = [Case(draft.order, chart, draft.today) for draft in drafts.orders]
    evaluated_orders = [
        _consult(call, draft, number, case, knowledge)
        for number, (draft, case) in enumerate(zip(drafts.orders, cases, strict=True))
    ]
    return drafts, evaluated_orders


def _consult(
    call: HookCall, draft: DraftOrder, number: int, case: Case, knowledge: Knowledge
) -> EvaluatedOrder:
    """Decide on one order; a fault of its own resource never touches the others."""
    decision = evaluate_order(case, knowledge)
    problem = None
    if decision.relevance == RELEVANT:
        problem = problem_with_order(draft, call.patient_id)
    return EvaluatedOrder(
        decision=unreadable(decision) if problem else decision,
        resource=without_empty(draft.resource),
        number=number,
        hook_instance=call.hook_instance,
        base_url=call.base_url,
        knowledge=knowledge,
        unresolved_reasons=draft.unresolved_reasons,
        unmapped=draft.unmapped,
        problem=problem or "",
        language=call.style.language,
    )


def _wanted(
    call: HookCall,
    prefetched: Prefetched,
    drafts: Drafts,
    evaluated_orders: list[EvaluatedOrder],
    knowledge: Knowledge,
) -> dict[str, str]:
    """What was not sent and could change an answer: paths by key, most decisive first."""
    needed = {kind for c in evaluated_orders for kind in kinds_needed(c.decision, knowledge)}
    missing = [k for k in BY_WEIGHT if k in needed and k not in prefetched.sent]
    paths = {key: _path(call.templates[key], call.patient_id) for key in missing}
    reasons = (name for draft in drafts.orders for name in draft.unresolved_reasons)
    paths.update({name: quote(name) for name in reasons if name.startswith("Condition/")})
    return paths


def _path(template: str, patient_id: str) -> str:
    """A prefetch template for the patient; of a search many results are asked for at once."""
    path = template.replace("{{context.patientId}}", quote(patient_id, safe=""))
    return f"{path}&_count={PAGE_SIZE}" if "?" in path else path


def _holds_an_old_rating(resource: Json) -> bool:
    """A valid order that is not ours any more, and has an id to be changed by."""
    named = resource.get("resourceType") == "ServiceRequest" and resource.get("id")
    return bool(named) and has_our_rating(resource) and not problem_with(resource)


def _told(call: HookCall, evaluated: EvaluatedOrder) -> EvaluatedOrder:
    """An order that cannot be checked, told in the way that the client wants on order-sign."""
    if call.hook != ORDER_SIGN or evaluated.decision.relevance != TOO_LITTLE_TO_GO_ON:
        return evaluated
    if call.on_too_little == PRECONDITION_FAILED:
        raise TooLittleToGoOn
    if call.on_too_little == CARD:
        return replace(evaluated, decision=not_checked(evaluated.decision))
    return evaluated


def _hidden(call: HookCall, evaluated: EvaluatedOrder) -> EvaluatedOrder:
    """An order of which nothing is shown, by the client's wish or since it was overridden."""
    if call.silence.covers(evaluated.decision):
        return replace(evaluated, hidden=SILENT, unrated=not call.silence.ratings)
    return replace(evaluated, hidden=call.hide(evaluated)) if evaluated.shows_card else evaluated
