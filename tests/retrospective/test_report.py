"""The report of a run: its figures, what it hides, its languages, and how it looks."""

import re
from collections import Counter

import pytest
from selenium.webdriver.common.by import By

from cds_service.language import LANGUAGES, language
from cds_service.retrospective import page
from cds_service.retrospective.disclosure import ratio, shown
from cds_service.retrospective.figures import figures_of
from cds_service.retrospective.folder import Folder
from cds_service.retrospective.job import Job
from cds_service.retrospective.manifest import earlier
from cds_service.retrospective.numbers import Numbers
from cds_service.settings import SHIPPED_MAPPINGS
from tests.test_dashboard import browser  # noqa: F401  a fixture
from tests.test_languages import MARKED, Visible, unmarked

JOB = Job(SHIPPED_MAPPINGS)


@pytest.fixture(scope="module")
def figures(finished):
    folder = Folder(finished.folder)
    return figures_of(folder, earlier(folder))


@pytest.fixture(scope="module")
def html(finished):
    return (finished.folder / "report.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("number", "expected"), [(0, None), (10, None), (11, 10), (12, 10), (13, 15), (1_002, 1_000)]
)
def test_small_counts_are_hidden_and_the_others_rounded(number, expected):
    assert shown(number) == expected


def test_what_follows_from_a_hidden_count_is_hidden():
    assert ratio(10, 100) is None
    assert ratio(5, 8) is None
    assert ratio(48, 102) == 0.5


def test_bounds_are_written_once_where_they_agree():
    between = Numbers(language("en", SHIPPED_MAPPINGS)).between
    numbers = Numbers(language("en", SHIPPED_MAPPINGS))
    assert between({"strict": 2_000, "lenient": 1_000}, numbers.count) == "1,000–2,000"
    assert between({"strict": 51, "lenient": 52}, numbers.count) == "50"
    assert between({"strict": 4, "lenient": 52}, numbers.count) == "≤ 50"


class TestFigures:
    @pytest.mark.parametrize("part", ["procedure", "department", "month", "topic", "indicator"])
    def test_orders_and_cards_are_those_of_the_rows(self, finished, figures, part):
        for mode in ("strict", "lenient"):
            rows = [row for row in finished.rows.values() if row["mode"] == mode]
            orders = Counter(row[part] or "" for row in rows)
            cards = Counter(row[part] or "" for row in rows if row["indicator"])
            found = {p.key: p for p in figures.parts[part]}
            assert {k: p.orders[mode] for k, p in found.items() if p.orders[mode]} == orders
            assert {k: p.cards[mode] for k, p in found.items() if p.cards[mode]} == cards

    def test_certainty_compares_both_answers_to_an_order(self, finished, figures):
        compared = ("decision", "category", "variants", "rules", "indicator")
        rows, same = finished.rows, 0
        for digest in {order for order, _ in rows}:
            strict, lenient = rows[digest, "strict"], rows[digest, "lenient"]
            same += all(strict[name] == lenient[name] for name in compared)
        assert figures.certainty.same == same
        assert 0 < same < len(rows) / 2

    def test_the_question_says_what_was_missing(self, finished, figures):
        seeded = [s for s in finished.seeded if s.situation == "pain-that-ended-some-time"]
        assert figures.missing == figures.questions == {"symptomatic": len(seeded)}

    def test_every_clinician_day_is_counted_once(self, finished, figures):
        days = {mode: sum(n.values()) for mode, n in figures.manifest.burden.items()}
        clinicians = {row["clinician"] for row in finished.rows.values()}
        assert len(clinicians) <= days["strict"] == days["lenient"] <= len(finished.rows) / 2

    def test_a_code_that_came_seldom_is_not_shown(self, figures):
        assert all(int(code["count"]) >= 11 for code in figures.unmapped)


class TestPage:
    def test_no_small_count_is_on_it(self, html):
        cells = re.findall(r'<td class="number">([^<]*)</td>', html)
        counts = [int(cell) for cell in cells if cell.isdecimal()]
        assert len(counts) > 50
        assert not [count for count in counts if 0 < count < 10]

    def test_it_needs_no_other_file_and_no_script(self, html):
        assert not re.search(r"<script|<link|<img|src=|url\(|@import|https?://(?!snomed|hl7)", html)

    def test_it_is_there_in_every_language(self, html):
        for code in LANGUAGES:
            assert f'<article id="{code}" lang="{code}">' in html
        assert "Nach Variante" in html
        assert "Por variante" in html

    def test_what_the_export_says_is_text_and_no_markup(self, figures, tmp_path):
        hostile = "<script>alert(1)</script>"
        figures.parts["department"][0].key = hostile
        page.write_report(Folder(tmp_path), figures, None, JOB, "en")
        text = (tmp_path / "report.html").read_text("utf-8")
        assert "<script" not in text
        assert "&lt;script&gt;" in text

    def test_nothing_bypasses_the_catalogue(self, figures, tmp_path, monkeypatch):
        monkeypatch.setattr(page, "language", lambda *_: MARKED)
        page.write_report(Folder(tmp_path), figures, None, JOB, "en")
        seen = Visible()
        seen.feed((tmp_path / "report.html").read_text("utf-8"))
        data = {part.key for part in figures.parts["department"]}
        data |= {value for code in figures.unmapped for value in code.values()}
        for text in seen.texts:
            assert not unmarked(text) or text.strip() in data, text


class TestInABrowser:
    @pytest.fixture
    def opened(self, browser, finished):  # noqa: F811
        def open_at(fragment="", media="screen"):
            browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": media})
            browser.get("about:blank")
            browser.get(f"file://{finished.folder}/report.html{fragment}")
            return browser

        return open_at

    def test_one_language_is_shown_and_the_links_change_it(self, opened):
        seen = opened()
        assert headings(seen) == ["What would have been said of past orders"]
        seen.find_element(By.LINK_TEXT, "Deutsch").click()
        assert headings(seen) == ["Was zu früheren Anforderungen gesagt worden wäre"]

    def test_the_one_that_is_shown_is_printed_without_the_links(self, opened):
        seen = opened("#es", "print")
        assert headings(seen) == ["Qué se habría dicho de solicitudes pasadas"]
        assert not [link for link in seen.find_elements(By.TAG_NAME, "a") if link.is_displayed()]

    def test_the_questions_of_a_committee_are_answered_at_the_top(self, opened):
        seen = opened("#en")
        names = seen.find_elements(By.CSS_SELECTOR, "#en dt")
        assert [name.text for name in names] == [
            "orders assessed", "cards", "cards per 100 orders", "cards a day",
            "same answer both ways", "not resolved",
        ]  # fmt: skip


def headings(seen):
    return [h.text for h in seen.find_elements(By.TAG_NAME, "h1") if h.is_displayed()]
