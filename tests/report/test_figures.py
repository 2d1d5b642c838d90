"""The figures of the report, counted by hand, on SQLite and on PostgreSQL alike."""

from collections import Counter
from datetime import date

import pytest
from sqlalchemy import text

from cds_service.report.figures import EPOCH, Period
from cds_service.report.queries import clients_in, make_report
from cds_service.report.reasons import reason_words
from cds_service.report.unmapped import unmapped_in
from cds_service.store.database import Database
from tests.small_world import topics
from tests.store.rows import AT, DAY, decision_row, feedback_row, loaded

TODAY = date.fromordinal(EPOCH.toordinal() + DAY)
PERIOD = Period(TODAY, TODAY)
HOUR = 3600.0
NO_CARD = {"shown": False, "indicator": "", "suggestions": {}}
ASKED = {
    "subject": "question", "topic": "unresolved", "category": "", "rating": "",
    "indicator": "info",
    "suggestions": {"yes": "answer malignancy “Yes”", "no": "answer malignancy “No”"},
}  # fmt: skip


def decided(name, **changes):
    """One evaluated order of its own, named by a letter."""
    names = {"consult": name, "card": f"card-{name}", "order_key": f"order-{name}"}
    return "decisions", decision_row(**{**names, **changes})


def told(name, outcome, at=60.0, **changes):
    return "feedback", feedback_row(
        card=f"card-{name}", outcome=outcome, outcome_at=AT + at, **changes
    )


# What happened on that day, each line a story.
ROWS = [
    # a: a warning, taken; the order then came again as what was suggested, and passed.
    decided("a"),
    told("a", "accepted", suggestions=["s-1"]),
    decided("a2", order_key="order-a", at=AT + HOUR, procedure="mri-spine-wo",
            category="usually-appropriate", rating="appropriate", **NO_CARD),
    # b: a warning, overridden for a reason of ours.
    decided("b"),
    told("b", "overridden", reason_code="other-disease-suspected"),
    # c: overridden first, then taken: it counts as taken, and its reason is counted too.
    decided("c", procedure="ct-spine-w"),
    told("c", "overridden", reason_system="urn:a", reason_code="R17"),
    told("c", "accepted", at=90.0, suggestions=["s-1", "s-unknown"]),
    # d: a warning that nobody reacted to; the same order came again, unchanged.
    decided("d", rules="mri-implant,gadolinium"),
    decided("d2", order_key="order-d", at=AT + HOUR, rules="mri-implant",
            shown=False, hidden="repeat"),
    # e: one question, answered with a button.
    decided("e", client="clinic", question="malignancy", unknown="malignancy,prior_vcf", **ASKED),
    told("e", "accepted", client="clinic", suggestions=["no"]),
    # f: nothing left to ask; two facts are unknown. Overridden without a reason.
    decided("f", **{**ASKED, "subject": "unresolved"}, unknown="symptomatic,prior_vcf",
            missing="procedures,devices"),
    told("f", "overridden"),
    # g: contrast not stated. h: not about the fracture. i: a silent client.
    decided("g", **{**ASKED, "subject": "contrast-not-stated"}, missing="devices"),
    decided("h", relevance="no-fracture", subject="not-relevant", topic="", category="",
            rating="", **NO_CARD),
    decided("i", client="clinic", shown=False, hidden="silent"),
    # j: may be appropriate; the order came again for another region, but two days later.
    decided("j", category="may-be-appropriate-disagreement", rating="appropriate",
            topic="variant2"),
    decided("j2", order_key="order-j", at=AT + 49 * HOUR, day=DAY + 2, region="thoracic"),
    # k: nobody reacted to the card, but the order then asked for something else.
    decided("k"),
    decided("k2", order_key="order-k", at=AT + HOUR, procedure="mri-spine-wo",
            category="usually-appropriate", rating="appropriate", **NO_CARD),
    # l: the same card at order-select and at order-sign; there it was taken.
    decided("l"),
    decided("l2", order_key="order-l", at=AT + HOUR),
    told("l2", "accepted", suggestions=["s-1"]),
    # Feedback on a card that is not known, and on a card of the same name of another client.
    told("unknown", "overridden", reason_code="not-counted"),
    told("b", "accepted", client="clinic", suggestions=["s-1"]),
]  # fmt: skip


@pytest.fixture
def database(database_url, tmp_path):
    made = Database(database_url, tmp_path)
    loaded(made, tmp_path, *ROWS)
    yield made
    made.close()


@pytest.fixture
def report(database):
    def make(*bys, period=PERIOD, client=""):
        words = reason_words(topics())
        with database.begin() as connection:
            return make_report(connection, period, *bys, reasons=words, client=client)

    return make


def test_in_all(report):
    assert report().total.counts == {
        "orders": 12,  # a b c d e f g h i j k l; what came again is the same order
        "relevant": 11,  # not h
        "rated": 8,  # a b c d i j k l
        "unresolved": 3,  # e f g
        "shown": 10,  # a b c d e f g j k l
        "silent": 1,  # i
        "repeat": 1,  # d
        "accepted": 4,  # a c e l
        "overridden": 2,  # b f
        "superseded": 1,  # k
        "ignored": 3,  # d g j
        "changed": 2,  # a k, not d (unchanged) and not j (too late)
        "alerts_per_100": round(100 * 10 / 12, 1),
    }


