"""What is beyond a limit is refused, and the refusal names the limit."""

import json
import time

import pytest

from cds_service import create_app
from cds_service.settings import Settings
from cds_service.web.concurrency import ConcurrencyLimit
from tests import REAL_PROCESSES
from tests.small_world import (
    LUMBAR_FRACTURE,
    MRI_LUMBAR_W,
    PATIENT,
    SERVICE,
    condition,
    hook_request,
    order,
    topic,
)

pytestmark = REAL_PROCESSES

PATH = f"/cds-services/{SERVICE}"
BODY = hook_request(order(MRI_LUMBAR_W))
MANY = 10_000


@pytest.fixture
def client(tmp_path):
    return create_app(Settings(data=tmp_path)).test_client()


def diagnostics(answer):
    return [issue["diagnostics"] for issue in answer.get_json()["issue"]]


def with_context(**changes):
    return {**BODY, "context": {**BODY["context"], **changes}}


def drafts(number):
    entry = BODY["context"]["draftOrders"]["entry"][0]
    return {"resourceType": "Bundle", "entry": [entry] * number}


@pytest.mark.parametrize(("number", "status"), [(20, 200), (201, 413)])
def test_a_hook_has_at_most_200_draft_orders(client, number, status):
    answer = client.post(PATH, json=with_context(draftOrders=drafts(number)))
    assert answer.status_code == status
    if status == 413:
        assert diagnostics(answer) == ["The request holds more than 200 draft orders."]


def test_a_long_order_is_not_repeated_in_a_large_answer(tmp_path):
    client = create_app(Settings(data=tmp_path, max_answer_bytes=1_000_000)).test_client()
    answer = client.post(PATH, json=hook_request(draft(note=[{"text": "x" * 900_000}])))
    assert answer.status_code == 413
    assert "larger than 1000000 bytes" in diagnostics(answer)[0]


def test_an_error_names_20_fields_and_counts_the_others(client):
    answer = client.post(PATH, json=with_context(selections=[0] * 30))
    assert answer.status_code == 400
    assert len(diagnostics(answer)) == 21
    assert diagnostics(answer)[-1] == "10 more fields are wrong."


def test_feedback_names_20_fields_and_counts_the_others(client):
    answer = client.post(f"{PATH}/feedback", json={"feedback": [{}] * 100})
    assert answer.status_code == 400
    assert len(diagnostics(answer)) == 21


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (PATH, with_context(selections=[0] * MANY)),
        (f"{PATH}/feedback", {"feedback": [{"acceptedSuggestions": [0] * MANY}]}),
    ],
    ids=["selections", "acceptedSuggestions"],
)
def test_a_long_list_of_wrong_elements_is_answered_at_once_and_in_short(client, path, body):
    begun = time.process_time()
    answer = client.post(path, json=body)
    assert answer.status_code == 400
    assert len(answer.data) < 2_000
    assert "Holds more than 1000 elements." in answer.get_data(as_text=True)
    assert time.process_time() - begun < 1


def draft(**fields):
    return {**order(MRI_LUMBAR_W, reasons=(LUMBAR_FRACTURE,)), **fields}


def coded(number, **fields):
    """So many codings that are in no map."""
    return {"coding": [{"system": "urn:a", "code": f"X{n}", **fields} for n in range(number)]}


def unknown(number, concept, **fields):
    """So many Conditions; `concept` makes the code of each, by its number."""
    made = [{**condition(LUMBAR_FRACTURE), "id": f"c{n}", **fields} for n in range(number)]
    return [{**one, "code": concept(n)} for n, one in enumerate(made)]


def known(number, **fields):
    return [{**condition(LUMBAR_FRACTURE), "id": f"c{n}", **fields} for n in range(number)]


def with_conditions(*conditions, drafts=1):
    orders = [draft(id=f"o{n}") for n in range(drafts)]
    return hook_request(*orders, conditions=list(conditions))


def with_prefetch(**changes):
    return {**BODY, "prefetch": {**BODY["prefetch"], **changes}}


def deep(levels):
    value = 1
    for _ in range(levels):
        value = [value]
    return value


