"""The goals of `docs/performance.md`, held against one run."""

import statistics
from collections import defaultdict
from dataclasses import dataclass

# By what was measured and by server, a value of each round.
Measured = defaultdict[str, defaultdict[str, list[float]]]
CPU, P99 = "CPU µs: ", "p99 ms: "
START, MEMORY, GROWTH = "start, s", "memory of a worker, MB", "CPU µs of a further Condition"


@dataclass(frozen=True)
class Goal:
    """At most so much of what was measured of a server, as ratio to another where one is named."""

    name: str
    most: float
    what: str
    server: str = "service"
    to: str = "echo"

    def value(self, measured: Measured) -> float | None:
        """The median of the rounds; None where one of the two was not measured."""
        ours = measured[self.what][self.server]
        values = ratios(ours, measured[self.what][self.to]) if self.to else ours
        return statistics.median(values) if values else None


def ratios(ours: list[float], theirs: list[float]) -> list[float]:
    """Of one server to another in each round, the lowest first; none where one did nothing."""
    pairs = zip(ours, theirs, strict=False)
    return sorted(mine / other for mine, other in pairs if mine and other)


GOALS = (
    Goal("N = 50, required, repeat", 0.50, f"{CPU}N = 50"),
    Goal("N = 50, required, new", 0.90, f"{CPU}N = 50, new"),
    Goal("N = 50, open, repeat", 0.33, f"{CPU}N = 50", "open"),
    Goal("N = 50, open, new", 0.80, f"{CPU}N = 50, new", "open"),
    Goal("N = 500, required, repeat", 0.15, f"{CPU}N = 500"),
    Goal("N = 500, required, new", 0.35, f"{CPU}N = 500, new"),
    Goal("no card, required", 1.6, f"{CPU}no card"),
    Goal("not ours, required", 1.3, f"{CPU}not ours"),
    Goal("further Condition, repeat, µs", 4, GROWTH, to=""),
    Goal("further Condition, new, µs", 11, f"{GROWTH}, new", to=""),
    Goal("one slope to the other, new", 1.4, "slopes", to=""),
    Goal("p99 at N = 50", 0.5, f"{P99}N = 50"),
    Goal("HealthChain's fixed card, N = 50", 1.0, f"{CPU}N = 50", to="healthchain"),
    Goal("the node demo, N = 50", 1.0, f"{CPU}N = 50", to="node"),
    Goal("start to bare Flask's, open", 4, START, "open"),
    Goal("start to bare Flask's, required", 5, START),
    Goal("memory of a worker, MB", 55, MEMORY, to=""),
)
