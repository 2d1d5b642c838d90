"""The routes of CDS Hooks, each of a few lines."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import msgspec
from flask import Blueprint, Response, abort, jsonify, request

from cds_service.access.clients import Client
from cds_service.cards.evaluated import REPEAT
from cds_service.decision.knowledge import Knowledge
from cds_service.evaluation import evaluation_of, evaluations_of
from cds_service.fhir.client import FhirServer
from cds_service.fhir.fetch import Fetched, Fetcher
from cds_service.fhir.plain import as_dict, as_text
from cds_service.fhir.reading import NOT_JSON, decoded
from cds_service.hook import Fetch, Hide, HookCall, HookOutcome, Wonder, answer_hook, nothing
from cds_service.services import SERVICE_ID, discovery, prefetch_templates
from cds_service.store.rows import HookRequest
from cds_service.store.store import Store
from cds_service.web.callers import Caller, Callers
from cds_service.web.concurrency import ConcurrencyLimit
from cds_service.web.errors import BadRequest
from cds_service.web.feedback import Sender, take_feedback
from cds_service.web.limits import RateLimits, check_items, check_orders
from cds_service.web.request_log import current, phase
from cds_service.web.schemas import Body, criteria, envelope, feedback_items
from cds_service.web.tracing import span

NESTED_TOO_DEEP = "The body is nested too deeply."
NO_JSON, NO_OBJECT = "The body is not JSON.", "The body is not a JSON object."
HOOK, FEEDBACK = msgspec.json.Decoder(Body), msgspec.json.Decoder(dict)


@dataclass(frozen=True)
class Site:
    """How the service is set up at this place; see `Settings` and `HookCall`. Without a `store`
    nothing is kept.
    """

    knowledge: Knowledge
    public_url: str
    callers: Callers
    rates: RateLimits
    today: Callable[[], date]
    store: Store | None
    keeps_comments: bool
    concurrency: ConcurrencyLimit
    wonder: Wonder | None = None

    def caller(self) -> Caller:
        """Who is calling, within what it may. Raises TokenRefused, NoClients or TooManyRequests."""
        caller = self.callers.identify(request)
        current().client, current().tenant = caller.client.name, caller.client.tenant
        self.rates.count(caller.client.name, caller.client.requests_per_minute)
        return caller


def hooks(site: Site) -> Blueprint:
    """Discovery, the service and its feedback."""
    blueprint = Blueprint("hooks", __name__)
    services = discovery(site.knowledge)
    templates = prefetch_templates(site.knowledge)

    @blueprint.get("/cds-services")
    def list_services() -> Response:
        site.caller()
        return jsonify(services)

    @blueprint.post("/cds-services/<service_id>")
    def call_service(service_id: str) -> Response:
        _known(service_id)
        site.concurrency.refuse_if_full()
        caller, text = site.caller(), _posted()
        with site.concurrency.slot():
            return _worked_on(site, caller, text, templates)

    @blueprint.post("/cds-services/<service_id>/feedback")
    def feedback(service_id: str) -> Response:
        _known(service_id)
        client = site.caller().client
        items = feedback_items(_body(_posted(), FEEDBACK))
        check_items(items)
        sender = Sender(client.name, client.tenant, time.time(), site.keeps_comments)
        return take_feedback(items, sender, site.store)

    return blueprint


def _worked_on(site: Site, caller: Caller, text: bytes, templates: dict[str, str]) -> Response:
    """A hook from its text to the answer."""
    with phase("read"):
        call = _call(site, caller, text, templates)
    with phase("answer"), span("hook") as traced:
        answer = _answer(call, caller.knowledge)
        orders = evaluations_of(answer.evaluated_orders, answer.offered)
        current().add_outcome(call.hook, answer, orders)
        _describe(traced)
    with phase("keep"):
        if site.store and (orders or answer.spine_like):
            request = _hook_request(call, caller.client)
            site.store.add_evaluations(request, orders, answer.spine_like)
    with phase("write"):
        return jsonify(answer.body)


def _answer(call: HookCall, knowledge: Knowledge) -> HookOutcome:
    try:
        return answer_hook(call, knowledge)
    except RecursionError:
        raise BadRequest(NESTED_TOO_DEEP) from None
    except NOT_JSON:  # in the prefetch, which is read last
        raise BadRequest(NO_JSON) from None


def _describe(traced: Any) -> None:
    """What the trace says of a hook: the topics and cards, and what was missing."""
    if traced is None:
        return
    line = current()
    traced.set_attribute("hook", line.hook)
    traced.set_attribute("topics", [e.topic for e in line.orders])
    traced.set_attribute("cards", [e.shown_indicator for e in line.orders])
    traced.set_attribute("missing", line.missing)


def _hook_request(call: HookCall, client: Client) -> HookRequest:
    line = current()
    return HookRequest(
        client=client.name,
        tenant=client.tenant,
        hook=line.hook,
        hook_instance=call.hook_instance,
        patient_id=call.patient_id,
        at=time.time(),
        milliseconds=round(line.milliseconds_so_far, 2),
        criteria=line.criteria,
    )


def _hide(store: Store | None, client: Client, patient_id: str) -> Hide:
    """Why a card is not shown: its advice was overridden before."""
    if store is None:
        return nothing
    overridden = store.overridden(client.name, patient_id)
    return lambda evaluated: REPEAT if overridden.covers(evaluation_of(evaluated)) else ""


def _known(service_id: str) -> None:
    if service_id != SERVICE_ID:
        abort(404)


def _call(site: Site, caller: Caller, text: bytes, templates: dict[str, str]) -> HookCall:
    body = envelope(_body(text, HOOK))
    check_orders(body["context"])
    current().criteria = criteria(body)
    return HookCall(
        hook=body["hook"],
        hook_instance=body["hookInstance"],
        context=body["context"],
        prefetch=body["prefetch"] or {},
        today=site.today(),
        base_url=site.public_url or request.url_root.rstrip("/"),
        on_too_little=caller.client.on_too_little,
        templates=templates,
        fetch=_fetch(caller.fetcher, body, site.concurrency),
        wonder=site.wonder,
        silence=caller.silence,
        style=caller.style,
        hide=_hide(site.store, caller.client, body["context"]["patientId"]),
    )


def _fetch(fetcher: Fetcher | None, body: dict, concurrency: ConcurrencyLimit) -> Fetch | None:
    """The way to the client's FHIR server, where it sent one. Its scopes are not looked at:
    they are not the same everywhere, and a refusal tells all there is to know.
    """
    if fetcher is None or not body.get("fhirServer"):
        return None
    token = as_text(as_dict(body.get("fhirAuthorization")).get("access_token"))
    server = FhirServer(body["fhirServer"], token)

    def fetch(wanted: Mapping[str, str]) -> Fetched:
        with phase("fetch"), span("fetch"), concurrency.slot_given_up():
            return fetcher.fetch(server, wanted)

    return fetch


def _posted() -> bytes:
    """The text that was posted, read in one go where its length is stated: piece by piece, a
    large one would be copied many times.
    """
    if not request.is_json:
        abort(415)
    stream = request.stream
    return stream.read(request.content_length or 0) + stream.read()


def _body(text: bytes, decoder: msgspec.json.Decoder) -> dict:
    """What is read of the JSON object that was posted."""
    try:
        return _decoded(decoder, text)
    except NOT_JSON:
        raise BadRequest(NO_JSON) from None
    except RecursionError:
        raise BadRequest(NESTED_TOO_DEEP) from None


def _decoded(decoder: msgspec.json.Decoder, text: bytes) -> dict:
    """One that is not as it should be is read whole, so that the schema can say what is wrong."""
    try:
        return decoded(text, decoder)
    except msgspec.ValidationError:
        body = decoded(text)
    if not isinstance(body, dict):
        raise BadRequest(NO_OBJECT)
    return body
