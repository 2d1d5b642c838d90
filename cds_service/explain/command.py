"""`cds-service explain`: why a request is answered as it is. Nothing is kept or fetched."""

import argparse
import json
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from marshmallow import ValidationError
from rich.console import Console

from cds_service import current_day
from cds_service.commandline import Told, command, day
from cds_service.decision.topic import Topic
from cds_service.explain.explanation import explanation_of
from cds_service.explain.terminal import show
from cds_service.fhir.amounts import TooMuch
from cds_service.hook import answer_hook
from cds_service.hook_call import HookCall
from cds_service.mappings import load
from cds_service.services import prefetch_templates
from cds_service.settings import Settings, settings_from
from cds_service.web.bodies import HOOK, body_of
from cds_service.web.callers import Caller, Callers
from cds_service.web.errors import BadRequest
from cds_service.web.schemas import envelope, fields_of

WITHOUT_ADDRESS = "https://cds.example.org"


def add_command(commands: argparse._SubParsersAction) -> None:
    """The parser."""
    parser = command(
        commands, "explain", explain,
        "say why an order gets this answer, or none",
        "FILE holds a request as the EHR posts it. Each of its draft orders is explained, fact by "
        "fact. What the request does not hold is not fetched. Nothing is kept.",
        "explain request.json",
        "explain request.json --client hospital --json",
    )  # fmt: skip
    parser.add_argument("file", type=Path, metavar="FILE", help="the request, as JSON")
    parser.add_argument("--client", metavar="NAME", help="as for this client of CDS_CLIENTS")
    parser.add_argument("--service", metavar="ID", help="the CDS service; default: the first one")
    parser.add_argument(
        "--today", type=day, metavar="DATE",
        help="the day that counts as today; default: that of case.json beside FILE, else today",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="for programs")


def explain(options: argparse.Namespace) -> int:
    """Raises Told, and what is wrong with settings, clients and mappings."""
    settings = settings_from()
    caller = _caller(settings, options.client)
    topic = _topic(caller, options.service)
    call = _call(_request(options.file), caller, topic, options.today or _today(options.file))
    try:
        outcome = answer_hook(call, topic)
    except TooMuch as error:
        raise Told(str(error)) from None
    explanation = explanation_of(call, outcome, topic, caller.silence)
    if options.json:
        json.dump(explanation, sys.stdout, indent=2, ensure_ascii=False)
        print()
    else:
        show(explanation, Console())
    return 0


def _caller(settings: Settings, name: str | None) -> Caller:
    """A client of the clients file; that of open mode where tokens are not required, or no file is
    named.
    """
    is_open = not name and (settings.open or not settings.clients)
    settings = replace(settings, open=is_open, public_url=settings.public_url or WITHOUT_ADDRESS)
    known = Callers(settings, lambda *_: True, load(settings.mappings)).known
    if not name and len(known) == 1:
        return next(iter(known.values()))
    if name not in known:
        raise Told(
            f"--client: name one of {', '.join(known) or 'none, since CDS_CLIENTS has none'}"
        )
    return known[name]


def _topic(caller: Caller, service: str | None) -> Topic:
    topics = caller.topics
    if service and service not in topics:
        raise Told(f"--service: {service} is none of {', '.join(topics)}")
    return topics[service or next(iter(topics))]


def _request(file: Path) -> dict[str, Any]:
    """The checked envelope. Raises Told, which names the fields that are wrong."""
    try:
        return envelope(body_of(file.read_bytes(), HOOK))
    except OSError as error:
        raise Told(f"{file}: {error.strerror}") from None
    except (BadRequest, TooMuch) as error:
        raise Told(f"{file}: {error}") from None
    except ValidationError as error:
        wrong = "; ".join(f"{path}: {text}" for path, text in fields_of(error))
        raise Told(f"{file}: {wrong}") from None


def _today(file: Path) -> date:
    try:
        notes = json.loads((file.parent / "case.json").read_text("utf-8"))
        return date.fromisoformat(notes["today"])
    except (OSError, ValueError, KeyError, TypeError):
        return current_day()


def _call(body: dict[str, Any], caller: Caller, topic: Topic, today: date) -> HookCall:
    """Without the client's silence, so that a card that is kept back can be told."""
    return HookCall(
        hook=body["hook"],
        hook_instance=body["hookInstance"],
        context=body["context"],
        prefetch=body["prefetch"] or {},
        today=today,
        base_url=WITHOUT_ADDRESS,
        templates=prefetch_templates(topic),
        style=caller.style,
    )
