"""Languages: no text is missing from a catalogue, none bypasses it, and none changes a decision."""

import re
import subprocess
import sys
from gettext import NullTranslations
from html.parser import HTMLParser
from itertools import product
from statistics import median
from string import Formatter

import pytest
from babel.messages.pofile import read_po

from cds_service import create_app
from cds_service.access.clients import ClientsError, read_clients
from cds_service.cards.dialect import ResponseOptions, ResponseStyle
from cds_service.cards.dialects import DIALECTS
from cds_service.cards.evaluated import EvaluatedOrder
from cds_service.cards.summary import LONGEST, STATES
from cds_service.fixtures import find_fixtures, read_fixture
from cds_service.hook import answer_hook
from cds_service.language import FOLDER, LANGUAGES, Language, language
from cds_service.settings import ConfigError, Settings, settings_from
from cds_service.shipped import FIXTURES
from cds_service.web import languages
from tests.small_world import (
    FRACTURE,
    MRI_LUMBAR_W,
    PAIN,
    ROOT,
    TOPIC_FOLDER,
    hook_call,
    hook_request,
    order,
    topic,
)
from tests.test_access import ISSUER, clients_file
from tests.test_dashboard import app  # noqa: F401  a fixture

MAPPINGS = ROOT / "mappings"
OTHERS = LANGUAGES[1:]
POOR = hook_request(order(MRI_LUMBAR_W, reasons=(FRACTURE, PAIN)))
GUIDELINE = "/guidelines/acr-vcf-2022"
PAGES = (
    *("/", "/about", "/connect", "/dashboard?days=7", GUIDELINE, f"{GUIDELINE}/rules"),
    *(f"{GUIDELINE}/variant-{number}" for number in range(1, 10)),
    *(f"{GUIDELINE}/find", f"{GUIDELINE}/find?kind=treatment&vcf=yes&malignancy=no"),
    *(f"{GUIDELINE}/codes", f"{GUIDELINE}/codes?q=C50.9", f"{GUIDELINE}/codes/malignancy?q=breast"),
)


def answered(request, style):
    return answer_hook(hook_call(request, style=style), topic())


def all_answers(style):
    """The answers to all fixtures that get so far."""
    for folder in find_fixtures([ROOT / "fixtures"]):
        try:
            yield answered(read_fixture(folder).request, style)
        except (KeyError, TypeError):
            continue


@pytest.mark.parametrize("code", LANGUAGES)
def test_no_summary_loses_the_better_choice(code):
    """The first button that changes the order is named in the summary, in every language."""
    said = language(code, MAPPINGS).say("Better: %(study)s").partition("%")[0]
    cards = [c for a in all_answers(ResponseStyle(language=language(code, MAPPINGS)))
             for c in a.body["cards"]]  # fmt: skip
    changes = [c for c in cards if c.get("suggestions", [{}])[0].get("isRecommended")]
    replaced = [c for c in changes if c["suggestions"][0]["actions"][0]["type"] == "update"]
    assert len(replaced) > 25
    assert [c["summary"] for c in replaced if said not in c["summary"]] == []


@pytest.mark.parametrize(("dialect", "code"), list(product(DIALECTS, LANGUAGES)))
@pytest.mark.parametrize("plain_text", [False, True])
def test_the_detail_is_read_in_five_seconds(dialect, code, plain_text):
    """At most 900 characters for half of the fixtures, and 1,500 for any; a third more beside
    English (decision rules, section 5).
    """
    options = ResponseOptions(plain_text=plain_text)
    style = ResponseStyle(DIALECTS[dialect], options, language(code, MAPPINGS))
    details = [card["detail"] for a in all_answers(style) for card in a.body["cards"]]
    more = 1 if code == "en" else 4 / 3
    assert len(details) > 60
    assert median(map(len, details)) <= 900 * more
    assert max(map(len, details)) <= 1_500 * more
    assert not any("|" in detail for detail in details)
    assert not (plain_text and any("**" in detail for detail in details))


