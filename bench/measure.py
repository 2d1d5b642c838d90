"""Rounds in which all servers are asked the same in turn, and what each round cost.

A round lasts seconds, so that a server which only waits (see `idle`) adds little to a request.
"""

import statistics
import time
from collections.abc import Iterable
from dataclasses import dataclass

from bench.charts import Request
from bench.load import Sign, load, unsigned
from bench.servers import cpu_seconds

ROUNDS = 7
BEHIND_SECONDS = 2.3  # what was decided is taken into the database two seconds later
IDLE_SECONDS = 10


@dataclass(frozen=True)
class Target:
    """A server that is asked, and for how many seconds it works on after its last answer."""

    name: str
    url: str
    pid: int
    sign: Sign = unsigned
    behind: float = 0


def rounds_of(asked: list[Request], targets: list[Target], done: Iterable[int]) -> dict:
    """By request and server, a list with a sample of each round. `done` yields rounds."""
    samples = {a.name: {t.name: [] for t in targets} for a in asked}
    for _ in done:
        for request in asked:
            for name, sample in one_round(request, targets).items():
                samples[request.name][name].append(sample)
    return samples


def one_round(request: Request, targets: list[Target]) -> dict[str, dict[str, float]]:
    """One after the other."""
    return {target.name: sample(request, target) for target in targets}


def sample(request: Request, target: Target) -> dict[str, float]:
    """What the client saw, and CPU for a request in microseconds, with what was done behind."""
    before = cpu_seconds(target.pid)
    seen = load(target.url, request, target.sign)
    time.sleep(target.behind)
    return {**seen, "cpu": (cpu_seconds(target.pid) - before) / request.times * 1e6}


def idle(targets: list[Target]) -> dict[str, float]:
    """Milliseconds of CPU in a second in which nobody asks, by server."""
    before = {t.name: cpu_seconds(t.pid) for t in targets}
    time.sleep(IDLE_SECONDS)
    return {t.name: (cpu_seconds(t.pid) - before[t.name]) / IDLE_SECONDS * 1e3 for t in targets}


def in_short(samples: dict) -> dict:
    """By request and server: medians, the ratio to the echo with its spread, and failures."""
    return {
        request: {name: median_of(rounds, by_name["echo"]) for name, rounds in by_name.items()}
        for request, by_name in samples.items()
    }


def median_of(rounds: list[dict], echoes: list[dict]) -> dict:
    ratios = sorted(ours["cpu"] / echo["cpu"] for ours, echo in zip(rounds, echoes, strict=True))
    return {
        **{name: statistics.median(r[name] for r in rounds) for name in ("cpu", "p50", "p99")},
        "per_second": statistics.median(r["answered"] / r["seconds"] for r in rounds),
        "ratio": statistics.median(ratios),
        "lowest": ratios[0],
        "highest": ratios[-1],
        "failed": sum(r["failed"] for r in rounds),
    }


def growth(measured: dict, fewer: int, more: int) -> float:
    """Microseconds of CPU for each further Condition."""
    cpu = {n: measured[f"N = {n}"]["service"]["cpu"] for n in (fewer, more)}
    return (cpu[more] - cpu[fewer]) / (more - fewer)
