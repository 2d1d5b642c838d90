"""What the service costs beside a bare Flask echo, and beside another checkout, in one run.

All servers are asked the same in turn, so that ratios hold on a noisy machine; times do not.
"""

import argparse
import statistics
import time
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from itertools import chain, product
from pathlib import Path
from tempfile import TemporaryDirectory

from rich import box
from rich.console import Console
from rich.progress import track
from rich.table import Table

from bench.charts import ONE_CARD, Request, all_requests, encoded, fixture
from bench.goals import CPU, GOALS, GROWTH, MEMORY, P99, START, Measured, ratios
from bench.load import load, p99
from bench.peers import peers
from bench.servers import (
    ROOT,
    Server,
    cpu_seconds,
    echo,
    in_the_open,
    running,
    service,
    slow_ehr,
    worker_megabytes,
)

SERVICE, BEFORE, ECHO, EHR, OPEN, HEALTHCHAIN, NODE = range(8471, 8478)
EHR_SECONDS, WAITING, IDLE_SECONDS = 5, 50, 5
IDLE = "CPU ms of an idle second"
Found = tuple[str, str, float]  # what was measured, of which server, how much
PEERS = ("healthchain", "node")


def main() -> None:
    options = _options()
    measured: Measured = defaultdict(lambda: defaultdict(list))
    with TemporaryDirectory() as name:
        folder = Path(name)
        servers = _servers(options, folder)
        measure(servers, options.rounds, measured)
    console = Console(width=200)
    console.print(table(measured, [server.name for server in servers]))
    console.print(goals(measured))


def _servers(options: argparse.Namespace, folder: Path) -> list[Server]:
    found = [
        service("service", ROOT, SERVICE, folder),
        replace(in_the_open(service("open", ROOT, OPEN, folder)), name="open"),
        echo(ECHO, folder),
    ]
    if options.service:
        found.append(service("before", options.service.resolve(), BEFORE, folder))
    return found + peers(HEALTHCHAIN, NODE, options.node, folder)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.run", description=__doc__)
    parser.add_argument("--service", type=Path, metavar="FOLDER", help="another checkout, `before`")
    parser.add_argument("--node", type=Path, metavar="FOLDER", help="the Sandbox's demo service")
    parser.add_argument("--rounds", type=int, default=7, help="default 7")
    return parser.parse_args()


def measure(servers: list[Server], rounds: int, measured: Measured) -> None:
    """Everything, in rounds in which each server has its turn."""
    parts = (starts, beside_slow_hooks, hooks)
    for what, server, value in chain.from_iterable(part(servers, rounds) for part in parts):
        measured[what][server].append(value)
    sum_up(measured)


def turns(servers: list[Server], rounds: int, title: str) -> Iterator[list[Server]]:
    """The servers of each round, in one order and then in the other."""
    for number in track(range(rounds), title, transient=True):
        yield servers if number % 2 else servers[::-1]


def starts(servers: list[Server], rounds: int) -> Iterator[Found]:
    """Seconds from a command to its first answer; at the very first bytecode is written."""
    ours = [server for server in servers if server.name not in PEERS]
    for number, in_turn in enumerate(turns(ours, rounds + 1, "starts")):
        for server in in_turn:
            started = time.perf_counter()
            with running(server) as pid:
                spent, cpu = time.perf_counter() - started, cpu_seconds(pid)
            if number:
                yield START, server.name, spent
                yield "start, CPU s", server.name, cpu


def hooks(servers: list[Server], rounds: int) -> Iterator[Found]:
    """What each request costs, and the memory of a worker after them."""
    asked = all_requests()
    with ExitStack() as stack:
        pids = {server.name: stack.enter_context(running(server)) for server in servers}
        for server in servers:
            load(server.url, asked[1])
        for in_turn in turns(servers, rounds, "hooks"):
            idle = idleness(pids)
            yield from ((IDLE, name, seconds * 1000) for name, seconds in idle.items())
            for request, server in product(asked, in_turn):
                if server.name in PEERS and not request.of_peers:
                    continue
                yield from one_request(request, server, pids[server.name], idle[server.name])
        for name, pid in pids.items():
            if name not in PEERS:
                yield MEMORY, name, worker_megabytes(pid)


