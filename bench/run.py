"""What the service costs beside a bare Flask echo, as ratios within one run; never a pass or fail.

The service as it ships (callers checked, decisions kept), the same open and without a store, and
the echo are driven in turn by wrk. Results go to `bench/results.json`, and the next run compares.
"""

import asyncio
import json
import shutil
import sys
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.progress import track

from bench.callers import clients_file, token
from bench.charts import Request, all_requests
from bench.edge import Edge, overload, stalled
from bench.load import load
from bench.measure import BEHIND_SECONDS, ROUNDS, Target, idle, in_short, rounds_of
from bench.phases import phases
from bench.servers import PATH, echo, running, service, start_seconds, worker_megabytes
from bench.table import show

RESULTS = Path(__file__).parent / "results.json"
SERVICE, OPEN, ECHO = 8471, 8472, 8473
STARTS = 5


def main() -> int:
    if shutil.which("wrk") is None:
        print("The benchmark needs wrk: apt-get install wrk", file=sys.stderr)
        return 2
    before = json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else {}
    with TemporaryDirectory() as folder:
        results = measure(Path(folder))
    RESULTS.write_text(json.dumps(results, indent=2), "utf-8")
    show(results, before)
    return 0


def measure(folder: Path) -> dict:
    """Everything, as it goes into the file."""
    (folder / "open").mkdir()
    ours = {"CDS_AUTH": "required", "CDS_CLIENTS": str(clients_file(folder)),
            "CDS_STORE": "on", "CDS_DATA": str(folder / "data")}  # fmt: skip
    unguarded = {"CDS_AUTH": "open", "CDS_STORE": "off", "CDS_DATA": str(folder / "open")}
    start = {
        "service": start_seconds(service(SERVICE), health(SERVICE), STARTS, **ours),
        "echo": start_seconds(echo(ECHO), health(ECHO), STARTS),
    }
    log = folder / "log"
    with ExitStack() as stack:
        guarded = stack.enter_context(running(service(SERVICE), health(SERVICE), log, **ours))
        bare = stack.enter_context(running(echo(ECHO), health(ECHO)))
        other = stack.enter_context(running(service(OPEN), health(OPEN), **unguarded))
        targets = [
            Target("service", url(SERVICE), guarded, token, BEHIND_SECONDS),
            Target("echo", url(ECHO), bare),
            Target("open", url(OPEN), other),
        ]
        results = driven(all_requests(), targets)
    return {"start": start, **results, "not looked up": lookups_missed(log), "phases": phases()}


def driven(asked: list[Request], targets: list[Target]) -> dict:
    """All that is measured while the servers run."""
    for target in targets:
        load(target.url, asked[0], target.sign)
    rounds = track(range(ROUNDS), "rounds", transient=True)
    requests = in_short(rounds_of(asked, targets, rounds))
    memory = {target.name: worker_megabytes(target.pid) for target in targets}
    edge = Edge(targets[0].url, asked[0], targets[0].sign)
    twice = 2 * requests[asked[0].name]["service"]["per_second"]
    return {
        "requests": requests,
        "kilobytes": {request.name: request.kilobytes for request in asked},
        "memory": memory,
        "idle": idle(targets),
        "stalled": asyncio.run(stalled(edge)),
        "overload": asyncio.run(overload(edge, twice)),
    }


def lookups_missed(log: Path) -> int:
    """How often the store was too slow to tell whether a token was used before."""
    return log.read_text("utf-8").count('"problem":"store-down"')


def health(port: int) -> str:
    return f"http://127.0.0.1:{port}/health"


def url(port: int) -> str:
    return f"http://127.0.0.1:{port}{PATH}"


if __name__ == "__main__":
    sys.exit(main())
