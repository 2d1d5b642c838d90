"""A second topic is a folder: nothing else is added for it, and it lives beside the real one."""

import json
import shutil
from pathlib import Path

import pytest

from cds_service import create_app
from cds_service.cli import main
from cds_service.settings import Settings
from cds_service.store.database import Database
from cds_service.store.store import StoreLocation, load_spool
from tests.small_world import (
    FRACTURE,
    MRI_LUMBAR_W,
    MRI_LUMBAR_WO,
    PAIN,
    ROOT,
    SERVICE,
    condition,
    hook_request,
    order,
    patient,
)
from tests.store.rows import kept

TOY = "toy-appropriateness"
FOLDER = Path(__file__).parent / "topics" / "toy-ankle-2020"
CODES = "urn:example:toy-codes"
BROKEN, HURTS, GLUE = (CODES, "T1"), (CODES, "T2"), (CODES, "T3")
X_RAY, LOOK = (CODES, "X1"), (CODES, "L1")
CONSULTED = "http://fhir.org/argonaut/Extension/pama-rating-qcdsm-consulted"


@pytest.fixture(scope="module")
def mappings(tmp_path_factory):
    """The shipped folder, and the folder of the toy topic beside the real one."""
    copy = Path(shutil.copytree(ROOT / "mappings", tmp_path_factory.mktemp("toy") / "mappings"))
    shutil.copytree(FOLDER, copy / "topics" / FOLDER.name)
    return copy


@pytest.fixture(scope="module")
def client(mappings):
    return create_app(Settings(mappings=mappings)).test_client()


def ask(client, *drafts, service=TOY, **chart):
    answer = client.post(f"/cds-services/{service}", json=hook_request(*drafts, **chart))
    assert answer.status_code == 200, answer.text
    return answer.get_json()


def test_both_are_in_discovery(client):
    services = client.get("/cds-services").get_json()["services"]
    found = {(s["id"], s["hook"]) for s in services}
    hooks = ("order-select", "order-sign")
    assert found == {(service, hook) for service in (SERVICE, TOY) for hook in hooks}
    assert {s["title"] for s in services if s["id"] == TOY} == {
        "Painful toys: is this the right study?"
    }


@pytest.mark.parametrize("hook", ["order-select", "order-sign"])
def test_it_answers_both_hooks_with_card_suggestion_and_rating(client, hook):
    draft = order(LOOK, reasons=(BROKEN, HURTS))
    answer = ask(client, draft, hook=hook, selections=["ServiceRequest/order-1"])
    (card,) = answer["cards"]
    assert card["summary"] == "Looking at the toy: may be appropriate. Better: Toy X-ray"
    assert card["source"]["label"] == "Toy Criteria: Painful Toys (first edition)"
    assert card["source"]["topic"]["system"] == "urn:toy-ankle:topic"
    (suggestion,) = card["suggestions"]
    changed = suggestion["actions"][0]["resource"]
    assert changed["code"]["coding"] == [{"system": CODES, "code": "X1", "display": "Toy X-ray"}]
    (rated,) = answer["systemActions"]
    consulted = [e for e in rated["resource"]["extension"] if e["url"] == CONSULTED]
    assert consulted == [{"url": CONSULTED, "valueString": f"not-a-qcdsm:{TOY}"}]


def test_a_well_chosen_order_passes_in_silence(client):
    assert ask(client, order(X_RAY, reasons=(BROKEN, HURTS)))["cards"] == []


def test_it_asks_its_question_with_answers_of_its_own(client):
    (card,) = ask(client, order(X_RAY, reasons=(BROKEN,)))["cards"]
    assert "does the toy hurt?" in card["summary"]
    codes = [
        s["actions"][0]["resource"]["reasonCode"][-1]["coding"][0] for s in card["suggestions"]
    ]
    assert [c["system"] for c in codes] == ["urn:toy-ankle:answer"] * 2
    answered = order(X_RAY, reasons=(BROKEN, (codes[0]["system"], codes[0]["code"])))
    assert ask(client, answered)["cards"] == []


def test_its_own_safety_rule_and_a_shared_one_hold(client):
    draft = order(X_RAY, reasons=(BROKEN, HURTS))
    (card,) = ask(client, draft, conditions=[condition(GLUE)])["cards"]
    assert (card["indicator"], "Glue is wet." in card["summary"]) == ("warning", True)
    pregnant = condition(("http://snomed.info/sct", "77386006"))
    (card,) = ask(client, draft, conditions=[pregnant], patient=patient(30))["cards"]
    assert "Pregnancy is coded" in card["summary"]


def test_it_speaks_other_languages(mappings):
    client = create_app(Settings(mappings=mappings, language="de")).test_client()
    (card,) = ask(client, order(X_RAY, reasons=(BROKEN,)))["cards"]
    assert "tut das Spielzeug weh?" in card["summary"]