def idleness(pids: dict[str, int]) -> dict[str, float]:
    """Seconds of CPU in a second in which nothing is asked, of each server."""
    before = {name: cpu_seconds(pid) for name, pid in pids.items()}
    time.sleep(IDLE_SECONDS)
    return {name: (cpu_seconds(pid) - before[name]) / IDLE_SECONDS for name, pid in pids.items()}


def one_request(asked: Request, server: Server, pid: int, idle: float) -> Iterator[Found]:
    """CPU of a request, with what is done behind it, and the slowest of a hundred. What the server
    would have done behind it anyway is none of its cost.
    """
    before = cpu_seconds(pid)
    milliseconds, failed = load(server.url, asked)
    time.sleep(server.behind)
    spent = cpu_seconds(pid) - before - server.behind * idle
    yield CPU + asked.name, server.name, spent / asked.times * 1e6
    yield P99 + asked.name, server.name, p99(milliseconds)
    yield "not answered with 200", server.name, failed


def sum_up(measured: Measured) -> None:
    """What a further Condition costs, and how much more one slope is than the other."""
    for name in measured[START]:
        for kind in ("", ", new"):
            few, some, many = (measured[f"{CPU}N = {n}{kind}"][name] for n in (50, 200, 500))
            growth = [(b - a) / 450 for a, b in zip(few, many, strict=True)]
            measured[GROWTH + kind][name] = growth
            if kind:
                low, high = (statistics.median(values) for values in (some, many))
                first = (low - statistics.median(few)) / 150
                slopes = sorted((first, (high - low) / 300))
                measured["slopes"][name] = [slopes[1] / slopes[0]]


def beside_slow_hooks(servers: list[Server], rounds: int) -> Iterator[Found]:
    """A hook that fetches nothing, alone and beside many that wait for a slow FHIR server."""
    ehr = slow_ehr(EHR, EHR_SECONDS)
    whole = fixture(ONE_CARD)
    calm = Request("whole", encoded(whole), 40)
    slow = Request("bare", encoded({**whole, "prefetch": {}, "fhirServer": ehr.base}), WAITING)
    with running(ehr), ThreadPoolExecutor(1) as crowd:
        others = [server for server in servers if server.name in ("service", "before")]
        for in_turn in turns(others, rounds, "a slow FHIR server"):
            for server in in_turn:
                with running(in_the_open(server)):
                    load(server.url, calm, 1)
                    alone, _ = load(server.url, calm, 1)
                    waiting = crowd.submit(load, server.url, slow, WAITING)
                    time.sleep(0.05)
                    beside, _ = load(server.url, calm, 1)
                    slowest = max(waiting.result()[0])
                ratio = statistics.median(beside) / statistics.median(alone)
                yield f"time beside {WAITING} that wait / alone", server.name, ratio
                yield f"the slowest of the {WAITING}, ms", server.name, slowest


def table(measured: Measured, names: list[str]) -> Table:
    """A row for each thing that was measured: medians, and ratios within a round."""
    made = Table("median", *names, "service / echo", box=box.MARKDOWN)
    others = ["echo", *(name for name in names if name == "before")]
    for column in made.columns[1:]:
        column.justify = "right"
    if "before" in names:
        made.add_column("service / before", justify="right")
    for what, by_server in measured.items():
        medians = [median(by_server[name]) for name in names]
        made.add_row(what, *medians, *(ratio(by_server, other) for other in others))
    return made


def goals(measured: Measured) -> Table:
    """A row for each goal: what it allows, what was measured, whether it holds."""
    made = Table("goal", "at most", "measured", "holds", box=box.MARKDOWN)
    for goal in GOALS:
        value = goal.value(measured)
        holds = "not measured" if value is None else "yes" if value <= goal.most else "no"
        made.add_row(goal.name, f"{goal.most:g}", "" if value is None else f"{value:.2f}", holds)
    return made


def median(values: list[float]) -> str:
    if not values:
        return ""
    middle = statistics.median(values)
    return f"{middle:.0f}" if middle >= 100 else f"{middle:.3g}"


def ratio(by_server: dict[str, list[float]], other: str) -> str:
    """Of the service to another server: the median of the rounds, the lowest and the highest."""
    found = ratios(by_server["service"], by_server[other])
    return f"{statistics.median(found):.2f} ({found[0]:.2f}–{found[-1]:.2f})" if found else ""


if __name__ == "__main__":
    main()
