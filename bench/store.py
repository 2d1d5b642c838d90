"""What keeping costs: CPU of the hook with the store on, to that with it off, in one run.

Two services stand side by side and are asked in turn; CPU is user and system time of all their
processes, divided by the requests. The order gets a card; the request is as small as can be, and
one with the chart of a real patient (50 Conditions, 20 Procedures, 20 Observations, 242 kB).
"""

import statistics
import tempfile
from contextlib import AbstractContextManager
from pathlib import Path

from rich.console import Console

from bench.charts import NEW_FRACTURE, Request, chart, encoded, fixture
from bench.measure import BEHIND_SECONDS, Target, one_round
from bench.servers import PATH, running, service

PORTS = {"on": 8463, "off": 8464}
ROUNDS, REQUESTS = 15, 450
CONDITIONS = 50


def measured(what: str, body: dict, targets: list[Target]) -> str:
    """Rounds of both in turn; the first warms up."""
    request = Request(what, encoded(body), REQUESTS)
    rounds = [one_round(request, targets) for _ in range(ROUNDS + 1)][1:]
    spent = {t.name: [seen[t.name]["cpu"] / 1000 for seen in rounds] for t in targets}
    on, off = (statistics.median(spent[store]) for store in PORTS)
    each = [a / b for a, b in zip(spent["on"], spent["off"], strict=True)]
    return (
        f"the store, {what}: CPU per hook, on / off: {on / off:.2f} "
        f"({min(each):.2f}–{max(each):.2f}; {off:.2f} → {on:.2f} ms)"
    )


def keeping(store: str, folder: Path) -> AbstractContextManager[int]:
    address = f"http://127.0.0.1:{PORTS[store]}/ready"
    settings = {"CDS_AUTH": "open", "CDS_DATA": str(folder), "CDS_STORE": store}
    return running(service(PORTS[store]), address, **settings)


def target(store: str, pid: int) -> Target:
    """Both are waited for, so that what they do while they wait is counted in both."""
    url = f"http://127.0.0.1:{PORTS[store]}{PATH}"
    return Target(store, url, pid, behind=BEHIND_SECONDS)


def main() -> None:
    asked = {"a small hook": fixture(NEW_FRACTURE), "a whole chart": chart(CONDITIONS)}
    with (
        tempfile.TemporaryDirectory() as name,
        keeping("on", Path(name)) as on,
        keeping("off", Path(name)) as off,
    ):
        targets = [target("on", on), target("off", off)]
        for what, body in asked.items():
            Console().print(measured(what, body, targets), soft_wrap=True)


if __name__ == "__main__":
    main()
