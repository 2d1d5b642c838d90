"""The routes as a client sees them."""

import json
from html.parser import HTMLParser

import pytest

from cds_service import create_app
from cds_service.settings import ROWS, ConfigError, Settings, settings_from
from tests.small_world import (
    BREAST_CANCER,
    FRACTURE,
    MRI_LUMBAR_W,
    PAIN,
    TODAY,
    condition,
    hook_request,
    order,
    topic,
)

SERVICE = "/cds-services/vcf-appropriateness"
GUIDELINE = "/guidelines/acr-vcf-2022"
PAGES = ["/", "/about", "/connect", "/try", GUIDELINE]
PAGES += [f"{GUIDELINE}/{name}" for name in ("find", "rules", "codes", "codes/malignancy")]
VARIANT_PAGES = [f"{GUIDELINE}/variant-{number}" for number in range(1, 10)]


@pytest.fixture(scope="module")
def app():
    return create_app(Settings(), today=lambda: TODAY)


@pytest.fixture
def client(app):
    return app.test_client()


def test_discovery_lists_one_service_under_both_hooks(client):
    services = client.get("/cds-services").get_json()["services"]
    assert {s["hook"] for s in services} == {"order-select", "order-sign"}
    assert {s["id"] for s in services} == {"vcf-appropriateness"}
    for service in services:
        assert set(service) == {
            "hook", "id", "title", "description", "usageRequirements", "version", "hookVersion",
            "prefetch",
        }  # fmt: skip


def test_the_sandbox_which_keeps_the_last_of_an_id_gets_order_select(client):
    assert client.get("/cds-services").get_json()["services"][-1]["hook"] == "order-select"


def test_prefetch_templates_are_simple(client):
    templates = client.get("/cds-services").get_json()["services"][0]["prefetch"]
    assert list(templates) == [
        "patient", "conditions", "procedures", "observations", "devices", "allergies",
    ]  # fmt: skip
    for template in templates.values():
        query = template.partition("?")[2]
        names = [pair.split("=")[0] for pair in query.split("&")]
        assert len(names) == len(set(names))
        assert template.replace("{{context.patientId}}", "").count("{") == 0
    assert "98979-8" in templates["observations"]


@pytest.mark.parametrize("hook", ["order-select", "order-sign", "patient-view"])
def test_the_service_answers_by_the_context_whatever_the_hook(client, hook):
    body = hook_request(order(MRI_LUMBAR_W, reasons=(FRACTURE, PAIN)), hook=hook)
    answer = client.post(SERVICE, json=body)
    assert answer.status_code == 200
    assert len(answer.get_json()["cards"]) == 1


@pytest.mark.parametrize("path", [f"/{SERVICE}/", f"{SERVICE}/", SERVICE.replace("s/v", "s//v")])
def test_a_slash_too_many_does_no_harm(client, path):
    body = hook_request(order(MRI_LUMBAR_W, reasons=(FRACTURE, PAIN)))
    answer = client.post(SERVICE, json=body, environ_overrides={"PATH_INFO": path})
    assert answer.status_code == 200


@pytest.mark.parametrize("path", ["/guidelines/acr-vcf-2022/variant-1", "/dashboard", "/nowhere"])
def test_a_query_that_is_no_utf_8_does_no_harm(client, path):
    odd = {"QUERY_STRING": "lang=\xff&days=\xfc"}
    answer = client.get(path, environ_overrides=odd)
    assert answer.status_code == client.get(path).status_code


@pytest.mark.parametrize("at", ["hook", "patientId", "status", "code", "clinicalStatus"])
def test_a_body_that_is_no_utf_8_is_refused(client, at):
    """Wherever it is found out: in the envelope, an order, or a Condition of the chart."""
    cancer = condition(BREAST_CANCER)
    body = hook_request(order(MRI_LUMBAR_W, reasons=(FRACTURE, PAIN)), conditions=[cancer])
    text = json.dumps(body).replace(f'"{at}": ', f'"{at}": "\xff", "x": ').encode("latin-1")
    answer = client.post(SERVICE, data=text, content_type="application/json")
    assert answer.status_code == 400
    assert answer.get_json()["issue"][0]["diagnostics"] == "The body is not JSON."
    feedback = client.post(f"{SERVICE}/feedback", data=text, content_type="application/json")
    assert feedback.status_code == 400


def test_links_lead_to_the_address_that_was_called(client):
    body = hook_request(order(MRI_LUMBAR_W, reasons=(FRACTURE, PAIN)))
    (card,) = client.post(SERVICE, json=body).get_json()["cards"]
    path = card["links"][0]["url"].removeprefix("http://localhost")
    assert path == "/guidelines/acr-vcf-2022/variant-1"
    assert client.get(path).status_code == 200


@pytest.mark.parametrize("path", ["/cds-services", SERVICE, f"{SERVICE}/feedback", "/about"])
def test_preflight_is_answered_on_every_route(client, path):
    headers = {
        "Origin": "https://sandbox.cds-hooks.org",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization, content-type",
    }
    answer = client.options(path, headers=headers)
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"]
    assert "authorization" in answer.headers["Access-Control-Allow-Headers"].lower()


def test_health_and_ready(client):
    assert client.get("/health").get_json() == {"status": "up"}
    ready = client.get("/ready").get_json()
    assert ready["status"] == "ready"
    assert ready["rules_version"] == topic().version


