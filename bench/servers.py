"""Servers under gunicorn, and what their processes use."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryFile

import requests

from bench.callers import clients_file
from cds_service.serve import ALLOCATOR

ROOT = Path(__file__).parent.parent
GUNICORN = str(Path(sys.executable).parent / "gunicorn")
PATH = "/cds-services/vcf-appropriateness"
WORKERS, THREADS = 2, 64  # of the service as it ships
TICKS = os.sysconf("SC_CLK_TCK")
BEHIND_SECONDS = 2.3  # what was decided is taken into the database two seconds later
PATIENCE_SECONDS = 30


@dataclass(frozen=True)
class Server:
    """A command, the folder in which it runs, and what is there when it is ready.

    For `behind` seconds it works on after its last answer.
    """

    name: str
    port: int
    command: tuple[str, ...]
    folder: Path = ROOT
    environment: Mapping[str, str] = field(default_factory=dict)
    ready: str = "/health"
    behind: float = 0
    path: str = PATH

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return self.base + self.path


def gunicorn(app: str, port: int, *options: str) -> tuple[str, ...]:
    return (GUNICORN, app, "--bind", f"127.0.0.1:{port}", "--workers", str(WORKERS), *options)


def service(name: str, checkout: Path, port: int, folder: Path) -> Server:
    """The service of a checkout as it ships: it checks its callers and keeps its decisions."""
    data = folder / name
    data.mkdir()
    environment = {
        "CDS_AUTH": "required", "CDS_CLIENTS": str(clients_file(data)), "CDS_STORE": "on",
        "CDS_DATA": str(data), "CDS_PUBLIC_URL": f"http://127.0.0.1:{port}",
        # Both checkouts start from bytecode, and nothing is written into them.
        "PYTHONPYCACHEPREFIX": str(folder / "bytecode"), **ALLOCATOR,
    }  # fmt: skip
    command = gunicorn("cds_service:create_app()", port)
    return Server(name, port, command, checkout, environment, behind=BEHIND_SECONDS)


def in_the_open(server: Server) -> Server:
    """The same for anyone, without a store: in this mode it fetches from this machine."""
    environment = {**server.environment, "CDS_AUTH": "open", "CDS_STORE": "off"}
    return replace(server, environment=environment, behind=0)


def echo(port: int, folder: Path) -> Server:
    """A bare Flask with as many workers and threads."""
    options = ("--config", os.devnull, "--worker-class", "gthread", "--preload",
               "--threads", str(THREADS), "--no-control-socket")  # fmt: skip
    command = gunicorn("bench.echo:create_app()", port, *options)
    return Server("echo", port, command, ROOT, {"PYTHONPYCACHEPREFIX": str(folder / "bytecode")})


def slow_ehr(port: int, seconds: float) -> Server:
    """The small EHR of the fixtures, which takes its time."""
    command = (sys.executable, "fixtures/ehr/server.py", "--port", str(port),
               "--latency", str(seconds))  # fmt: skip
    return Server("ehr", port, command, ready="/metadata")


@contextmanager
def running(server: Server) -> Iterator[int]:
    """The server while the block runs, from its first answer; gives the process id."""
    with TemporaryFile("w+") as said:
        process = subprocess.Popen(  # noqa: S603  our own commands
            server.command, cwd=server.folder, env={**os.environ, **server.environment},
            stdout=said, stderr=said,
        )  # fmt: skip
        try:
            if not is_ready(server, process):
                said.seek(0)
                raise TimeoutError(f"{server.name} does not start:\n{said.read()[-2_000:]}")
            yield process.pid
        finally:
            process.terminate()
            process.wait()


def is_ready(server: Server, process: subprocess.Popen) -> bool:
    """Waits until it answers, however slowly; false where it ends instead, or takes too long."""
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until and process.poll() is None:
        try:
            requests.get(server.base + server.ready, timeout=1)
            return True
        except requests.Timeout:
            return True
        except requests.ConnectionError:
            time.sleep(0.005)
    return False


def children(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text("utf-8")
    return [int(child) for child in text.split()]


def cpu_seconds(pid: int) -> float:
    """User and system time of a process and its children so far."""
    ticks = 0
    for one in (pid, *children(pid)):
        after_name = Path(f"/proc/{one}/stat").read_text("utf-8").rpartition(")")[2].split()
        ticks += int(after_name[11]) + int(after_name[12])
    return ticks / TICKS


def worker_megabytes(pid: int) -> float:
    """The largest share of the memory (PSS) of a worker: shared pages are divided among those
    who share them.
    """
    rollups = (Path(f"/proc/{worker}/smaps_rollup").read_text("utf-8") for worker in children(pid))
    return max(int(text.partition("\nPss:")[2].split()[0]) for text in rollups) / 1000
