"""What a hook of an ordering session leaves for the next: the chart that was read, and each order
with its decision and the words of its card.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from msgspec import Raw

from cds_service.cards.evaluated import EvaluatedOrder
from cds_service.fhir.chart import SentChart
from cds_service.fhir.orders import drafted_conditions
from cds_service.fhir.plain import Json
from cds_service.fhir.reading import text_of
from cds_service.memory import NOTHING_REMEMBERED, Memory


@dataclass
class Session:
    """One hook's access to the memory. `given` are the objects on which all of it depends: the
    topic of the client, what a terminology server said, and how the client's cards are written.
    """

    memory: Memory = NOTHING_REMEMBERED
    given: tuple[object, ...] = ()
    _chart: bytes = field(default=b"", init=False)

    def chart(
        self,
        patient_id: str,
        most: int,
        prefetch: Mapping[str, Raw],
        make: Callable[[], SentChart],
    ) -> SentChart:
        """What `make` reads of the prefetch, of at most so many resources."""
        parts = (part for pair in prefetch.items() for part in pair)
        said = ("chart", patient_id, str(most), *parts)
        self._chart, sent = self.memory.recall(said, self.given, make, lambda sent: sent.size)
        return sent

    def order(
        self,
        resource: Json,
        drafts: Iterable[Json],
        beside: Iterable[str],
        make: Callable[[], EvaluatedOrder],
    ) -> EvaluatedOrder:
        """What `make` decides on an order and the chart. A draft may be its reason; `beside` is
        what else it depends on.
        """
        if not self._chart:
            return make()
        reasons = drafted_conditions(drafts) if resource.get("reasonReference") else []
        texts = [text_of(one) for one in (resource, *reasons)]
        said = ("order", self._chart, str(len(texts)), *texts, *beside)
        return self.memory.recall(said, self.given, make, lambda order: order.size)[1]


NO_SESSION = Session()
