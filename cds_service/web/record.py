"""What one request did, in words of ours: the source of its log line and of the metrics."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter

from flask import Flask, Response, g, request

from cds_service.cards.evaluated import EvaluatedOrder
from cds_service.decision.chart import KINDS
from cds_service.decision.evaluate import Decision, unknown_facts
from cds_service.decision.relevance import RELEVANT
from cds_service.hook import HookOutcome
from cds_service.services import HOOKS
from cds_service.web import metrics
from cds_service.web.log import log


@dataclass
class Record:
    """`orders` are outcomes in kinds and counts; `milliseconds` are by phase."""

    started: float = field(default_factory=perf_counter)
    client: str = ""
    tenant: str = ""
    hook: str = ""
    criteria: str = ""
    orders: list[dict] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    passed_over: Counter[str] = field(default_factory=Counter)
    unmapped: Counter[str] = field(default_factory=Counter)
    conflicting: Counter[str] = field(default_factory=Counter)
    fetches: Counter[str] = field(default_factory=Counter)
    feedback: Counter[str] = field(default_factory=Counter)
    refused: str = ""
    seen: dict[str, str] = field(default_factory=dict)
    error_id: str = ""
    milliseconds: dict[str, float] = field(default_factory=dict)

    @property
    def spent(self) -> float:
        """Milliseconds since the request came."""
        return (perf_counter() - self.started) * 1000

    def take(self, hook: str, answer: HookOutcome) -> None:
        """The outcome of a hook."""
        self.hook = hook if hook in HOOKS else "other"
        self.orders = [_outcome(evaluated) for evaluated in answer.evaluated]
        self.missing = _missing(answer.decisions)
        self.passed_over = answer.selected.passed_over
        self.unmapped = answer.selected.unmapped
        self.conflicting = answer.selected.conflicting
        self.fetches = answer.fetches


def current() -> Record:
    """The record of the request at hand."""
    try:
        return g.record
    except AttributeError:
        g.record = Record()
        return g.record


@contextmanager
def phase(name: str) -> Iterator[None]:
    """Adds the time of the block to a phase of the request."""
    started = perf_counter()
    try:
        yield
    finally:
        spent = (perf_counter() - started) * 1000
        record = current()
        record.milliseconds[name] = round(record.milliseconds.get(name, 0.0) + spent, 2)


def keep(app: Flask) -> None:
    """One line and the metrics for each request of the application."""
    app.before_request(lambda: current() and None)
    app.after_request(_finish)


def _finish(response: Response) -> Response:
    record = current()
    milliseconds = record.spent
    # The rule, not the path: a path that we do not know may hold anything.
    route = request.url_rule.rule if request.url_rule else "unknown"
    metrics.observe(record, route, response.status_code, milliseconds / 1000)
    told = {name: value for name, value in vars(record).items() if value and name != "started"}
    told["milliseconds"] = {"all": round(milliseconds, 2), **record.milliseconds}
    log(
        "request",
        method=request.method,
        route=route,
        status=response.status_code,
        bytes_in=request.content_length or 0,
        bytes_out=response.content_length or 0,
        **told,
    )
    return response


def _outcome(evaluated: EvaluatedOrder) -> dict:
    """What became of an order; what is not known of it is left out."""
    decision = evaluated.decision
    told = {
        "relevance": decision.relevance,
        "subject": decision.subject,
        "topic": decision.topic,
        "category": decision.category,
        "rating": decision.rating,
        "card": decision.indicator if evaluated.shows_card else None,
        "hidden": evaluated.hidden if decision.shows_card else None,
        "question": decision.question.fact if decision.question else None,
        "unknown": [fact.name for fact in unknown_facts(decision)],
        "rules": [alert.rule.id for alert in decision.alerts if alert.speaks],
    }
    return {name: value for name, value in told.items() if value}


def _missing(decisions: list[Decision]) -> list[str]:
    """The kinds of data that a relevant order was rated without."""
    found = [d.case.chart.missing for d in decisions if d.relevance == RELEVANT]
    return [kind for kind in KINDS if any(kind in missing for missing in found)]
