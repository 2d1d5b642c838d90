"""The OpenAPI document: every address that programs call, of the schemas that check requests."""

import json
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from marshmallow import fields

from cds_service.about import VERSION
from cds_service.decision.topic import Topic, Topics
from cds_service.settings import Settings
from cds_service.shipped import FIXTURES
from cds_service.web import answers
from cds_service.web.feedback import FeedbackSchema
from cds_service.web.schemas import FeedbackListSchema, HookSchema

EXAMPLE = FIXTURES / "order-sign" / "two-orders-one-good-one-poor"
JSON = "application/json"
INFO = {
    "description": "CDS Hooks service. A FHIR resource in a request is read as FHIR R4.",
    "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
}
OUTCOMES = {
    "400": "The body is wrong; each field that is wrong is named.",
    "401": "The token is missing or refused; the text says which check failed.",
    "404": "There is nothing at this address.",
    "412": "Too little was sent to check the order (only where the client asks for this).",
    "413": "The body, the draft orders, the resources or the answer are too large.",
    "415": "The body is not sent as application/json.",
    "429": "Too many requests of this client; see Retry-After.",
    "503": "Too many hooks at once, or feedback cannot be kept now; see Retry-After.",
}
Json = dict[str, Any]


class FeedbackRequest(FeedbackListSchema):
    """As the items are checked one by one, elsewhere."""

    feedback = fields.List(fields.Nested(FeedbackSchema), required=True)


def description(topics: Topics, settings: Settings) -> Json:
    """The OpenAPI document. `servers` names the public address, if there is one."""
    servers = {"servers": [{"url": settings.public_url}]} if settings.public_url else {}
    spec = APISpec("cds-service", VERSION, "3.1.0", info=INFO, plugins=[_plugin()], **servers)
    spec.components.security_scheme("token", {"type": "http", "scheme": "bearer"})
    spec.components.security_scheme("password", {"type": "http", "scheme": "bearer"})
    for status, text in OUTCOMES.items():
        spec.components.response(f"Error{status}", _answer(answers.OperationOutcome, text))
    _add_service(spec, topics, not settings.open)
    _add_states(spec)
    return spec.to_dict()


def _plugin() -> MarshmallowPlugin:
    """Schemas are named by their class."""
    return MarshmallowPlugin(lambda schema: _class(schema).__name__.removesuffix("Schema"))


def _class(schema: Any) -> type:
    return schema if isinstance(schema, type) else type(schema)


def _add_service(spec: APISpec, topics: Topics, needs_token: bool) -> None:
    """Discovery, and each CDS service with its feedback."""
    security = [{"token": []}] if needs_token else []
    listed = _answer(answers.Discovery, "The services, a row for each hook")
    discovery = _operation("List the services", {"200": listed}, "401", "429")
    spec.path("/cds-services", operations={"get": {**discovery, "security": security}})
    for topic in topics.values():
        for path, operation in _operations(topic).items():
            spec.path(path, operations={"post": {**operation, "security": security}})


def _operations(topic: Topic) -> dict[str, Json]:
    base = f"/cds-services/{topic.service_id}"
    shown = _answer(answers.HookResponse, "Cards and ratings", _example("response"))
    taken = _answer(answers.OperationOutcome, "How many items were taken, and what is wrong")
    hook = _operation(topic.about.service.title, {"200": shown}, *OUTCOMES)
    feedback = _operation("Say what became of cards", {"200": taken}, *OUTCOMES)
    return {
        base: {**hook, "requestBody": _body(HookSchema, _example("request"))},
        f"{base}/feedback": {**feedback, "requestBody": _body(FeedbackRequest, _feedback())},
    }


def _add_states(spec: APISpec) -> None:
    """For operators."""
    up = _operation("The process is up", {"200": _answer(answers.Health, "It is")})
    spec.path("/health", operations={"get": up})
    ready = {"200": _answer(answers.Ready, "It can, by these rules")}
    spec.path("/ready", operations={"get": _operation("It can answer hooks", ready, "401")})
    counters = {"description": "Counters", "content": {"text/plain": {"schema": TEXT}}}
    metrics = _operation("Counters for Prometheus", {"200": counters}, "401", "404")
    spec.path("/metrics", operations={"get": {**metrics, "security": [{"password": []}]}})


TEXT = {"type": "string"}


def _operation(summary: str, good: Json, *errors: str) -> Json:
    return {
        "summary": summary,
        "responses": {**good, **{status: f"Error{status}" for status in errors}},
    }


def _answer(schema: type, text: str, example: Any = None) -> Json:
    return {"description": text, "content": {JSON: _content(schema, example)}}


def _body(schema: type, example: Any) -> Json:
    return {"required": True, "content": {JSON: _content(schema, example)}}


def _content(schema: type, example: Any) -> Json:
    return {"schema": schema} if example is None else {"schema": schema, "example": example}


def _example(part: str) -> Json:
    return json.loads((EXAMPLE / f"{part}.json").read_text("utf-8"))


def _feedback() -> Json:
    """What the EHR tells when the first suggestion of the example was taken."""
    card = _example("response")["cards"][0]
    item = {
        "card": card["uuid"],
        "outcome": "accepted",
        "acceptedSuggestions": [{"id": card["suggestions"][0]["uuid"]}],
        "outcomeTimestamp": "2026-11-21T10:05:31Z",
    }
    return {"feedback": [item]}
