"""What a run has seen so far."""

from collections import Counter
from dataclasses import dataclass, field

from fuzz.calls import Call
from fuzz.target import Result


@dataclass
class Tally:
    """Counts of answers by kind of call and status, and of each problem the call that shows it
    with the smallest body.
    """

    answers: Counter[tuple[str, int]] = field(default_factory=Counter)
    with_cards: int = 0
    problems: Counter[str] = field(default_factory=Counter)
    smallest: dict[str, Call] = field(default_factory=dict)

    @property
    def requests(self) -> int:
        return self.answers.total()

    def add(self, call: Call, result: Result) -> None:
        self.answers[call.kind, result.status] += 1
        self.with_cards += result.cards
        for problem in result.problems:
            self.problems[problem] += 1
            self._keep(problem, call)

    def join(self, other: "Tally") -> None:
        """Adds what another run has seen."""
        self.answers += other.answers
        self.with_cards += other.with_cards
        self.problems += other.problems
        for problem, call in other.smallest.items():
            self._keep(problem, call)

    def _keep(self, problem: str, call: Call) -> None:
        known = self.smallest.get(problem)
        if known is None or len(call.body) < len(known.body):
            self.smallest[problem] = call
