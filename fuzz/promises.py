"""What every answer of the service must be, whatever was asked."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fuzz.calls import SERVICE, Call

INDICATORS = ("info", "warning", "critical")
BODY_OF = {"create": "resource", "update": "resource", "delete": "resourceId"}


@dataclass(frozen=True)
class Answered:
    """What came back: status, headers by lower-case name, and the body."""

    status: int
    headers: dict[str, str]
    body: bytes


def broken(call: Call, answer: Answered) -> list[str]:
    """The promises that the answer breaks, in words that hold nothing of the call."""
    return list(_broken(call, answer))


def _broken(call: Call, answer: Answered) -> Iterator[str]:
    if "access-control-allow-origin" not in answer.headers:
        yield f"no CORS header on a {answer.status}"
    if answer.status >= 500 or answer.status not in range(200, 205) and answer.status < 400:
        yield f"status {answer.status}"
    if call.method == "HEAD":
        return
    if answer.status >= 400:
        yield from _outcome(answer)
    elif answer.status == 204:
        if answer.body:
            yield "a body on a 204"
    elif "json" in answer.headers.get("content-type", ""):
        body = strict(answer.body)
        if body is None:
            yield "a 200 that is not JSON by the standard"
        elif call.method == "POST" and _is_service(call):
            yield from _cds(body)
    elif call.method == "POST":
        yield "a 200 to a POST that is not JSON"


def _is_service(call: Call) -> bool:
    return call.path.strip("/").replace("//", "/") == SERVICE.strip("/")


def strict(text: bytes) -> Any:
    """The JSON value, or None where it is none by the standard, which knows no NaN."""

    def refuse(token: str) -> None:
        raise ValueError(token)

    try:
        return json.loads(text, parse_constant=refuse)
    except ValueError:
        return None


def _outcome(answer: Answered) -> Iterator[str]:
    body = strict(answer.body)
    if not isinstance(body, dict) or body.get("resourceType") != "OperationOutcome":
        yield f"no OperationOutcome on a {answer.status}"
        return
    issues = body.get("issue")
    if not issues or not all(_filled(i, "severity", "code", "diagnostics") for i in issues):
        yield f"an OperationOutcome without a full issue on a {answer.status}"
    if b"Traceback" in answer.body:
        yield "a stack trace"


def _filled(value: Any, *names: str) -> bool:
    """Whether these fields of an object are texts with something in them."""
    return isinstance(value, dict) and all(
        isinstance(value.get(name), str) and value[name] for name in names
    )


def _cds(body: Any) -> Iterator[str]:
    if not isinstance(body, dict) or not isinstance(body.get("cards"), list):
        yield "no list of cards"
        return
    for card in body["cards"]:
        yield from _card(card)
    for action in body.get("systemActions", []):
        yield from _action(action, "system action")


def _card(card: Any) -> Iterator[str]:
    if not _filled(card, "summary") or len(card["summary"]) >= 140:
        yield "a card whose summary is missing or too long"
    if card.get("indicator") not in INDICATORS:
        yield "a card with an unknown indicator"
    if not _filled(card.get("source"), "label"):
        yield "a card without a source label"
    if "suggestions" not in card:
        return
    if card.get("selectionBehavior") not in ("at-most-one", "any"):
        yield "suggestions without selectionBehavior"
    for suggestion in card["suggestions"]:
        if not _filled(suggestion, "label"):
            yield "a suggestion without a label"
        for action in suggestion.get("actions", []):
            yield from _action(action, "action")


def _action(action: Any, name: str) -> Iterator[str]:
    if not _filled(action, "type", "description"):
        yield f"a {name} without type or description"
    elif not action.get(BODY_OF.get(action["type"], "")):
        yield f"a {name} that has nothing to act on"
