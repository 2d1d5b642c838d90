"""The log line of a request, and what the metrics count of it. Nothing of a patient."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

from flask import request
from werkzeug.wsgi import get_content_length

from cds_service.decision.chart import KINDS
from cds_service.evaluation import Evaluation
from cds_service.hook_call import HookOutcome
from cds_service.services import HOOKS
from cds_service.web import metrics
from cds_service.web.log import log
from cds_service.web.paths import Wsgi

METHODS = frozenset({"GET", "HEAD", "POST", "OPTIONS", "PUT", "DELETE", "PATCH"})


@dataclass
class RequestLog:
    """What one request did: filled while it is answered, then written as a line.

    `route` is the rule of its address: a path that we do not know may hold anything. `started` is
    on the clock of `perf_counter`; `milliseconds` are by phase; `orders` are the evaluations;
    `missing` are the kinds of data that a relevant order was rated without.
    """

    started: float = field(default_factory=perf_counter)
    route: str = "unknown"
    status: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    client: str = ""
    tenant: str = ""
    hook: str = ""
    criteria: str = ""
    orders: Sequence[Evaluation] = ()
    missing: Sequence[str] = ()
    passed_over: Mapping[str, int] = field(default_factory=dict)
    unmapped: Mapping[str, int] = field(default_factory=dict)
    conflicting: Mapping[str, int] = field(default_factory=dict)
    fetches: Mapping[str, int] = field(default_factory=dict)
    feedback: Mapping[str, int] = field(default_factory=dict)
    refused: str = ""
    seen: dict[str, str] = field(default_factory=dict)
    error_id: str = ""
    milliseconds: dict[str, float] = field(default_factory=dict)

    @property
    def milliseconds_so_far(self) -> float:
        """Since the request came."""
        return (perf_counter() - self.started) * 1000

    def add_outcome(self, hook: str, outcome: HookOutcome) -> None:
        """Takes over what a hook came to."""
        self.hook = hook if hook in HOOKS else "other"
        self.orders = outcome.evaluations
        self.missing = [kind for kind in KINDS if any(kind in e.missing for e in self.orders)]
        self.passed_over = outcome.selected.passed_over
        self.unmapped = outcome.selected.unmapped
        self.conflicting = outcome.selected.conflicting
        self.fetches = outcome.fetches

    def as_line(self) -> dict:
        """The fields of the log line; empty ones are left out."""
        values = vars(self) | {"orders": [_order(evaluation) for evaluation in self.orders]}
        line = {name: value for name, value in values.items() if value and name != "started"}
        return line | {
            "milliseconds": {"all": round(self.milliseconds_so_far, 2), **self.milliseconds}
        }


_CURRENT: ContextVar[RequestLog] = ContextVar("request_log")


def current() -> RequestLog:
    """That of the request at hand."""
    return _CURRENT.get()


class phase:  # noqa: N801  a context manager, as those of contextlib are named
    """Adds the time of the block to a phase of the request."""

    def __init__(self, name: str):
        self._name, self._started = name, perf_counter()

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        spent, phases = (perf_counter() - self._started) * 1000, current().milliseconds
        phases[self._name] = round(phases.get(self._name, 0.0) + spent, 2)


def name_route() -> None:
    """Called by Flask before each request."""
    if request.url_rule:
        current().route = request.url_rule.rule


def logged(application: Wsgi) -> Wsgi:
    """The application, with one line and the metrics for each request."""

    def wrapped(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        line = RequestLog(bytes_in=get_content_length(environ) or 0)
        _CURRENT.set(line)

        def start(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            line.status = int(status[:3])
            line.bytes_out = next((int(v) for name, v in headers if name == "Content-Length"), 0)
            return start_response(status, headers, *more)

        response = application(environ, start)
        _write(line, environ["REQUEST_METHOD"])
        return response

    return wrapped


def _write(line: RequestLog, method: str) -> None:
    metrics.observe(line, line.milliseconds_so_far / 1000)
    log("request", method=method if method in METHODS else "other", **line.as_line())


def _order(evaluation: Evaluation) -> dict:
    """One order in the log line; empty fields are left out."""
    values = {
        "relevance": evaluation.relevance,
        "subject": evaluation.subject,
        "topic": evaluation.topic,
        "category": evaluation.category,
        "rating": evaluation.rating,
        "card": evaluation.shown_indicator,
        "hidden": evaluation.hidden if evaluation.indicator else "",
        "question": evaluation.question,
        "unknown": evaluation.unknown,
        "rules": evaluation.rules,
    }
    return {name: value for name, value in values.items() if value}
