"""What was known when an order was written: each rule for each type, strict and lenient."""

import pytest

from cds_service.retrospective.as_of import LENIENT, STRICT, as_it_was, was_known
from cds_service.retrospective.moment import Moment, moment
from tests.small_world import CLINICAL, concept

BEFORE, THE_DAY, AFTER = "2026-03-01", "2026-03-10", "2026-03-20"
ORDERED = moment(f"{THE_DAY}T10:00:00+01:00")
BOTH, LENIENTLY, NEVER = {STRICT, LENIENT}, {LENIENT}, set()


def known(kind, fields, ordered=ORDERED, is_named=False):
    """The modes in which a resource counts as known."""
    made = {"resourceType": kind, **fields}
    return {mode for mode in (STRICT, LENIENT) if was_known(made, ordered, mode, is_named)}


@pytest.mark.parametrize(
    ("kind", "fields", "modes"),
    [
        ("Patient", {}, BOTH),
        ("Condition", {"recordedDate": BEFORE}, BOTH),
        ("Condition", {"recordedDate": AFTER}, NEVER),
        ("Condition", {"recordedDate": AFTER, "onsetDateTime": BEFORE}, NEVER),
        ("Condition", {"recordedDate": BEFORE, "onsetDateTime": AFTER}, BOTH),
        ("Condition", {"onsetDateTime": BEFORE}, LENIENTLY),
        ("Condition", {"onsetPeriod": {"start": BEFORE}}, LENIENTLY),
        ("Condition", {"onsetDateTime": AFTER}, NEVER),
        ("Condition", {"onsetPeriod": {"start": AFTER}}, NEVER),
        ("Condition", {"onsetString": "last year"}, LENIENTLY),
        ("Condition", {}, LENIENTLY),
        ("Condition", {"meta": {"lastUpdated": AFTER}}, LENIENTLY),
        ("AllergyIntolerance", {"recordedDate": BEFORE}, BOTH),
        ("AllergyIntolerance", {"recordedDate": AFTER}, NEVER),
        ("AllergyIntolerance", {"onsetDateTime": AFTER}, NEVER),
        ("AllergyIntolerance", {}, LENIENTLY),
        ("Procedure", {"performedDateTime": BEFORE}, BOTH),
        ("Procedure", {"performedDateTime": AFTER}, NEVER),
        ("Procedure", {"performedPeriod": {"start": BEFORE, "end": BEFORE}}, BOTH),
        ("Procedure", {"performedPeriod": {"start": BEFORE, "end": AFTER}}, NEVER),
        ("Procedure", {"performedPeriod": {"start": BEFORE}}, LENIENTLY),
        ("Procedure", {"performedPeriod": {"start": AFTER}}, NEVER),
        ("Procedure", {"performedString": "in May"}, LENIENTLY),
        ("Observation", {"issued": f"{BEFORE}T09:30:00Z", "effectiveDateTime": AFTER}, BOTH),
        ("Observation", {"issued": f"{AFTER}T09:30:00Z", "effectiveDateTime": BEFORE}, NEVER),
        ("Observation", {"effectiveDateTime": BEFORE}, BOTH),
        ("Observation", {"effectiveInstant": f"{BEFORE}T09:30:00Z"}, BOTH),
        ("Observation", {"effectivePeriod": {"start": BEFORE, "end": AFTER}}, NEVER),
        ("Observation", {"effectivePeriod": {"start": BEFORE}}, LENIENTLY),
        ("Observation", {}, LENIENTLY),
        ("DiagnosticReport", {"issued": f"{BEFORE}T09:30:00Z"}, BOTH),
        ("DiagnosticReport", {"effectiveDateTime": AFTER}, NEVER),
        ("Device", {"manufactureDate": BEFORE}, LENIENTLY),
        ("Device", {"manufactureDate": AFTER}, LENIENTLY),
        # The day of the order, where no time tells; else the time, whatever the time zone.
        ("Condition", {"recordedDate": THE_DAY}, BOTH),
        ("Condition", {"recordedDate": f"{THE_DAY}T09:59:00+01:00"}, BOTH),
        ("Condition", {"recordedDate": f"{THE_DAY}T10:01:00+01:00"}, NEVER),
        ("Condition", {"recordedDate": f"{THE_DAY}T08:59:00Z"}, BOTH),
        ("Condition", {"recordedDate": f"{THE_DAY}T09:01:00Z"}, NEVER),
        # A month or a year may have been before the order, and surely was when it has passed.
        ("Condition", {"recordedDate": "2026-02"}, BOTH),
        ("Condition", {"recordedDate": "2026-03"}, LENIENTLY),
        ("Condition", {"recordedDate": "2026"}, LENIENTLY),
        ("Condition", {"recordedDate": "2026-04"}, NEVER),
        ("Condition", {"recordedDate": "2025"}, BOTH),
        ("Condition", {"recordedDate": "some day"}, LENIENTLY),
    ],
)
def test_what_was_known(kind, fields, modes):
    assert known(kind, fields) == modes


def test_a_condition_that_the_order_names_was_known_unless_it_came_later():
    assert known("Condition", {}, is_named=True) == BOTH
    assert known("Condition", {"onsetDateTime": AFTER}, is_named=True) == BOTH
    assert known("Condition", {"recordedDate": AFTER}, is_named=True) == NEVER


def statuses(**fields):
    """The clinical status of a Condition when the order was written, strictly and leniently."""
    fields.setdefault("clinicalStatus", concept((CLINICAL, "resolved")))
    made = {"resourceType": "Condition", **{k: v for k, v in fields.items() if v}}
    return [_status(as_it_was(made, ORDERED, mode)) for mode in (STRICT, LENIENT)]


def _status(condition):
    assert condition.get("abatementDateTime", BEFORE) <= THE_DAY
    status = condition.get("clinicalStatus")
    return status["coding"][0]["code"] if status else None


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"abatementDateTime": BEFORE}, ["resolved", "resolved"]),
        ({"abatementDateTime": AFTER}, ["active", "active"]),
        ({"abatementPeriod": {"start": AFTER}}, ["active", "active"]),
        ({"abatementDateTime": "2026-03"}, ["active", "resolved"]),
        ({"abatementString": "in spring"}, ["active", "resolved"]),
        ({}, ["active", "resolved"]),
        ({"clinicalStatus": concept((CLINICAL, "inactive"))}, ["active", "inactive"]),
        ({"clinicalStatus": concept((CLINICAL, "relapse"))}, ["relapse", "relapse"]),
        ({"clinicalStatus": None, "abatementDateTime": AFTER}, [None, None]),
    ],
)
def test_a_status_as_it_was(fields, expected):
    assert statuses(**fields) == expected


@pytest.mark.parametrize("text", ["", "soon", None, 5, {"x": 1}, "2026-13-40"])
def test_what_is_no_date_is_no_moment(text):
    assert moment(text) is None


def test_a_time_without_zone_is_a_day():
    assert moment("2026-03-10T10:00:00") == Moment(*[moment("2026-03-10").first] * 2)


def test_the_last_day_of_a_month_and_of_a_year():
    assert moment("2024-02").last.isoformat() == "2024-02-29"
    assert moment("2026-12").last.isoformat() == "2026-12-31"
    assert moment("2026").last.isoformat() == "2026-12-31"
    assert not moment("2026-02").is_a_day