# Each catalogue, and the options with which its texts are collected.
OURS = ("babel.cfg", "-k", "say", "-k", "count:1,2", ".")
CATALOGUES = {
    "package": (FOLDER, "{}/LC_MESSAGES/messages.po", OURS),
    "topic": (TOPIC_FOLDER / "translations", "{}.po", ("babel-topic.cfg", str(TOPIC_FOLDER))),
}


@pytest.fixture(scope="module", params=CATALOGUES)
def part(request):
    return request.param


@pytest.fixture(scope="module")
def texts(part, tmp_path_factory):
    """All texts of a catalogue as they are collected from the sources."""
    file = tmp_path_factory.mktemp("words") / "messages.pot"
    options = ["-q", "extract", "-o", str(file), "-F", *CATALOGUES[part][2]]
    command = [sys.executable, "-m", "babel.messages.frontend", *options]
    subprocess.run(command, cwd=ROOT, check=True)  # noqa: S603
    return read(file)


def read(file):
    with file.open("rb") as lines:
        return {m.id: m for m in read_po(lines) if m.id}


def catalogue(part, code):
    folder, name, _ = CATALOGUES[part]
    return read(folder / name.format(code))


def forms(texts):
    return texts if isinstance(texts, tuple) else (texts,)


def places(text):
    """What is put into a text: %(names)s and {names}."""
    braces = [name for _, name, _, _ in Formatter().parse(text) if name]
    return sorted(re.findall(r"%\(\w+\)[sd]", text) + braces)


@pytest.mark.parametrize("code", OTHERS)
class TestCatalogue:
    def test_holds_every_text_and_no_other(self, code, part, texts):
        assert set(catalogue(part, code)) == set(texts), "run `make words`"

    def test_says_every_text(self, code, part):
        for message in catalogue(part, code).values():
            assert all(forms(message.string)), message.id
            assert not message.fuzzy, message.id

    def test_keeps_the_places_of_values_and_the_blanks_at_the_ends(self, code, part):
        for message in catalogue(part, code).values():
            for said, meant in zip(forms(message.string), forms(message.id), strict=True):
                assert places(said) == places(meant), message.id
                edges = [(t[0].isspace(), t[-1].isspace()) for t in (said, meant)]
                assert edges[0] == edges[1], message.id

    def test_decides_the_same_and_sends_the_same_codes(self, code):
        ours = list(all_answers(ResponseStyle()))
        theirs = list(all_answers(ResponseStyle(language=language(code, MAPPINGS))))
        assert len(ours) > 50
        for mine, other in zip(ours, theirs, strict=True):
            assert other.decisions == mine.decisions
            assert codes_in(other.body) == codes_in(mine.body)
            assert [list(e.suggestions.values()) for e in other.evaluations] == [
                list(e.suggestions.values()) for e in mine.evaluations
            ]


def codes_in(value):
    """Everything that is a code, anywhere in an answer."""
    if isinstance(value, list):
        return [code for item in value for code in codes_in(item)]
    if not isinstance(value, dict):
        return []
    here = [value["code"]] if isinstance(value.get("code"), str) else []
    return here + [code for item in value.values() for code in codes_in(item)]


