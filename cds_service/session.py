"""What a hook of an ordering session leaves for the next: the chart that was read, and each order
with its decision and the words of its card.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from cds_service.cards.evaluated import EvaluatedOrder
from cds_service.fhir.chart import SentChart
from cds_service.fhir.orders import drafted_conditions
from cds_service.fhir.plain import Json
from cds_service.fhir.reading import text_of
from cds_service.fhir.selected import all_drafts
from cds_service.hook_call import HookCall
from cds_service.memory import NOTHING_REMEMBERED, Memory


@dataclass
class Session:
    """One hook's access to the memory. `given` are the objects on which all of it depends: the
    topic of the client, what a terminology server said, and how the client's cards are written.
    """

    memory: Memory = NOTHING_REMEMBERED
    given: tuple[object, ...] = ()
    _chart: bytes = field(default=b"", init=False)

    def chart(self, call: HookCall, make: Callable[[], SentChart]) -> SentChart:
        """What `make` reads of the prefetch."""
        parts = (part for pair in call.prefetch.items() for part in pair)
        said = ("chart", call.patient_id, str(call.max_resources), *parts)
        self._chart, sent = self.memory.recall(said, self.given, make)
        return sent

    def order(
        self,
        call: HookCall,
        resource: Json,
        drafted: Iterable[str],
        make: Callable[[], EvaluatedOrder],
    ) -> EvaluatedOrder:
        """What `make` decides on an order and the chart. A Condition among the drafts may be its
        reason, and procedures that are `drafted` keep others off its card.
        """
        if not self._chart:
            return make()
        drafts = all_drafts(call.context) if resource.get("reasonReference") else []
        texts = [text_of(one) for one in (resource, *drafted_conditions(drafts))]
        beside = (call.today.isoformat(), str(call.tells_not_checked), call.base_url)
        said = ("order", self._chart, str(len(texts)), *texts, *beside, *sorted(drafted))
        return self.memory.recall(said, self.given, make)[1]


NO_SESSION = Session()
