"""The page /try: what an EHR would show of an order, for made-up patients or a pasted request.

The same evaluation as for an EHR, in the way of HL7, with nothing fetched, kept, counted or hidden.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from functools import cache, partial
from itertools import zip_longest
from urllib.parse import urlencode

from flask import Blueprint, abort, render_template, request
from marshmallow import ValidationError

from cds_service.cards.dialect import ResponseStyle
from cds_service.decision.topic import Topic, Topics
from cds_service.fhir.plain import Json, as_dict
from cds_service.hook_call import HookCall, HookOutcome
from cds_service.language import Language
from cds_service.mappings.listing import listing_of
from cds_service.services import prefetch_templates
from cds_service.settings import Settings
from cds_service.web.bodies import HOOK, NO_JSON, answered, body_of
from cds_service.web.concurrency import ConcurrencyLimit
from cds_service.web.errors import BadRequest
from cds_service.web.languages import CHOSEN, spoken
from cds_service.web.limits import MEMORY, RateLimits, check_answer, check_orders
from cds_service.web.schemas import envelope, fields_of
from cds_service.web.search import ORDER, REASON, Hit, every_code, found_codes
from cds_service.web.situations import (
    GROUPS,
    ShippedSituation,
    chosen_in,
    example_of,
    read_choice,
    situations_of,
    with_choices,
    written,
)
from cds_service.web.tried import (
    Known,
    TriedOrder,
    Words,
    known_of,
    tried_orders,
    unanswered_orders,
)

LARGEST_BYTES = 500_000
PER_MINUTE = 120  # of one address, in one worker
NO_ORDER = "none"  # in an address: every draft order was removed
SIGNED = '  -H "Authorization: Bearer $TOKEN" \\\n'  # of curl


@dataclass(frozen=True)
class Tried:
    """What came of a request: its orders, the answer as JSON, or what is wrong with the request.
    `address` is where an EHR posts it to the `service`; `link` brings it back, empty for one that
    was pasted. `known` are the resources of the patient that it holds.
    """

    service: str
    address: str
    request: str
    orders: list[TriedOrder]
    known: list[Known]
    answer: str = ""
    problems: list[str] = field(default_factory=list)
    link: str = ""


@dataclass(frozen=True)
class Bench:
    """What requests are tried with."""

    topics: Topics
    settings: Settings
    today: Callable[[], date]

    def topic(self, service: str) -> Topic:
        """That of a service, by default the first one."""
        return self.topics.get(service) or next(iter(self.topics.values()))

    def words(self, topic: Topic) -> Words:
        return Words(topic, listing_of(self.settings.mappings, topic.id), spoken())

    @property
    def base_url(self) -> str:
        return self.settings.public_url or request.url_root.rstrip("/")

    def tried(self, text: bytes, topic: Topic, situation: ShippedSituation | None = None) -> Tried:
        """Answers a request. Raises TooMuch."""
        service = topic.service_id
        address = f"{self.base_url}/cds-services/{service}"
        try:
            sent = json.loads(text)
        except (ValueError, RecursionError):
            text = text.decode("utf-8", "replace")
            return Tried(service, address, text, [], [], problems=[NO_JSON])
        words = self.words(topic)
        made = partial(Tried, service, address, _as_text(sent), known=known_of(sent, words))
        try:
            body = body_of(text, HOOK)
            outcome = self._outcome(envelope(body), topic)
        except (BadRequest, ValidationError) as error:
            return made(unanswered_orders(as_dict(sent), words), problems=_problems(error))
        answer = _as_text(outcome.body)
        check_answer(len(answer), self.settings.max_answer_bytes)
        link = _link(situation, sent) if situation else ""
        return made(tried_orders(body, outcome, words), answer=answer, link=link)

    def _outcome(self, body: Json, topic: Topic) -> HookOutcome:
        check_orders(body["context"], self.settings.max_orders)
        call = HookCall(
            hook=body["hook"],
            hook_instance=body["hookInstance"],
            context=body["context"],
            prefetch=body["prefetch"] or {},
            today=self.today(),
            base_url=self.base_url,
            templates=prefetch_templates(topic),
            style=ResponseStyle(language=spoken()),
        )
        return answered(call, topic)


def _problems(error: BadRequest | ValidationError) -> list[str]:
    """What is wrong with a request: its fields, each with a message, or a sentence."""
    wrong = fields_of(error) if isinstance(error, ValidationError) else []
    return [f"{path}: {message}" for path, message in wrong] or [str(error)]


def trial(bench: Bench, concurrency: ConcurrencyLimit) -> Blueprint:
    """`GET /try?situation=NAME` with the choices in the address; `POST /try` with a request of CDS
    Hooks, which is answered with the changed part of the page; `GET /try/codes` searches.
    """
    blueprint = _limited()
    _add_search(blueprint, bench)
    said = {"token": "" if bench.settings.open else SIGNED, "groups": list(GROUPS.values())}

    @blueprint.get("/try")
    def show() -> str:
        every = situations_of(bench.topics)
        situation = _asked_for(every, bench)
        with concurrency.slot():
            tried = _tried_situation(situation, bench) if situation else None
        return render_template(
            "try.html", situations=every, situation=situation, tried=tried, **said
        )

    @blueprint.post("/try")
    def answer() -> str:
        situation = situations_of(bench.topics).get(request.args.get("situation", ""))
        topic = bench.topic(situation.service if situation else request.args.get("service", ""))
        text = request.get_data()
        with concurrency.slot():
            tried = bench.tried(text, topic, situation)
        return render_template("tried.html", tried=tried, **said)

    return blueprint


def _limited() -> Blueprint:
    """A blueprint that takes so many requests of an address, and so large ones."""
    blueprint = Blueprint("trial", __name__)
    rates = RateLimits(MEMORY)

    @blueprint.before_request
    def limit() -> None:
        rates.count(request.remote_addr or "", PER_MINUTE)
        request.max_content_length = LARGEST_BYTES

    return blueprint


def _add_search(blueprint: Blueprint, bench: Bench) -> None:
    """`GET /try/codes?kind=order&q=WORDS`: a list of buttons, with a code each."""

    @cache
    def every(service: str, kind: str, language: Language) -> list[Hit]:
        return every_code(bench.topic(service), kind, language)

    @blueprint.get("/try/codes")
    def codes() -> str:
        topic, kind = bench.topic(request.args.get("service", "")), request.args.get("kind")
        if kind not in (ORDER, REASON):
            abort(404)
        known = every(topic.service_id, kind, spoken())
        hits = found_codes(known, request.args.get("q", ""))
        return render_template("codes.html", hits=hits, listing=bench.words(topic).listing)


def pictured(bench: Bench) -> tuple[ShippedSituation, Json] | None:
    """The first card of the situation that the first topic shows, None where there is none."""
    topic = bench.topic("")
    situation = example_of(topic)
    if situation is None:
        return None
    tried = bench.tried(json.dumps(situation.request).encode(), topic)
    return next(((situation, order.card) for order in tried.orders if order.card), None)


def _asked_for(every: dict[str, ShippedSituation], bench: Bench) -> ShippedSituation | None:
    """The situation of the address, else the one that the first topic shows."""
    name = request.args.get("situation")
    if name:
        return every.get(name) or abort(404)
    return example_of(bench.topic(""))


def _tried_situation(situation: ShippedSituation, bench: Bench) -> Tried:
    topic = bench.topic(situation.service)
    orders, reasons = request.args.getlist("order"), request.args.getlist("reasons")
    choices = [read_choice(o, r) for o, r in zip_longest(orders, reasons, fillvalue="")]
    choices = [] if orders == [NO_ORDER] else choices
    asked = with_choices(situation.request, choices, topic) if orders else situation.request
    return bench.tried(json.dumps(asked).encode(), topic, situation)


def _link(situation: ShippedSituation, sent: Json) -> str:
    """The address of a situation, with what was chosen, where it is not as it was shipped."""
    asked: list[tuple[str, str]] = [("situation", situation.name)]
    choices = chosen_in(sent)
    if choices != chosen_in(situation.request):
        asked += [] if choices else [("order", NO_ORDER)]
        for order, reasons in map(written, choices):
            asked += [("order", order), ("reasons", reasons)]
    kept = request.args.get(CHOSEN)
    return f"/try?{urlencode(asked + ([(CHOSEN, kept)] if kept else []), safe=':/|,;')}"


def _as_text(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)
