"""One hook, from the call to the response: select, decide, fetch, decide again, hide, write.

Data goes in and comes out; only the fetch reaches outside. The same call gives the same answer.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache, partial
from urllib.parse import quote

from cds_service.cards.card import CardsAndActions, respond
from cds_service.cards.evaluated import REPEAT, SILENT, EvaluatedOrder
from cds_service.cards.rating import has_rating_of
from cds_service.choices import PRECONDITION_FAILED
from cds_service.decision.chart import Case, Chart
from cds_service.decision.evaluate import evaluate_order
from cds_service.decision.needs import BY_WEIGHT, kinds_needed
from cds_service.decision.relevance import TOO_LITTLE_TO_GO_ON
from cds_service.decision.topic import Topic
from cds_service.decision.verdict import Silent
from cds_service.evaluation import evaluation_of, evaluations_of
from cds_service.fhir.amounts import MOST_COMPARED, check
from cds_service.fhir.chart import SentChart, read_sent
from cds_service.fhir.orders import Conditions, conditions_among, read_order
from cds_service.fhir.plain import Json, without_empty
from cds_service.fhir.prefetch import Prefetched, read_prefetch
from cds_service.fhir.reading import head_of, text_of
from cds_service.fhir.selected import (
    ORDER_SIGN,
    OurOrder,
    SelectedOrders,
    all_drafts,
    select_orders,
)
from cds_service.fhir.validation import problem_with
from cds_service.hook_call import Fetch, HookCall, HookOutcome, TooLittleToGoOn
from cds_service.memory import NOTHING_REMEMBERED, Memory
from cds_service.session import NO_SESSION, Session

PAGE_SIZE = 200
DOTS = {".", ".."}  # as an id they would lead out of the folder of their type


def answer_hook(
    call: HookCall, topic: Topic, fetch: Fetch | None = None, memory: Memory = NOTHING_REMEMBERED
) -> HookOutcome:
    """Rate every selected draft order that asks for a procedure of the topic.

    Decides first on what was sent, and fetches only what could change that. Where no order is of
    the topic, which is the usual case, the chart is not read. What is in the `memory` changes no
    answer. Raises TooLittleToGoOn where the call asks for it, and TooMuch.
    """
    session = Session(memory, (topic, call.looked_up, call.style))
    topic = topic.with_meanings(call.looked_up)
    selected = select_orders(call.hook, call.context, topic)
    if not selected.ours:
        return HookOutcome(_respond(call, [], selected, topic).body, selected=selected)
    prefetched = cache(lambda: read_prefetch(call.prefetch, call.max_resources))
    sent = session.chart(call, lambda: read_sent(prefetched(), call.patient_id, topic))
    evaluated = decide(call, selected, sent.chart, prefetched, topic, session)
    fetches: Counter[str] = Counter()
    wanted = _wanted(call, sent, evaluated, topic) if fetch else {}
    if wanted:
        answers, fetches = fetch(wanted)
        _add_fetched(prefetched(), answers)
        sent = read_sent(prefetched(), call.patient_id, topic)
        evaluated = decide(call, selected, sent.chart, prefetched, topic)
    _refuse_to_guess(call, evaluated)
    written = _respond(call, evaluated, selected, topic)
    evaluations = evaluations_of(evaluated, written.offered)
    decisions = [order.decision for order in evaluated]
    return HookOutcome(written.body, decisions, evaluations, selected, fetches, sent.unmapped)


def decide(
    call: HookCall,
    selected: SelectedOrders,
    chart: Chart,
    prefetched: Callable[[], Prefetched],
    topic: Topic,
    session: Session = NO_SESSION,
) -> list[EvaluatedOrder]:
    """The decision on each order of the topic, with the data at hand, and what of it is hidden. The
    `prefetch` of the call is not read; `prefetched` is, where an order refers to a Condition.
    """
    check(len(selected.ours) * len(chart.findings), MOST_COMPARED, "findings, each for all orders")
    named = partial(conditions_among, all_drafts(call.context), prefetched)
    reasons, drafted = Conditions(named, topic.terminology), selected.drafted
    evaluated = []
    for number, our in enumerate(selected.ours):
        make = partial(_evaluated, call, our, drafted, reasons, chart, topic)
        order = session.order(call, our.resource, drafted, make)
        order = replace(order, number=number, hook_instance=call.hook_instance)
        evaluated.append(_hidden(call, order))
    return evaluated


def _evaluated(
    call: HookCall,
    our: OurOrder,
    drafted: frozenset[str],
    reasons: Conditions,
    chart: Chart,
    topic: Topic,
) -> EvaluatedOrder:
    """The decision on an order, as it is for every hook that brings it with this chart."""
    draft = read_order(our, call.patient_id, drafted, reasons, topic.terminology, call.today)
    return EvaluatedOrder(
        decision=evaluate_order(
            Case(draft.order, chart, draft.today, call.tells_not_checked), topic
        ),
        resource=without_empty(draft.resource),
        number=0,
        hook_instance="",
        base_url=call.base_url,
        topic=topic,
        unresolved_reasons=draft.unresolved_reasons,
        unmapped=draft.unmapped,
        language=call.style.language,
    )


def _wanted(
    call: HookCall, sent: SentChart, evaluated: list[EvaluatedOrder], topic: Topic
) -> dict[str, str]:
    """What was not sent and could change a decision: paths by key, most decisive first."""
    needed = {kind for order in evaluated for kind in kinds_needed(order.decision, topic)}
    missing = [k for k in BY_WEIGHT if k in needed and k not in sent.sent]
    paths = {key: _path(call.templates[key], call.patient_id) for key in missing}
    reasons = (name for order in evaluated for name in order.unresolved_reasons)
    paths.update({name: quote(name) for name in reasons if name.startswith("Condition/")})
    return {key: path for key, path in paths.items() if not DOTS & {*path.split("?")[0].split("/")}}


def _path(template: str, patient_id: str) -> str:
    """A prefetch template with the patient's id; a search asks for large pages."""
    path = template.replace("{{context.patientId}}", quote(patient_id, safe=""))
    return f"{path}&_count={PAGE_SIZE}" if "?" in path else path


