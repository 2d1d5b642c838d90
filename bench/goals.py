"""The goals of the finished service, and by how much each holds or does not."""

from dataclasses import dataclass

from bench.measure import growth

# CPU to that of the echo at N = 50, measured once with the same requests.
FIXED_CARD_IN_HEALTHCHAIN, NODE_DEMO = 0.79, 0.51


@dataclass(frozen=True)
class Goal:
    """What was measured, to what is at most allowed."""

    text: str
    measured: float
    most: float
    unit: str = ""

    @property
    def verdict(self) -> str:
        share = self.measured / self.most
        return f"holds ({share:.2f} of it)" if share <= 1 else f"does not hold: {share:.1f} × it"


def goals(results: dict) -> list[Goal]:
    requests = results["requests"]
    ratio = {n: requests[f"N = {n}"]["service"]["ratio"] for n in (50, 500)}
    slopes = [growth(requests, 50, 200), growth(requests, 200, 500)]
    by_server = requests["N = 50"]
    stalled = results["stalled"]
    return [
        Goal("1. CPU to echo at N = 50", ratio[50], 0.50, " ×"),
        Goal("1. CPU to echo at N = 500", ratio[500], 0.30, " ×"),
        Goal("2. growth per Condition, 50 to 500", growth(requests, 50, 500), 20, " µs"),
        Goal("2. linear: one slope to the other", max(slopes) / max(min(slopes), 1), 1.4, " ×"),
        Goal("3. cheaper than HealthChain, N = 50", ratio[50], FIXED_CARD_IN_HEALTHCHAIN, " ×"),
        Goal("3. cheaper than the node demo, N = 50", ratio[50], NODE_DEMO, " ×"),
        Goal("4. p99 to echo's at N = 50", by_server["service"]["p99"] / by_server["echo"]["p99"],
             1, " ×"),
        Goal("5. start to bare Flask's", results["start"]["service"] / results["start"]["echo"],
             4, " ×"),
        Goal("5. memory of a worker (PSS)", results["memory"]["service"], 40, " MB"),
        Goal("6. others beside stalled uploads", stalled["beside"] / stalled["alone"], 1.2, " ×"),
    ]  # fmt: skip
