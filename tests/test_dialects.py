"""Each dialect: what its readers publish of their rules, checked on the answer to every fixture."""

import json
import re
from urllib.parse import urlsplit

import pytest
from fhir.resources.R4B.servicerequest import ServiceRequest

from cds_service import choices, create_app
from cds_service.access.clients import ClientsError, read_clients
from cds_service.access.table import read_preference_list
from cds_service.cards.dialect import ResponseOptions, ResponseStyle
from cds_service.cards.dialects import DIALECTS
from cds_service.cards.epic import CONTENT_TYPE, PREFERENCE_LIST
from cds_service.cards.rating import RATING
from cds_service.doctor.clients import check_clients
from cds_service.doctor.lines import PROBLEM
from cds_service.fixtures import HL7, as_text, find_fixtures, read_fixture
from cds_service.hook import answer_hook
from cds_service.replay.clients import PREFERENCE_LIST as KEYS
from cds_service.replay.clients import in_process
from cds_service.settings import ConfigError, Settings, settings_from
from tests.small_world import (
    FRACTURE,
    MRI_LUMBAR_W,
    MRI_LUMBAR_WO,
    MRI_LUMBAR_WO_W,
    PACEMAKER,
    PAIN,
    ROOT,
    condition,
    device,
    hook_call,
    hook_request,
    order,
    topic,
)
from tests.test_access import ISSUER, clients_file

FOLDERS = find_fixtures([ROOT / "fixtures"])
OTHERS = [name for name in DIALECTS if name != HL7]
CASES = {name: [read_fixture(folder, name) for folder in FOLDERS] for name in DIALECTS}
ASKED = hook_request(order(MRI_LUMBAR_WO_W, reasons=(FRACTURE, PAIN)), without=("conditions",))
POOR = hook_request(order(MRI_LUMBAR_W, reasons=(FRACTURE, PAIN)))


def style(name, **options):
    return ResponseStyle(
        DIALECTS[name],
        ResponseOptions(**{"preference_list": read_preference_list(KEYS), **options}),
    )


def answered(request, name, **options):
    return answer_hook(hook_call(request, style=style(name, **options)), topic())


@pytest.fixture(scope="module")
def answers():
    """The answers to all fixtures that are answered with cards, by dialect."""
    found = {}
    for name in DIALECTS:
        post = in_process(name)
        found[name] = [
            (case, body) for case in CASES[name] for status, body in [post(case)] if status == 200
        ]
        assert len(found[name]) > 60
    return found


def actions_of(body):
    for card in body["cards"]:
        for suggestion in card.get("suggestions", []):
            yield from suggestion["actions"]


@pytest.mark.parametrize("name", OTHERS)
def test_the_recorded_answers_are_those_of_the_service(name):
    post, recorded = in_process(name), [c for c in CASES[name] if c.expected is not None]
    assert recorded
    for case in recorded:
        assert as_text(post(case)[1]) == case.expected


@pytest.mark.parametrize("name", OTHERS)
def test_no_dialect_changes_what_is_decided(name, answers):
    """The same facts, variants, category, rating and indicator for every order of every fixture."""
    for case in CASES[name]:
        request = case.request
        try:
            ours = answered(request, HL7)
        except (KeyError, TypeError):
            continue  # a request that never gets so far
        theirs = answered(request, name)
        assert theirs.decisions == ours.decisions


@pytest.mark.parametrize("name", OTHERS)
def test_a_rating_that_is_sent_is_the_same(name):
    for case in CASES[name]:
        try:
            ours = ratings(answered(case.request, HL7).body)
        except (KeyError, TypeError):
            continue
        theirs = ratings(answered(case.request, name, ratings=True).body)
        assert {k: v for k, v in theirs.items() if v != "unknown"} == ours


def ratings(body):
    found = {}
    for action in body.get("systemActions", []):
        for extension in action["resource"].get("extension", []):
            if extension["url"] == RATING:
                coding = extension["valueCodeableConcept"]["coding"][0]
                found[action["resource"]["id"]] = coding["code"]
    return found


@pytest.mark.parametrize("name", DIALECTS)
def test_every_dialect_keeps_to_cds_hooks(name, answers):
    for _, body in answers[name]:
        for card in body["cards"]:
            assert 0 < len(card["summary"]) < 140
            assert card["indicator"] in ("info", "warning", "critical")
            assert card["source"]["label"]
            assert bool(card.get("suggestions")) == ("selectionBehavior" in card)
        for action in actions_of(body):
            assert action["type"] in ("create", "update", "delete")
            if "resource" in action:
                resource = {k: v for k, v in action["resource"].items() if v != []}
                ServiceRequest.model_validate(resource)


