"""JSON lines on standard error. Nothing of a patient, an order or a token."""

import sys
from datetime import UTC, datetime
from typing import Any

from msgspec.json import encode


def log(event: str, **values: Any) -> None:
    """Writes a line in one call, so that lines of several workers do not mix. Callers pass only
    words of ours, counts and times.
    """
    line = encode({**values, "event": event, "time": datetime.now(UTC)}).decode()
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def log_store_problem(problem: str, said: str) -> None:
    """Logs a problem of the store; `said` is the message of the database, or ours."""
    log("store", problem=problem, said=said)
