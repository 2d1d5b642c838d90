"""JSON lines on standard error, by structlog. Nothing of a patient, an order or a token."""

import sys
from typing import Any

import structlog

structlog.configure(
    processors=[
        structlog.processors.TimeStamper("iso", key="time"),
        structlog.processors.JSONRenderer(),
    ],
    # Looked up at each line, so that whoever redirects standard error gets it.
    logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
)


def log(event: str, **values: Any) -> None:
    """Writes a line. Callers pass kinds, counts and times only."""
    structlog.get_logger().info(event, **values)


def log_of_store(problem: str, said: str) -> None:
    """A line on what is wrong with the store; `said` is the database's word or ours."""
    log("store", problem=problem, said=said)
