"""What keeping costs: CPU of the hook with the store on, to that with it off, in one run.

Two services stand side by side and are asked in turn; CPU is user and system time of all their
processes, divided by the requests. The order gets a card; the request is as small as can be, and
one with the chart of a real patient (50 Conditions, 20 Procedures, 20 Observations, 242 kB).
"""

import statistics
import tempfile
import time
from contextlib import AbstractContextManager
from pathlib import Path
from uuid import uuid4

import requests
from rich.console import Console

from bench.charts import NEW_FRACTURE, chart, fixture
from bench.measure import BEHIND_SECONDS
from bench.servers import PATH, cpu_seconds, running, service

PORTS = {"on": 8463, "off": 8464}
ROUNDS, REQUESTS = 15, 150
CONDITIONS = 50


def milliseconds(port: int, pid: int, session: requests.Session, body: dict) -> float:
    """CPU for a request, each a hook of its own. What is kept behind its back is waited for."""
    url = f"http://127.0.0.1:{port}{PATH}"
    before = cpu_seconds(pid)
    for _ in range(REQUESTS):
        body["hookInstance"] = str(uuid4())
        session.post(url, json=body, timeout=30).raise_for_status()
    time.sleep(BEHIND_SECONDS)
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


def keeping(store: str, folder: Path) -> AbstractContextManager[int]:
    address = f"http://127.0.0.1:{PORTS[store]}/ready"
    settings = {"CDS_AUTH": "open", "CDS_DATA": str(folder), "CDS_STORE": store}
    return running(service(PORTS[store]), address, **settings)


def main() -> None:
    asked = {"a small hook": fixture(NEW_FRACTURE), "a whole chart": chart(CONDITIONS)}
    with (
        tempfile.TemporaryDirectory() as name,
        keeping("on", Path(name)) as on,
        keeping("off", Path(name)) as off,
    ):
        for what, body in asked.items():
            Console().print(measured(what, body, {"on": on, "off": off}), soft_wrap=True)


if __name__ == "__main__":
    main()
