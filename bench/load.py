"""wrk: so many requests over eight connections, each with a hookInstance and a token of its own."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

from bench.charts import Request

SCRIPT = Path(__file__).with_suffix(".lua")
CONNECTIONS = 8
LONGEST_SECONDS = 60
Sign = Callable[[str, str], str]


def unsigned(url: str, algorithm: str) -> str:
    """No token."""
    return ""


def load(url: str, asked: Request, sign: Sign = unsigned) -> dict[str, float]:
    """What wrk saw: answered, failed, seconds, p50 and p99 (milliseconds)."""
    with TemporaryDirectory() as name:
        body, lines = Path(name) / "body", Path(name) / "lines"
        body.write_bytes(asked.body)
        # wrk asks the script once more than it sends.
        made = [f"{uuid4()} {sign(url, asked.algorithm)}\n" for _ in range(asked.times + 1)]
        lines.write_text("".join(made))
        arguments = [str(body), str(lines), str(asked.times), str(CONNECTIONS)]
        said = subprocess.run(  # noqa: S603  our own command
            ["wrk", "-t", "1", "-c", str(CONNECTIONS), "-d", f"{LONGEST_SECONDS}s",  # noqa: S607
             "--timeout", "30s", "-s", str(SCRIPT), url, "--", *arguments],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
    return json.loads(said.stdout.splitlines()[-1])
