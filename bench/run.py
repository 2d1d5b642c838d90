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
from itertools import chain, product
from pathlib import Path
from tempfile import TemporaryDirectory

from rich import box
from rich.console import Console
from rich.progress import track
from rich.table import Table

from bench.charts import ONE_CARD, Request, all_requests, encoded, fixture
from bench.load import load, p99
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

SERVICE, BEFORE, ECHO, EHR = 8471, 8472, 8473, 8474
EHR_SECONDS, WAITING = 5, 50
CPU = "CPU µs: "
Found = tuple[str, str, float]  # what was measured, of which server, how much
# By what was measured and by server, a value of each round.
Measured = defaultdict[str, defaultdict[str, list[float]]]


def main() -> None:
    options = _options()
    measured: Measured = defaultdict(lambda: defaultdict(list))
    with TemporaryDirectory() as name:
        folder = Path(name)
        servers = [service("service", ROOT, SERVICE, folder), echo(ECHO, folder)]
        if options.service:
            servers.append(service("before", options.service.resolve(), BEFORE, folder))
        measure(servers, options.rounds, measured)
    Console(width=160).print(table(measured, [server.name for server in servers]))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.run", description=__doc__)
    parser.add_argument("--service", type=Path, metavar="FOLDER", help="another checkout, `before`")
    parser.add_argument("--rounds", type=int, default=5, help="default 5")
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
    for number, in_turn in enumerate(turns(servers, rounds + 1, "starts")):
        for server in in_turn:
            started = time.perf_counter()
            with running(server) as pid:
                spent, cpu = time.perf_counter() - started, cpu_seconds(pid)
            if number:
                yield "start, s", server.name, spent
                yield "start, CPU s", server.name, cpu


def hooks(servers: list[Server], rounds: int) -> Iterator[Found]:
    """What each request costs, and the memory of a worker after them."""
    asked = all_requests()
    with ExitStack() as stack:
        pids = {server.name: stack.enter_context(running(server)) for server in servers}
        for server in servers:
            load(server.url, asked[0])
        for in_turn in turns(servers, rounds, "hooks"):
            for request, server in product(asked, in_turn):
                yield from one_request(request, server, pids[server.name])
        for name, pid in pids.items():
            yield "memory of a worker, MB", name, worker_megabytes(pid)


def one_request(asked: Request, server: Server, pid: int) -> Iterator[Found]:
    """CPU of a request, with what is done behind it, and the slowest of a hundred."""
    before = cpu_seconds(pid)
    milliseconds, failed = load(server.url, asked)
    time.sleep(server.behind)
    spent = cpu_seconds(pid) - before
    yield CPU + asked.name, server.name, spent / asked.times * 1e6
    yield f"p99 ms: {asked.name}", server.name, p99(milliseconds)
    yield "not answered with 200", server.name, failed


def sum_up(measured: Measured) -> None:
    """What a further Condition costs, and what one request of each kind costs together."""
    for name in measured["start, s"]:
        of = {what: by[name] for what, by in measured.items() if what.startswith(CPU)}
        pairs = zip(of[f"{CPU}N = 500"], of[f"{CPU}N = 50"], strict=True)
        measured["CPU µs of a further Condition"][name] = [(a - b) / 450 for a, b in pairs]
        measured["CPU µs of all these"][name] = [
            sum(many) for many in zip(*of.values(), strict=True)
        ]


def beside_slow_hooks(servers: list[Server], rounds: int) -> Iterator[Found]:
    """A hook that fetches nothing, alone and beside many that wait for a slow FHIR server."""
    ehr = slow_ehr(EHR, EHR_SECONDS)
    whole = fixture(ONE_CARD)
    calm = Request("whole", encoded(whole), 40)
    slow = Request("bare", encoded({**whole, "prefetch": {}, "fhirServer": ehr.base}), WAITING)
    with running(ehr), ThreadPoolExecutor(1) as crowd:
        others = [server for server in servers if server.name != "echo"]
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


def median(values: list[float]) -> str:
    if not values:
        return ""
    middle = statistics.median(values)
    return f"{middle:.0f}" if middle >= 100 else f"{middle:.3g}"


def ratio(by_server: dict[str, list[float]], other: str) -> str:
    """Of the service to another server: the median of the rounds, the lowest and the highest."""
    pairs = zip(by_server["service"], by_server[other], strict=False)
    ratios = sorted(ours / theirs for ours, theirs in pairs if ours and theirs)
    if not ratios:
        return ""
    return f"{statistics.median(ratios):.2f} ({ratios[0]:.2f}–{ratios[-1]:.2f})"


if __name__ == "__main__":
    main()
