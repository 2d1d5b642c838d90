"""The shipped situations that pages show: the fixtures, each with its day on its orders."""

from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from functools import cache

from cds_service.decision.topic import Topic, Topics
from cds_service.fhir.plain import Json, as_dict, codings, dicts
from cds_service.fixtures import Fixture, find_fixtures, read_fixture
from cds_service.language import N_
from cds_service.shipped import FIXTURES

SYSTEM_END = "|"
BETWEEN_CODINGS, BETWEEN_REASONS = ",", ";"
# How the names of situations begin, and the heading that they stand under; the others stand last.
GROUPS = {
    "variant": N_("The variants of the guideline"),
    "question": N_("Questions"),
    "safety": N_("Safety rules"),
    "silence": N_("Silence"),
    "sandbox": N_("As the CDS Hooks Sandbox sends it"),
    "": N_("Other situations"),
}


@dataclass(frozen=True)
class ShippedSituation:
    """`name` is the folder of the fixture, `about` a phrase in English."""

    name: str
    about: str
    service: str
    request: Json

    @property
    def group(self) -> int:
        """The number of its heading among GROUPS."""
        begins = self.name.partition("/")[2].partition("-")[0]
        return list(GROUPS).index(begins if begins in GROUPS else "")


@dataclass(frozen=True)
class Choice:
    """What is chosen of a draft order: its code and its reasons, each a list of (system, code)."""

    order: tuple[tuple[str, str], ...]
    reasons: tuple[tuple[tuple[str, str], ...], ...]


@cache
def situations() -> Mapping[str, ShippedSituation]:
    """All that are shipped, by name. Read once, when the first page asks for them."""
    read = (read_fixture(folder) for folder in find_fixtures([FIXTURES]))
    return {fixture.name: _situation(fixture) for fixture in read}


def _situation(fixture: Fixture) -> ShippedSituation:
    request = deepcopy(fixture.request)
    for order in drafts(request):
        order.setdefault("authoredOn", fixture.today.isoformat())
    return ShippedSituation(fixture.name, fixture.about, fixture.service, request)


def situations_of(topics: Topics) -> dict[str, ShippedSituation]:
    """Those that the topics can answer, by name, in the order of their groups."""
    first = next(iter(topics))
    found = [s for s in situations().values() if (s.service or first) in topics]
    return {s.name: s for s in sorted(found, key=lambda s: s.group)}


def example_of(topic: Topic) -> ShippedSituation | None:
    """The situation that pages show first, if the topic names one that there is."""
    return situations().get(topic.about.example)


def drafts(request: Json) -> list[Json]:
    """The draft orders of a request, whatever they are."""
    bundle = as_dict(as_dict(request.get("context")).get("draftOrders"))
    return [as_dict(entry.get("resource")) for entry in dicts(bundle.get("entry"))]


def chosen_in(request: Json) -> list[Choice]:
    """What the draft orders of a request ask for, and why."""
    return [
        Choice(_codes(order.get("code")), tuple(map(_codes, dicts(order.get("reasonCode")))))
        for order in drafts(request)
    ]


def _codes(concept: object) -> tuple[tuple[str, str], ...]:
    return tuple((system, code) for system, code, _ in codings(concept))


def with_choices(request: Json, choices: list[Choice], topic: Topic) -> Json:
    """The request with other codes and reasons in its draft orders, and as many of these as there
    are choices.
    """
    made = deepcopy(request)
    if not drafts(made):
        return made
    entries = made["context"]["draftOrders"]["entry"]
    while len(entries) < len(choices):
        entries.append({"resource": _further(drafts(made)[0], len(entries))})
    del entries[len(choices) :]
    for order, was, choice in zip(drafts(made), chosen_in(made), choices, strict=True):
        if was.order != choice.order:
            order["code"] = _concept(choice.order, topic)
        if was.reasons != choice.reasons:
            order["reasonCode"] = [_concept(reason, topic) for reason in choice.reasons]
    return made


def _further(order: Json, number: int) -> Json:
    """A draft besides another one, for the same patient on the same day."""
    kept = ("resourceType", "status", "intent", "subject", "authoredOn")
    return {**{key: order[key] for key in kept if key in order}, "id": f"added-{number}"}


def _concept(codes: Iterable[tuple[str, str]], topic: Topic) -> Json:
    display = topic.terminology.display
    coding = [{"system": s, "code": c, "display": display((s, c))} for s, c in codes]
    return {"coding": coding}


def written(choice: Choice) -> tuple[str, str]:
    """Order and reasons of a choice, as they stand in an address."""
    reasons = BETWEEN_REASONS.join(_written(reason) for reason in choice.reasons)
    return _written(choice.order), reasons


def _written(codes: Iterable[tuple[str, str]]) -> str:
    return BETWEEN_CODINGS.join(SYSTEM_END.join(code) for code in codes)


def read_choice(order: str, reasons: str) -> Choice:
    """The choice that stands in an address."""
    return Choice(_read(order), tuple(_read(one) for one in reasons.split(BETWEEN_REASONS) if one))


def _read(text: str) -> tuple[tuple[str, str], ...]:
    parts = (one.rpartition(SYSTEM_END) for one in text.split(BETWEEN_CODINGS) if one)
    return tuple((system, code) for system, _, code in parts)
