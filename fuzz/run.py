"""`make fuzz`: a great many odd requests at the service, in process, on every core.

Exit status: 0 where every answer kept every promise, 1 where one did not. The calls by number are
the same for the same seed on every machine; those that atheris leads depend on its version too.
"""

import argparse
import json
import multiprocessing
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from fuzz.calls import Call
from fuzz.shrink import shrunk
from fuzz.tally import Tally
from fuzz.target import Target
from fuzz.workers import can_be_guided, shares

SPAWN = multiprocessing.get_context("spawn")
LEAST_WITH_CARDS = 0.1
QUIET_FOR = 120  # seconds without any answer after which a run is stuck


def main() -> int:
    """The exit status."""
    options = _options()
    console = Console()
    started = time.perf_counter()
    tally, faults = run(options, console)
    seconds = time.perf_counter() - started
    _show(console, tally, seconds, options)
    if tally.requests < options.requests:
        faults.append(f"only {tally.requests} of {options.requests} requests were answered")
    if tally.with_cards < LEAST_WITH_CARDS * tally.requests:
        faults.append("too few answers with cards: the run did not get past the doors")
    for fault in faults:
        console.print(f"[red]{fault}")
    _tell_problems(console, tally)
    return 1 if faults or tally.problems else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m fuzz.run", description=__doc__)
    parser.add_argument("--requests", type=int, default=100_000, help="how many; default 100000")
    parser.add_argument("--seed", type=int, default=1, help="default 1")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="default: cores")
    parser.add_argument(
        "--guided", type=float, default=0.2, help="the part that atheris leads; default 0.2"
    )
    return parser.parse_args()


def run(options: argparse.Namespace, console: Console) -> tuple[Tally, list[str]]:
    """What all processes saw, and what went wrong with the processes themselves."""
    tally = Tally()
    running: dict[Connection, BaseProcess] = {}
    for work, arguments in shares(
        options.requests, options.seed, options.processes, options.guided
    ):
        ours, theirs = SPAWN.Pipe(duplex=False)
        process = SPAWN.Process(target=work, args=(theirs, *arguments), name=work.__name__)
        process.start()
        theirs.close()
        running[ours] = process
    problems = TextColumn("{task.fields[problems]} problems")
    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), problems)
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("", total=options.requests, problems=0)

        def seen() -> None:
            progress.update(task, completed=tally.requests, problems=tally.problems.total())

        return tally, _collect(running, tally, seen)


def _collect(
    running: dict[Connection, BaseProcess], tally: Tally, seen: Callable[[], None]
) -> list[str]:
    """Joins what the processes send until each has ended; a fault for each that ended badly."""
    faults = []
    while running:
        ready = wait(list(running), timeout=QUIET_FOR)
        if not ready:
            faults.append(f"no answer for {QUIET_FOR} seconds")
            for process in running.values():
                process.kill()
            return faults
        for connection in ready:
            try:
                tally.join(connection.recv())
                seen()
            except EOFError:
                process = running.pop(connection)
                process.join()
                if process.exitcode:
                    faults.append(f"a {process.name} process ended with {process.exitcode}")
    return faults


def _show(console: Console, tally: Tally, seconds: float, options: argparse.Namespace) -> None:
    """A table of statuses by kind of request, and a line of numbers."""
    statuses = sorted({status for _, status in tally.answers})
    table = Table("requests", *(str(s) if s else "escaped" for s in statuses), "all")
    totals: Counter[int] = Counter()
    for kind in sorted({kind for kind, _ in tally.answers}):
        row = [tally.answers[kind, status] for status in statuses]
        totals.update(dict(zip(statuses, row, strict=True)))
        table.add_row(kind, *map(str, row), str(sum(row)))
    table.add_row("all", *(str(totals[s]) for s in statuses), str(tally.requests), style="bold")
    console.print(table)
    led = "" if can_be_guided() else "; atheris is not here, so that none was led by it"
    console.print(
        f"{tally.requests} requests in {seconds:.0f} s, {tally.requests / seconds:.0f} per second, "
        f"{tally.with_cards} answers with cards, seed {options.seed}{led}; "
        f"{tally.problems.total()} problems",
        highlight=False,
    )


def _tell_problems(console: Console, tally: Tally) -> None:
    """Each problem with how often it came, and a file with the smallest call that shows it."""
    if not tally.problems:
        return
    folder = Path(tempfile.mkdtemp(prefix="fuzz-findings-"))
    errors = sys.stderr
    target = Target()
    for number, (problem, times) in enumerate(tally.problems.most_common(), 1):
        file = folder / f"{number}.json"
        file.write_text(_as_text(shrunk(tally.smallest[problem], problem, target)), "utf-8")
        console.print(f"[red]{times} x {problem}[/red]: {file}", highlight=False, soft_wrap=True)
    sys.stderr = errors


def _as_text(call: Call) -> str:
    """The call as JSON; the bytes of its body stand as Latin-1 characters."""
    return json.dumps({**asdict(call), "body": call.body.decode("latin-1")}, indent=2)


if __name__ == "__main__":
    sys.exit(main())
