"""What keeping costs: CPU of the hook with the store on, to that with it off, in one run.

Two services stand side by side and are asked in turn; CPU is user and system time of all their
processes, divided by the requests. The order gets a card; the request is as small as can be, and
one with the chart of a real patient (50 Conditions, 20 Procedures, 20 Observations, 246 kB).
"""

import os
import statistics
import tempfile
import time
from contextlib import AbstractContextManager
from pathlib import Path
from uuid import uuid4

import requests
from rich.console import Console

from bench.slow_server import ROOT, running, whole

PORTS = {"on": 8463, "off": 8464}
ROUNDS, REQUESTS = 15, 150
CHART = {"Condition": 50, "Procedure": 20, "Observation": 20}
BYTES = 2_350  # of a resource, most of them text
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


def with_a_chart() -> dict:
    """The same hook with what else a chart holds: codes that say nothing of a fracture."""
    body = whole()
    subject = {"reference": f"Patient/{body['context']['patientId']}"}
    for kind, number in CHART.items():
        entries = [{"resource": filler(kind, n, subject)} for n in range(number)]
        body["prefetch"][f"{kind.lower()}s"].setdefault("entry", []).extend(entries)
    return body


def filler(kind: str, number: int, subject: dict) -> dict:
    words = "x" * BYTES
    return {
        "resourceType": kind,
        "id": f"filler-{number}",
        "status": "final" if kind == "Observation" else "completed",
        "text": {"status": "generated", "div": f"<div>{words}</div>"},
        "code": {"coding": [{"system": "urn:example:filler", "code": str(number)}]},
        "subject": subject,
    }


def milliseconds(port: int, pid: int, session: requests.Session, body: dict) -> float:
    """CPU for a request, each a hook of its own. What is kept behind its back is waited for."""
    url = f"http://127.0.0.1:{port}/cds-services/vcf-appropriateness"
    before = cpu_seconds(pid)
    for _ in range(REQUESTS):
        body["hookInstance"] = str(uuid4())
        session.post(url, json=body, timeout=30).raise_for_status()
    time.sleep(1.5)
    return (cpu_seconds(pid) - before) / REQUESTS * 1000


def measured(what: str, body: dict, pids: dict[str, int]) -> str:
    """Rounds of both in turn; the first warms up."""
    session, spent = requests.Session(), {"on": [], "off": []}
    for turn in range(ROUNDS + 1):
        for store, port in PORTS.items():
            taken = milliseconds(port, pids[store], session, body)
            spent[store] += [taken] if turn else []
    on, off = (statistics.median(spent[store]) for store in ("on", "off"))
    each = [a / b for a, b in zip(spent["on"], spent["off"], strict=True)]
    return (
        f"the store, {what}: CPU per hook, on / off: {on / off:.2f} "
        f"({min(each):.2f}–{max(each):.2f}; {off:.2f} → {on:.2f} ms)"
    )


def service(store: str, folder: Path) -> AbstractContextManager[None]:
    port = PORTS[store]
    settings = {"CDS_AUTH": "open", "CDS_DATA": str(folder), "CDS_STORE": store}
    return running(command(port, folder / store), f"http://127.0.0.1:{port}/ready", **settings)


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with service("on", folder), service("off", folder):
            pids = {store: int((folder / store).read_text()) for store in PORTS}
            for what, body in (("a small hook", whole()), ("a whole chart", with_a_chart())):
                Console().print(measured(what, body, pids), soft_wrap=True)


if __name__ == "__main__":
    main()
