"""Hooks, answered ahead of Flask's dispatch, which costs more than a small hook does by itself.

Flask has all that is no hook, and of hooks what goes wrong or is asked by a page of another site:
so errors, and the headers for browsers, have one place. Measured: `docs/performance.md`.
"""

from collections.abc import Callable, Iterable
from typing import Any

from flask import Blueprint, Flask, Request, Response, abort, request

from cds_service.web.headers import OF_A_HOOK
from cds_service.web.paths import Wsgi
from cds_service.web.request_log import current
from cds_service.web.routes import Site, answer_call

RULE = "/cds-services/<service_id>"
OUTCOME = "cds_service.outcome"  # in the WSGI environment: a response body, or an exception


def hooks_first(app: Flask, site: Site) -> Wsgi:
    """The WSGI application: answers calls of a service, and leaves all else to `app`."""
    app.register_blueprint(_outcomes())
    behind, headers = app.wsgi_app, list(OF_A_HOOK.items())
    services = {RULE.replace("<service_id>", name): name for name in site.topics}

    def wrapped(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        service_id = services.get(environ["PATH_INFO"])
        if service_id is None or environ["REQUEST_METHOD"] != "POST":
            return behind(environ, start_response)
        outcome = _outcome(site, service_id, environ)
        if isinstance(outcome, Exception) or "HTTP_ORIGIN" in environ:
            environ[OUTCOME] = outcome
            return behind(environ, start_response)
        current().route = RULE
        start_response("200 OK", [*headers, ("Content-Length", str(len(outcome)))])
        return [outcome]

    return wrapped


def _outcome(site: Site, service_id: str, environ: dict[str, Any]) -> bytes | Exception:
    """The response body, or what was raised."""
    request = Request(environ)
    request.max_content_length = site.settings.max_body_bytes
    try:
        return answer_call(site, service_id, request)
    except Exception as error:  # noqa: BLE001  raised again by `call_service`
        return error


def _outcomes() -> Blueprint:
    """The route that answers with what a call has already come to."""
    blueprint = Blueprint("outcomes", __name__)

    @blueprint.post(RULE)
    def call_service(service_id: str) -> Response:
        outcome = request.environ.get(OUTCOME)
        if outcome is None:
            abort(404)
        if isinstance(outcome, Exception):
            raise outcome
        return Response(outcome, mimetype="application/json")

    return blueprint
