"""Servers under gunicorn, and what their processes use."""

import os
import runpy
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import requests

ROOT = Path(__file__).parent.parent
GUNICORN = str(Path(sys.executable).parent / "gunicorn")
PATH = "/cds-services/vcf-appropriateness"
TICKS = os.sysconf("SC_CLK_TCK")
PATIENCE_SECONDS = 20


def service(port: int) -> list[str]:
    """The service as the Procfile starts it."""
    return [GUNICORN, "cds_service:create_app()", "--bind", f"127.0.0.1:{port}"]


def echo(port: int) -> list[str]:
    """A bare Flask with as many workers and threads."""
    with TemporaryDirectory() as unused:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = unused
        ours = runpy.run_path(str(ROOT / "gunicorn.conf.py"))
        del os.environ["PROMETHEUS_MULTIPROC_DIR"]
    return [
        GUNICORN, "bench.echo:create_app()", "--bind", f"127.0.0.1:{port}",
        "--config", os.devnull, "--worker-class", "gthread", "--preload",
        "--workers", str(ours["workers"]), "--threads", str(ours["threads"]),
        "--worker-tmp-dir", ours["worker_tmp_dir"] or ".", "--no-control-socket",
    ]  # fmt: skip


@contextmanager
def running(
    command: list[str], ready: str, log: Path | None = None, **environment: str
) -> Iterator[int]:
    """A command while the block runs, from when `ready` answers; gives the process id."""
    with (log or Path(os.devnull)).open("w") as out:
        process = subprocess.Popen(  # noqa: S603  our own commands
            command, cwd=ROOT, env={**os.environ, **environment}, stdout=out, stderr=out
        )
        try:
            wait_for(ready)
            yield process.pid
        finally:
            process.terminate()
            process.wait()


def wait_for(ready: str) -> None:
    """Until the address answers, however slowly."""
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        try:
            requests.get(ready, timeout=1)
            return
        except requests.Timeout:
            return
        except requests.ConnectionError:
            time.sleep(0.005)
    raise TimeoutError(f"{ready} does not answer")


def start_seconds(command: list[str], ready: str, times: int, **environment: str) -> float:
    """The median time from the start of a command to its first answer."""
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        with running(command, ready, **environment):
            taken.append(time.perf_counter() - started)
    return statistics.median(taken)


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
    """The largest share of the memory (PSS) that a worker has."""
    return max(proportional_set(worker) for worker in children(pid)) / 1000


def proportional_set(pid: int) -> int:
    """In kilobytes; pages that several processes share are divided among them."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text("utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
