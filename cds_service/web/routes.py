"""The routes of CDS Hooks: discovery, the services, and their feedback."""

import time
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from flask import Blueprint, Request, Response, abort, jsonify, request
from msgspec.json import encode

from cds_service.access.clients import Client
from cds_service.decision.topic import Topic, Topics
from cds_service.evaluation import Evaluation
from cds_service.expansion.lookup import TerminologyLookup
from cds_service.fhir.addresses import FhirServer
from cds_service.fhir.fetch import Fetched, Fetcher
from cds_service.fhir.plain import as_dict, as_text
from cds_service.hook_call import NOTHING_LOOKED_UP, Fetch, HookCall, HookOutcome
from cds_service.memory import Memory
from cds_service.services import discovery
from cds_service.settings import Settings
from cds_service.store.rows import HookRequest
from cds_service.store.store import Store
from cds_service.web.bodies import FEEDBACK, HOOK, answered, body_of
from cds_service.web.callers import Caller, Callers
from cds_service.web.concurrency import ConcurrencyLimit
from cds_service.web.feedback import Sender, keep_feedback, read_feedback
from cds_service.web.limits import RateLimits, check_answer, check_items, check_orders
from cds_service.web.posted import posted
from cds_service.web.request_log import current, phase
from cds_service.web.schemas import criteria, envelope, feedback_items
from cds_service.web.tracing import span
from cds_service.web.unreadable import UNREADABLE


@dataclass(frozen=True)
class Site:
    """What the routes need of this installation; see `Settings` and `HookCall`. Without a `store`
    nothing is kept, without a `lookup` no terminology server is asked.
    """

    topics: Topics
    settings: Settings
    callers: Callers
    today: Callable[[], date]
    store: Store | None
    lookup: TerminologyLookup | None
    rates: RateLimits
    memory: Memory
    concurrency: ConcurrencyLimit = field(default_factory=ConcurrencyLimit)

    def caller(self, request: Request) -> Caller:
        """The client that calls. Raises TokenRefused, NoClients or TooManyRequests."""
        caller, line = self.callers.identify(request), current()
        line.client, line.tenant = caller.client.name, caller.client.tenant
        self.rates.count(caller.client.name, caller.client.requests_per_minute)
        return caller

    def overridden(self, client: Client, patient_id: str) -> Container[Evaluation]:
        """The advice on the patient's orders that was overridden within CDS_REPEAT_HOURS."""
        return self.store.overridden(client.name, patient_id) if self.store else ()


def hooks(site: Site) -> Blueprint:
    """Discovery, the service and its feedback."""
    blueprint = Blueprint("hooks", __name__)
    services = discovery(site.topics)

    @blueprint.get("/cds-services")
    def list_services() -> Response:
        site.caller(request)
        return jsonify(services)

    @blueprint.post("/cds-services/<service_id>/feedback")
    def feedback(service_id: str) -> Response:
        if service_id not in site.topics:
            abort(404)
        site.concurrency.refuse_if_full()
        client, text = site.caller(request).client, _posted(request)
        sender = Sender(client.name, client.tenant, time.time(), site.settings.keep_comments)
        with site.concurrency.slot():
            items = feedback_items(body_of(text, FEEDBACK))
            check_items(items)
            feedback = read_feedback(items, sender)
        return keep_feedback(feedback, site.store)

    return blueprint


def answer_call(site: Site, service_id: str, request: Request) -> bytes:
    """The response body for a call of a service. Raises what the module errors has answers to."""
    site.concurrency.refuse_if_full()
    caller, text = site.caller(request), _posted(request)
    with site.concurrency.slot():
        return _worked_on(site, caller, text, caller.topics[service_id], request)


def _worked_on(
    site: Site, caller: Caller, text: bytes | bytearray, topic: Topic, request: Request
) -> bytes:
    """Answers a hook: reads the body, decides, writes the response, and keeps the evaluations."""
    with phase("read"):
        body = envelope(body_of(text, HOOK))
        base_url = site.settings.public_url or request.url_root.rstrip("/")
        call = _call(site, caller, body, topic, base_url)
        fetch = _fetch(caller.fetcher, body, site.concurrency)
    with phase("answer"), span("hook") as traced:
        outcome = answered(call, topic, fetch, site.memory)
        current().add_outcome(call.hook, outcome)
        _describe(traced)
    with phase("write"):
        response = encode(outcome.body)
        check_answer(len(response), site.settings.max_answer_bytes)
    with phase("keep"):
        _keep(site, call, caller.client, outcome)
    return response


def _keep(site: Site, call: HookCall, client: Client, outcome: HookOutcome) -> None:
    """Keeps the evaluations of a hook, and hands unknown codes to the lookup."""
    if site.lookup:
        site.lookup.take(outcome.unknown_conditions)
    similar, conditions = outcome.selected.similar, outcome.unmapped_conditions
    if site.store and (outcome.evaluations or similar):
        kept = _hook_request(call, client)
        site.store.add_evaluations(kept, outcome.evaluations, similar, conditions)


def _describe(traced: Any) -> None:
    """Adds to the trace: the hook, topic codes and indicators of its orders, and missing data."""
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


def _call(site: Site, caller: Caller, body: dict, topic: Topic, base_url: str) -> HookCall:
    check_orders(body["context"], site.settings.max_orders)
    current().criteria = criteria(body)
    return HookCall(
        hook=body["hook"],
        hook_instance=body["hookInstance"],
        context=body["context"],
        prefetch=body["prefetch"] or {},
        today=site.today(),
        base_url=base_url,
        on_too_little=caller.client.on_too_little,
        templates=caller.templates.get(topic.service_id, {}),
        max_resources=site.settings.max_resources,
        silence=caller.silence,
        style=caller.style,
        overridden=site.overridden(caller.client, body["context"]["patientId"]),
        looked_up=site.lookup.meanings if site.lookup else NOTHING_LOOKED_UP,
    )


def _fetch(fetcher: Fetcher | None, body: dict, concurrency: ConcurrencyLimit) -> Fetch | None:
    """Fetches from the `fhirServer` of the request; None without one. The scopes of its token are
    not checked, since servers write them differently, and refuse what they do not cover.
    """
    if fetcher is None or not body.get("fhirServer"):
        return None
    token = as_text(as_dict(body.get("fhirAuthorization")).get("access_token"))
    server = FhirServer(body["fhirServer"], token)

    def fetch(wanted: Mapping[str, str]) -> Fetched:
        with phase("fetch"), span("fetch"), concurrency.slot_given_up():
            return fetcher.fetch(server, wanted)

    return fetch


def _posted(request: Request) -> bytes | bytearray:
    """The posted body, in full."""
    if not request.is_json:
        abort(415)
    try:
        return posted(request)
    except UNREADABLE:
        abort(400)