class TestEpic:
    """Epic's documentation of CDS Hooks: card, suggestion and action attributes, extensions."""

    @pytest.fixture
    def bodies(self, answers):
        return [body for _, body in answers["epic"]]

    def cards(self, bodies):
        return [card for body in bodies for card in body["cards"]]

    def test_cards(self, bodies):
        for card in self.cards(bodies):
            assert card.get("selectionBehavior", "any") == "any"
            assert card["extension"][CONTENT_TYPE].startswith("text/")
            assert re.fullmatch(r"[A-Za-z0-9]{1,100}", card["source"]["topic"]["code"])
            assert all(reason["code"] and reason["system"] for reason in card["overrideReasons"])
            assert "links" not in card

    def test_suggestions(self, bodies):
        seen = set()
        for card in self.cards(bodies):
            for suggestion in card.get("suggestions", []):
                assert suggestion["label"]
                assert suggestion["uuid"]
                (action,) = suggestion["actions"]
                assert action["description"]
                assert action["type"] in ("create", "delete")
                seen.add(action["type"])
        assert seen == {"create", "delete"}

    def test_orders_are_created_from_a_preference_list(self, bodies):
        created = [a["resource"] for b in bodies for a in actions_of(b) if a["type"] == "create"]
        assert created
        for resource in created:
            assert (resource["status"], resource["intent"]) == ("draft", "proposal")
            (coding,) = resource["code"]["coding"]
            assert coding["system"] == PREFERENCE_LIST
            assert coding["code"].startswith("DEMO-")
            assert resource["category"][0]["coding"][0]["code"] in ("inpatient", "outpatient")

    def test_ratings_only_if_they_are_switched_on(self, bodies):
        assert not any("systemActions" in body for body in bodies)
        assert answered(POOR, "epic", ratings=True).body["systemActions"]

    def test_links_only_if_the_site_lists_them(self):
        (card,) = answered(POOR, "epic", links=True).body["cards"]
        assert card["links"][0]["url"].startswith("https://")

    def test_a_study_without_a_key_is_named_and_has_no_button(self):
        (card,) = answered(POOR, "epic", preference_list={}).body["cards"]
        assert "suggestions" not in card
        assert "chosen by hand" in card["detail"]
        assert "- **MRI without contrast**" in card["detail"]

    def test_one_of_two_studies_without_a_key_is_named(self):
        keys = {("mri-spine-wo", ""): "ANY"}
        (card,) = answered(POOR, "epic", preference_list=keys).body["cards"]
        assert "on no preference list: CT without contrast." in card["detail"]

    def test_plain_text_for_screens_without_markdown(self):
        (card,) = answered(POOR, "epic", plain_text=True).body["cards"]
        assert card["extension"] == {"com.epic.cdshooks.card.detail.content-type": "text/plain"}
        assert card["detail"].startswith("Usually Not Appropriate in variant 1 (")

    def test_a_key_for_the_region_goes_before_one_for_any(self):
        keys = {("mri-spine-wo", ""): "ANY", ("mri-spine-wo", "lumbar"): "LUMBAR"}
        (card,) = answered(POOR, "epic", preference_list=keys).body["cards"]
        coding = card["suggestions"][0]["actions"][0]["resource"]["code"]["coding"][0]
        assert coding["code"] == "LUMBAR"

    def test_the_draft_is_removed_by_a_suggestion_of_its_own(self):
        (card,) = answered(POOR, "epic").body["cards"]
        *_, last = card["suggestions"]
        assert last["actions"][0]["type"] == "delete"
        assert last["actions"][0]["resourceId"] == "ServiceRequest/order-1"

    def test_an_inpatient_order_stays_one(self):
        inpatient = [{"coding": [{"code": "inpatient"}]}]
        request = hook_request(order(MRI_LUMBAR_W, reasons=(FRACTURE, PAIN), category=inpatient))
        (card,) = answered(request, "epic").body["cards"]
        created = card["suggestions"][0]["actions"][0]["resource"]
        assert created["category"][0]["coding"][0]["code"] == "inpatient"

    def test_an_answer_has_no_button_and_is_described(self):
        (card,) = answered(ASKED, "epic").body["cards"]
        assert "suggestions" not in card
        assert "adding a coded reason" in card["detail"]

    def test_other_advice_is_another_topic(self):
        implant = hook_request(
            order(MRI_LUMBAR_W, reasons=(FRACTURE, PAIN)), devices=[device(PACEMAKER)]
        )
        requests = (POOR, ASKED, implant)
        cards = [card for r in requests for card in answered(r, "epic").body["cards"]]
        topics = [card["source"]["topic"]["code"] for card in cards]
        assert len(set(topics)) == len(topics) == 3

    def test_the_number_of_the_rule_that_fired_is_logged(self, capsys):
        client = create_app(Settings(dialect="epic")).test_client()
        for given, logged in (
            ("2852", '"criteria":"2852"'),
            ("Zebediah", '"hook"'),
            (7, '"hook"'),
        ):
            extension = {"com.epic.cdshooks.request.criteria-id": given}
            client.post("/cds-services/vcf-appropriateness", json={**POOR, "extension": extension})
            line = capsys.readouterr().err
            assert logged in line
            assert "Zebediah" not in line


