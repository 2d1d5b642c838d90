"""The page /try: who sees it, that it answers as an EHR is answered, and what it never does."""

import json
import re
from datetime import date
from html import unescape
from urllib.parse import parse_qsl, urlsplit

import pytest

from cds_service import create_app
from cds_service.fixtures import find_fixtures, read_fixture
from cds_service.settings import ConfigError, Settings, settings_from
from cds_service.shipped import FIXTURES
from cds_service.web import trial
from cds_service.web.situations import chosen_in, drafts, situations
from tests.small_world import (
    BREAST_CANCER,
    FRACTURE,
    MRI_LUMBAR_W,
    PAIN,
    TODAY,
    concept,
    hook_request,
    order,
    topic,
)
from tests.test_access import BASE, clients_file
from tests.test_feedback import DISMISSED, start  # noqa: F401  a fixture

SERVICE = "/cds-services/vcf-appropriateness"
CASES = {fixture.name: fixture for fixture in map(read_fixture, find_fixtures([FIXTURES]))}
POOR = hook_request(order(MRI_LUMBAR_W, reasons=(FRACTURE, PAIN)))
FIRST = topic().about.example


@pytest.fixture(scope="module")
def client():
    return create_app(Settings(), today=lambda: TODAY).test_client()


@pytest.fixture(autouse=True)
def _not_limited(monkeypatch):
    monkeypatch.setattr(trial, "PER_MINUTE", 0)


def piece(page, name):
    """The text of one of the pieces to copy: request, answer or curl."""
    return unescape(re.search(rf'<pre id="{name}"[^>]*>(.*?)</pre>', page, re.DOTALL).group(1))


def posted(client, body, query=""):
    data = body if isinstance(body, str) else json.dumps(body)
    return client.post(f"/try{query}", data=data, content_type="application/json")


class TestWhoSeesIt:
    @pytest.mark.parametrize(
        ("is_open", "tries", "there"),
        [(True, None, 1), (False, None, 0), (True, False, 0), (False, True, 1)],
    )
    def test_everybody_in_open_mode_or_where_it_is_set(self, is_open, tries, there, tmp_path):
        settings = Settings(
            open=is_open, tries=tries, clients=clients_file(tmp_path), public_url=BASE
        )
        made = create_app(settings).test_client()
        assert made.get("/try").status_code == (200 if there else 404)
        assert ('href="/try"' in made.get("/").text) == bool(there)

    def test_the_setting_says_on_or_off(self):
        assert settings_from({"CDS_TRY": "on"}).shows_trial
        assert not settings_from({"CDS_AUTH": "open", "CDS_TRY": "off"}).shows_trial
        with pytest.raises(ConfigError, match="CDS_TRY must be one of on, off"):
            settings_from({"CDS_TRY": "maybe"})


class TestItAnswersAsAnEhrIsAnswered:
    @pytest.mark.parametrize("name", CASES)
    def test_every_shipped_situation(self, client, name):
        """The request that is shown, posted to the service, gives the answer that is shown."""
        page = client.get(f"/try?situation={name}").text
        answer = client.post(SERVICE, json=json.loads(piece(page, "request")))
        if answer.status_code != 200:
            assert "The service refuses this request" in page
            assert answer.json["issue"][0]["diagnostics"] in unescape(page)
        else:
            assert json.loads(piece(page, "answer")) == answer.json
            assert page.count('class="card ') == len(answer.json["cards"])
            for card in answer.json["cards"]:
                assert card["summary"] in unescape(page)

    def test_the_situation_is_as_on_its_day(self, client):
        """Findings of a fixture get no older: its day stands on its orders."""
        expected = json.loads(CASES[FIRST].expected)
        later = create_app(Settings(), today=lambda: date(2029, 1, 1))
        page = later.test_client().get("/try").text
        assert (
            json.loads(piece(page, "answer"))["cards"][0]["summary"]
            == (expected["cards"][0]["summary"])
        )

    def test_a_pasted_request(self, client):
        page = posted(client, POOR).text
        assert json.loads(piece(page, "answer")) == client.post(SERVICE, json=POOR).json

    def test_curl_posts_the_request_to_the_service(self, client, tmp_path):
        page = posted(client, POOR).text
        curl = piece(page, "curl")
        assert f"http://localhost{SERVICE}" in curl
        assert piece(page, "request") in curl
        assert "Authorization" not in curl
        settings = Settings(open=False, tries=True, clients=clients_file(tmp_path), public_url=BASE)
        signed = create_app(settings).test_client()
        assert 'Authorization: Bearer $TOKEN" \\\n' in piece(posted(signed, POOR).text, "curl")

    def test_cards_are_in_the_language_of_the_page(self, client):
        page = client.get(f"/try?situation={FIRST}&lang=de").text
        assert "In der Regel" in piece(page, "answer") or "in der Regel" in piece(page, "answer")


