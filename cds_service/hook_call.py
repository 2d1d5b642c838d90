"""What a hook is answered from, and what its answer comes to. Data in, data out."""

from collections import Counter
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field
from datetime import date

from msgspec import Raw

from cds_service.cards.dialect import ResponseStyle
from cds_service.choices import CARD, SILENCE
from cds_service.decision.code_systems import SNOMED_CT
from cds_service.decision.evaluate import Decision
from cds_service.decision.terminology import Meaning
from cds_service.evaluation import Evaluation
from cds_service.fhir.amounts import MOST_RESOURCES
from cds_service.fhir.plain import Json, as_text
from cds_service.fhir.selected import ORDER_SIGN, SelectedOrders
from cds_service.fhir.unmapped import Unmapped
from cds_service.silence import Silence

# Takes paths by key. Returns the resources or Bundles that came, by key, and counts how the fetches
# ended. Never raises.
Fetch = Callable[[Mapping[str, str]], tuple[Mapping[str, list[Json]], Counter[str]]]

NOTHING_LOOKED_UP: Mapping[tuple[str, str], Meaning] = {}


class TooLittleToGoOn(Exception):
    """An order has no coded reason and the conditions were not supplied, and the client wants
    status 412 then.
    """


@dataclass(frozen=True)
class HookCall:
    """All that the answer depends on: what the client posted, its settings, and the state of now.

    Of the body only the envelope is checked; the values of `prefetch` are undecoded JSON.
    `today` is the day for orders that carry no date; `base_url` the address of this service as
    the client sees it; `on_too_little` what to do on order-sign with an order that cannot be
    checked; `templates` the prefetch templates by key; `max_resources` how many resources are
    read; `silence` what is not to be shown; `style` how answers are written; `overridden` the
    advice that was overridden lately; `looked_up` what a terminology server has said so far of
    codes that are in no map.
    """

    hook: str
    hook_instance: str
    context: Json
    prefetch: Mapping[str, Raw]
    today: date
    base_url: str
    on_too_little: str = SILENCE
    templates: Mapping[str, str] = field(default_factory=dict)
    max_resources: int = MOST_RESOURCES
    silence: Silence = Silence()
    style: ResponseStyle = ResponseStyle()
    overridden: Container[Evaluation] = ()
    looked_up: Mapping[tuple[str, str], Meaning] = field(default_factory=lambda: NOTHING_LOOKED_UP)

    @property
    def patient_id(self) -> str:
        return as_text(self.context.get("patientId"))

    @property
    def tells_not_checked(self) -> bool:
        """Whether an order of which too little is known gets a card."""
        return self.hook == ORDER_SIGN and self.on_too_little == CARD


@dataclass(frozen=True)
class HookOutcome:
    """The response body, the decisions behind it, and an evaluation of each in plain values; why
    other orders were passed over, and how each fetch ended. `unmapped_conditions` are the codes of
    Conditions that are in no map, where an order was ours.
    """

    body: Json
    decisions: list[Decision] = field(default_factory=list)
    evaluations: list[Evaluation] = field(default_factory=list)
    selected: SelectedOrders = field(default_factory=SelectedOrders)
    fetches: Counter[str] = field(default_factory=Counter)
    unmapped_conditions: tuple[Unmapped, ...] = ()

    @property
    def unknown_conditions(self) -> frozenset[str]:
        """The SNOMED CT codes among them."""
        codes = self.unmapped_conditions
        return frozenset(code.code for code in codes if code.system == SNOMED_CT)