class TestSandbox:
    """What the public Sandbox reads: a rating, a code with display, and coded reasons."""

    def test_every_change_of_an_order_is_understood(self, answers):
        seen = 0
        for case, body in answers["sandbox"]:
            for action in actions_of(body):
                assert action["type"] == "update"
                resource = action["resource"]
                assert ratings({"systemActions": [action]})
                assert all(reason["coding"][0]["code"] for reason in resource["reasonCode"])
                changed = resource["code"] not in codes_in(case.request)
                assert not changed or resource["code"]["coding"][0]["display"]
                seen += 1
        assert seen > 40

    def test_an_order_of_ours_always_has_a_rating_or_the_word_for_none(self):
        irrelevant = hook_request(order(MRI_LUMBAR_WO), conditions=[condition(PAIN)])
        for request in (ASKED, irrelevant):
            body = answered(request, "sandbox").body
            assert set(ratings(body).values()) == {"unknown"}
            assert body["extension"]["systemActions"] == body["systemActions"]


def codes_in(request):
    entries = request["context"]["draftOrders"].get("entry", [])
    return [entry["resource"].get("code") for entry in entries]


class TestInferno:
    """Da Vinci CRD test kit, server tests that hold for any service."""

    @pytest.fixture
    def all_answers(self, answers):
        return answers["crd-inferno"]

    def test_system_actions_are_there_on_order_sign(self, all_answers):
        for case, body in all_answers:
            if case.request["hook"] == "order-sign":
                assert isinstance(body["systemActions"], list)

    def test_cards(self, all_answers):
        for _, body in all_answers:
            for card in body["cards"]:
                assert card["source"]["topic"]["code"]
                assert card["source"]["topic"]["system"]
                for reason in card["overrideReasons"]:
                    assert all(reason[part] for part in ("code", "system", "display"))
                for key in ("suggestions", "links", "overrideReasons"):
                    assert card.get(key, "left out")
                for link in card["links"]:
                    assert link["type"] == "absolute"
                    assert link["label"]
                    assert urlsplit(link["url"]).netloc
                    assert "appContext" not in link

    def test_actions(self, all_answers):
        for case, body in all_answers:
            for action in [*actions_of(body), *body.get("systemActions", [])]:
                assert action["description"]
                assert action["type"] in ("create", "update")
                if action["type"] == "update":
                    assert action["resource"]["id"] in ids_in(case.request)


def ids_in(request):
    entries = request["context"]["draftOrders"]["entry"]
    return [entry["resource"].get("id") for entry in entries]


class TestChoosing:
    TABLE = f'[a]\niss = ["{ISSUER}"]\njwks = "keys.json"\n'

    def test_the_names_are_known_where_they_are_configured(self):
        assert tuple(DIALECTS) == choices.DIALECTS
        for name in DIALECTS:
            assert settings_from({"CDS_DIALECT": name}).dialect == name
        with pytest.raises(ConfigError, match="CDS_DIALECT"):
            settings_from({"CDS_DIALECT": "latin"})

    def test_a_client_has_its_dialect_and_keys(self, tmp_path):
        (tmp_path / "keys.csv").write_text("procedure,region,key\nmri-spine-wo,lumbar,K1\n")
        text = self.TABLE + 'dialect = "epic"\nratings = true\npreference_list = "keys.csv"\n'
        (client,) = read_clients(clients_file(tmp_path, text), frozenset())
        assert client.preference_list == {("mri-spine-wo", "lumbar"): "K1"}
        assert (client.dialect, client.ratings, client.links) == ("epic", True, None)

    @pytest.mark.parametrize("content", [None, "a,b\n1,2\n"])
    def test_a_wrong_preference_list_is_told(self, tmp_path, content):
        if content:
            (tmp_path / "keys.csv").write_text(content)
        text = self.TABLE + 'dialect = "epic"\npreference_list = "keys.csv"\n'
        with pytest.raises(ClientsError, match=r"keys\.csv"):
            read_clients(clients_file(tmp_path, text), frozenset())

    @pytest.mark.parametrize("row", ["mri-spine,lumbar,K", "mri-spine-wo,knee,K"])
    def test_a_key_for_what_there_is_not_stops_the_start_and_is_told(self, tmp_path, row):
        (tmp_path / "keys.csv").write_text(f"procedure,region,key\n{row}\n")
        text = self.TABLE + 'dialect = "epic"\npreference_list = "keys.csv"\n'
        settings = Settings(open=False, clients=clients_file(tmp_path, text), data=tmp_path / "d")
        with pytest.raises(ClientsError, match=r"a\.preference_list: (mri-spine|knee) is no"):
            create_app(settings)
        lines = [line for line in check_clients(settings) if "preference" in line.about]
        assert [line.state for line in lines] == [PROBLEM]


def test_what_is_sent_in_a_dialect_is_json_that_can_be_read_again(answers):
    for name in DIALECTS:
        for _, body in answers[name]:
            assert json.loads(as_text(body)) == body
