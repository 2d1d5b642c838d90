"""Counters and times for Prometheus; under gunicorn those of all workers together.

Labels are words of ours, never of a client.
"""

import hmac
import os
from functools import lru_cache
from typing import Any

from flask import Blueprint, Response, abort, request
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

from cds_service.evaluation import Evaluation

REQUESTS = Counter("cds_requests", "Requests", ["route", "status"])
SECONDS = Histogram(
    "cds_request_seconds",
    "Time to answer",
    ["route"],
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5),
)
ORDERS = Counter("cds_orders", "Orders of ours, by what became of them", ["relevance", "subject"])
CARDS = Counter("cds_cards", "Cards shown", ["indicator", "topic"])
HIDDEN = Counter("cds_cards_hidden", "Cards not shown", ["why"])
FEEDBACK = Counter("cds_feedback", "Feedback taken", ["outcome"])
RATINGS = Counter("cds_ratings", "Ratings given", ["rating"])
RULES = Counter("cds_safety_rules", "Safety rules that spoke", ["rule"])
UNKNOWN = Counter("cds_unresolved_facts", "Facts unknown in unresolved orders", ["fact"])
PASSED_OVER = Counter("cds_orders_passed_over", "Orders that are not ours", ["why"])
UNMAPPED = Counter("cds_unmapped_codes", "Codes in no map", ["system"])
CONFLICTING = Counter(
    "cds_conflicting_codes", "Codes of orders that contradict each other", ["system"]
)
MISSING = Counter("cds_missing_data", "Hooks rated without a kind of data", ["kind"])
FETCHES = Counter("cds_fetches", "Fetches from FHIR servers, by their end", ["end"])
LOOKED_UP = Counter("cds_codes_asked", "Codes asked of the terminology server", ["end"])
REFUSALS = Counter("cds_refusals", "Callers refused, by check", ["check"])
REPLAY_UNCHECKED = Counter("cds_replay_unchecked", "Tokens not checked for a use before")
IN_MEMORY = Gauge(
    "cds_store_rows_in_memory",
    "Rows that are not kept, since the disk is full, and are lost with the process",
    multiprocess_mode="livesum",
)


@lru_cache(2_000)
def child(metric: Any, *labels: str) -> Any:
    """The counter of these labels, which are few: they are words of ours."""
    return metric.labels(*labels)


def count_lookup(end: str) -> None:
    """Counts a code that was asked of the terminology server."""
    child(LOOKED_UP, end).inc()


def count_replay_unchecked() -> None:
    """Counts a token of which it is not known whether it was used before."""
    REPLAY_UNCHECKED.inc()


def observe(request: Any, seconds: float) -> None:
    """Counts one request, given as its RequestLog."""
    child(REQUESTS, request.route, str(request.status)).inc()
    child(SECONDS, request.route).observe(seconds)
    for evaluation in request.orders:
        _observe_order(evaluation)
    for counter, counted in (
        (PASSED_OVER, request.passed_over),
        (UNMAPPED, request.unmapped),
        (CONFLICTING, request.conflicting),
        (FETCHES, request.fetches),
        (FEEDBACK, request.feedback),
    ):
        for name, number in counted.items():
            child(counter, name).inc(number)
    for kind in request.missing:
        child(MISSING, kind).inc()
    if request.refused:
        child(REFUSALS, request.refused).inc()


def _observe_order(evaluation: Evaluation) -> None:
    child(ORDERS, evaluation.relevance, evaluation.subject).inc()
    if evaluation.shown:
        child(CARDS, evaluation.indicator, evaluation.topic).inc()
    elif evaluation.indicator:
        child(HIDDEN, evaluation.hidden).inc()
    if evaluation.rating:
        child(RATINGS, evaluation.rating).inc()
    for rule in evaluation.rules:
        child(RULES, rule).inc()
    if evaluation.topic == "unresolved":
        for fact in evaluation.unknown:
            child(UNKNOWN, fact).inc()


def metrics_page(token: str) -> Blueprint:
    """`/metrics`, for those who send the token; without a token it is not there."""
    blueprint = Blueprint("metrics", __name__)

    @blueprint.get("/metrics")
    def metrics() -> Response:
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if not token or not hmac.compare_digest(given.encode(), token.encode()):
            abort(404)
        return Response(generate_latest(_registry()), content_type=CONTENT_TYPE_LATEST)

    return blueprint


def _registry() -> CollectorRegistry:
    """This process's counters, or under gunicorn those of all workers together."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return REGISTRY
    registry = CollectorRegistry()
    MultiProcessCollector(registry)
    return registry
