"""Traces by OpenTelemetry if OTEL_EXPORTER_OTLP_ENDPOINT is set; else it is not imported."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
SERVICE = "cds-service"


@contextmanager
def span(name: str) -> Iterator[Any]:
    """A span around the block; yields it, or None without tracing.

    Attributes may be kinds and counts of ours: no address, no code, no identifier.
    """
    if not os.environ.get(ENDPOINT):
        yield None
        return
    with _tracer(os.getpid()).start_as_current_span(name, record_exception=False) as started:
        yield started


@cache
def _tracer(_process: int) -> Any:
    """The tracer of a process; an exporter does not survive a fork."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=Resource.create({"service.name": SERVICE}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider.get_tracer(SERVICE)
