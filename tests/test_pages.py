"""The pages: home, errors, the guideline, by hand, and what the machine reads, in words."""

import re
from html import unescape

import pytest

from cds_service import create_app
from cds_service.decision.criteria import COMPILERS
from cds_service.decision.functions import FUNCTIONS
from cds_service.decision.selection import FILTERS
from cds_service.mappings.listing import listing_of
from cds_service.settings import Settings
from cds_service.web import in_words
from cds_service.web.markup import markdown
from cds_service.web.rules import EFFECTS
from tests.small_world import ROOT, TODAY, topic

GUIDELINE = "/guidelines/acr-vcf-2022"
STATIC = ROOT / "cds_service" / "web" / "static"
LISTING = listing_of(ROOT / "mappings", topic().id)
BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


@pytest.fixture(scope="module")
def client():
    return create_app(Settings(), today=lambda: TODAY).test_client()


def text_of(client, path):
    answer = client.get(path, headers=BROWSER)
    assert answer.status_code == 200
    return unescape(answer.text)


class TestHome:
    def test_it_shows_a_card_of_the_service_itself(self, client):
        page = text_of(client, "/")
        assert "MRI lumbar spine with IV contrast: usually not appropriate." in page
        assert "Change to MRI lumbar spine without IV contrast" in page
        assert 'class="card warning"' in page

    def test_it_has_three_ways_on(self, client):
        page = text_of(client, "/").split("<main")[1].split("</main>")[0]
        for path in ("/try", GUIDELINE, "/connect"):
            assert f'href="{path}"' in page

    def test_the_dashboard_is_linked_where_it_may_be_seen(self, tmp_path):
        def links(address="127.0.0.1", **settings):
            app = create_app(Settings(data=tmp_path, **settings))
            page = app.test_client().get("/", environ_base={"REMOTE_ADDR": address}).text
            app.extensions["store"].finish()
            return 'href="/dashboard"' in page

        assert links(store=True)
        assert not links(store=True, address="10.1.2.3")
        assert links(store=True, address="10.1.2.3", dashboard_token="t")  # noqa: S106
        assert not links(store=False)

    def test_connect_names_the_addresses_and_all_that_is_asked_for(self, client):
        page = text_of(client, "/connect")
        assert "http://localhost/cds-services/vcf-appropriateness" in page
        for service in client.get("/cds-services").json["services"]:
            for query in service["prefetch"].values():
                assert query in page


class TestErrors:
    def test_people_get_a_page_and_programs_an_outcome(self, client):
        page = client.get("/nowhere", headers=BROWSER)
        assert (page.status_code, page.mimetype) == (404, "text/html")
        assert "There is no such page" in page.text
        for headers in ({}, {"Accept": "*/*"}, {"Accept": "application/json"}):
            answer = client.get("/nowhere", headers=headers)
            assert answer.json["issue"][0]["code"] == "not-found"

    def test_it_is_in_the_language_of_the_browser(self, client):
        page = client.get("/nowhere", headers={**BROWSER, "Accept-Language": "de"})
        assert "Diese Seite gibt es nicht" in page.text

    def test_the_dashboard_asks_for_its_password_on_a_page(self, tmp_path):
        settings = Settings(store=True, data=tmp_path, dashboard_token="secret")  # noqa: S106
        app = create_app(settings)
        answer = app.test_client().get("/dashboard", headers=BROWSER)
        assert answer.status_code == 401
        assert "A password is needed" in answer.text
        assert answer.headers["WWW-Authenticate"].startswith("Basic")
        app.extensions["store"].finish()

    def test_a_hook_is_refused_as_ever(self, client):
        answer = client.post("/cds-services/x", json={}, headers={"Accept": "application/json"})
        assert answer.json["resourceType"] == "OperationOutcome"


