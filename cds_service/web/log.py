"""One JSON line per event on standard error. Nothing of a patient, an order or a token."""

import json
import sys
from datetime import UTC, datetime
from typing import Any


def log(event: str, **values: Any) -> None:
    """Writes a line. Callers pass kinds, counts and times only."""
    line = {"time": datetime.now(UTC).isoformat(timespec="milliseconds"), "event": event, **values}
    print(json.dumps(line), file=sys.stderr, flush=True)
