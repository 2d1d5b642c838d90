"""What every answer of the service must be, whatever was asked."""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, ValidationError
from msgspec.json import decode

from fuzz.calls import SERVICE, Call
from fuzz.values import PLANTED

LONGEST_SECONDS = 2  # of CPU: nothing is waited for in process, but other processes
Filled = Annotated[str, Meta(min_length=1)]


class Issue(Struct):
    severity: Literal["fatal", "error", "warning", "information"]
    code: Filled
    diagnostics: Filled


class OperationOutcome(Struct, tag_field="resourceType"):
    issue: Annotated[list[Issue], Meta(min_length=1)]


class Action(Struct, tag_field="type"):
    description: Filled


class Create(Action, tag="create"):
    resource: Annotated[dict[str, Any], Meta(min_length=1)]


class Update(Action, tag="update"):
    resource: Annotated[dict[str, Any], Meta(min_length=1)]


class Delete(Action, tag="delete"):
    resourceId: Filled


class Suggestion(Struct):
    label: Filled
    actions: list[Create | Update | Delete] = []


class Source(Struct):
    label: Filled


class Card(Struct):
    summary: Annotated[str, Meta(min_length=1, max_length=139)]
    indicator: Literal["info", "warning", "critical"]
    source: Source
    suggestions: list[Suggestion] = []
    selectionBehavior: Literal["at-most-one", "any"] | None = None

    def __post_init__(self) -> None:
        if self.suggestions and not self.selectionBehavior:
            raise ValueError("suggestions without selectionBehavior")


class HookResponse(Struct):
    cards: list[Card]
    systemActions: list[Create | Update | Delete] = []


class Answer(Struct):
    """Status, headers by lower-case name, body, seconds of CPU, and the lines of the log."""

    status: int
    headers: dict[str, str]
    body: bytes
    seconds: float
    log: str


def broken_promise(call: Call, answer: Answer) -> str:
    """The promise that the answer breaks; empty where it keeps all."""
    if PLANTED in answer.log:
        return "a patient's name in the log"
    if answer.status >= 400 and PLANTED.encode() in answer.body:
        return "a patient's name in an error"
    if answer.seconds > LONGEST_SECONDS:
        return f"more than {LONGEST_SECONDS} s of work"
    if call.headers.get("Origin") and "access-control-allow-origin" not in answer.headers:
        return "no CORS header"
    if answer.status >= 500 or answer.status not in range(200, 205) and answer.status < 400:
        return f"status {answer.status}"
    if answer.status == 204 and answer.body:
        return "a body on a 204"
    return "" if call.method == "HEAD" or answer.status == 204 else wrong_form(call, answer)


def wrong_form(call: Call, answer: Answer) -> str:
    """What is wrong with the body; as a client reads it, by the JSON standard."""
    kind = answer.headers.get("content-type", "")
    try:
        if answer.status in (401, 404) and kind.startswith("text/html"):
            return "" if b"</html>" in answer.body else "half a page"  # for browsers
        if answer.status >= 400:
            decode(answer.body, type=OperationOutcome)
        elif call.method == "POST" and call.path.strip("/").replace("//", "/") == SERVICE[1:]:
            decode(answer.body, type=HookResponse)
        elif call.method == "POST" or "json" in kind:
            decode(answer.body)
    except (ValidationError, ValueError) as error:
        return str(error)
    return "a stack trace" if b"Traceback" in answer.body else ""
