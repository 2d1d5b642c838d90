"""The routes of CDS Hooks, each of a few lines."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from time import perf_counter

from flask import Blueprint, Response, abort, current_app, jsonify, request

from cds_service.decision.evaluate import Decision
from cds_service.decision.knowledge import Knowledge
from cds_service.fhir.client import FhirServer
from cds_service.fhir.fetch import Fetcher
from cds_service.fhir.plain import as_dict, as_text
from cds_service.hook import Answer, Fetch, HookCall, answer_hook
from cds_service.services import SERVICE_ID, discovery, prefetch_templates
from cds_service.web.callers import Caller, Callers
from cds_service.web.errors import BadRequest
from cds_service.web.log import log
from cds_service.web.schemas import envelope

NESTED_TOO_DEEP = "The body is nested too deeply."


@dataclass(frozen=True)
class Site:
    """How the service is set up at this place; see `Settings` and `HookCall`."""

    knowledge: Knowledge
    public_url: str
    callers: Callers
    today: Callable[[], date]


def hooks(site: Site) -> Blueprint:
    """Discovery, the service and its feedback."""
    blueprint = Blueprint("hooks", __name__)
    services = discovery(site.knowledge)
    templates = prefetch_templates(site.knowledge)

    @blueprint.get("/cds-services")
    def list_services() -> Response:
        site.callers.identify(request)
        return jsonify(services)

    @blueprint.post("/cds-services/<service_id>")
    def call_service(service_id: str) -> Response:
        _known(service_id)
        started = perf_counter()
        caller = site.callers.identify(request)
        call = _call(site, caller, templates)
        try:
            answer = answer_hook(call, site.knowledge)
        except RecursionError:
            raise BadRequest(NESTED_TOO_DEEP) from None
        _log_answer(caller, call, answer, started)
        return jsonify(answer.body)

    @blueprint.post("/cds-services/<service_id>/feedback")
    def take_feedback(service_id: str) -> tuple[str, int]:
        _known(service_id)
        site.callers.identify(request)
        _body()
        return "", 204

    return blueprint


def _known(service_id: str) -> None:
    if service_id != SERVICE_ID:
        abort(404)


def _call(site: Site, caller: Caller, templates: dict[str, str]) -> HookCall:
    body = envelope(_body())
    return HookCall(
        hook=body["hook"],
        hook_instance=body["hookInstance"],
        context=body["context"],
        prefetch=body["prefetch"] or {},
        today=site.today(),
        base_url=site.public_url or request.url_root.rstrip("/"),
        on_too_little=caller.client.on_too_little,
        templates=templates,
        fetch=_fetch(caller.fetcher, body),
    )


def _fetch(fetcher: Fetcher | None, body: dict) -> Fetch | None:
    """The way to the client's FHIR server, where it sent one. Its scopes are not looked at:
    they are not the same everywhere, and a refusal tells all there is to know.
    """
    if fetcher is None or not body.get("fhirServer"):
        return None
    token = as_text(as_dict(body.get("fhirAuthorization")).get("access_token"))
    server = FhirServer(body["fhirServer"], token)
    return lambda wanted: fetcher.fetch(server, wanted)


def _body() -> dict:
    """The JSON object that was posted."""
    if not request.is_json:
        abort(415)
    try:
        body = current_app.json.loads(request.get_data())
    except RecursionError:
        raise BadRequest(NESTED_TOO_DEEP) from None
    except ValueError:
        raise BadRequest("The body is not JSON.") from None
    if not isinstance(body, dict):
        raise BadRequest("The body is not a JSON object.")
    return body


def _log_answer(caller: Caller, call: HookCall, answer: Answer, started: float) -> None:
    log(
        "hook",
        client=caller.client.name,
        hook=call.hook if call.hook in ("order-select", "order-sign") else "other",
        service=SERVICE_ID,
        orders=[_outcome(decision) for decision in answer.decisions],
        passed_over=dict(answer.passed_over),
        fetches=dict(answer.fetches),
        milliseconds=round((perf_counter() - started) * 1000, 1),
    )


def _outcome(decision: Decision) -> dict:
    """What became of an order, in words of ours only."""
    return {
        "relevance": decision.relevance,
        "subject": decision.subject,
        "topic": decision.topic,
        "category": decision.category,
        "rating": decision.rating,
        "card": decision.indicator,
        "question": decision.question.fact if decision.question else None,
        "rules": [alert.rule.id for alert in decision.alerts if alert.speaks],
    }
