"""JSON lines on standard error, by structlog. Nothing of a patient, an order or a token."""

import sys
from typing import Any

import structlog
from msgspec.json import encode

structlog.configure(
    processors=[
        structlog.processors.TimeStamper("iso", key="time"),
        structlog.processors.JSONRenderer(serializer=lambda line, **_: encode(line).decode()),
    ],
    # Looked up at each line, so that whoever redirects standard error gets it. A line is written
    # at once, so that those of several workers do not mix.
    logger_factory=lambda *_: structlog.WriteLogger(sys.stderr),
)


def log(event: str, **values: Any) -> None:
    """Writes a line. Callers pass kinds, counts and times only."""
    structlog.get_logger().info(event, **values)


def log_of_store(problem: str, said: str) -> None:
    """A line on what is wrong with the store; `said` is the database's word or ours."""
    log("store", problem=problem, said=said)
