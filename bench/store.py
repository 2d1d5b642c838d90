"""What keeping costs: CPU of the hook with the store on, to that with it off, in one run.

Two services stand side by side and are asked in turn; CPU is user and system time of all their
processes, divided by the requests. The request is one whose order gets a card.
"""

import os
import statistics
import tempfile
import time
from pathlib import Path
from uuid import uuid4

import requests
from rich.console import Console

from bench.slow_server import ROOT, running, whole

PORTS = {"on": 8463, "off": 8464}
ROUNDS, REQUESTS = 21, 200
TICKS = os.sysconf("SC_CLK_TCK")


def command(port: int, pid_file: Path) -> list[str]:
    gunicorn = str(ROOT / ".venv/bin/gunicorn")
    address = f"127.0.0.1:{port}"
    return [gunicorn, "cds_service:create_app()", "--bind", address, "--pid", str(pid_file)]


def family(pid: int) -> list[int]:
    """A process and its children."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text("utf-8").split()
    return [pid, *map(int, children)]


def cpu_seconds(pid: int) -> float:
    """User and system time of a process and its children so far."""
    ticks = 0
    for one in family(pid):
        after_name = Path(f"/proc/{one}/stat").read_text("utf-8").rpartition(")")[2].split()
        ticks += int(after_name[11]) + int(after_name[12])
    return ticks / TICKS


def milliseconds(port: int, pid: int, session: requests.Session) -> float:
    """CPU for a request, each a hook of its own. What is kept behind its back is waited for."""
    url, body = f"http://127.0.0.1:{port}/cds-services/vcf-appropriateness", whole()
    before = cpu_seconds(pid)
    for _ in range(REQUESTS):
        body["hookInstance"] = str(uuid4())
        session.post(url, json=body, timeout=30).raise_for_status()
    time.sleep(1)
    return (cpu_seconds(pid) - before) / REQUESTS * 1000


def main() -> None:
    session, spent = requests.Session(), {"on": [], "off": []}
    with tempfile.TemporaryDirectory() as folder:
        settings = {"CDS_AUTH": "open", "CDS_DATA": folder, "CDS_REPEAT_HOURS": "24"}
        pids = {store: Path(folder) / store for store in PORTS}
        on = running(
            command(PORTS["on"], pids["on"]), f"http://127.0.0.1:{PORTS['on']}/ready",
            CDS_STORE="on", **settings,
        )  # fmt: skip
        off = running(
            command(PORTS["off"], pids["off"]), f"http://127.0.0.1:{PORTS['off']}/ready",
            CDS_STORE="off", **settings,
        )  # fmt: skip
        with on, off:
            for turn in range(ROUNDS + 1):
                for store, port in PORTS.items():
                    taken = milliseconds(port, int(pids[store].read_text()), session)
                    spent[store] += [taken] if turn else []  # the first warms up
    ratios = [a / b for a, b in zip(spent["on"], spent["off"], strict=True)]
    on, off = (statistics.median(spent[store]) for store in ("on", "off"))
    Console().print(
        f"the store: CPU per hook, on / off: {statistics.median(ratios):.2f} "
        f"({min(ratios):.2f}–{max(ratios):.2f}; {off:.2f} → {on:.2f} ms)"
    )


if __name__ == "__main__":
    main()
