"""What is remembered for an ordering session: it changes no answer, and nobody else gets it."""

import gc
import json
import tracemalloc
from copy import deepcopy
from dataclasses import replace
from datetime import timedelta
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Raw

from cds_service import hook, memory
from cds_service.cards.dialect import ResponseOptions, ResponseStyle
from cds_service.choices import CARD
from cds_service.decision.terminology import Meaning
from cds_service.fhir.amounts import TooMuch
from cds_service.fixtures import find_fixtures, read_fixture
from cds_service.hook import answer_hook
from cds_service.language import language
from cds_service.memory import Memory
from tests.small_world import (
    AUGMENTATION_LUMBAR,
    BREAST_CANCER,
    CAUDA_EQUINA,
    FRACTURE,
    HYPERTENSION,
    IN_VARIANT,
    LOW_BACK_PAIN,
    MRI_LUMBAR_W,
    MRI_LUMBAR_WO,
    PAIN,
    ROOT,
    SERVICE,
    SURGEON,
    TODAY,
    bundle,
    condition,
    days_ago,
    hook_call,
    hook_request,
    order,
    topic,
)
from tests.spec.test_properties import requests

POOR = order(MRI_LUMBAR_W, reasons=(FRACTURE, PAIN))
STYLE = ResponseStyle()  # as a client has it, for as long as the clients file is the same


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def remembers(clock):
    return Memory(300, clock)


class Made(NamedTuple):
    name: str = "made"
    size: int = 1


def recalled(of: Memory, *parts, given=(), made="made", size=1):
    """What is recalled of the parts, and whether it had to be made."""
    calls = []
    _, found = of.recall(parts, given, lambda: calls.append(1) or Made(made, size))
    return found.name, bool(calls)


class TestMemory:
    def test_the_same_is_made_once(self, remembers):
        assert recalled(remembers, "a", b"b", Raw(b"1")) == ("made", True)
        assert recalled(remembers, "a", b"b", Raw(b"1"), made="again") == ("made", False)

    @pytest.mark.parametrize(
        "parts", [("a", "c"), ("ab",), ("b", "a"), ("a",), ("a", "b", ""), (), ("a", "b\0")]
    )
    def test_other_parts_are_another(self, remembers, parts):
        recalled(remembers, "a", "b")
        assert recalled(remembers, *parts) == ("made", True)

    def test_another_object_is_another_though_it_is_equal(self, remembers):
        first, second = [], []
        recalled(remembers, "a", given=(first,))
        assert recalled(remembers, "a", given=(second,)) == ("made", True)
        assert recalled(remembers, "a", given=(first,)) == ("made", False)

    def test_no_later_object_can_have_the_identity_of_one_that_was_given(self, remembers):
        for _ in range(200):
            assert recalled(remembers, "a", given=([],)) == ("made", True)

    def test_only_for_a_time(self, remembers, clock):
        recalled(remembers, "a")
        clock.now = 299
        assert recalled(remembers, "a") == ("made", False)
        clock.now = 300
        assert recalled(remembers, "a") == ("made", True)

    def test_what_is_over_goes_with_the_next_that_is_remembered(self, remembers, clock):
        for name in "abc":
            recalled(remembers, name)
        clock.now = 300
        recalled(remembers, "d")
        assert len(remembers.entries) == 1

    def test_is_bounded_in_number(self, remembers):
        for number in range(memory.MOST_ENTRIES + 10):
            recalled(remembers, str(number))
        assert len(remembers.entries) == memory.MOST_ENTRIES
        assert recalled(remembers, str(memory.MOST_ENTRIES)) == ("made", False)

    def test_is_bounded_in_bytes(self, remembers):
        for number in range(10):
            recalled(remembers, str(number), size=int(0.4 * memory.MOST_BYTES))
        assert len(remembers.entries) == 2
        recalled(remembers, "large", size=memory.MOST_BYTES + 1)
        assert recalled(remembers, "large") == ("made", True)
        recalled(remembers, "a", size=memory.MOST_BYTES)
        assert len(remembers.entries) == 1

    def test_with_no_seconds_nothing_is_remembered(self):
        nothing = Memory(0)
        assert recalled(nothing, "a") == recalled(nothing, "a") == ("made", True)
        assert not nothing.entries
        assert nothing.recall(["a"], (), Made)[0] == b""

    def test_what_failed_is_not_remembered(self, remembers):
        with pytest.raises(ZeroDivisionError):
            remembers.recall(["a"], (), lambda: 1 / 0)
        assert recalled(remembers, "a") == ("made", True)

    def test_each_process_digests_with_a_key_of_its_own(self):
        digests = {Memory(1).recall(["a"], (), Made)[0] for _ in range(3)}
        assert len(digests) == 3


