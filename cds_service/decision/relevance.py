"""Whether an order is about the subject of the topic."""

from dataclasses import dataclass

from cds_service.decision.situation import Criterion, Situation

RELEVANT = "relevant"
TOO_LITTLE_TO_GO_ON = "too-little-to-go-on"


@dataclass(frozen=True)
class Relevance:
    """When an order is relevant, as data of the topic (`relevance.json`).

    `fact` has to be true. With coded reasons one of them has to fit: `specific_reasons` for an
    order that is specific to the body part, else `other_reasons`. Without coded reasons the order
    has to be specific, and `without_reasons` to hold. The last three are the words for why an order
    is not relevant: it is about something else; the fact is false; the fact is unknown.
    """

    fact: str
    specific_reasons: Criterion
    other_reasons: Criterion
    without_reasons: Criterion
    not_about: str
    absent: str
    uncertain: str

    def judge(self, situation: Situation) -> str:
        """RELEVANT, or why the order is passed over in silence. Needs the facts."""
        order, chart = situation.case.order, situation.case.chart
        value = situation.facts[self.fact].value
        if not self.is_possible(situation):
            return self.not_about
        if not order.has_coded_reasons and not chart.has("conditions") and not value:
            return TOO_LITTLE_TO_GO_ON
        if value is not True:
            return self.absent if value is False else self.uncertain
        if not order.has_coded_reasons and not self.without_reasons.holds(situation):
            return self.not_about
        return RELEVANT

    def is_possible(self, situation: Situation) -> bool:
        """Whether the order may be relevant, by itself and without the chart: by its coded reasons,
        or, without any, since it is specific.
        """
        order = situation.case.order
        if not order.has_coded_reasons:
            return order.is_specific
        if any(reason.answer for reason in order.reasons):
            return True
        reasons = self.specific_reasons if order.is_specific else self.other_reasons
        return reasons.holds(situation)
