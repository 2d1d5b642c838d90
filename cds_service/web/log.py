"""JSON lines on standard error. Nothing of a patient, an order or a token."""

import sys
from datetime import UTC, datetime
from typing import Any

from msgspec.json import encode


def log(event: str, **values: Any) -> None:
    """Writes a line, at once, so that those of several workers do not mix. Callers pass kinds,
    counts and times only.
    """
    line = encode({**values, "event": event, "time": datetime.now(UTC)}).decode()
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def log_of_store(problem: str, said: str) -> None:
    """A line on what is wrong with the store; `said` is the database's word or ours."""
    log("store", problem=problem, said=said)