@pytest.mark.parametrize("path", PAGES + VARIANT_PAGES)
def test_pages_are_whole_html_without_assets_of_other_hosts(client, path):
    answer = client.get(path, headers={"Accept": "text/html"})
    assert answer.status_code == 200
    page = Links()
    page.feed(answer.get_data(as_text=True))
    assert page.titles == 1
    for asset in page.assets:
        assert asset.startswith("/static/"), asset
        with client.get(asset) as file:
            assert file.status_code == 200
    assert not page.inline
    for link in page.local:
        assert client.get(link).status_code == 200


class Links(HTMLParser):
    """The headings of a page, its files, its links within the service, and inline styles."""

    def __init__(self):
        super().__init__()
        self.titles, self.assets, self.local, self.inline = 0, [], [], []

    def handle_starttag(self, tag, attributes):
        named = dict(attributes)
        self.titles += tag == "h1"
        if tag in ("script", "img", "link", "iframe"):
            self.assets.append(named.get("src") or named.get("href") or "inline")
        if tag == "a" and named["href"].startswith("/"):
            self.local.append(named["href"])
        self.inline += [tag] if tag == "style" else []
        self.inline += [name for name in named if name == "style" or name.startswith("on")]


@pytest.mark.parametrize("variant", topic().guideline.variants, ids=lambda v: v.id)
def test_a_variant_page_shows_criteria_ratings_and_notes(client, variant):
    path = f"/guidelines/acr-vcf-2022/{variant.id}"
    text = client.get(path, headers={"Accept": "text/html"}).get_data(as_text=True)
    data = client.get(path, headers={"Accept": "application/json"}).get_json()
    assert {r["procedure"]: r["category"] for r in data["ratings"]} == variant.ratings
    assert data["criteria"] == dict(variant.criteria)
    for words in ("does not endorse", "revised 2022", f"Variant {variant.number}"):
        assert words in text
    for rating in data["ratings"]:
        assert rating["label"] in text
        assert rating["radiation"]["adult"] in text


def test_about_has_the_13_source_attributes_and_the_limits(client):
    data = client.get("/about", headers={"Accept": "application/json"}).get_json()
    assert len(data["attributes"]) == 13
    limits = json.dumps(data["limits"])
    for words in ("emergencies", "Not a qualified", "paused since 2024", "not replace"):
        assert words in limits
    assert data["review_is_due"] is False


def test_the_variant_2_page_says_what_the_document_leaves_open(client):
    page = client.get(VARIANT_PAGES[1], headers={"Accept": "text/html"}).get_data(as_text=True)
    assert "its own titles leave it open" in page


def test_the_log_has_one_line_per_hook_and_nothing_of_the_patient(client, capsys):
    body = hook_request(order(MRI_LUMBAR_W, reasons=(FRACTURE, PAIN), identifier="secret-order"))
    client.post(SERVICE, json=body)
    (line,) = capsys.readouterr().err.splitlines()
    entry = json.loads(line)
    assert entry["orders"][0]["topic"] == "variant1"
    for secret in ("secret-order", "maria", "1956", "72149", "42942008"):
        assert secret not in line


SETTINGS = [
    ({"CDS_AUTH": "optional"}, "CDS_AUTH"),
    ({"CDS_TOKEN_SECONDS": "0"}, "CDS_TOKEN_SECONDS"),
    ({"CDS_ON_TOO_LITTLE": "shout"}, "CDS_ON_TOO_LITTLE"),
    ({"CDS_AUTH": "open", "CDS_PUBLIC_URL": "cds.example.org"}, "CDS_PUBLIC_URL"),
    ({"CDS_AUTH": "open", "CDS_MAX_BODY_BYTES": "ten"}, "CDS_MAX_BODY_BYTES"),
    ({"CDS_AUTH": "open", "CDS_MAX_BODY_BYTES": "0"}, "CDS_MAX_BODY_BYTES"),
]


@pytest.mark.parametrize(("environment", "named"), SETTINGS)
def test_a_wrong_setting_stops_the_start_and_is_named(environment, named):
    with pytest.raises(ConfigError, match=named):
        settings_from(environment)


def test_all_wrong_settings_are_told_at_once():
    with pytest.raises(ConfigError) as caught:
        settings_from({"CDS_AUTH": "maybe", "CDS_SECRET": "short", "CDS_FETCH_MILLISECONDS": "-1"})
    assert str(caught.value).splitlines() == [
        "CDS_AUTH must be one of required, open",
        "CDS_SECRET must have at least 16 characters",
        "CDS_FETCH_MILLISECONDS must be a whole number from 0 to 10000",
    ]


def test_an_empty_setting_counts_as_not_set():
    assert settings_from(dict.fromkeys(ROWS, "")) == settings_from({})


def test_settings_are_read_from_the_environment():
    environment = {"CDS_AUTH": "open", "CDS_PUBLIC_URL": "https://cds.example.org/"}
    settings = settings_from(environment)
    assert settings.public_url == "https://cds.example.org"
    assert settings.open


def test_what_becomes_of_a_token_that_cannot_be_checked_is_said_by_a_setting():
    assert settings_from({"CDS_REPLAY_UNCHECKED": "refuse"}).refuse_unchecked
    assert not settings_from({}).refuse_unchecked


def test_callers_are_checked_unless_it_is_said_otherwise():
    assert not settings_from({}).open
