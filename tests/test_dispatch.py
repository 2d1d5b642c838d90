"""A hook is answered the same ahead of Flask's dispatch as by it."""

import json

import pytest

from cds_service import create_app
from cds_service.settings import Settings
from cds_service.web import routes
from tests.small_world import FRACTURE, MRI_LUMBAR_W, PAIN, hook_request, order

SERVICE = "/cds-services/vcf-appropriateness"
BODY = hook_request(order(MRI_LUMBAR_W, reasons=(FRACTURE, PAIN)))
OF_ANOTHER_SITE = {"Origin": "https://sandbox.example.org"}


@pytest.fixture
def client():
    return create_app(Settings()).test_client()


def without_cors(answer):
    cors = ("Vary", "Access-Control-Allow-Origin")
    return {name: value for name, value in answer.headers if name not in cors}


def test_a_page_of_another_site_gets_the_same_and_its_headers(client):
    plain, of_page = (client.post(SERVICE, json=BODY, headers=h) for h in ({}, OF_ANOTHER_SITE))
    assert of_page.data == plain.data
    assert without_cors(of_page) == without_cors(plain)
    assert of_page.headers["Access-Control-Allow-Origin"]
    assert "Access-Control-Allow-Origin" not in plain.headers


@pytest.mark.parametrize("headers", [{}, OF_ANOTHER_SITE], ids=["an EHR", "a page"])
@pytest.mark.parametrize("body", [BODY, {}], ids=["answered", "refused"])
def test_each_has_one_line_in_the_log(client, capfd, headers, body):
    text = json.dumps(body)
    answer = client.post(SERVICE, data=text, content_type="application/json", headers=headers)
    (line,) = map(json.loads, capfd.readouterr().err.splitlines())
    assert line["status"] == answer.status_code
    assert line["route"] == "/cds-services/<service_id>"
    assert line["method"] == "POST"
    assert (line["bytes_in"], line["bytes_out"]) == (len(text), len(answer.data))


def test_a_fault_is_logged_with_its_place(client, capfd, monkeypatch):
    def fault(_):
        raise ZeroDivisionError

    monkeypatch.setattr(routes, "criteria", fault)
    assert client.post(SERVICE, json=BODY).status_code == 500
    error, _ = map(json.loads, capfd.readouterr().err.splitlines())
    assert error["kind"] == "ZeroDivisionError"
    assert error["at"][-1].startswith("fault:")


def test_a_hook_is_answered_once(client, monkeypatch):
    """Also where Flask sends what came of it."""
    asked = []
    monkeypatch.setattr(routes, "criteria", lambda body: asked.append(body) or "")
    client.post(SERVICE, json=BODY, headers=OF_ANOTHER_SITE)
    assert len(asked) == 1
