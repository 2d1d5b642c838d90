"""The fixtures are the specification that people read: every one is replayed byte for byte."""

import json

import pytest
from fhir.resources.R4B.servicerequest import ServiceRequest

from cds_service.fixtures import HL7, as_text, find_fixtures, read_fixture
from cds_service.replay.clients import in_process
from tests.small_world import ROOT

FOLDERS = find_fixtures([ROOT / "fixtures"])
CASES = [read_fixture(folder) for folder in FOLDERS]
VARIANTS = {f"variant{number}" for number in range(1, 10)}


@pytest.fixture(scope="module")
def post():
    return in_process(HL7)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_answer_is_the_recorded_one_twice(case, post):
    for _ in range(2):
        status, response = post(case)
        assert status == case.status
        assert as_text(response) == case.expected


def _responses() -> list[dict]:
    return [json.loads(case.expected) for case in CASES]


def _cards() -> list[dict]:
    return [card for response in _responses() for card in response.get("cards", [])]


def test_every_variant_and_every_kind_of_topic_has_a_card():
    topics = {card["source"]["topic"]["code"] for card in _cards()}
    assert topics == VARIANTS | {"several", "novariant", "unresolved"}


def test_every_indicator_rating_and_kind_of_action_occurs():
    assert {card["indicator"] for card in _cards()} == {"info", "warning", "critical"}
    text = json.dumps(_responses())
    for rating in ("appropriate", "not-appropriate", "no-criteria-apply"):
        assert f'"code": "{rating}"' in text
    for action in ("update", "create", "delete"):
        assert f'"type": "{action}"' in text


def test_every_resource_that_is_sent_back_is_valid():
    for action in _actions():
        if "resource" in action:
            ServiceRequest.model_validate(action["resource"])


def _actions():
    for response in _responses():
        yield from response.get("systemActions", [])
    for card in _cards():
        for suggestion in card.get("suggestions", []):
            yield from suggestion["actions"]


def test_no_fixture_holds_an_ama_descriptor():
    for folder in FOLDERS:
        for file in folder.iterdir():
            assert "eg, proton" not in file.read_text("utf-8")