WHY_SILENT = {
    "variant-1-mri-without-contrast-passes-in-silence": "Well chosen: usually appropriate in vari",
    "variant-2-biopsy-after-cancer-passes-in-silence": "an order of its kind passes in silence",
    "safety-surgical-consultation-for-a-deficit-is-never-warned-against": "not warned against here",
    "silence-for-a-chest-order": "in none of our maps",
    "silence-for-a-revoked-order": "not open any more",
    "silence-for-a-young-patient-with-a-traumatic-wedge-fracture": "no vertebral compression fract",
    "silence-for-staging-a-cancer": "do not make it one about: compression fracture",
    "silence-when-there-is-too-little-to-go-on": "too little to go on",
    "sandbox-medication-to-sign": "no order of a study or treatment",
}


class TestWhyItIsSilent:
    @pytest.mark.parametrize(("name", "words"), WHY_SILENT.items())
    def test_of_a_shipped_situation(self, client, name, words):
        page = client.get(f"/try?situation=order-sign/{name}").text
        assert "the service is silent" in page
        assert words in page

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            ({"doNotPerform": True}, "something is not to be done"),
            ({"id": "another"}, "not among the orders that the user has just selected"),
            ({"code": concept(MRI_LUMBAR_W, ("http://loinc.org", "24986-2"))}, "contradict"),
        ],
    )
    def test_of_an_order_that_is_passed_over(self, client, change, words):
        draft = order(MRI_LUMBAR_W, reasons=(FRACTURE, PAIN)) | change
        body = hook_request(draft, hook="order-select", selections=["ServiceRequest/order-1"])
        body["context"]["selections"] += [] if "id" in change else [f"ServiceRequest/{draft['id']}"]
        assert words in posted(client, body).text

    def test_of_one_whose_fracture_is_in_doubt(self, client):
        body = hook_request(order(MRI_LUMBAR_W, reasons=(PAIN,)), without=("conditions",))
        assert "not known whether the guideline is for this patient" in posted(client, body).text

    def test_of_a_request_without_orders(self, client):
        assert "holds no draft order" in posted(client, hook_request()).text


class TestLink:
    def link(self, page):
        found = re.search(r'<a id="link" href="([^"]*)"', page)
        return unescape(found.group(1)) if found else None

    def test_it_names_the_situation_alone_where_nothing_was_changed(self, client):
        page = client.get(f"/try?situation={FIRST}").text
        assert self.link(page) == f"/try?situation={FIRST}"

    def test_it_brings_back_what_was_chosen(self, client):
        body = json.loads(json.dumps(situations()[FIRST].request))
        draft = drafts(body)[0]
        draft["code"] = concept(("http://www.ama-assn.org/go/cpt", "72148"))
        draft["reasonCode"] = [*draft["reasonCode"], concept(BREAST_CANCER)]
        first = posted(client, body, f"?situation={FIRST}").text
        again = client.get(self.link(first)).text
        assert chosen_in(json.loads(piece(again, "request"))) == chosen_in(body)
        assert (
            json.loads(piece(again, "answer"))["cards"]
            == (json.loads(piece(first, "answer"))["cards"])
        )
        assert self.link(again) == self.link(first)

    def test_orders_that_were_added_or_removed(self, client):
        body = json.loads(json.dumps(situations()[FIRST].request))
        entries = body["context"]["draftOrders"]["entry"]
        entries.append({"resource": order(MRI_LUMBAR_W, identifier="added-1", reasons=(PAIN,))})
        both = client.get(self.link(posted(client, body, f"?situation={FIRST}").text)).text
        assert chosen_in(json.loads(piece(both, "request"))) == chosen_in(body)
        entries.clear()
        none = client.get(self.link(posted(client, body, f"?situation={FIRST}").text)).text
        assert drafts(json.loads(piece(none, "request"))) == []

    def test_what_was_pasted_is_in_no_address(self, client):
        page = posted(client, POOR).text
        assert self.link(page) is None
        assert "42942008" not in "".join(re.findall(r'(?:href|src|action)="([^"]*)"', page))

    @pytest.mark.parametrize(
        "query", ["order=x", "order=%7C&reasons=;;,,", "order=a&order=b&order=c", "reasons=x"]
    )
    @pytest.mark.parametrize("name", [FIRST, "order-select/sandbox-page-opened-without-a-study"])
    def test_any_address_is_answered(self, client, query, name):
        assert client.get(f"/try?situation={name}&{query}").status_code == 200

    def test_a_situation_that_there_is_not(self, client):
        assert client.get("/try?situation=none").status_code == 404

    def test_the_language_stays(self, client):
        link = self.link(client.get(f"/try?situation={FIRST}&lang=es").text)
        assert ("lang", "es") in parse_qsl(urlsplit(link).query)