def test_an_order_of_one_topic_says_nothing_to_the_other(client):
    toy = order(X_RAY, reasons=(BROKEN, HURTS))
    assert ask(client, toy, service=SERVICE) == {"cards": []}
    ours = order(MRI_LUMBAR_W, reasons=(FRACTURE, PAIN))
    assert ask(client, ours) == {"cards": []}


def ratings(resource):
    """The services that left a rating on an order, and what they said."""
    left = resource.get("extension", [])
    rated = [e["valueCodeableConcept"]["coding"] for e in left if e["url"].endswith("rating")]
    by = [e["valueString"].removeprefix("not-a-qcdsm:") for e in left if e["url"] == CONSULTED]
    return {name: codings[0]["code"] for name, codings in zip(by, rated, strict=True)}


BOTH = order(MRI_LUMBAR_WO, reasons=(FRACTURE, PAIN, BROKEN, HURTS))


@pytest.mark.parametrize(
    "services", [(SERVICE, TOY), (TOY, SERVICE)], ids=["real first", "toy first"]
)
def test_neither_takes_off_the_others_rating(client, services):
    """An order that both topics rate is sent to both in turn, and again."""
    draft = BOTH
    for service in (*services, *services):
        (action,) = ask(client, draft, service=service)["systemActions"]
        draft = action["resource"]
    assert ratings(draft) == {SERVICE: "appropriate", TOY: "not-appropriate"}


def test_a_topic_takes_off_its_own_rating_only(client):
    draft = BOTH
    for service in (SERVICE, TOY):
        draft = ask(client, draft, service=service)["systemActions"][0]["resource"]
    draft["reasonCode"] = draft["reasonCode"][:2]  # no toy any more
    (action,) = ask(client, draft)["systemActions"]
    assert ratings(action["resource"]) == {SERVICE: "appropriate"}


def test_what_is_overridden_of_one_topic_is_shown_of_the_other(mappings, tmp_path):
    """Rows and keys carry the topic."""
    app = create_app(Settings(mappings=mappings, store=True, data=tmp_path))
    client = app.test_client()
    for service in (SERVICE, TOY):
        ask(client, BOTH, service=service)
    app.extensions["store"].finish()
    database = Database("", tmp_path)
    load_spool(StoreLocation("", tmp_path), database)
    rows = kept(database, "decisions")
    assert {row["guideline"] for row in rows} == {"acr-vcf-2022", "toy-ankle-2020"}
    assert len({row["order_key"] for row in rows}) == 2
    assert len({row["card"] for row in rows}) == 2
    database.close()


@pytest.mark.parametrize(
    "page", ["", "/variant-1", "/variant-2", "/find", "/rules", "/codes/toy-pain"]
)
def test_it_has_its_pages(client, page):
    answer = client.get(f"/guidelines/toy-ankle-2020{page}")
    assert answer.status_code == 200
    assert "Toy Criteria: Painful Toys" in answer.text
    assert "Vertebral" not in answer.text.split("<main")[1]


def test_its_orders_can_be_tried(client):
    body = hook_request(order(X_RAY, reasons=(BROKEN, HURTS)))
    tried = client.post(f"/try?service={TOY}", json=body)
    assert "the service is silent" in tried.text
    assert f"/cds-services/{TOY}" in tried.text
    found = client.get(f"/try/codes?kind=order&service={TOY}&q=toy")
    assert CODES in found.text


def test_the_pages_of_all_topics_name_both(client):
    for page in ("/", "/about"):
        text = client.get(page).text
        assert "Toy Criteria" in text
        assert "Vertebral Compression" in text


def test_it_is_linted(mappings, capsys):
    assert main(["lint", str(mappings)]) == 0
    assert "toy-ankle-2020: no problem found" in capsys.readouterr().out
    file = mappings / "topics" / FOLDER.name / "relevance.json"
    before = file.read_text("utf-8")
    file.write_text(before.replace("toy-pain", "toy-ache"), "utf-8")
    assert main(["lint", str(mappings)]) == 1
    assert "toy-ankle-2020/relevance.json: specific_reasons: toy-ache" in capsys.readouterr().out
    file.write_text(before, "utf-8")


def test_it_is_replayed(mappings, tmp_path, capsys):
    case = tmp_path / "order-sign" / "a-toy"
    case.mkdir(parents=True)
    about = {"about": "A broken toy", "today": "2026-11-21", "service": TOY}
    (case / "case.json").write_text(json.dumps(about))
    request = hook_request(order(LOOK, reasons=(BROKEN, HURTS)))
    (case / "request.json").write_text(json.dumps(request))
    folders = [str(tmp_path), "--mappings", str(mappings)]
    assert main(["replay", *folders, "--record"]) == 0
    assert "Looking at the toy" in (case / "response.json").read_text()
    assert main(["replay", *folders]) == 0