def test_what_lies_behind(report):
    total = report().total
    assert total.categories == {
        "Usually not appropriate": 7,  # a b c d i k l
        "May be appropriate": 1,  # j
        "Not rated": 3,  # e f g
        "Not relevant": 1,  # h
    }
    assert total.missing_facts == {
        "malignancy": 1,  # e was asked for it
        "symptomatic": 1,  # f
        "prior_vcf": 1,  # f
        "contrast-not-stated": 1,  # g
    }
    assert total.missing_data == {"procedures": 1, "devices": 2}
    assert total.suggestions == {"replace mri-spine-wo": 3, "answer malignancy “No”": 1}
    assert total.reasons == {
        "Another disease is suspected (HL7: PC CDS does not apply to patient)": 1,  # b
        "R17": 1,  # c
        "no reason given": 1,  # f
    }


def shown(parts):
    return {
        part: (figures.orders, figures.shown, figures.accepted) for part, figures in parts.items()
    }


PARTS = {
    "variant": {
        "Variant 1": (7, 6, 3),
        "Variant 2": (1, 1, 0),
        "Not resolved": (3, 3, 1),
        "Not relevant": (1, 0, 0),
    },
    "procedure": {"mri-spine-w": (11, 9, 3), "ct-spine-w": (1, 1, 1)},
    "client": {"hospital": (10, 9, 3), "clinic": (2, 1, 1)},
    "rule": {"mri-implant": (1, 1, 0), "gadolinium": (1, 1, 0), "no rule": (11, 9, 4)},
    "week": {"2026-11-16": (12, 10, 4)},
    "day": {TODAY.isoformat(): (12, 10, 4)},
}


@pytest.mark.parametrize(("by", "parts"), PARTS.items(), ids=PARTS)
def test_by_parts(report, by, parts):
    assert shown(report(by).parts[by]) == parts


def test_several_parts_at_once_are_what_each_is_alone(report):
    both = report("variant", "day")
    assert both.total == report().total
    for by in ("variant", "day"):
        assert both.parts[by] == report(by).parts[by]


def test_the_period_is_whole_days(report):
    later = date.fromordinal(TODAY.toordinal() + 2)
    assert report(period=Period(TODAY, later)).total.orders == 13
    assert report(period=Period(later, later)).total.orders == 1
    assert report(period=Period(date(2020, 1, 1), date(2020, 12, 31))).total.alerts_per_100 == 0.0


# The same figures in plain SQL, written without a look at ours.
# ruff: noqa: S608  our own texts, put together
ORDER = "coalesce(d.order_key, d.consult)"
SHOWN = f"SELECT DISTINCT d.client, {ORDER} AS o FROM decisions d WHERE day = :day AND shown"
TOLD = f"""SELECT d.client, {ORDER} AS o FROM decisions d JOIN feedback f ON f.client = d.client
    AND f.card = d.card WHERE d.day = :day AND d.shown GROUP BY d.client, {ORDER}"""
CHANGED = f"""SELECT DISTINCT d.client, {ORDER} AS o FROM decisions d, decisions e
    WHERE d.day = :day AND d.shown AND e.order_key = d.order_key AND e.at > d.at
    AND e.at - d.at <= 86400
    AND (e.procedure <> d.procedure OR e.region <> d.region)"""
SQL = {
    "orders": f"SELECT count(DISTINCT {ORDER}) FROM decisions d WHERE day = :day",
    "shown": f"SELECT count(*) FROM ({SHOWN}) AS x",
    "accepted": f"SELECT count(*) FROM ({TOLD} HAVING min(f.outcome) = 'accepted') AS x",
    "overridden": f"SELECT count(*) FROM ({TOLD} HAVING min(f.outcome) = 'overridden') AS x",
    "changed": f"SELECT count(*) FROM ({CHANGED}) AS x",
    "superseded": f"SELECT count(*) FROM ({CHANGED} EXCEPT {TOLD}) AS x",
    "unresolved": f"""SELECT count(DISTINCT {ORDER}) FROM decisions d WHERE day = :day
        AND topic = 'unresolved'""",
}


@pytest.mark.parametrize(("name", "sql"), SQL.items(), ids=SQL)
def test_plain_sql_says_the_same(database, report, name, sql):
    with database.begin() as connection:
        assert connection.scalar(text(sql), {"day": DAY}) == report().total.counts[name]


def test_codes_in_no_map_most_frequent_first(database, tmp_path):
    def code(consult, system, code):
        row = {"consult": consult, "system": system, "code": code, "about": "order", "day": DAY}
        return "unmapped_codes", {"client": "hospital", **row}

    sent = [("1", "urn:a", "X"), ("2", "urn:b", "Y"), ("3", "urn:b", "Y"), ("4", "urn:c", "Z")]
    loaded(database, tmp_path, *(code(*one) for one in sent))
    with database.begin() as connection:
        found = unmapped_in(connection, PERIOD, most=2)
    assert [(u.system, u.code, u.number) for u in found] == [("urn:b", "Y", 2), ("urn:a", "X", 1)]


def test_the_parts_of_a_report_add_up(report):
    """But for rules, of which an order may have several."""
    for by in ("variant", "procedure", "client", "week"):
        made, added = report(by), Counter()
        for figures in made.parts[by].values():
            added.update({k: v for k, v in figures.counts.items() if k != "alerts_per_100"})
        assert all(added[name] == made.total.counts[name] for name in added)


def test_the_figures_of_one_client(database, report):
    with database.begin() as connection:
        assert clients_in(connection, PERIOD) == ["clinic", "hospital"]
    for client, figures in report("client").parts["client"].items():
        assert report(client=client).total == figures


def test_what_comes_again_after_a_day_is_another_order(report):
    """j2 came 49 hours after j."""
    assert report(period=Period(TODAY, date.fromordinal(TODAY.toordinal() + 2))).total.orders == 13
