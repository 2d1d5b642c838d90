"""The pages in a real browser: tried, found by hand, read; small, in the dark, by keyboard."""

import base64
import json
import re
from pathlib import Path

import axe_core_python
import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select, WebDriverWait

from cds_service import create_app
from cds_service.settings import Settings
from tests.local_server import serving
from tests.small_world import FRACTURE, MRI_LUMBAR_W, PAIN, TODAY, hook_request, order, topic
from tests.test_dashboard import browser  # noqa: F401  a fixture

AXE = (Path(axe_core_python.__file__).parent / "axe.min.js").read_text("utf-8")
GUIDELINE = "/guidelines/acr-vcf-2022"
PAGES = ["/", "/try", "/connect", "/about", "/nowhere", GUIDELINE]
PAGES += [f"{GUIDELINE}/{name}" for name in ("variant-2", "variant-6", "rules", "codes")]
PAGES += [f"{GUIDELINE}/codes/malignancy?q=breast", f"{GUIDELINE}/find?kind=treatment&vcf=yes"]
PAGES += ["/try?situation=order-sign/two-orders-one-good-one-poor&lang=de", f"{GUIDELINE}?lang=es"]
SECONDS = 20


@pytest.fixture(scope="module")
def address():
    with serving(create_app(Settings(), today=lambda: TODAY)) as running:
        yield running


