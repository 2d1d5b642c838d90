"""Every failure in one shape: an OperationOutcome that says what to do, and never a stack trace."""

import traceback
from uuid import uuid4

from flask import Flask, Response, jsonify, make_response, render_template
from marshmallow import ValidationError
from werkzeug.exceptions import HTTPException

from cds_service.access.tokens import TokenRefused
from cds_service.decision.chart import KINDS
from cds_service.fhir.amounts import TooMuch
from cds_service.hook_call import TooLittleToGoOn
from cds_service.language import N_
from cds_service.web.callers import NoClients
from cds_service.web.concurrency import Overloaded
from cds_service.web.languages import spoken
from cds_service.web.limits import TooManyRequests
from cds_service.web.log import log
from cds_service.web.request_log import current
from cds_service.web.schemas import fields_of
from cds_service.web.wishes import wants_page

CODES = {
    401: "login",
    404: "not-found",
    405: "not-supported",
    413: "too-long",
    415: "not-supported",
}
TEXTS = {
    400: "The request did not come in full.",
    401: "The password of this page is needed.",
    404: "There is nothing at this address. The services are listed at /cds-services.",
    405: "This address does not take this method.",
    413: "The body is larger than this service reads.",
    415: "The body must be sent as application/json.",
}
# What people who look at pages are told: a heading and a sentence.
PAGES = {
    401: (N_("A password is needed"), N_("This page is for those who have its password.")),
    404: (N_("There is no such page"), N_("Nothing is at this address of the service.")),
}
RETRY_SECONDS = 60
OVERLOADED_SECONDS = 1
MOST_NAMED = 20  # fields


class BadRequest(Exception):
    """A body that cannot be answered; the text is for the client and holds nothing of the body."""


class NotKept(Exception):
    """What was sent cannot be kept now."""


def outcome(status: int, issues: list[dict]) -> Response:
    """An error answer."""
    response = jsonify({"resourceType": "OperationOutcome", "issue": issues})
    response.status_code = status
    return response


def issue(code: str, text: str, field: str = "") -> dict:
    made = {"severity": "error", "code": code, "diagnostics": text}
    return {**made, "expression": [field]} if field else made


def issues_of(wrong: list[tuple[str, str]]) -> list[dict]:
    """An issue for each field that is wrong, from its path and message. Where there are many, the
    first ones are named and the others counted.
    """
    named = [issue("invalid", f"{path}: {text}", path) for path, text in wrong[:MOST_NAMED]]
    others = len(wrong) - len(named)
    return [*named, issue("invalid", f"{others} more fields are wrong.")] if others else named


def register(app: Flask) -> None:
    """All handlers of the application."""
    app.register_error_handler(ValidationError, _wrong_fields)
    app.register_error_handler(BadRequest, _bad_request)
    app.register_error_handler(TokenRefused, _unauthorized)
    app.register_error_handler(NoClients, _not_configured)
    app.register_error_handler(TooLittleToGoOn, _precondition_failed)
    app.register_error_handler(TooManyRequests, _too_many_requests)
    app.register_error_handler(TooMuch, _too_costly)
    app.register_error_handler(NotKept, _not_kept)
    app.register_error_handler(Overloaded, _overloaded)
    app.register_error_handler(HTTPException, _refused)
    app.register_error_handler(Exception, _unexpected)


def _wrong_fields(error: ValidationError) -> Response:
    return outcome(400, issues_of(fields_of(error)))


def _bad_request(error: BadRequest) -> Response:
    return outcome(400, [issue("invalid", str(error))])


def _unauthorized(error: TokenRefused) -> Response:
    """Says which check failed; the log also what was found, and neither quotes the token."""
    current().refused, current().seen = error.check, error.seen
    return _challenge(str(error))


def _not_configured(_: NoClients) -> Response:
    current().refused = "not-configured"
    return _challenge(
        "No client is configured. Name a clients file in CDS_CLIENTS with a table per client "
        "(its issuer and keys), or set CDS_AUTH=open where only the EHR can reach this service."
    )


def _challenge(text: str) -> Response:
    answer = outcome(401, [issue("login", text)])
    answer.headers["WWW-Authenticate"] = 'Bearer error="invalid_token"'
    return answer


def _precondition_failed(_: TooLittleToGoOn) -> Response:
    text = (
        "The order has no coded reason, and the conditions of the patient were not supplied: send "
        f"the prefetch keys {', '.join(KINDS)}, or a coded reason."
    )
    return outcome(412, [issue("required", text, "prefetch.conditions")])


def _too_many_requests(error: TooManyRequests) -> Response:
    answer = outcome(429, [issue("throttled", str(error))])
    answer.headers["Retry-After"] = str(error.seconds)
    return answer


def _too_costly(error: TooMuch) -> Response:
    return outcome(413, [issue("too-costly", str(error))])


def _not_kept(_: NotKept) -> Response:
    answer = outcome(503, [issue("no-store", "It cannot be kept now; send it again later.")])
    answer.headers["Retry-After"] = str(RETRY_SECONDS)
    return answer


def _overloaded(_: Overloaded) -> Response:
    answer = outcome(503, [issue("throttled", "Too many requests at once; this one was not read.")])
    answer.headers["Retry-After"] = str(OVERLOADED_SECONDS)
    return answer


def _refused(error: HTTPException) -> Response:
    status = error.code or 500
    text = TEXTS.get(status, error.name)
    if status in PAGES and wants_page():
        answer = make_response(_page(status), status)
    else:
        answer = outcome(status, [issue(CODES.get(status, "processing"), text)])
    for name, value in error.get_headers():
        if name in ("Allow", "WWW-Authenticate"):
            answer.headers[name] = value
    return answer


def _page(status: int) -> str:
    """The same for people who look at pages."""
    heading, text = map(spoken().say, PAGES[status])
    return render_template("error.html", heading=heading, text=text)


def _unexpected(error: Exception) -> Response:
    """The log gets the place of the fault, not its message: that may quote the patient's data."""
    error_id = str(uuid4())
    frames = traceback.extract_tb(error.__traceback__)
    places = [f"{frame.name}:{frame.lineno}" for frame in frames[-8:]]
    current().error_id = error_id
    log("error", error_id=error_id, kind=type(error).__name__, at=places)
    text = f"The service failed; its log has more under the error id {error_id}."
    return outcome(500, [issue("exception", text)])