def _add_fetched(prefetched: Prefetched, answers: Mapping[str, list[Json]]) -> None:
    for key, pages in answers.items():
        texts = [text_of(page) for page in pages]
        prefetched.add(key, [(head_of(text), text) for text in texts])


def _refuse_to_guess(call: HookCall, evaluated: list[EvaluatedOrder]) -> None:
    """Raises TooLittleToGoOn where the client wants that of an order that cannot be checked."""
    refuses = call.hook == ORDER_SIGN and call.on_too_little == PRECONDITION_FAILED
    if refuses and Silent(TOO_LITTLE_TO_GO_ON) in (o.decision.verdict for o in evaluated):
        raise TooLittleToGoOn


def _hidden(call: HookCall, order: EvaluatedOrder) -> EvaluatedOrder:
    """The order; hidden where the client's silence covers it, or where it was overridden lately."""
    if call.silence.covers(order.decision):
        return replace(order, hidden=SILENT, unrated=not call.silence.ratings)
    if order.shows_card and call.overridden and evaluation_of(order) in call.overridden:
        return replace(order, hidden=REPEAT)
    return order


def _respond(
    call: HookCall, evaluated: list[EvaluatedOrder], selected: SelectedOrders, topic: Topic
) -> CardsAndActions:
    """Cards and ratings. An order with an earlier rating of this topic loses it where it is not of
    the topic, or not relevant, any more.
    """
    silent = [o.resource for o in evaluated if isinstance(o.decision.verdict, Silent)]
    stale = [
        without_empty(resource)
        for resource in (*selected.others, *silent)
        if _holds_an_old_rating(resource, topic)
    ]
    stale = [] if call.silence.sends_nothing else stale
    return respond(evaluated, stale, call.hook, call.style, topic)


def _holds_an_old_rating(resource: Json, topic: Topic) -> bool:
    """Whether a resource is a valid ServiceRequest with an id and a rating of this topic."""
    named = resource.get("resourceType") == "ServiceRequest" and resource.get("id")
    return bool(named) and has_rating_of(topic, resource) and not problem_with(resource)