class Page:
    """A browser at the address of the service."""

    def __init__(self, driver, base):
        self.driver, self.base = driver, base

    def open(self, path, width=1280, dark=False):
        screen = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
        self.driver.get(self.base + path)
        return self

    def find(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def all(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def text(self, selector):
        """Read in one go: the page may be written anew meanwhile."""
        script = "return document.querySelector(arguments[0])?.innerText ?? ''"
        return self.driver.execute_script(script, selector)

    def wait(self, selector, words):
        """Until the words stand there."""
        WebDriverWait(self.driver, SECONDS).until(lambda _: words in self.text(selector))

    def click(self, words, selector="button"):
        """What can be clicked and is called so."""
        found = (e for e in self.all(selector) if e.text.strip().startswith(words))
        next(found).click()


@pytest.fixture
def page(browser, address):  # noqa: F811
    browser.get_log("browser")
    return Page(browser, address)


class TestTryIt:
    def test_one_click_from_the_start_to_a_card(self, page):
        page.open("/").click("Try it", "main a.button")
        page.wait(".card", "usually not appropriate")

    def test_from_choosing_a_patient_to_a_silent_good_order(self, page):
        page.open("/try")
        chosen = "order-sign/variant-3-ct-with-contrast-for-new-pain-and-an-old-fracture"
        Select(page.find("#situation")).select_by_value(chosen)
        page.click("Show")
        page.wait(".card", "CT lumbar spine with IV contrast")
        assert "not appropriate" in page.text(".rating")
        page.find("[data-take].main").click()
        page.wait(".silence", "usually appropriate in variant 3")
        assert page.text(".rating").endswith("appropriate")
        assert "not appropriate" not in page.text(".rating")
        assert page.driver.switch_to.active_element.get_attribute("id") == "outcome-0"
        page.driver.refresh()  # the address brings it back
        assert "usually appropriate in variant 3" in page.text(".silence")

    def test_a_question_is_answered(self, page):
        name = "order-select/question-about-cancer-when-conditions-were-not-sent"
        page.open(f"/try?situation={name}")
        page.click("Yes, cancer now or in the past")
        page.wait(".chips", "Yes, cancer now or in the past")
        assert "usually appropriate in variant 2" in page.text(".silence")

    def test_an_order_is_added_and_one_is_removed(self, page):
        page.open("/try?situation=order-sign/safety-cauda-equina-before-augmentation")
        page.click("Add ")
        page.wait("#tried", "Draft order 2")
        name = "variant-5-augmentation-of-a-painless-osteoporotic-fracture"
        page.open(f"/try?situation=order-sign/{name}").click("Remove this order")
        page.wait("#tried", "holds no draft order")

    def test_an_order_is_searched_and_chosen_by_keyboard(self, page):
        page.open("/try").find("#order-0").send_keys("mri lumbar 72148")
        page.wait(".hits", "72148")
        page.find("#order-0").send_keys(Keys.ARROW_DOWN)
        page.driver.switch_to.active_element.send_keys(Keys.ENTER)
        page.wait(".silence", "Well chosen")
        assert page.driver.switch_to.active_element.get_attribute("id") == "order-0"

    def test_a_reason_is_added_and_taken_away(self, page):
        page.open("/try").find("#reason-0").send_keys("254837009")
        page.wait(".search[data-kind=reason] .hits", "breast")
        page.find(".search[data-kind=reason] .hits button").click()
        page.wait(".chips", "breast")
        page.wait(".outcome", "variant 2")
        page.all(".chips button")[-1].click()
        page.wait(".outcome", "variant 1")

    def test_a_pasted_request_is_answered_and_stands_in_no_address(self, page):
        body = json.dumps(hook_request(order(MRI_LUMBAR_W, reasons=(FRACTURE, PAIN))))
        page.open("/try").find(".paste summary").click()
        page.driver.execute_script("document.getElementById('pasted').value = arguments[0]", body)
        page.click("Check it")
        WebDriverWait(page.driver, SECONDS).until(
            lambda _: page.driver.current_url == f"{page.base}/try"
        )
        page.find("[data-take].main").click()
        page.wait(".silence", "usually appropriate in variant 1")
        assert page.driver.current_url == f"{page.base}/try"

    def test_what_is_no_request_is_refused_in_words(self, page):
        page.open("/try").find(".paste summary").click()
        page.find("#pasted").send_keys("{nothing")
        page.click("Check it")
        page.wait("#tried", "The body is not JSON.")

    def test_a_service_that_does_not_answer_is_told(self, page, browser):  # noqa: F811
        page.open("/try")
        page.driver.execute_script("window.fetch = () => Promise.reject(new TypeError())")
        page.find("[data-take]").click()
        page.wait("#problem", "did not answer")

    def test_the_request_is_copied(self, page):
        grant = {"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]}
        page.driver.execute_cdp_cmd("Browser.grantPermissions", grant)
        page.open("/try").find("details.json summary").click()
        page.find("[data-copy=request]").click()
        page.wait("[data-copy=request]", "Copied")


class TestByHand:
    def test_to_variant_3(self, page):
        page.open(f"{GUIDELINE}/find")
        for name, said in (("symptomatic", "yes"), ("malignancy", "no"), ("prior_vcf", "yes")):
            page.find(f"input[name={name}][value={said}] + span").click()
            WebDriverWait(page.driver, SECONDS).until(
                lambda d, asked=f"{name}={said}": asked in d.current_url
            )
        page.wait("#found", "This one applies.")
        assert re.findall(r"Variant (\d)", page.text(".left")) == ["3"]
        assert topic().why("variant-3", "mri-spine-wo") in page.text("#found")
        page.driver.refresh()
        assert "This one applies." in page.text("#found")

    def test_by_the_question(self, page):
        page.open(f"{GUIDELINE}/find")
        page.click("Yes, it causes symptoms", "a.button")
        page.click("Yes, cancer now or in the past", "a.button")
        assert re.findall(r"Variant (\d)", page.text(".left")) == ["2"]

    def test_the_other_kind_of_order_asks_for_other_facts(self, page):
        page.open(f"{GUIDELINE}/find").find("input[name=kind][value=treatment] + span").click()
        page.wait(".facts", "Osteoporotic")

    def test_by_keyboard(self, page):
        page.open(f"{GUIDELINE}/find")
        page.find("input[name=symptomatic][value=unknown]").send_keys(Keys.ARROW_LEFT)
        WebDriverWait(page.driver, SECONDS).until(lambda d: "symptomatic=no" in d.current_url)
        page.wait("#found", "Variant 4")

    def test_without_a_script(self, page):
        page.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
        try:
            page.open(f"{GUIDELINE}/find")
            page.find("input[name=symptomatic][value=yes] + span").click()
            page.click("Show")
            WebDriverWait(page.driver, SECONDS).until(lambda d: "symptomatic=yes" in d.current_url)
        finally:
            page.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
        assert "cancer" in page.text(".question")


class TestReading:
    def test_the_matrix_leads_to_a_variant(self, page):
        page.open(GUIDELINE)
        assert len(page.all(".matrix")) == 2
        assert "Usually Appropriate" in page.text(".matrix td.usually-appropriate")
        page.click("Variant 8", ".matrix a")
        assert "worsening pain, deformity" in page.text("h1")

    def test_the_value_set_of_malignancy_is_searched(self, page):
        page.open(f"{GUIDELINE}/rules").click("Malignancy, current or past", "a")
        page.find("#q").send_keys("melanoma of back", Keys.ENTER)
        page.wait("[role=status]", "code")
        assert "melanoma" in page.text("tbody").lower()

    def test_a_criterion_leads_to_what_it_names(self, page):
        page.open(f"{GUIDELINE}/variant-1").click("no malignancy known", "a")
        assert page.driver.current_url.endswith("/rules#fact-malignancy")
        assert page.find("#fact-malignancy").is_displayed()


@pytest.mark.parametrize(
    ("width", "dark"), [(320, False), (320, True), (1280, False), (1280, True)]
)
@pytest.mark.parametrize("path", PAGES)
def test_it_fits_is_accessible_and_nothing_is_blocked(page, path, width, dark):
    page.open(path, width, dark)
    assert page.driver.execute_script("return document.documentElement.scrollWidth") <= width
    blocked = [e for e in page.driver.get_log("browser") if "404 (NOT FOUND)" not in e["message"]]
    assert blocked == []
    page.driver.execute_cdp_cmd("Runtime.evaluate", {"expression": AXE})
    found = page.driver.execute_async_script("axe.run().then(arguments[0])")["violations"]
    assert [(v["id"], [n["html"] for n in v["nodes"]]) for v in found] == []


def test_a_keyboard_gets_past_the_navigation(page):
    page.open("/try").find("body").send_keys(Keys.TAB)
    assert page.driver.switch_to.active_element.text == "To the content"
    page.driver.switch_to.active_element.send_keys(Keys.ENTER, Keys.TAB)
    assert page.driver.switch_to.active_element.get_attribute("id") == "situation"


@pytest.mark.parametrize(
    ("path", "pages"), [("/", 3), (GUIDELINE, 4), (f"{GUIDELINE}/variant-1", 3), ("/try", 3)]
)
def test_it_prints(page, path, pages):
    page.open(path)
    pdf = base64.b64decode(page.driver.print_page())
    assert 0 < len(re.findall(rb"/Type\s*/Page\b", pdf)) <= pages
