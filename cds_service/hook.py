"""One hook, from the call to the response: select, decide, fetch, decide again, hide, write.

Data goes in and comes out; only the fetch reaches outside. The same call gives the same answer.
"""

from collections import Counter
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from urllib.parse import quote

from msgspec import Raw

from cds_service.cards.card import CardsAndActions, respond
from cds_service.cards.dialect import ResponseStyle
from cds_service.cards.evaluated import REPEAT, SILENT, EvaluatedOrder
from cds_service.cards.rating import has_rating_of
from cds_service.choices import CARD, PRECONDITION_FAILED, SILENCE
from cds_service.decision.chart import Case
from cds_service.decision.code_systems import SNOMED_CT
from cds_service.decision.evaluate import Decision, evaluate_order
from cds_service.decision.needs import BY_WEIGHT, kinds_needed
from cds_service.decision.relevance import TOO_LITTLE_TO_GO_ON
from cds_service.decision.terminology import Meaning
from cds_service.decision.topic import Topic
from cds_service.decision.verdict import Silent
from cds_service.evaluation import Evaluation, evaluation_of, evaluations_of
from cds_service.fhir.amounts import MOST_COMPARED, MOST_RESOURCES, check
from cds_service.fhir.chart import read_chart
from cds_service.fhir.orders import read_orders
from cds_service.fhir.plain import Json, as_text, without_empty
from cds_service.fhir.prefetch import Prefetched, read_prefetch
from cds_service.fhir.reading import head_of, text_of
from cds_service.fhir.selected import ORDER_SIGN, SelectedOrders, select_orders
from cds_service.fhir.unmapped import Unmapped, unmapped_conditions
from cds_service.fhir.validation import problem_with
from cds_service.silence import Silence

PAGE_SIZE = 200
DOTS = {".", ".."}  # as an id they would lead out of the folder of their type

# Takes paths by key. Returns the resources or Bundles that came, by key, and counts how the fetches
# ended. Never raises.
Fetch = Callable[[Mapping[str, str]], tuple[Mapping[str, list[Json]], Counter[str]]]


class TooLittleToGoOn(Exception):
    """An order has no coded reason and the conditions were not supplied, and the client wants
    status 412 then.
    """


@dataclass(frozen=True)
class HookCall:
    """All that the answer depends on: what the client posted, its settings, and the state of now.

    Of the body only the envelope is checked; the values of `prefetch` are undecoded JSON.
    `today` is the day for orders that carry no date; `base_url` the address of this service as
    the client sees it; `on_too_little` what to do on order-sign with an order that cannot be
    checked; `templates` the prefetch templates by key; `max_resources` how many resources are
    read; `silence` what is not to be shown; `style` how answers are written; `overridden` the
    advice that was overridden lately; `looked_up` what a terminology server has said so far of
    codes that are in no map.
    """

    hook: str
    hook_instance: str
    context: Json
    prefetch: Mapping[str, Raw]
    today: date
    base_url: str
    on_too_little: str = SILENCE
    templates: Mapping[str, str] = field(default_factory=dict)
    max_resources: int = MOST_RESOURCES
    silence: Silence = Silence()
    style: ResponseStyle = ResponseStyle()
    overridden: Container[Evaluation] = ()
    looked_up: Mapping[tuple[str, str], Meaning] = field(default_factory=dict)

    @property
    def patient_id(self) -> str:
        return as_text(self.context.get("patientId"))


@dataclass(frozen=True)
class HookOutcome:
    """The response body, the decisions behind it, and an evaluation of each in plain values; why
    other orders were passed over, and how each fetch ended. `unmapped_conditions` are the codes of
    Conditions that are in no map, where an order was ours.
    """

    body: Json
    decisions: list[Decision] = field(default_factory=list)
    evaluations: list[Evaluation] = field(default_factory=list)
    selected: SelectedOrders = field(default_factory=SelectedOrders)
    fetches: Counter[str] = field(default_factory=Counter)
    unmapped_conditions: tuple[Unmapped, ...] = ()

    @property
    def unknown_conditions(self) -> frozenset[str]:
        """The SNOMED CT codes among them."""
        codes = self.unmapped_conditions
        return frozenset(code.code for code in codes if code.system == SNOMED_CT)


def answer_hook(call: HookCall, topic: Topic, fetch: Fetch | None = None) -> HookOutcome:
    """Rate every selected draft order that asks for a procedure of the topic.

    Decides first on what was sent, and fetches only what could change that. Where no order is of
    the topic, which is the usual case, the chart is not read. Raises TooLittleToGoOn where the call
    asks for it, and TooMuch.
    """
    topic = topic.with_meanings(call.looked_up)
    selected = select_orders(call.hook, call.context, topic)
    if not selected.ours:
        return HookOutcome(_respond(call, [], selected, topic).body, selected=selected)
    chart = read_prefetch(call.prefetch, call.max_resources)
    evaluated = decide(call, selected, chart, topic)
    fetches: Counter[str] = Counter()
    wanted = _wanted(call, chart, evaluated, topic) if fetch else {}
    if wanted:
        answers, fetches = fetch(wanted)
        _add_fetched(chart, answers)
        evaluated = decide(call, selected, chart, topic)
    _refuse_to_guess(call, evaluated)
    written = _respond(call, evaluated, selected, topic)
    unknown = unmapped_conditions(chart.resources, topic.terminology, topic.condition_words)
    evaluations = evaluations_of(evaluated, written.offered)
    decisions = [order.decision for order in evaluated]
    return HookOutcome(written.body, decisions, evaluations, selected, fetches, unknown)


def decide(
    call: HookCall, selected: SelectedOrders, prefetched: Prefetched, topic: Topic
) -> list[EvaluatedOrder]:
    """The decision on each order of the topic, with the data at hand, and what of it is hidden. The
    `prefetch` of the call is not read.
    """
    return [_hidden(call, order) for order in _evaluate(call, selected, prefetched, topic)]


def _evaluate(
    call: HookCall, selected: SelectedOrders, prefetched: Prefetched, topic: Topic
) -> list[EvaluatedOrder]:
    chart = read_chart(prefetched, call.patient_id, topic.terminology)
    resources = prefetched.resources
    drafts = read_orders(selected, call.context, resources, topic.terminology, call.today)
    check(len(drafts) * len(chart.findings), MOST_COMPARED, "findings, each for all orders")
    tells = call.hook == ORDER_SIGN and call.on_too_little == CARD
    return [
        EvaluatedOrder(
            decision=evaluate_order(Case(draft.order, chart, draft.today, tells), topic),
            resource=without_empty(draft.resource),
            number=number,
            hook_instance=call.hook_instance,
            base_url=call.base_url,
            topic=topic,
            unresolved_reasons=draft.unresolved_reasons,
            unmapped=draft.unmapped,
            language=call.style.language,
        )
        for number, draft in enumerate(drafts)
    ]


def _wanted(
    call: HookCall, prefetched: Prefetched, evaluated: list[EvaluatedOrder], topic: Topic
) -> dict[str, str]:
    """What was not sent and could change a decision: paths by key, most decisive first."""
    needed = {kind for order in evaluated for kind in kinds_needed(order.decision, topic)}
    missing = [k for k in BY_WEIGHT if k in needed and k not in prefetched.sent]
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