class TestSummaries:
    """Fewer than 140 characters in every language, as CDS Hooks wants them."""

    @pytest.mark.parametrize("code", LANGUAGES)
    def test_every_card_of_the_fixtures_has_one(self, code):
        for name in DIALECTS:
            style = ResponseStyle(DIALECTS[name], language=language(code, MAPPINGS))
            for answer in all_answers(style):
                for card in answer.body["cards"]:
                    assert 0 < len(card["summary"]) <= LONGEST

    @pytest.mark.parametrize("code", LANGUAGES)
    def test_what_is_said_of_any_order_has_room_with_its_caution(self, code):
        """The name of the order and its state always; the longest caution of a rule besides."""
        say = language(code, MAPPINGS).say
        guideline, terminology = topic().guideline, topic().terminology
        states = [*STATES.values(), *(q.short for q in topic().questions)]
        states += [c.in_text + "." for c in guideline.categories]
        names = [
            say(procedure.order_text).format(region=say(place.display))
            for procedure in guideline.procedures
            for place in terminology.places.values()
        ]
        longest = max(names, key=len)
        for state, rule in product(states, topic().rules):
            rated = f"{longest}: {say(state.removesuffix('.'))}."
            assert len(rated) <= LONGEST
            assert len(say(rule.title)) <= 60
            assert len(say(rule.title)) + len(say("Better: %(study)s", study="")) < LONGEST


class Marked(NullTranslations):
    """A language in which every text stands in brackets: what does not was never looked up."""

    def gettext(self, message):
        return f"⟦{message}⟧"

    def ngettext(self, one, many, number):
        return f"⟦{one if number == 1 else many}⟧"


MARKED = Language("en", Marked())
# What is not said in words: types of resources, radiation, names.
UNTRANSLATED = {"Condition", "Procedure", "Observation", "Device", "AllergyIntolerance", "Patient"}
UNTRANSLATED |= {"English", "Deutsch", "Español", "curl", "DiagnosticReport"}
UNTRANSLATED |= {"SNOMED", "CT", "ICD", "CM", "GM", "AM", "LOINC", "RxNorm", "CPT", "RadLex"}


def unmarked(text):
    """The words outside of all brackets."""
    while (shorter := re.sub(r"⟦[^⟦⟧]*⟧", "", text)) != text:
        text = shorter
    return set(re.findall(r"[^\W\d_]+", text)) - UNTRANSLATED


class Visible(HTMLParser):
    """The text of a page, and of the attributes that are read out; less what is not said by us, or
    not in the language of the page, and the detail of cards, which is looked at above.
    """

    VOID = ("br", "img", "input", "link", "meta")
    OTHERS = {("translate", "no"), ("lang", "en"), ("class", "detail")}

    def __init__(self):
        super().__init__()
        self.texts, self.within = [], 0

    def handle_starttag(self, tag, attributes):
        skips = tag in ("style", "svg", "pre", "code") or self.OTHERS.intersection(attributes)
        self.within += tag not in self.VOID and bool(self.within or skips) and tag != "html"
        if not self.within:
            self.texts += [v for k, v in attributes if k in ("aria-label", "title", "alt")]

    def handle_endtag(self, tag):
        self.within = max(0, self.within - 1)

    def handle_data(self, data):
        if not self.within:
            self.texts.append(data)


class TestNothingBypassesTheCatalogue:
    @pytest.mark.parametrize("name", DIALECTS)
    def test_in_a_card(self, name):
        for answer in all_answers(ResponseStyle(DIALECTS[name], language=MARKED)):
            for card in answer.body["cards"]:
                for text in texts_of(card):
                    assert not unmarked(text), text

    @pytest.mark.parametrize("path", PAGES)
    def test_on_a_page(self, path, app, monkeypatch):  # noqa: F811
        monkeypatch.setattr(languages, "language", lambda *_: MARKED)
        self.look_at(app().test_client().get(path))

    def test_in_what_is_tried(self, monkeypatch):
        monkeypatch.setattr(languages, "language", lambda *_: MARKED)
        client = create_app(Settings()).test_client()
        for folder in find_fixtures([FIXTURES]):
            self.look_at(client.get(f"/try?situation={read_fixture(folder).name}"))

    def look_at(self, answer):
        assert answer.status_code == 200
        page = Visible()
        page.feed(answer.text)
        for text in page.texts:
            assert not unmarked(text) or is_data(text), text


def is_data(text):
    """What the store and the guideline hold as they are: names of levels, codes, systems and
    clients.
    """
    return bool(
        re.fullmatch(r"[\d–,. ]*|urn:.*|http.*|[A-Z0-9-]+|MRI.*|clinic|hospital", text.strip())
    )