class TestEveryPage:
    @pytest.mark.parametrize("path", ["/", "/nowhere", "/cds-services", "/static/icon.svg"])
    def test_no_search_engine_lists_it(self, client, path):
        with client.get(path) as answer:
            assert answer.headers["X-Robots-Tag"] == "noindex"

    @pytest.mark.parametrize("path", ["/", "/try", f"{GUIDELINE}/rules"])
    def test_no_script_or_style_in_it_would_run(self, client, path):
        policy = client.get(path).headers["Content-Security-Policy"]
        assert "unsafe" not in policy
        assert "default-src 'none'" in policy

    def test_titles_differ_and_there_is_an_icon(self, client):
        paths = ["/", "/try", "/connect", "/about", GUIDELINE, f"{GUIDELINE}/find"]
        paths += [f"{GUIDELINE}/{name}" for name in ("rules", "codes", "variant-1", "variant-2")]
        pages = [text_of(client, path) for path in paths]
        titles = {re.search("<title>(.*?)</title>", page).group(1) for page in pages}
        assert len(titles) == len(paths)
        assert all('rel="icon"' in page for page in pages)

    def test_the_language_stays_with_all_that_was_asked(self, client):
        page = text_of(client, f"{GUIDELINE}/find?kind=treatment&vcf=yes")
        assert 'href="?kind=treatment&vcf=yes&lang=de"' in page

    def test_the_scripts_are_short(self):
        lines = [len(f.read_text("utf-8").splitlines()) for f in STATIC.glob("*.js")]
        assert 0 < sum(lines) < 500

    def test_there_is_one_stylesheet_and_it_fetches_nothing(self):
        (style,) = STATIC.glob("*.css")
        assert not re.findall(r"@import|url\(", style.read_text("utf-8"))


class TestMarkdown:
    """The detail of a card, as HTML."""

    def test_it_becomes_html(self):
        assert markdown("**a**\n\n- b\n- c").count("<li>") == 2
        assert "<table>" in markdown("| a |\n| --- |\n| b |")

    @pytest.mark.parametrize(
        "text", ["<b>x</b>", "[x](javascript:alert(1))", "![x](https://a.test/x.png)", "<!-- x -->"]
    )
    def test_what_could_be_hostile_stays_text(self, text):
        html = markdown(text)
        for hostile in ("<b", "<img", "<!--", 'href="javascript'):
            assert hostile not in html


class TestTheGuideline:
    @pytest.mark.parametrize("kind", ["imaging", "treatment"])
    def test_the_matrix_holds_every_rating_with_its_reason(self, client, kind):
        guideline = topic().guideline
        variants = [v for v in guideline.variants if v.kind == kind]
        table = re.findall("<tbody>.*?</tbody>", text_of(client, GUIDELINE), re.DOTALL)
        rows = re.findall("<tr>.*?</tr>", table[kind == "treatment"], re.DOTALL)
        shown = {}
        for row in rows:
            label = re.search(r'<th scope="row">(.*?)</th>', row).group(1)
            shown[label] = re.findall(r"<td(?: class=\"([\w-]+)\" title=\"(.*?)\")?>", row)
        rated = {p for v in variants for p in v.ratings}
        assert set(shown) == {guideline.procedure[p].label for p in rated}
        for procedure in rated:
            label = guideline.procedure[procedure].label
            expected = [
                (v.category_of(procedure) or "", topic().why(v.id, procedure)) for v in variants
            ]
            assert shown[label] == expected

    def test_a_reason_stands_beside_each_rating_of_a_variant(self, client):
        for variant in topic().guideline.variants:
            page = text_of(client, f"{GUIDELINE}/{variant.id}")
            for procedure in variant.ratings:
                assert topic().why(variant.id, procedure) in page

    def test_a_column_without_any_value_is_not_there(self, client):
        assert "Relative radiation level" in text_of(client, f"{GUIDELINE}/variant-1")
        assert "Relative radiation level" not in text_of(client, f"{GUIDELINE}/variant-5")

    def test_what_next_beware_and_think_of_are_whole_sentences(self):
        for variant in topic().guideline.variants:
            for text in (variant.next, variant.beware, variant.think_of):
                assert text[0].isupper()
                assert text.endswith(".")
                assert text.count(";") <= 1

    def test_reasons_are_in_the_json_too(self, client):
        path = f"{GUIDELINE}/variant-1"
        data = client.get(path, headers={"Accept": "application/json"}).json
        assert all(rating["why"] for rating in data["ratings"])


class TestByHand:
    def test_the_address_holds_the_state(self, client):
        asked = "kind=imaging&vcf=yes&symptomatic=yes&malignancy=no&prior_vcf=yes"
        page = text_of(client, f"{GUIDELINE}/find?{asked}")
        left = re.search(r'<ul class="left">(.*?)</ul>', page, re.DOTALL).group(1)
        assert re.findall(r"Variant (\d)", left) == ["3"]
        assert "This one applies" in page
        assert topic().why("variant-3", "ct-spine-w") in page
        assert page.count(" checked") == 5

    def test_the_question_leads_on(self, client):
        page = text_of(client, f"{GUIDELINE}/find?kind=imaging&vcf=yes&symptomatic=yes")
        assert "Does the patient have, or has the patient had, cancer" in page
        links = re.findall(r'<a class="button" href="(\?[^"]*)"', page)
        assert links[1].endswith("&malignancy=no")
        further = text_of(client, f"{GUIDELINE}/find{links[1]}")
        assert "earlier vertebral compression fracture" in further

    def test_first_only_what_the_guideline_is_about_is_stated(self, client):
        page = text_of(client, f"{GUIDELINE}/find")
        assert re.findall(r'name="(\w+)" value="yes" checked', page) == ["vcf"]

    @pytest.mark.parametrize("query", ["kind=x", "vcf=maybe", "malignancy=", "vcf=no", "x=%ff"])
    def test_any_address_is_answered(self, client, query):
        assert client.get(f"{GUIDELINE}/find?{query}").status_code == 200

    def test_a_guideline_that_there_is_not(self, client):
        for page in ("find", "rules", "codes", "codes/fever"):
            assert client.get(f"/guidelines/none/{page}").status_code == 404


