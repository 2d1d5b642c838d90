"""What is beyond a limit is refused, and the refusal names the limit."""

import time

import pytest

from cds_service import create_app
from cds_service.settings import Settings
from tests import REAL_PROCESSES
from tests.small_world import LUMBAR_FRACTURE, MRI_LUMBAR_W, SERVICE, hook_request, order

pytestmark = REAL_PROCESSES

PATH = f"/cds-services/{SERVICE}"
BODY = hook_request(order(MRI_LUMBAR_W))
MANY = 100_000


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


def test_a_long_order_is_not_repeated_in_a_large_answer(client):
    long = {**order(MRI_LUMBAR_W, reasons=(LUMBAR_FRACTURE,)), "note": [{"text": "x" * 2_000_000}]}
    answer = client.post(PATH, json=hook_request(long))
    assert answer.status_code == 413
    assert "larger than 2000000 bytes" in diagnostics(answer)[0]


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
