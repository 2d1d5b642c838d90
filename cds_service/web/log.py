"""JSON lines on standard error. Nothing of a patient, an order or a token."""

import json
import sys
from datetime import UTC, datetime
from typing import Any

from msgspec.json import encode


def log(event: str, **values: Any) -> None:
    """Writes a line in one call, so that lines of several workers do not mix. Callers pass only
    words of ours, counts and times.
    """
    sys.stderr.write(f"{line(event, **values)}\n")
    sys.stderr.flush()


def line(event: str, **values: Any) -> str:
    """A line of the log. It is ASCII: no other sign can change how a terminal shows it."""
    made = encode({**values, "event": event, "time": datetime.now(UTC)}).decode()
    return made if made.isascii() else json.dumps(json.loads(made), separators=(",", ":"))


def log_store_problem(problem: str, said: str) -> None:
    """Logs a problem of the store; `said` is the message of the database, or ours."""
    log("store", problem=problem, said=said)