@pytest.fixture(scope="module")
def page(client):
    """The page of the rules."""
    return text_of(client, f"{GUIDELINE}/rules")


class TestInWords:
    """Every form of a criterion has words, and every fact and rule of the data is on the page."""

    def test_every_form_of_a_criterion(self):
        assert set(in_words.WRITERS) == set(COMPILERS)
        assert set(in_words.COMPUTED) == set(FUNCTIONS)
        told = set(in_words.NOTES) | set(in_words.BELOW)
        assert told == set(FILTERS) | {"sources", "prefer"}

    def test_every_fact_and_its_question(self, page):
        for fact in topic().facts:
            assert f'id="fact-{fact.name}"' in page
        for question in topic().questions:
            assert question.text in page

    def test_every_rule_and_what_it_does(self, page):
        for rule in topic().rules:
            assert f'id="rule-{rule.id}"' in page
            assert rule.title in page
            assert rule.citation in page
            assert rule.kind in EFFECTS

    def test_every_value_set_that_a_criterion_names_is_linked(self, page):
        facts, relevance = topic().facts, topic().relevance
        criteria = [rule.when for rule in topic().rules] + [c.when for c in topic().criteria]
        criteria += [relevance.specific_reasons, relevance.other_reasons]
        for fact in facts:
            criteria += filter(None, (fact.true_when, fact.unknown_when, fact.false_when))
        named = {name for c in criteria for name in sets_in(c.written)} & set(LISTING.value_sets)
        assert len(named) > 30
        for name in named:
            assert f'href="{GUIDELINE}/codes/{name}"' in page

    def test_every_link_within_the_page_leads_somewhere(self, page):
        for target in re.findall(rf'href="{GUIDELINE}/rules#([\w-]+)"', page):
            assert f'id="{target}"' in page

    def test_conditions_on_a_finding_are_said(self, page):
        for words in (
            "confirmed; new, or a reason of the order; from: reason of the order, Condition",
            "65 years old or older",
            "The latest value of the last 365 days is below 30:",
            "Variant 5 applies, and no other is possible",
            "not older than 300 days, or without a date",
        ):
            assert words in page


def sets_in(written):
    """All names that stand under `finding` or `observation`."""
    if isinstance(written, dict):
        for key, value in written.items():
            if key in ("finding", "observation", "also_in", "not_in"):
                yield from (
                    n for n in (value if isinstance(value, list) else [value]) if isinstance(n, str)
                )
            yield from sets_in(value)
    elif isinstance(written, list):
        for one in written:
            yield from sets_in(one)


class TestCodes:
    def test_every_value_set_has_its_page_with_its_codes(self, client):
        for name, listed in LISTING.value_sets.items():
            page = text_of(client, f"{GUIDELINE}/codes/{name}")
            assert listed.title in page
            for code in listed.codes[:5]:
                assert f"<code>{code.code}</code>" in page

    def test_a_set_is_searched_by_words(self, client):
        page = text_of(client, f"{GUIDELINE}/codes/malignancy?q=breast+carcinoma")
        assert "254838004" in page
        assert "363346000</code></td>" not in page.split('id="q"')[1].split("Rules over codes")[0]

    @pytest.mark.parametrize(
        ("query", "name", "is_in"),
        [
            ("C50.9", "malignancy", True),  # by a rule
            ("c509", "malignancy", True),
            ("C44.1", "malignancy", False),
            ("254837009", "malignancy", True),  # listed
            ("C44.1", "malignancy-look-alikes", True),
            ("I10", "malignancy", False),
        ],
    )
    def test_a_code_is_said_to_be_in_a_set(self, client, query, name, is_in):
        page = text_of(client, f"{GUIDELINE}/codes?q={query}")
        assert (f'{GUIDELINE}/codes/{name}"' in page.split('role="status"')[1]) == is_in

    def test_a_set_that_there_is_not(self, client):
        assert client.get(f"{GUIDELINE}/codes/none").status_code == 404
