"""What a slow or a broken FHIR server costs: ratios within one run, never a pass or a fail.

`make bench` starts the service under gunicorn with its settings of `make run`, and a small EHR.
"""

import os
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import requests
from rich.console import Console
from rich.table import Table

from bench.charts import NEW_FRACTURE, fixture
from bench.servers import PATH, running, service

SERVICE, EHR = 8461, 8462
BASE = f"http://127.0.0.1:{SERVICE}"
URL = f"{BASE}{PATH}"
READY = f"{BASE}/ready"
ROUNDS = 7
PARALLEL = 50
BURST = 400


def ehr(*options: str) -> list[str]:
    return [sys.executable, "fixtures/ehr/server.py", "--port", str(EHR), *options]


def whole() -> dict:
    """A request with everything prefetched, which fetches nothing."""
    return fixture(NEW_FRACTURE)


def bare(server: bool) -> dict:
    """The same without prefetch, and with or without a server to fetch from."""
    body = {**whole(), "prefetch": {}}
    if server:
        body["fhirServer"] = f"http://127.0.0.1:{EHR}"
    return body


def milliseconds(body: dict, times: int = 20) -> list[float]:
    session = requests.Session()
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        session.post(URL, json=body, timeout=30).raise_for_status()
        taken.append((time.perf_counter() - started) * 1000)
    return taken


def per_second(body: dict) -> float:
    """Requests a second over eight connections."""
    started = time.perf_counter()
    in_threads(8, lambda: milliseconds(body, BURST // 8))
    return BURST / (time.perf_counter() - started)


def in_threads(number: int, work: Callable[[], object]) -> None:
    threads = [threading.Thread(target=work) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def slow_server() -> list[str]:
    """Unrelated requests while 50 others meet a server that answers after five seconds."""
    alone, beside, slowest = [], [], []
    for _ in range(ROUNDS):
        with running(service(SERVICE), READY):
            milliseconds(whole())
            alone.append(statistics.median(milliseconds(whole())))
            with crowd_waiting() as waited:
                beside.append(statistics.median(milliseconds(whole())))
            slowest.append(max(waited))
    ratio = statistics.median(b / a for a, b in zip(alone, beside, strict=True))
    return [
        "50 parallel hooks against a server of 5 s: an unrelated hook, beside / alone",
        f"{ratio:.2f}  ({statistics.median(alone):.1f} → {statistics.median(beside):.1f} ms; "
        f"slowest of the 50: {max(slowest):.0f} ms)",
    ]


@contextmanager
def crowd_waiting() -> Iterator[list[float]]:
    """Fifty hooks at once against the slow server; gives the milliseconds that each took."""
    waited: list[float] = []

    def one() -> None:
        waited.extend(milliseconds(bare(True), 1))

    crowd = threading.Thread(target=in_threads, args=(PARALLEL, one))
    crowd.start()
    time.sleep(0.05)
    yield waited
    crowd.join()


def broken_server() -> list[str]:
    """Throughput with a server that fails every call, to that of having none."""
    ratios = []
    with running(service(SERVICE), READY):
        per_second(bare(True))
        for _ in range(ROUNDS):
            ratios.append(per_second(bare(True)) / per_second(bare(False)))
    spread = f"{min(ratios):.2f}–{max(ratios):.2f}"
    return [
        "a server that fails every call: throughput, with / without",
        f"{statistics.median(ratios):.2f}  ({spread})",
    ]


def main() -> None:
    table = Table("What", "Ratio (median of 7)")
    ready = f"http://127.0.0.1:{EHR}/metadata"
    with running(ehr("--latency", "5"), ready):
        table.add_row(*slow_server())
    with running(ehr("--fault", "server-error"), ready):
        table.add_row(*broken_server())
    Console().print(table)


if __name__ == "__main__":
    os.environ["CDS_AUTH"] = "open"
    main()
