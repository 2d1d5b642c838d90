"""One hook from request to answer: read the orders, read the chart, decide, and say so."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date

from cds_service.cards.card import response
from cds_service.cards.consult import Consult
from cds_service.cards.rating import has_our_rating
from cds_service.decision.chart import Case, Chart
from cds_service.decision.evaluate import Decision, evaluate_order, unreadable
from cds_service.decision.knowledge import Knowledge
from cds_service.decision.relevance import RELEVANT
from cds_service.fhir.chart import read_chart
from cds_service.fhir.orders import DraftOrder, problem_with_order, read_orders
from cds_service.fhir.plain import Json, as_text, without_empty
from cds_service.fhir.prefetch import read_prefetch


@dataclass(frozen=True)
class HookCall:
    """What a client posted, checked for its envelope only.

    `today` is the day for orders that carry no date; `base_url` the address of this service as
    the client sees it.
    """

    hook: str
    hook_instance: str
    context: Json
    prefetch: Json
    today: date
    base_url: str


@dataclass
class Answer:
    """The response body, the decisions behind it, and why other orders were passed over."""

    body: Json
    decisions: list[Decision] = field(default_factory=list)
    passed_over: Counter[str] = field(default_factory=Counter)


def answer_hook(call: HookCall, knowledge: Knowledge) -> Answer:
    """Rate every selected draft order that is ours. The same call gives the same answer."""
    prefetched = read_prefetch(call.prefetch)
    drafts = read_orders(call.hook, call.context, prefetched.resources, knowledge, call.today)
    consults: list[Consult] = []
    if drafts.orders:
        patient_id = as_text(call.context.get("patientId"))
        chart = read_chart(prefetched, patient_id, knowledge.terminology)
        consults = [
            _consult(call, draft, number, chart, knowledge)
            for number, draft in enumerate(drafts.orders)
        ]
    stale = [without_empty(r) for r in drafts.others if has_our_rating(r) and r.get("id")]
    body = response(consults, stale)
    return Answer(body, [c.decision for c in consults], drafts.passed_over)


def _consult(
    call: HookCall, draft: DraftOrder, number: int, chart: Chart, knowledge: Knowledge
) -> Consult:
    """Decide on one order; a fault of its own resource never touches the others."""
    decision = evaluate_order(Case(draft.order, chart, draft.today), knowledge)
    problem = None
    if decision.relevance == RELEVANT:
        problem = problem_with_order(draft, as_text(call.context.get("patientId")))
    return Consult(
        decision=unreadable(decision) if problem else decision,
        resource=without_empty(draft.resource),
        number=number,
        hook_instance=call.hook_instance,
        base_url=call.base_url,
        knowledge=knowledge,
        unresolved_reasons=draft.unresolved_reasons,
        problem=problem or "",
    )
