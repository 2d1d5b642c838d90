"""Silent mode: what is evaluated and kept for a client, but not shown."""

from collections.abc import Iterable
from dataclasses import dataclass

from cds_service.decision.evaluate import NO_VARIANT, Decision
from cds_service.decision.topic import Topic


@dataclass(frozen=True)
class Silence:
    """`everything`, or the variants and safety rules `of` which no card is shown; `ratings` says
    whether the rating is sent all the same.
    """

    everything: bool = False
    of: frozenset[str] = frozenset()
    ratings: bool = False

    def covers(self, decision: Decision) -> bool:
        """Whether all that asks for the card is silenced. A card is shown whole or not at all."""
        return self.everything or bool(decision.called_for_by) and decision.called_for_by <= self.of

    @property
    def sends_nothing(self) -> bool:
        """Whether the client gets nothing at all."""
        return self.everything and not self.ratings


def what_can_be_silenced(topics: Iterable[Topic]) -> frozenset[str]:
    """The names for `Silence.of`: variants and safety rules, of any topic."""
    variants = {variant.id for topic in topics for variant in topic.guideline.variants}
    rules = {rule.id for topic in topics for rule in topic.rules}
    return frozenset({NO_VARIANT, *variants, *rules})
