"""Feedback: the specification's shape, Epic's, and whatever else comes."""

import json
import time
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cds_service import create_app
from cds_service.settings import Settings
from cds_service.store.database import Database
from cds_service.store.rows import NO_CODE
from cds_service.store.store import Store
from cds_service.web import limits
from tests.small_world import (
    FRACTURE,
    LOINC,
    MRI_LUMBAR_W,
    MRI_LUMBAR_WO_W,
    OSTEOPOROSIS,
    PACEMAKER,
    PAIN,
    PATIENT,
    condition,
    device,
    hook_request,
    order,
)
from tests.store.rows import kept

SERVICE = "/cds-services/vcf-appropriateness"
CARD, SUGGESTION = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
AT = "2026-11-21T02:13:54.717Z"
TAKEN = {"card": CARD, "outcome": "accepted", "acceptedSuggestions": [{"id": SUGGESTION}]}
DISMISSED = {"card": CARD, "outcome": "overridden"}
REASON = {"code": "patient-preference", "system": "http://example.org/override"}
CODED = {"code": "LA15173-0", "system": LOINC}
EPIC = "com.epic.cdshooks.feedback.overrideReason"
EPICS_OWN = {
    f"{EPIC}.reasonCategory": "Acknowledgement",
    f"{EPIC}.reasonTitle": "Specialist request",
    f"{EPIC}.reasonDisplay": "Requested by a specialist",
}


class Service:
    """The application with a store, and what is in that store."""

    def __init__(self, folder, **settings):
        self.app = create_app(Settings(store=True, data=folder, **settings))
        self.client = self.app.test_client()
        self.database, self.spool = Database("", folder), folder / "spool"

    def feedback(self, *items):
        stamped = [{"outcomeTimestamp": AT, **i} if isinstance(i, dict) else i for i in items]
        return self.client.post(f"{SERVICE}/feedback", json={"feedback": stamped})

    def ask(self, request):
        body = {**request, "hookInstance": str(uuid4())}
        return self.client.post(SERVICE, json=body).get_json()

    def rows(self, table="feedback"):
        """What is kept, all of it loaded, and known to the service."""
        store = self.app.extensions["store"]
        while list(self.spool.glob("*.jsonl")):  # the loader's thread may be at work on some
            store._loader.load()
        store._overridden._refreshed = float("-inf")
        store._overridden.refresh()
        return kept(self.database, table)

    def close(self):
        self.app.extensions["store"].finish()
        self.database.close()


@pytest.fixture
def start(tmp_path):
    started = []

    def begin(**settings):
        started.append(Service(tmp_path, **settings))
        return started[-1]

    yield begin
    for service in started:
        service.close()


@pytest.fixture
def service(start):
    return start()


NO_REASON, OTHER_REASON = ("", ""), ("", "other")
OURS = {"code": "chart-incomplete", "system": "urn:vcf-appropriateness:override-reason"}
# item: suggestions and reason (system, code) as they are kept
SHAPES = {
    "a suggestion was taken": (TAKEN, [SUGGESTION], NO_REASON),
    "dismissed": (DISMISSED, [], NO_REASON),
    "dismissed with a reason, as the Sandbox sends it": (
        {**DISMISSED, "overrideReason": {"reason": REASON}},
        [],
        OTHER_REASON,
    ),
    "dismissed with a reason of the card": (
        {**DISMISSED, "overrideReason": {"reason": OURS}},
        [],
        (OURS["system"], "chart-incomplete"),
    ),
    "dismissed with a reason of the card, without its system": (
        {**DISMISSED, "overrideReason": {"reason": {"code": "does-not-align-preferences"}}},
        [],
        ("", "does-not-align-preferences"),
    ),
    "dismissed with a reason that names somebody": (
        {**DISMISSED, "overrideReason": {"reason": {**OURS, "code": "Zebediah"}}},
        [],
        OTHER_REASON,
    ),
    "dismissed with a comment only": (
        {**DISMISSED, "overrideReason": {"userComment": "Zebediah"}},
        [],
        NO_REASON,
    ),
    "Epic: overrideReasons": (
        {**DISMISSED, "overrideReasons": {"reason": {**CODED, "display": "Wish"}}},
        [],
        (LOINC, "LA15173-0"),
    ),
    "Epic: overrideReasons as a list": (
        {**DISMISSED, "overrideReasons": [{"reason": CODED}]},
        [],
        (LOINC, "LA15173-0"),
    ),
    "Epic: a display alone": (
        {**DISMISSED, "overrideReasons": {"reason": {"display": "Not for Zebediah"}}},
        [],
        OTHER_REASON,
    ),
    "Epic: a reason of the site, beside the item": (
        {**DISMISSED, "extension": EPICS_OWN},
        [],
        OTHER_REASON,
    ),
    "Epic: a reason of the site, in overrideReasons": (
        {**DISMISSED, "overrideReasons": {"extension": EPICS_OWN}},
        [],
        OTHER_REASON,
    ),
    "a card id with its prefix": ({**TAKEN, "card": f"urn:uuid:{CARD}"}, [SUGGESTION], NO_REASON),
    "a card id in capitals": ({**TAKEN, "card": CARD.upper()}, [SUGGESTION], NO_REASON),
    "fields that nobody knows": ({**TAKEN, "mood": "good"}, [SUGGESTION], NO_REASON),
}