def answered(body, of=memory.NOTHING_REMEMBERED, made=None, **changes) -> bytes:
    call = replace(hook_call(body), **{"style": STYLE, **changes})
    outcome = answer_hook(call, made or topic(), memory=of)
    told = [{**vars(e), "unmapped": e.unmapped} for e in outcome.evaluations]
    return json.dumps([outcome.body, told, outcome.unmapped_conditions], default=str).encode()


def for_patient(name) -> dict:
    """The same chart for another patient: it is not that patient's then."""
    return {**FIRST, "context": {**FIRST["context"], "patientId": name}}


def with_prefetch(body, key, value) -> dict:
    return {**body, "prefetch": {**body["prefetch"], key: value}}


def with_drafts(body, *drafts) -> dict:
    made = deepcopy(body)
    made["context"]["draftOrders"]["entry"] += [{"resource": draft} for draft in drafts]
    made["context"]["selections"] = ["order-1"]
    return {**made, "hook": "order-select"}


def with_draft(resource) -> dict:
    body = hook_request({**POOR, "reasonReference": [{"reference": f"Condition/{resource['id']}"}]})
    body["context"]["draftOrders"]["entry"].append({"resource": resource})
    return body


FIRST = with_draft({**condition(BREAST_CANCER), "id": "drafted"})
DATED = hook_request(POOR, conditions=[condition(FRACTURE, onset=days_ago(30))])
BARE = hook_request(order(MRI_LUMBAR_W), without=("conditions",))
CORD = hook_request(order(AUGMENTATION_LUMBAR, reasons=(*IN_VARIANT[8][0], CAUDA_EQUINA)))
# One hook, then another: the second, and what is different of its call. It is answered differently,
# as it would be without the first.
OTHERS = {
    "another patient": (FIRST, for_patient("paul"), {}),
    "another chart": (FIRST, hook_request(POOR, conditions=[condition(BREAST_CANCER)]), {}),
    "a chart in part": (DATED, with_prefetch(DATED, "conditions", bundle([], link=[
        {"relation": "next", "url": "https://ehr.example.org/2"}])), {}),
    "a chart that failed under its key": (
        DATED, with_prefetch(DATED, "conditions", {"resourceType": "OperationOutcome"}), {}),
    "another order": (FIRST, hook_request(order(MRI_LUMBAR_WO, reasons=(FRACTURE, PAIN))), {}),
    "other reasons": (FIRST, hook_request(order(MRI_LUMBAR_W, reasons=(LOW_BACK_PAIN,))), {}),
    "another id": (FIRST, hook_request({**POOR, "id": "order-2"}), {}),
    "another Condition among the drafts": (
        FIRST, with_draft({**condition(HYPERTENSION), "id": "drafted"}), {}),
    "a consultation among the drafts": (CORD, with_drafts(CORD, order(
        SURGEON, identifier="consultation", reasons=(FRACTURE,))), {}),
    "a client that is told what was not checked": (BARE, BARE, {"on_too_little": CARD}),
    "another hook instance": (FIRST, {**FIRST, "hookInstance": "another"}, {}),
    "another day": (DATED, DATED, {"today": TODAY + timedelta(days=400)}),
    "another address": (FIRST, FIRST, {"base_url": "https://other.example.org"}),
    "another language": (FIRST, FIRST, {"style": ResponseStyle(
        language=language("de", ROOT / "mappings"))}),
    "a client with other cards": (FIRST, FIRST, {"style": ResponseStyle(
        options=ResponseOptions(links=False, plain_text=True))}),
}  # fmt: skip


@pytest.mark.parametrize(("first", "second", "changes"), OTHERS.values(), ids=OTHERS)
def test_another_is_answered_as_if_nothing_were_remembered(first, second, changes, remembers):
    expected = answered(second, **changes)
    assert answered(first, remembers) == answered(first) != expected
    for _ in range(2):
        assert answered(second, remembers, **changes) == expected
        assert answered(first, remembers) == answered(first)