NOTES = [{"text": "a"}]
VALUES, BESIDE, READ = "700000 values", "30000 values beside", "60000 values in resources"
LETTERS, FINDINGS = "300000 letters", "20000 findings, each for all orders"
# What is dear, just below a limit (None), and beyond it: the limit that is named.
BODIES = {
    "values anywhere": (lambda: {**BODY, "x": [0] * 700_000}, VALUES),
    "lists in lists": (lambda: {**BODY, "x": [deep(400)] * 2_000}, VALUES),
    "fields of the context": (lambda: with_context(x=[{}] * 15_000), BESIDE),
    "codes of an order": (lambda: hook_request(draft(code=coded(11_000))), BESIDE),
    "codes of an order, allowed": (
        lambda: hook_request(draft(code=coded(7_000, display="MRI spine"))),
        None,
    ),
    "long words of an order, allowed": (
        lambda: hook_request(draft(code=coded(1, display="a" * 900_000))),
        None,
    ),
    "long words of reasons": (
        lambda: hook_request(draft(reasonCode=[{"text": "x" * 1_990}] * 600)),
        "1000000 bytes beside",
    ),
    "long words of reasons, allowed": (
        lambda: hook_request(
            draft(reasonCode=[{"text": f"krebs{n}{'x' * 1_900}"} for n in range(450)])
        ),
        None,
    ),
    "orders that refer to many Conditions, allowed": (
        lambda: {
            **with_conditions(*unknown(9_000, lambda n: coded(1))),
            "context": hook_request(
                *[
                    draft(id=f"o{n}", reasonReference=[{"reference": "Condition/c1"}] * 30)
                    for n in range(100)
                ]
            )["context"],
        },
        None,
    ),
    "known Conditions": (lambda: with_conditions(*known(5_000)), READ),
    "known Conditions, allowed": (lambda: with_conditions(*known(1_500)), None),
    "a known Condition with many notes": (
        lambda: with_conditions(*known(1, note=NOTES * 40_000)),
        READ,
    ),
    "a known Condition with many notes, allowed": (
        lambda: with_conditions(*known(1, note=NOTES * 25_000)),
        None,
    ),
    "a Patient with many names": (
        lambda: with_prefetch(
            patient={"resourceType": "Patient", "id": PATIENT, "name": [{"family": "a"}] * 40_000}
        ),
        "60000 values in a Patient",
    ),
    "findings for many orders": (lambda: with_conditions(*known(200), drafts=200), FINDINGS),
    "findings for many orders, allowed": (lambda: with_conditions(*known(95), drafts=200), None),
    "Conditions with many codes": (
        lambda: with_conditions(*unknown(10, lambda n: coded(6_000))),
        "50000 codes of resources",
    ),
    "Conditions with long names": (
        lambda: with_conditions(*unknown(200, lambda n: {"text": "x" * 1_990})),
        LETTERS,
    ),
    "Conditions with long names, allowed": (
        lambda: with_conditions(*unknown(140, lambda n: {"text": f"kein Krebs {n}" * 140})),
        None,
    ),
    "a Condition with a very long name, allowed": (
        lambda: with_conditions(*unknown(1, lambda n: {"text": "x" * 290_000})),
        None,
    ),
    "resources": (
        lambda: with_conditions(*([{"resourceType": "Condition"}] * 20_001)),
        "20000 resources",
    ),
    "keys of the prefetch": (
        lambda: with_prefetch(**{f"k{n}": None for n in range(1_000)}),
        "1000 keys",
    ),
}


@pytest.mark.parametrize(("make", "limit"), BODIES.values(), ids=BODIES)
def test_no_body_is_dear(client, make, limit):
    """A second of CPU on a machine of its own; twice that here."""
    client.post(PATH, json=BODY)
    data = json.dumps(make())
    begun = time.process_time()
    answer = client.post(PATH, data=data, content_type="application/json")
    assert time.process_time() - begun < 2
    if limit is None:
        assert answer.status_code == 200
    else:
        assert answer.status_code == 413
        assert f"The request holds more than {limit}" in diagnostics(answer)[0]


def test_a_text_that_is_too_long_to_be_heard_counts_as_if_it_said_everything():
    terminology = topic().terminology
    assert terminology.hears("x" * 2_000) == frozenset()
    assert terminology.hears("x" * 2_001) == {words.name for words in terminology.words}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({**BODY, "hookInstance": "x" * 1_001}, "hookInstance"),
        (with_context(patientId="x" * 1_001), "context.patientId"),
    ],
    ids=["hookInstance", "patientId"],
)
def test_ids_are_short(client, body, field):
    answer = client.post(PATH, json=body)
    assert answer.status_code == 400
    assert diagnostics(answer) == [f"{field}: Length must be between 1 and 1000."]


def test_feedback_counts_as_load(client, monkeypatch):
    monkeypatch.setattr(ConcurrencyLimit, "is_full", True)
    for path in (PATH, f"{PATH}/feedback"):
        assert client.post(path, json={"feedback": []}).status_code == 503
