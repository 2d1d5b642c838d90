"""Every way to fail has the one shape: an OperationOutcome, CORS headers, and no stack trace."""

import json

import pytest

from cds_service import create_app
from cds_service.settings import Settings
from tests.small_world import FRACTURE, MRI_LUMBAR_W, PAIN, hook_request, order

SERVICE = "/cds-services/vcf-appropriateness"
LIMIT = 20_000


@pytest.fixture(scope="module")
def app():
    return create_app(Settings(max_body_bytes=LIMIT))


@pytest.fixture
def client(app):
    """A page of another site."""
    made = app.test_client()
    made.environ_base["HTTP_ORIGIN"] = "https://sandbox.example.org"
    return made


def assert_outcome(response, status, *words):
    """The promised shape of an error."""
    assert response.status_code == status
    body = response.get_json()
    assert body["resourceType"] == "OperationOutcome"
    for issue in body["issue"]:
        assert issue["severity"] == "error"
        assert issue["code"]
        assert issue["diagnostics"]
    text = json.dumps(body)
    assert "Traceback" not in text
    assert response.headers["Access-Control-Allow-Origin"]
    for word in words:
        assert word in text


def request_without(*path):
    body = hook_request(order(MRI_LUMBAR_W, reasons=(FRACTURE, PAIN)))
    *parents, last = path
    inside = body
    for name in parents:
        inside = inside[name]
    inside.pop(last, None)
    return body


def request_with(value, *path):
    body = request_without(*path)
    inside = body
    for name in path[:-1]:
        inside = inside[name]
    inside[path[-1]] = value
    return body


MISSING = [
    ("hook",),
    ("hookInstance",),
    ("context",),
    ("context", "userId"),
    ("context", "patientId"),
    ("context", "draftOrders"),
]
MISTYPED = [
    (7, "hook"),
    ("", "hook"),
    ([], "hookInstance"),
    ("text", "context"),
    ([], "context"),
    (7, "context", "patientId"),
    ("", "context", "patientId"),
    ("text", "context", "draftOrders"),
    ("text", "context", "selections"),
    ([7], "context", "selections"),
    ([], "prefetch"),
    ("token", "fhirAuthorization"),
]


@pytest.mark.parametrize("path", MISSING, ids=".".join)
def test_a_missing_field_is_named(client, path):
    answer = client.post(SERVICE, json=request_without(*path))
    assert_outcome(answer, 400, ".".join(path))


@pytest.mark.parametrize("wrong", MISTYPED, ids=lambda w: f"{'.'.join(w[1:])}={w[0]!r}")
def test_a_mistyped_field_is_named(client, wrong):
    value, *path = wrong
    answer = client.post(SERVICE, json=request_with(value, *path))
    assert_outcome(answer, 400, ".".join(path))


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"{'hook': 1}"], ids=repr)
def test_what_is_not_json_is_refused(client, body):
    answer = client.post(SERVICE, data=body, content_type="application/json")
    assert_outcome(answer, 400, "not JSON")


@pytest.mark.parametrize("body", ["[]", "null", "7", '"text"'])
def test_what_is_not_an_object_is_refused(client, body):
    answer = client.post(SERVICE, data=body, content_type="application/json")
    assert_outcome(answer, 400, "not a JSON object")


@pytest.mark.parametrize("first", ["0", "[]", '"x"', "null", '{"patient": 1}'])
@pytest.mark.parametrize("field", ["prefetch", "context", "hook", "hookInstance"])
def test_of_a_field_that_comes_twice_the_second_counts(client, field, first):
    """JSON leaves that open; most readers take the last."""
    body = hook_request(order(MRI_LUMBAR_W, reasons=(FRACTURE, PAIN)))
    twice = f'{{"{field}": {first}, {json.dumps(body)[1:]}'
    answer = client.post(SERVICE, data=twice, content_type="application/json")
    assert answer.status_code == 200
    assert answer.json == client.post(SERVICE, json=body).json


def test_deep_nesting_is_refused(client):
    deep = '{"context":' + "[" * 4_000 + "]" * 4_000 + "}"
    assert_outcome(client.post(SERVICE, data=deep, content_type="application/json"), 400, "deep")


def test_a_deep_order_is_refused_and_not_a_fault_of_ours(app):
    body = hook_request(order(MRI_LUMBAR_W, reasons=(FRACTURE, PAIN)))
    nested = {}
    for _ in range(450):
        nested = {"extension": [nested]}
    body["context"]["draftOrders"]["entry"][0]["resource"]["extension"] = [nested]
    answer = create_app(Settings()).test_client().post(SERVICE, json=body)
    assert answer.status_code in (200, 400)


def test_a_body_over_the_limit_is_refused(client):
    body = hook_request(order(MRI_LUMBAR_W)) | {"extension": {"filler": "x" * LIMIT}}
    assert_outcome(client.post(SERVICE, json=body), 413)


@pytest.mark.parametrize("kind", ["text/plain", "application/xml", None])
def test_another_content_type_is_refused(client, kind):
    assert_outcome(client.post(SERVICE, data="{}", content_type=kind), 415)


@pytest.mark.parametrize("path", ["/cds-services/other", "/nothing", "/guidelines/acr-vcf-2022/x"])
def test_an_unknown_address_is_not_found(client, path):
    answer = client.post(path, json={}) if "services" in path else client.get(path)
    assert_outcome(answer, 404)


def test_feedback_of_an_unknown_service_is_not_found(client):
    assert_outcome(client.post("/cds-services/other/feedback", json={}), 404)


def test_a_wrong_method_is_told_the_right_one(client):
    answer = client.get(SERVICE)
    assert_outcome(answer, 405)
    assert "POST" in answer.headers["Allow"]


def test_an_unexpected_fault_shows_an_error_id_and_nothing_else(client, monkeypatch, capsys):
    def fail(*_):
        raise RuntimeError("Maria Muster, born 1950")

    monkeypatch.setattr("cds_service.web.bodies.answer_hook", fail)
    answer = client.post(SERVICE, json=hook_request(order(MRI_LUMBAR_W)))
    assert_outcome(answer, 500)
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    (log,) = [line for line in lines if line["event"] == "error"]
    assert log["error_id"] in answer.get_data(as_text=True)
    assert log["kind"] == "RuntimeError"
    assert "Maria" not in json.dumps(log) + answer.get_data(as_text=True)