@pytest.mark.parametrize(("item", "suggestions", "reason"), SHAPES.values(), ids=SHAPES)
def test_each_shape_is_kept(service, item, suggestions, reason):
    assert service.feedback(item).status_code == 200
    (row,) = service.rows()
    assert (row["card"], row["suggestions"], row["comment"]) == (CARD, suggestions, None)
    assert (row["reason_system"], row["reason_code"]) == reason
    assert row["reason_display"] == ""


WRONG = {
    "no card": ({**TAKEN, "card": None}, "feedback[0].card"),
    "an empty card": ({**TAKEN, "card": ""}, "feedback[0].card"),
    "an outcome that there is not": ({**TAKEN, "outcome": "ignored"}, "feedback[0].outcome"),
    "accepted, but not what": (
        {**TAKEN, "acceptedSuggestions": []},
        "feedback[0].acceptedSuggestions",
    ),
    "a suggestion without id": (
        {**TAKEN, "acceptedSuggestions": [{}]},
        "feedback[0].acceptedSuggestions.0.id",
    ),
    "a time that is none": (
        {**TAKEN, "outcomeTimestamp": "yesterday"},
        "feedback[0].outcomeTimestamp",
    ),
    "a time out of range": (
        {**TAKEN, "outcomeTimestamp": "0001-01-01T00:00:00+14:00"},
        "feedback[0].outcomeTimestamp",
    ),
    "no object": ("accepted", "feedback[0]"),
    "nothing": (None, "feedback[0]"),
}