def texts_of(card):
    """All that people read on a card, less what comes from the client as it is."""
    yield from (card["summary"], card["detail"], card["source"]["label"])
    yield card["source"]["topic"]["display"]
    yield from (link["label"] for link in card.get("links", []))
    yield from (reason["display"] for reason in card["overrideReasons"])
    for suggestion in card.get("suggestions", []):
        yield suggestion["label"]
        yield from (action["description"] for action in suggestion["actions"])


class TestChoosing:
    TABLE = f'[a]\niss = ["{ISSUER}"]\njwks = "keys.json"\n'

    def test_a_client_has_its_language(self, tmp_path):
        file = clients_file(tmp_path, self.TABLE + 'language = "de"\n')
        (client,) = read_clients(file, frozenset())
        assert client.language == "de"

    def test_a_language_that_there_is_not_is_told(self, tmp_path):
        file = clients_file(tmp_path, self.TABLE + 'language = "tlh"\n')
        with pytest.raises(ClientsError, match=r"a\.language"):
            read_clients(file, frozenset())
        with pytest.raises(ConfigError, match="CDS_LANGUAGE"):
            settings_from({"CDS_LANGUAGE": "tlh"})

    def test_in_open_mode_everyone_is_answered_in_the_one_that_is_set(self, tmp_path):
        settings = settings_from({"CDS_AUTH": "open", "CDS_STORE": "off", "CDS_LANGUAGE": "es"})
        client = create_app(settings).test_client()
        (card,) = client.post("/cds-services/vcf-appropriateness", json=POOR).json["cards"]
        assert "habitualmente no apropiado" in card["summary"]
        assert card["links"][0]["url"].endswith("?lang=es")


class TestPages:
    @pytest.fixture
    def client(self):
        return create_app(Settings(open=True, store=False)).test_client()

    @pytest.mark.parametrize(
        ("path", "accepted", "spoken"),
        [
            ("/about", "de-DE,de;q=0.9,en;q=0.8", "de"),
            ("/about", "fr, es;q=0.5, en;q=0.1", "es"),
            ("/about", "fr", "en"),
            ("/about", None, "en"),
            ("/about?lang=es", "de", "es"),
            ("/about?lang=../../etc", "de", "de"),
        ],
    )
    def test_the_address_comes_first_then_the_browser(self, client, path, accepted, spoken):
        answer = client.get(path, headers={"Accept-Language": accepted} if accepted else {})
        assert f'<html lang="{spoken}">' in answer.text
        assert answer.headers["Content-Language"] == spoken
        assert "Accept-Language" in answer.headers["Vary"]

    def test_the_language_stays_from_page_to_page(self, client):
        text = client.get("/?lang=de").text
        assert 'href="/about?lang=de"' in text
        assert 'href="/try?lang=de"' in text
        assert 'href="/guidelines/acr-vcf-2022?lang=de"' in text

    def test_programs_get_it_too(self, client):
        path = "/guidelines/acr-vcf-2022/variant-5?lang=de"
        got = client.get(path, headers={"Accept": "application/json"}).json
        assert got["id"] == "variant-5"
        assert "Ersttherapie" in got["title"] or "Therapie" in got["title"]

    def test_numbers_are_written_as_people_write_them(self):
        assert [language(code, MAPPINGS).number(12345.6) for code in LANGUAGES] == [
            "12,345.6",
            "12.345,6",
            "12.345,6",
        ]


def test_what_no_catalogue_holds_is_said_in_english():
    """A site's own mappings may have words of their own."""
    assert language("de", MAPPINGS).say("A word of this site") == "A word of this site"
    assert language("de", MAPPINGS).say("") == ""


def test_a_consult_is_english_unless_told_otherwise():
    assert EvaluatedOrder.__dataclass_fields__["language"].default.code == "en"
