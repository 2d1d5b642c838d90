"""Reading at a glance against reading everything: nothing that says something is passed over."""

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cds_service import create_app
from cds_service.decision import terminology
from cds_service.decision.terminology import Meaning
from cds_service.fhir.chart import read_chart
from cds_service.fhir.findings import finding_of
from cds_service.fhir.plain import reference, refers_to_another
from cds_service.fhir.prefetch import ALSO_READ, KEYS, read_prefetch
from cds_service.fhir.reading import decoded
from cds_service.fhir.validation import _problem_with
from cds_service.settings import Settings
from tests.small_world import (
    BREAST_CANCER,
    FRACTURE,
    MRI_LUMBAR_W,
    PAIN,
    allergy,
    condition,
    hook_call,
    hook_request,
    order,
    post,
    topic,
)
from tests.spec.test_properties import JUNK, paths, requests, spoil

TERMINOLOGY = topic().terminology
THOROUGH = settings(max_examples=400, deadline=None, derandomize=True)
POOR = hook_request(order(MRI_LUMBAR_W, reasons=(FRACTURE, PAIN)))


def read_at_a_glance(body):
    call = hook_call(body)
    return read_chart(read_prefetch(call.prefetch), call.patient_id, TERMINOLOGY)


def read_whole(body):
    """Every resource of the prefetch parsed, validated by fhir.resources, and read: what each valid
    one says, and the names of those that say something and are not valid.
    """
    findings, unread, seen = [], [], set()
    for resource in all_resources(body["prefetch"]):
        problem = whats_wrong(resource, body["context"]["patientId"])
        finding = finding_of(resource, TERMINOLOGY)
        name = reference(resource)
        if finding is None or ("/" in name and name in seen):
            continue
        seen.add(name)
        findings += [] if problem else [finding]
        unread += [name] if problem else []
    return findings, unread


def whats_wrong(resource, patient_id):
    owners = (resource.get("subject"), resource.get("patient"))
    if any(refers_to_another(owner, patient_id) for owner in owners):
        return "another patient's"
    return _problem_with(resource)


def all_resources(prefetch):
    for value in prefetch.values() if isinstance(prefetch, dict) else ():
        yield from resources_in(value)


def resources_in(value):
    if not isinstance(value, dict):
        return
    kind = value.get("resourceType")
    if kind == "Bundle" and isinstance(value.get("entry"), list):
        for entry in value["entry"]:
            if isinstance(entry, dict):
                yield from resources_in(entry.get("resource"))
    elif isinstance(kind, str) and kind != "Patient" and (kind in KEYS or kind == ALSO_READ):
        yield value


def agree(body):
    chart = read_at_a_glance(body)
    findings, unread = read_whole(json.loads(json.dumps(body)))
    assert list(chart.findings) == findings
    named = [name.split(" ")[0] for name in chart.unread if not name.startswith("Patient")]
    assert named == unread


@given(requests())
@THOROUGH
def test_the_same_is_read_of_sound_charts(body):
    agree(body)


@given(st.data())
@THOROUGH
def test_the_same_is_read_of_charts_with_junk_in_them(data):
    body = data.draw(requests())
    for _ in range(data.draw(st.integers(1, 4))):
        places = [p for p in paths(body) if p[0] == "prefetch" and len(p) > 2]
        if places:
            spoil(body, data.draw(st.sampled_from(places)), data.draw(JUNK))
    agree(body)


ODD = {
    "a code that is a number": {"code": {"coding": [{"system": 7, "code": BREAST_CANCER[1]}]}},
    "a coding that is no list": {"code": {"coding": {"code": BREAST_CANCER[1]}}},
    "an id that is a number": {"id": 7},
    "a type that is no concept": {"type": "problem"},
}


def test_what_is_not_as_fhir_has_it_is_read_whole():
    """It says nothing less for it: what was read of it before is read now."""
    for odd in ODD.values():
        body = {**POOR, "prefetch": {**POOR["prefetch"]}}
        entries = [{"resource": {**condition(BREAST_CANCER), **odd}}]
        body["prefetch"]["conditions"] = {"resourceType": "Bundle", "entry": entries}
        agree(body)


def test_a_look_alike_costs_no_validation():
    basal_cell = ("http://snomed.info/sct", "254701007")
    assert not TERMINOLOGY.knows(*basal_cell)
    assert TERMINOLOGY.meaning(basal_cell)


def test_the_substance_of_a_reaction_and_a_code_without_its_dot_are_seen_at_a_glance():
    reacted = allergy(("urn:local", "unknown"))
    substance = {"coding": [{"system": "urn:oid:2.16.840.1.113883.6.90", "code": "z91041"}]}
    reacted["reaction"] = [{"substance": substance, "manifestation": [{"text": "hives"}]}]
    agree(hook_request(order(MRI_LUMBAR_W), allergies=[reacted]))


class TestHalfASurrogatePair:
    """A text that was cut off in the middle of a sign; no Unicode, and strict readers refuse it."""

    @pytest.mark.parametrize(
        ("sent", "read"),
        [
            (rb'"\ud83d"', "\ufffd"),
            (rb'"\ude00x"', "\ufffdx"),
            (rb'"\uD83D\uDE00"', "\U0001f600"),
            (rb'"\ud83d\ud83d\ude00"', "\ufffd\U0001f600"),
        ],
    )
    def test_becomes_the_replacement_character(self, sent, read):
        assert decoded(sent) == read

    def test_spoils_nothing(self):
        """Neither the order nor the Condition that it stands in."""
        body = json.loads(json.dumps(POOR))
        cancer = condition(BREAST_CANCER)
        cancer["code"]["text"] = body["context"]["draftOrders"]["id"] = "\ud83d"
        body["prefetch"]["conditions"]["entry"] = [{"resource": cancer}]
        client = create_app(Settings(open=True, store=False)).test_client()
        text = json.dumps(body)
        answer = client.post(
            "/cds-services/vcf-appropriateness", data=text, content_type="application/json"
        )
        assert "Malignancy: Malignant neoplasm" in answer.json["cards"][0]["detail"]


def test_a_chart_is_not_looked_at_where_no_order_is_ours():
    """Most orders of a hospital: whatever is in the prefetch costs nothing."""
    knee = hook_request(order(("urn:local", "knee")))
    knee["prefetch"]["conditions"] = {"resourceType": "Bundle", "entry": "nonsense"}
    assert post(knee).body == {"cards": []}


class TestWhatIsRemembered:
    def test_is_bounded_in_number_and_length(self, monkeypatch):
        monkeypatch.setattr(terminology, "MOST_REMEMBERED", 3)
        made = replace(TERMINOLOGY, seen={})
        for number in range(20):
            assert not made.knows("urn:local", str(number))
        assert not made.knows("urn:local", "x" * 1_000)
        assert len(made.seen) <= 3
        assert all(len(code) < 1_000 for _, code in made.seen)

    def test_a_code_that_was_looked_up_is_known_although_it_was_not_before(self):
        code = ("http://snomed.info/sct", "13645005")
        assert not topic().terminology.knows(*code)
        now = topic().with_meanings({code: Meaning(frozenset({"malignancy"}))})
        assert now.terminology.knows(*code)
        assert not topic().terminology.knows(*code)