@pytest.mark.parametrize(("item", "field"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_told_by_its_field(service, item, field):
    answer = service.feedback(item)
    assert answer.status_code == 400
    assert answer.get_json()["resourceType"] == "OperationOutcome"
    assert field in [path for issue in answer.get_json()["issue"] for path in issue["expression"]]
    assert service.rows() == []


@pytest.mark.parametrize("body", [{}, {"feedback": {}}, {"feedback": None}, []])
def test_a_body_without_a_list_is_refused(service, body):
    assert service.client.post(f"{SERVICE}/feedback", json=body).status_code == 400


def test_an_empty_list_is_no_error(service):
    assert service.feedback().status_code == 200


def test_a_bad_item_does_not_spoil_the_batch(service):
    answer = service.feedback(TAKEN, {"card": CARD}, {**DISMISSED, "card": str(uuid4())})
    assert answer.status_code == 200
    told, *warnings = answer.get_json()["issue"]
    assert told["diagnostics"] == "2 of 3 items were taken."
    assert {w["severity"] for w in warnings} == {"warning"}
    assert {w["expression"][0] for w in warnings} == {"feedback[1].outcome"}
    assert len(service.rows()) == 2


def test_a_repeat_is_kept_once(service):
    for _ in range(3):
        service.feedback(TAKEN, TAKEN)
    service.feedback({**TAKEN, "outcomeTimestamp": "2026-11-21T03:13:54.717+01:00"})  # the same
    assert len(service.rows()) == 1


@pytest.mark.parametrize(
    "other",
    [{"card": str(uuid4())}, {"outcomeTimestamp": "2026-11-21T02:13:55Z"}, DISMISSED],
    ids=["another card", "another time", "another outcome"],
)
def test_card_outcome_and_time_tell_feedback_apart(service, other):
    service.feedback(TAKEN, {**TAKEN, **other})
    assert len(service.rows()) == 2


def test_an_unknown_card_is_kept_though_not_as_it_was_written(service):
    assert service.feedback({**DISMISSED, "card": "MRN-7731"}).status_code == 200
    (row,) = service.rows()
    assert "MRN" not in row["card"]


@pytest.mark.parametrize(("keeps", "comment"), [(True, "Not for Zebediah"), (False, None)])
def test_comments_are_dropped_unless_a_setting_keeps_them(start, keeps, comment):
    service = start(keep_comments=keeps)
    service.feedback({**DISMISSED, "overrideReason": {"userComment": "Not for\nZebediah\0"}})
    assert service.rows()[0]["comment"] == comment


def test_too_many_items_are_refused(service, monkeypatch):
    monkeypatch.setattr(limits, "MOST_ITEMS", 2)
    assert service.feedback(TAKEN, TAKEN, TAKEN).status_code == 413


def test_what_cannot_be_kept_is_to_be_sent_again(service, monkeypatch):
    monkeypatch.setattr(Store, "add_feedback", lambda *_: False)
    answer = service.feedback(TAKEN)
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.get_json()["issue"][0]["code"] == "no-store"


def test_without_a_store_nothing_is_said_to_be_kept():
    client = create_app(Settings(store=False)).test_client()
    answer = client.post(
        f"{SERVICE}/feedback", json={"feedback": [{**TAKEN, "outcomeTimestamp": AT}]}
    )
    assert answer.status_code == 200
    assert "none is kept" in answer.get_json()["issue"][0]["diagnostics"]


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda some: st.lists(some, max_size=3) | st.dictionaries(st.text(), some, max_size=3),
    max_leaves=8,
)
FIELDS = ("card", "outcome", "outcomeTimestamp", "acceptedSuggestions", "overrideReason")
FIELDS += ("overrideReasons", "extension")


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(field=st.sampled_from(FIELDS), value=ANYTHING)
def test_whatever_stands_in_a_field_is_taken_or_told_and_spoils_nothing(service, field, value):
    good, odd = {**TAKEN, "card": str(uuid4())}, {**DISMISSED, field: value}
    answer = service.feedback(odd, good)
    assert answer.status_code == 200
    first, *told = answer.get_json()["issue"]
    assert first["diagnostics"] in ("1 of 2 items were taken.", "2 of 2 items were taken.")
    assert all(issue["expression"][0].startswith("feedback[0]") for issue in told)
    assert good["card"] in [row["card"] for row in service.rows()]


UNKNOWN_REASON = (LOINC, "30746-2")  # in no map of ours
REQUEST = hook_request(order(MRI_LUMBAR_W, reasons=(FRACTURE, PAIN)))


class TestDecisions:
    def test_each_evaluated_order_is_kept_with_what_was_said(self, service):
        (card,) = service.ask(REQUEST)["cards"]
        (row,) = service.rows("decisions")
        assert (row["card"], row["shown"], row["hidden"]) == (card["uuid"], True, "")
        assert (row["procedure"], row["region"]) == ("mri-spine-w", "lumbar")
        assert (row["topic"], row["category"]) == ("variant1", "usually-not-appropriate")
        assert row["facts"]["symptomatic"] == "true"
        assert row["facts"]["osteoporotic"] == "presumed"
        ids = [suggestion["uuid"] for suggestion in card["suggestions"]]
        assert list(row["suggestions"]) == ids
        assert row["suggestions"][ids[0]] == "replace mri-spine-wo"

    def test_the_same_hook_sent_twice_is_kept_once(self, service):
        for _ in range(2):
            service.client.post(SERVICE, json=REQUEST)
        assert len(service.rows("decisions")) == 1

    def test_of_codes_in_no_map_those_in_the_form_of_their_system_are_kept(self, service):
        reasons = (FRACTURE, PAIN, UNKNOWN_REASON, ("urn:dx", "X-17"), ("Zebediah", "Z. Quack"))
        service.ask(hook_request(order(MRI_LUMBAR_W, ("urn:local", "MR17"), reasons=reasons)))
        found = {(r["about"], r["system"], r["code"]) for r in service.rows("unmapped_codes")}
        assert found == {("reason", *UNKNOWN_REASON), ("reason", *NO_CODE)}

    def test_orders_that_are_not_ours_are_not_kept(self, service):
        service.ask(hook_request(order(("http://loinc.org", "30746-2"))))
        assert service.rows("decisions") == service.rows("unmapped_codes") == []


class TestRepeats:
    """A card that was overridden is not shown again for the same order and advice."""

    def overridden(self, service, request=REQUEST, **item):
        (card,) = service.ask(request)["cards"]
        service.feedback({**DISMISSED, **item, "card": card["uuid"]})
        service.rows()

    def test_it_is_not_shown_again_but_the_order_is_rated(self, service):
        self.overridden(service)
        answer = service.ask(REQUEST)
        assert answer["cards"] == []
        assert len(answer["systemActions"]) == 1
        assert [row["hidden"] for row in service.rows("decisions")] == ["", "repeat"]

    def test_one_that_was_taken_is_shown_again(self, service):
        self.overridden(service, outcome="accepted", acceptedSuggestions=[{"id": SUGGESTION}])
        assert service.ask(REQUEST)["cards"]

    OTHERS = {
        "another order": hook_request(
            order(MRI_LUMBAR_W, identifier="order-2", reasons=(FRACTURE, PAIN))
        ),
        "another study": hook_request(order(MRI_LUMBAR_WO_W, reasons=(FRACTURE, PAIN))),
        "a fact that is coded, not presumed": hook_request(
            order(MRI_LUMBAR_W, reasons=(FRACTURE, PAIN)), conditions=[condition(OSTEOPOROSIS)]
        ),
        "another patient with the same order": json.loads(
            json.dumps(REQUEST).replace(PATIENT, "somebody-else")
        ),
        "other facts": hook_request(
            order(MRI_LUMBAR_W, reasons=(FRACTURE, PAIN)), without=("procedures",)
        ),
    }  # fmt: skip

    @pytest.mark.parametrize("request_", OTHERS.values(), ids=OTHERS)
    def test_anything_else_is_shown(self, service, request_):
        self.overridden(service)
        assert service.ask(request_)["cards"]

    def test_another_patient_is_another_order(self, service):
        self.overridden(service)
        other = {**REQUEST, "context": {**REQUEST["context"], "patientId": "somebody-else"}}
        assert [row["order_key"] for row in service.rows("decisions")]
        service.ask(other)
        keys = [row["order_key"] for row in service.rows("decisions")]
        assert len(set(keys)) == 2

    def test_cards_of_safety_rules_always_return(self, service):
        request = hook_request(
            order(MRI_LUMBAR_W, reasons=(FRACTURE, PAIN)), devices=[device(PACEMAKER)]
        )
        self.overridden(service, request)
        assert service.ask(request)["cards"]

    def test_after_the_hours_it_returns(self, service, monkeypatch):
        self.overridden(service)
        now = time.time()
        monkeypatch.setattr("cds_service.store.overridden.time.time", lambda: now + 25 * 3600)
        assert service.ask(REQUEST)["cards"]

    def test_with_no_hours_it_is_always_shown(self, start):
        service = start(repeat_hours=0)
        self.overridden(service)
        assert service.ask(REQUEST)["cards"]

    def test_an_order_without_an_id_is_never_taken_for_another(self, service):
        nameless = hook_request(order(MRI_LUMBAR_W, identifier=None, reasons=(FRACTURE, PAIN)))
        self.overridden(service, nameless)
        assert service.ask(nameless)["cards"]
