"""`make attack`: what slow and silent clients cost a good one, beside the same client alone.

Behind nginx, with the file of `deploy/`, by the thousand; without it sixty of one kind. The goals
are held against what the good client met in the same run, just before.
"""

import http.client
import json
import resource
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.table import Table

from bench.load import p99
from bench.servers import in_the_open, running, service
from tests.front import HOST, NGINX, Front, front
from tests.small_world import FRACTURE, MRI_LUMBAR_W, PAIN, hook_request, order
from tests.test_gunicorn import PATH

# Without nginx hooks may be refused (503) where sixty others are asked for at the same time.
SERVICE, FRONT = 8475, 8476
FILES = 20_000
ALONE_SECONDS, UNDER_WAY_SECONDS, BETWEEN_SECONDS = 10, 12, 0.02
GOOD = "127.0.0.1"
BODY = json.dumps(hook_request(order(MRI_LUMBAR_W, reasons=(FRACTURE, PAIN)))).encode()
BEHIND_NGINX = {
    "silent": 2_000,
    "half bodies": 2_000,
    "slow readers of pages": 500,
    "slow readers of cards": 500,
}
WITHOUT = dict.fromkeys(("silent", "half headers", *list(BEHIND_NGINX)[1:]), 60)
TIMES_ALONE, SECONDS_MORE = 2.0, 1.0


@dataclass(frozen=True)
class Met:
    """What the good client met: milliseconds of each hook, and how many failed."""

    milliseconds: list[float]
    failed: int

    @property
    def p99(self) -> float:
        return p99(self.milliseconds)


class GoodClient:
    """It keeps its connection, as an EHR does."""

    def __init__(self, port: int, certificate: Path | None):
        context = ssl.create_default_context(cafile=certificate) if certificate else None
        options = {"timeout": 10, "source_address": (GOOD, 0)}
        if context:
            self._connection = http.client.HTTPSConnection(HOST, port, context=context, **options)
        else:
            self._connection = http.client.HTTPConnection(HOST, port, **options)

    def begin_anew(self) -> None:
        """A connection that was not used for a while is closed by the service."""
        self._connection.close()

    def ask_for(self, seconds: float) -> Met:
        until, took, failed = time.monotonic() + seconds, [], 0
        while time.monotonic() < until:
            begun = time.monotonic()
            failed += not self._is_answered()
            took.append((time.monotonic() - begun) * 1000)
            time.sleep(BETWEEN_SECONDS)
        return Met(took, failed)

    def _is_answered(self) -> bool:
        try:
            self._connection.request("POST", PATH, BODY, {"Content-Type": "application/json"})
            answer = self._connection.getresponse()
            return answer.read() != b"" and answer.status == 200
        except (OSError, http.client.HTTPException):
            self._connection.close()
            return False


@contextmanager
def attackers(
    kind: str, number: int, port: int, seconds: float, certificate: Path | None
) -> Iterator[None]:
    where = [str(certificate)] if certificate else []
    command = [sys.executable, "-m", "attack.attackers", kind, str(number), str(port), str(seconds)]
    process = subprocess.Popen([*command, *where])  # noqa: S603  our own command
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def attacked(
    kind: str, number: int, port: int, seconds: int, certificate: Path | None
) -> tuple[Met, Met]:
    """Alone, and while the attackers are there."""
    good = GoodClient(port, certificate)
    good.ask_for(1)
    alone = good.ask_for(ALONE_SECONDS)
    with attackers(kind, number, port, seconds + UNDER_WAY_SECONDS, certificate):
        time.sleep(UNDER_WAY_SECONDS)
        good.begin_anew()
        return alone, good.ask_for(seconds)


def row(where: str, kind: str, number: int, met: tuple[Met, Met]) -> tuple[list[str], bool]:
    """Cells, and whether the goal is reached."""
    alone, under = met
    if where == "nginx":
        goal = "p99 at most twice, none fails"
        reached = under.p99 <= TIMES_ALONE * alone.p99 and not under.failed
    else:
        slowest = max(under.milliseconds) - max(alone.milliseconds)
        goal, reached = "a second more at most", slowest <= SECONDS_MORE * 1000
    cells = [where, f"{number:,} {kind}", f"{alone.p99:.1f}", f"{under.p99:.1f}"]
    cells += [f"{max(alone.milliseconds):.0f}", f"{max(under.milliseconds):.0f}"]
    cells += [f"{under.failed} of {len(under.milliseconds)}", goal, "yes" if reached else "NO"]
    return cells, reached


def rows(folder: Path, seconds: int) -> Iterator[tuple[list[str], bool]]:
    with running(in_the_open(service("service", Path.cwd(), SERVICE, folder))):
        for kind, number in WITHOUT.items():
            yield row("none", kind, number, attacked(kind, number, SERVICE, seconds, None))
        if not NGINX:
            print("no nginx: apt-get install nginx", file=sys.stderr)
            return
        with front(folder, FRONT, SERVICE) as before:
            yield from behind(before, seconds)


def behind(before: Front, seconds: int) -> Iterator[tuple[list[str], bool]]:
    for kind, number in BEHIND_NGINX.items():
        met = attacked(kind, number, before.port, seconds, before.certificate)
        yield row("nginx", kind, number, met)


def main() -> int:
    """Exit status 1 where a goal is missed."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, FILES))
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else 30
    table = Table("front", "attackers", "p99 alone, ms", "p99 attacked", "slowest alone",
                  "slowest attacked", "failed", "goal", "reached")  # fmt: skip
    all_reached = True
    with TemporaryDirectory() as name:
        for cells, reached in rows(Path(name), seconds):
            print(*cells, sep=" | ", flush=True)
            table.add_row(*cells)
            all_reached = all_reached and reached
    Console(width=160).print(table)
    return 0 if all_reached else 1


if __name__ == "__main__":
    sys.exit(main())
