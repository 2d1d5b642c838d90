"""The dashboard: who may see it, what it shows, and how it looks in a real browser."""

import base64
import csv
import io
import re
import shutil
from datetime import UTC, datetime

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service as Driver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select
from selenium.webdriver.support.ui import WebDriverWait

from cds_service import create_app
from cds_service.report.overview import MOST_BARS
from cds_service.settings import Settings
from cds_service.store.database import Database
from tests import REAL_PROCESSES
from tests.local_server import serving
from tests.report.test_figures import ROWS, TODAY
from tests.store.rows import DAY, feedback_row, loaded

pytestmark = REAL_PROCESSES

TOKEN = "let-me-look"  # noqa: S105
HOSTILE = '<script>alert("1")</script>&"'
CODE = {"client": "hospital", "consult": "a", "about": "order", "system": "urn:a", "code": "MR17"}


@pytest.fixture
def app(tmp_path):
    """A service whose store has the rows of the figures, looked at on the day after."""

    def make(rows=ROWS, **settings):
        if rows:
            database = Database("", tmp_path)
            loaded(database, tmp_path, *rows)
            database.close()
        made = create_app(Settings(store=True, data=tmp_path, **settings), lambda: TODAY)
        stores.append(made.extensions["store"])
        return made

    stores = []
    yield make
    for store in stores:
        store.finish()


def page(app, days=7, **options):
    return app.test_client().get(f"/dashboard?days={days}", **options)