class TestWhatItNeverDoes:
    def counted(self, client):
        metrics = client.get("/metrics", headers={"Authorization": "Bearer let-me-in"}).text
        return [line for line in metrics.splitlines() if line.startswith(("cds_orders", "cds_ca"))]

    def test_nothing_is_kept_counted_or_logged_of_a_patient(self, start, capsys):  # noqa: F811
        service, secret = start(metrics_token="let-me-in"), "Zebediah"  # noqa: S106
        client, before = service.client, self.counted(service.client)
        body = json.loads(json.dumps(POOR).replace("maria", secret))
        assert secret in posted(client, body).text
        posted(client, json.dumps(body)[:-9])
        posted(client, {**body, "hook": [secret]})
        client.get(f"/try/codes?kind=order&q={secret}")
        assert service.rows("decisions") == []
        assert self.counted(client) == before
        log = capsys.readouterr().err
        assert secret not in log
        assert '"orders"' not in log

    def test_a_card_that_was_overridden_is_shown_all_the_same(self, start):  # noqa: F811
        service = start()
        (card,) = service.ask(POOR)["cards"]
        service.feedback({**DISMISSED, "card": card["uuid"]})
        service.rows()
        assert service.ask(POOR)["cards"] == []
        assert 'class="card warning"' in posted(service.client, POOR).text

    def test_it_fetches_nothing(self, client, monkeypatch):
        monkeypatch.setattr("cds_service.fhir.fetch.Fetcher.fetch", None)
        body = hook_request(order(MRI_LUMBAR_W, reasons=(FRACTURE,)), without=("conditions",))
        answer = posted(client, {**body, "fhirServer": "http://127.0.0.1:1"})
        assert answer.status_code == 200


class TestLimits:
    def test_rate(self, client, monkeypatch):
        monkeypatch.setattr(trial, "PER_MINUTE", 2)
        limited = create_app(Settings()).test_client()
        statuses = [posted(limited, POOR).status_code for _ in range(3)]
        assert statuses == [200, 200, 429]
        other = limited.get("/try", environ_base={"REMOTE_ADDR": "10.1.2.3"})
        assert other.status_code == 200
        assert limited.post(SERVICE, json=POOR).status_code == 200

    def test_size(self, client):
        answer = posted(client, {**POOR, "x": "x" * trial.LARGEST_BYTES})
        assert answer.status_code == 413
        assert answer.json["resourceType"] == "OperationOutcome"

    @pytest.mark.parametrize("text", ["", "{", "[]", "1", "null", "[" * 5000, "\ud800"])
    def test_what_is_no_request_is_refused_in_words(self, client, text):
        data = text.encode("utf-8", "surrogatepass")
        answer = client.post("/try", data=data, content_type="application/json")
        assert answer.status_code == 200
        assert "The service refuses this request" in answer.text

    def test_what_was_pasted_is_text(self, client):
        bad = "<script>alert(1)</script>"
        draft = order(MRI_LUMBAR_W, reasons=(FRACTURE, PAIN))
        draft["code"]["text"] = draft["reasonCode"][0]["coding"][0]["display"] = bad
        page = posted(client, hook_request(draft)).text
        assert "<script" not in page
        assert "&lt;script&gt;" in page


class TestSearch:
    @pytest.mark.parametrize(
        ("kind", "query", "code"),
        [
            ("order", "mri lumbar", "72148"),
            ("order", "72149", "72149"),
            ("order", "MRI without contrast", "72148"),
            ("reason", "low back pain", "279039007"),
            ("reason", "no history of cancer", "malignancy-no"),
        ],
    )
    def test_it_finds_codes_of_our_maps(self, client, kind, query, code):
        assert f'data-code="{code}"' in client.get(f"/try/codes?kind={kind}&q={query}").text

    def test_orders_are_no_reasons(self, client):
        assert "data-code" not in client.get("/try/codes?kind=reason&q=72149").text

    def test_nothing_is_said_to_be_nothing(self, client):
        assert "Nothing in our maps" in client.get("/try/codes?kind=order&q=qwertz").text

    def test_another_kind_there_is_not(self, client):
        assert client.get("/try/codes?kind=x&q=mri").status_code == 404