def test_a_chart_that_is_too_large_for_a_client_is_so_again(remembers):
    answered(DATED, remembers)
    for _ in range(2):
        with pytest.raises(TooMuch):
            answered(DATED, remembers, max_resources=1)


def test_another_topic_never_gets_it(remembers):
    """As that of a client with codes of its own is."""
    site = replace(topic(), questions=(), rules=())
    answered(FIRST, remembers)
    assert answered(FIRST, remembers, made=site) == answered(FIRST, made=site)


def test_what_the_maps_learn_counts_at_once(remembers):
    """A code of the chart is looked up between two hooks of a session."""
    cancer = ("http://snomed.info/sct", "13645005")
    body = hook_request(POOR, conditions=[condition(cancer)])
    assert answered(body, remembers) == answered(body)
    known = {cancer: Meaning(frozenset({"malignancy"}))}
    assert answered(body, remembers, looked_up=known) != answered(body)
    assert answered(body, remembers, looked_up=known) == answered(body, looked_up=known)


@given(st.lists(requests(), min_size=2, max_size=2), st.booleans())
@settings(max_examples=150, deadline=None, derandomize=True)
def test_two_hooks_in_any_order_are_answered_as_without_it(bodies, mixed):
    first, second = bodies
    if mixed:  # the same chart and other orders
        second = {**second, "prefetch": first["prefetch"]}
    remembers = Memory(300)
    for body in (first, second, first, deepcopy(second)):
        assert answered(body, remembers) == answered(body)


def test_all_fixtures_are_answered_so_with_one_memory(remembers):
    fixtures = [read_fixture(folder) for folder in find_fixtures([ROOT / "fixtures"])]
    bodies = [f.request for f in fixtures if f.status == 200 and f.service in ("", SERVICE)]
    for body in [*bodies, *reversed(bodies)]:
        assert answered(body, remembers) == answered(body)


class TestAnOrderingSession:
    def test_the_chart_is_read_once(self, remembers, monkeypatch):
        body = hook_request(POOR, conditions=[condition(BREAST_CANCER)])
        answered(body, remembers)
        monkeypatch.setattr(hook, "read_prefetch", None)
        monkeypatch.setattr(hook, "evaluate_order", None)
        assert answered({**body, "hookInstance": "2"}, remembers)

    def test_the_next_choice_is_decided_on_the_chart_that_was_read(self, remembers, monkeypatch):
        other = hook_request(order(MRI_LUMBAR_WO, reasons=(FRACTURE, PAIN)))
        expected = answered(other)
        answered(hook_request(POOR), remembers)
        monkeypatch.setattr(hook, "read_prefetch", None)
        assert answered(other, remembers) == expected

    def test_a_reason_by_reference_to_the_chart_is_found_again(self, remembers):
        there = {**condition(FRACTURE), "id": "f"}
        refers = {**order(MRI_LUMBAR_W), "reasonReference": [{"reference": "Condition/f"}]}
        answered(hook_request(POOR, conditions=[there]), remembers)
        body = hook_request(refers, conditions=[there])
        assert answered(body, remembers) == answered(body)

    def test_what_was_fetched_is_not_remembered(self, remembers):
        """It may be another a moment later, and nobody sent it."""
        bare = hook_request(order(MRI_LUMBAR_W, reasons=(FRACTURE, PAIN)), without=("conditions",))
        call = replace(hook_call(bare), style=STYLE, templates={"conditions": "Condition?x"})

        def fetch_of(*conditions):
            return lambda wanted: ({key: [bundle(list(conditions))] for key in wanted}, {})

        answers = [
            answer_hook(call, topic(), fetch_of(*found), remembers).decisions[0].outcomes
            for found in ([condition(BREAST_CANCER)], [], [condition(BREAST_CANCER)])
        ]
        assert answers[0] == answers[2] != answers[1]


def test_what_is_remembered_takes_no_more_than_it_is_counted_for(remembers):
    """The bound in bytes is one of the memory of a process."""
    conditions = [condition(BREAST_CANCER if n % 3 else HYPERTENSION) for n in range(60)]
    bodies = [
        hook_request({**POOR, "id": f"o{n}"}, conditions=[*conditions, condition(PAIN, on=str(n))])
        for n in range(40)
    ]
    answered(FIRST, Memory(300))
    gc.collect()
    tracemalloc.start()
    for body in bodies:
        answered(body, remembers)
    gc.collect()
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(remembers.entries) >= 80
    assert taken <= remembers.entries.currsize