class TestWhoMaySeeIt:
    def basic(self, password):
        return {"Authorization": "Basic " + base64.b64encode(f"x:{password}".encode()).decode()}

    @pytest.mark.parametrize("is_open", [True, False])
    def test_those_who_have_the_password_or_whose_proxy_has_it(self, app, is_open, tmp_path):
        from tests.test_access import BASE, clients_file

        made = app(
            dashboard_token=TOKEN, open=is_open, clients=clients_file(tmp_path), public_url=BASE
        )
        assert page(made, headers=self.basic(TOKEN)).status_code == 200
        assert page(made, headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200

    @pytest.mark.parametrize("header", [None, "Basic", "Bearer wrong", "Basic eDp3cm9uZw==", "x"])
    def test_others_are_asked_for_it(self, app, header):
        headers = {"Authorization": header} if header else {}
        answer = page(app(dashboard_token=TOKEN), headers=headers)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"].startswith("Basic")
        assert b"Variant" not in answer.data

    def test_guesses_have_to_wait(self, app, capsys):
        client = app(dashboard_token=TOKEN).test_client()
        told = [client.get("/dashboard", headers=self.basic(f"x{n}")) for n in range(12)]
        assert [answer.status_code for answer in told] == [401] * 10 + [429] * 2
        assert 0 < int(told[-1].headers["Retry-After"]) <= 60
        assert capsys.readouterr().err.count('"refused":"dashboard"') == 12

    def test_who_sends_no_password_is_no_guess(self, app):
        client = app(dashboard_token=TOKEN).test_client()
        assert {client.get("/dashboard").status_code for _ in range(20)} == {401}

    def test_nobody_keeps_the_page(self, app):
        answer = page(app(dashboard_token=TOKEN), headers=self.basic(TOKEN))
        assert answer.headers["Cache-Control"] == "no-store"
        assert page(app(dashboard_token=TOKEN)).headers["Cache-Control"] == "no-store"

    @pytest.mark.parametrize("header", ["X-Forwarded-Proto", "Via", "Forwarded", "X-Real-IP"])
    def test_in_open_mode_a_proxys_clients_are_not_this_machine(self, app, header, capsys):
        assert page(app()).status_code == 200
        assert page(app(), headers={header: "https"}).status_code == 404
        assert '"refused":"dashboard"' in capsys.readouterr().err

    def test_without_a_password_only_this_machine_in_open_mode(self, app):
        made = app()
        assert page(made).status_code == 200
        assert page(made, environ_base={"REMOTE_ADDR": "10.1.2.3"}).status_code == 404
        assert page(made, headers={"Host": "evil.example.org"}).status_code == 404
        assert page(made, headers={"X-Forwarded-For": "10.1.2.3"}).status_code == 404

    def test_without_a_password_nobody_else(self, app, tmp_path):
        from tests.test_access import BASE, clients_file

        assert (
            page(app(open=False, clients=clients_file(tmp_path), public_url=BASE)).status_code
            == 404
        )

    def test_without_a_store_it_is_not_there(self):
        client = create_app(Settings(store=False)).test_client()
        assert client.get("/dashboard").status_code == 404


class TestWhatItShows:
    def test_the_numbers_of_the_report(self, app):
        text = page(app()).get_data(as_text=True)
        shown = dict(re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", text))
        assert shown == {
            "orders": "12",
            "rated": "73 %",  # 8 of 11
            "cards shown": "10",
            "cards per 100 orders": "83.3",
            "accepted": "40 %",  # 4 of 10
            "overridden": "20 %",
            "order changed instead": "10 %",
            "ignored": "30 %",
        }
        for words in ("R17", "change to MRI without contrast", "Malignancy"):
            assert words in text

    def test_codes_in_no_map(self, app):
        text = page(app([*ROWS, ("unmapped_codes", {**CODE, "day": DAY})])).get_data(as_text=True)
        assert "<td>urn:a</td><td>MR17</td>" in text

    def test_a_condition_that_sounds_serious_stands_before_others(self, app):
        of_condition = {**CODE, "about": "condition", "display": "", "day": DAY}
        cold = [{**of_condition, "consult": f"c-{n}", "code": "D1"} for n in range(3)]
        cancer = {**of_condition, "code": "D2", "sounds_like": "malignancy"}
        codes = [("unmapped_codes", row) for row in ({**CODE, "day": DAY}, *cold, cancer)]
        text = page(app([*ROWS, *codes])).get_data(as_text=True)
        assert re.findall(r"<td>(D1|D2|MR17)</td>", text) == ["D2", "MR17", "D1"]
        assert "<td>problem list</td>" in text
        assert "<td>sounds like: Malignancy</td>" in text

    def test_many_reasons_are_summed_up(self, app):
        many = [
            ("feedback", feedback_row(card="card-d", outcome_at=float(n), reason_code=f"R{n}"))
            for n in range(20)
        ]
        text = page(app([*ROWS, *many])).get_data(as_text=True)
        assert '<th scope="row">others</th>' in text
        assert len(re.findall(r'<th scope="row">R\d+</th>', text)) <= MOST_BARS

    def test_the_orders_of_one_client(self, app):
        text = app().test_client().get("/dashboard?days=7&client=clinic").get_data(as_text=True)
        assert "<dt>orders</dt><dd>2</dd>" in text
        assert "<option selected>clinic</option>" in text
        assert 'href="/dashboard?days=30&amp;client=clinic"' in text

    def test_a_client_that_had_none_is_passed_over(self, app):
        text = app().test_client().get(f"/dashboard?days=7&client={HOSTILE}").get_data(as_text=True)
        assert "<dt>orders</dt><dd>12</dd>" in text
        assert "<script>" not in text

    def test_the_same_numbers_as_csv(self, app):
        made = app([*ROWS, ("unmapped_codes", {**CODE, "day": DAY})]).test_client()
        answer = made.get("/dashboard.csv?days=7&client=hospital")
        assert answer.mimetype == "text/csv"
        rows = list(csv.DictReader(io.StringIO(answer.get_data(as_text=True))))
        panels = {row["panel"] for row in rows}
        assert len(panels) == 7
        of_cards = [r for r in rows if r["panel"] == "What became of the cards, by variant"]
        shown = {r["series"]: int(r["number"]) for r in of_cards if r["label"] == "Variant 1"}
        assert shown == {"accepted": 3, "overridden": 1, "order changed instead": 1, "ignored": 1}
        assert ["urn:a|MR17", "1"] in [[row["label"], row["number"]] for row in rows]

    def test_csv_is_for_those_who_may_see_the_page(self, app):
        assert app(dashboard_token=TOKEN).test_client().get("/dashboard.csv").status_code == 401

    def test_labels_are_whole(self, app):
        long = feedback_row(card="card-d", reason_code="specialist-request")
        text = page(app([*ROWS, ("feedback", long)])).get_data(as_text=True)
        assert "<span>A specialist or the radiologist asked for it</span>" in text

    def test_without_an_order_it_says_so(self, app):
        for rows in ([], ROWS[-2:]):
            assert "No order was evaluated" in page(app(rows)).get_data(as_text=True)

    @pytest.mark.parametrize("days", ["7", "30", "90", "365", "8", "-1", "x", ""])
    def test_any_period_is_answered(self, app, days):
        assert page(app(), days).status_code == 200

    def test_what_a_client_wrote_is_text(self, app):
        bad = feedback_row(card="card-d", reason_code=HOSTILE)
        text = page(app([*ROWS, ("feedback", bad)])).get_data(as_text=True)
        assert "<script" not in text
        assert "&lt;script&gt;alert" in text

    def test_nothing_comes_from_elsewhere_and_nothing_is_a_script(self, app):
        text = page(app()).get_data(as_text=True)
        assert "<script" not in text
        assert not re.findall(r'(?:src|srcset|xlink:href)\s*=\s*"(?!/static/)', text)
        assert not re.findall(r"@import|url\(", text)

    def test_a_store_that_is_down_is_told(self, app, tmp_path):
        made = app([])
        made.extensions["store"].finish()
        for file in tmp_path.glob("service.db*"):
            file.unlink()
        (tmp_path / "service.db").mkdir()
        answer = page(made)
        assert answer.status_code == 503
        assert "cannot be read now" in answer.get_data(as_text=True)


@pytest.fixture(scope="module")
def browser():
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not chromium or not driver:
        pytest.skip("no browser: chromium and chromedriver are not installed")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for argument in ("headless=new", "no-sandbox", "disable-gpu", "disable-background-networking"):
        options.add_argument(f"--{argument}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    made = webdriver.Chrome(options=options, service=Driver(driver))
    yield made
    made.quit()


def shown(browser, address, width, days=7, dark=False):
    screen = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
    browser.get(f"{address}/dashboard?days={days}")
    return browser


WIDTHS = [1400, 800, 360]


class TestInABrowser:
    @pytest.fixture
    def address(self, app):
        with serving(app([*ROWS, ("unmapped_codes", {**CODE, "day": DAY})])) as address:
            yield address

    @pytest.mark.parametrize("width", WIDTHS)
    @pytest.mark.parametrize("days", [7, 365])
    def test_it_fits_the_screen_and_nothing_is_blocked(self, browser, address, width, days):
        shown(browser, address, width, days)
        assert browser.execute_script("return document.documentElement.scrollWidth") <= width
        assert browser.get_log("browser") == []
        assert len(browser.find_elements(By.CSS_SELECTOR, ".chart svg[role=img]")) == 1
        assert len(browser.find_elements(By.CSS_SELECTOR, "ol.bars")) == 5

    def test_every_picture_has_a_name_and_a_table(self, browser, address):
        shown(browser, address, 1400)
        for picture in browser.find_elements(By.CSS_SELECTOR, "section svg[role=img]"):
            assert picture.accessible_name
            section = picture.find_element(By.XPATH, "ancestor::section")
            assert section.find_elements(By.CSS_SELECTOR, "details table")

    def test_a_table_opens_by_keyboard(self, browser, address):
        shown(browser, address, 1400)
        summary = browser.find_element(By.CSS_SELECTOR, "summary")
        table = browser.find_element(By.CSS_SELECTOR, "details table")
        assert not table.is_displayed()
        summary.send_keys(Keys.ENTER)
        assert table.is_displayed()

    def test_every_place_is_reached_by_tab(self, browser, address):
        shown(browser, address, 1400)
        for _ in range(10):
            browser.switch_to.active_element.send_keys(Keys.TAB)
        assert browser.switch_to.active_element.tag_name != "body"

    @pytest.mark.parametrize("dark", [False, True])
    def test_words_in_pictures_have_the_color_of_the_page(self, browser, address, dark):
        shown(browser, address, 1400, dark=dark)
        color = "return getComputedStyle(document.querySelector(arguments[0]))[arguments[1]]"
        page_color = browser.execute_script(color, "body", "color")
        assert browser.execute_script(color, "svg .axis text", "fill") == page_color

    @pytest.mark.parametrize("width", [1280, 320])
    def test_it_is_filtered_by_client(self, browser, address, width):
        shown(browser, address, width)
        Select(browser.find_element(By.ID, "client")).select_by_visible_text("clinic")
        browser.find_element(By.CSS_SELECTOR, ".clients button").click()
        WebDriverWait(browser, 20).until(lambda b: "client=clinic" in b.current_url)
        tiles = browser.find_elements(By.CSS_SELECTOR, ".numbers dd")
        assert tiles[0].text == "2"
        assert Select(browser.find_element(By.ID, "client")).first_selected_option.text == "clinic"
        assert browser.execute_script("return document.documentElement.scrollWidth") <= width

    def test_it_prints(self, browser, address):
        shown(browser, address, 1400)
        pdf = base64.b64decode(browser.print_page())
        assert pdf.startswith(b"%PDF")
        assert len(re.findall(rb"/Type\s*/Page\b", pdf)) <= 3

    @pytest.mark.parametrize("width", WIDTHS)
    def test_with_no_data_it_is_a_page_too(self, browser, app, width):
        with serving(app([])) as address:
            shown(browser, address, width)
            assert "No order was evaluated" in browser.find_element(By.TAG_NAME, "main").text
            assert browser.get_log("browser") == []


def test_the_day_is_utc(tmp_path):
    """What is kept now is in the overview of today."""
    made = create_app(Settings(store=True, data=tmp_path))
    text = page(made).get_data(as_text=True)
    assert datetime.now(UTC).date().isoformat() in text
    made.extensions["store"].finish()
