"""`/openapi.json` is valid, complete and true."""

import json

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from cds_service import create_app
from cds_service.about import VERSION
from cds_service.fixtures import find_fixtures, read_fixture
from cds_service.settings import Settings
from tests.small_world import ROOT, SERVICE

APP = create_app(Settings(fetch_milliseconds=0))
DOCUMENT = APP.test_client().get("/openapi.json").get_json()
HOOK = f"/cds-services/{SERVICE}"
OF_PROGRAMS = ("/cds-services", "/health", "/ready", "/metrics")


def test_it_is_valid():
    validate(DOCUMENT)


def test_it_says_the_version():
    assert DOCUMENT["info"]["version"] == VERSION


def test_every_address_of_programs_is_in_it():
    """Pages for people are not; nor is the document itself."""
    rules = (rule.rule.replace("<service_id>", SERVICE) for rule in APP.url_map.iter_rules())
    assert set(DOCUMENT["paths"]) == {rule for rule in rules if rule.startswith(OF_PROGRAMS)}


def test_a_token_is_asked_for_where_it_is_required(tmp_path):
    assert DOCUMENT["paths"][HOOK]["post"]["security"] == []
    clients = tmp_path / "clients.toml"
    clients.write_text(
        '[a]\niss = ["https://ehr.example.org"]\njku = ["https://ehr.example.org/jwks"]\n'
    )
    settings = Settings(open=False, public_url="https://cds.example.org", clients=clients)
    said = create_app(settings).test_client().get("/openapi.json").get_json()
    assert said["paths"][HOOK]["post"]["security"] == [{"token": []}]
    assert said["servers"] == [{"url": "https://cds.example.org"}]


@pytest.mark.parametrize("path", [HOOK, f"{HOOK}/feedback"])
def test_the_examples_are_answered(path):
    content = DOCUMENT["paths"][path]["post"]["requestBody"]["content"]["application/json"]
    holds(content["schema"], content["example"])
    answer = APP.test_client().post(path, json=content["example"])
    assert answer.status_code == 200
    holds(answer_schema(path, "200"), answer.get_json())


@pytest.mark.parametrize("folder", find_fixtures([ROOT / "fixtures"]), ids=lambda f: f.name)
def test_each_fixture_is_as_it_says(folder):
    fixture = read_fixture(folder)
    schema = answer_schema(HOOK, str(fixture.status))
    for file in folder.glob("response*.json"):
        holds(schema, json.loads(file.read_text("utf-8")))


def answer_schema(path, status):
    answer = DOCUMENT["paths"][path]["post"]["responses"][status]
    if "$ref" in answer:
        answer = DOCUMENT["components"]["responses"][answer["$ref"].rpartition("/")[2]]
    return answer["content"]["application/json"]["schema"]


def holds(schema, value):
    whole = {**schema, "components": DOCUMENT["components"]}
    errors = [error.message for error in Draft202012Validator(whole).iter_errors(value)]
    assert errors == []


def test_schemathesis_finds_no_answer_that_is_not_as_it_says():
    """A little of what `make fuzz` does."""
    pytest.importorskip("schemathesis")
    from fuzz.openapi import run

    calls = run(create_app(Settings(fetch_milliseconds=0)), examples=10, seed=1)
    assert set(calls) == {
        f"{method.upper()} {path}"
        for path, methods in DOCUMENT["paths"].items()
        for method in methods
    }


REQUESTS = (ROOT / "docs/requests.http").read_text("utf-8")


def requests_by_hand():
    """Method, path, headers and body of each request of the file."""
    for part in REQUESTS.split("\n### ")[1:]:
        head, _, body = part.partition("\n")[2].strip().partition("\n\n")
        line, *headers = head.splitlines()
        method, address = line.split(" ")
        if body.startswith("< "):
            body = (ROOT / "docs" / body[2:].strip()).read_text("utf-8")
        yield method, address.removeprefix("{{base}}"), dict(h.split(": ") for h in headers), body


@pytest.mark.parametrize("request_by_hand", list(requests_by_hand()), ids=lambda r: r[0] + r[1])
def test_each_request_of_the_file_is_answered(request_by_hand):
    method, path, headers, body = request_by_hand
    settings = Settings(fetch_milliseconds=0, metrics_token="metrics")  # noqa: S106  as it says
    answer = create_app(settings).test_client().open(
        path, method=method, headers=headers, data=body
    )  # fmt: skip
    assert answer.status_code == 200
    assert answer.is_json or path == "/metrics"


def test_the_file_has_a_request_of_each_kind():
    assert {path for _, path, _, _ in requests_by_hand()} >= set(DOCUMENT["paths"])
    hooks = {json.loads(body)["hook"] for *_, body in requests_by_hand() if '"hook"' in body}
    assert hooks == {"order-select", "order-sign"}
