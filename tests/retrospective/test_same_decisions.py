"""The run decides as a hook does: every complete fixture of order-sign goes through both."""

import json
from dataclasses import replace

import pytest

from cds_service.decision.chart import KINDS
from cds_service.fhir.prefetch import read_prefetch
from cds_service.fhir.selected import OPEN_STATUSES
from cds_service.fixtures import find_fixtures, read_fixture
from cds_service.hook import answer_hook
from cds_service.retrospective.as_of import LENIENT, STRICT, was_known
from cds_service.retrospective.job import Export, Job
from cds_service.retrospective.lines import line
from cds_service.retrospective.moment import moment
from cds_service.retrospective.rows import SEVERAL, SINGLE, answers_for
from cds_service.settings import SHIPPED_MAPPINGS
from tests.small_world import ROOT, as_sent, hook_call, topics

JOB = Job(SHIPPED_MAPPINGS, secret=b"salt")
EVERYTHING = Export(frozenset(KINDS), {})


def orders_of(request):
    entries = request.get("context", {}).get("draftOrders", {}).get("entry", [])
    return [entry["resource"] for entry in entries]


def is_complete(fixture):
    """Whether all kinds of data came in full, and the orders are such as an export can hold."""
    if fixture.status != 200 or not fixture.request.get("prefetch"):
        return False
    supplied = read_prefetch(as_sent(fixture.request["prefetch"])).supplied
    orders = orders_of(fixture.request)
    return supplied == set(KINDS) and all(
        o["resourceType"] == "ServiceRequest" and o.get("id") and o.get("status") in OPEN_STATUSES
        for o in orders
    )


COMPLETE = [
    fixture
    for folder in find_fixtures([ROOT / "fixtures" / "order-sign"])
    if is_complete(fixture := read_fixture(folder))
]


def exported(fixture):
    """Patient and resources of a fixture, as the lines of an export; orders carry their day."""
    patient = fixture.request["context"]["patientId"]
    owner = {"subject": {"reference": f"Patient/{patient}"}}
    dated = {"authoredOn": fixture.today.isoformat()}
    found = [{**owner, **dated, **order} for order in orders_of(fixture.request)]
    for resource in read_prefetch(as_sent(fixture.request["prefetch"])).resources:
        has_owner = resource.content.keys() & {"subject", "patient"} or resource.type == "Patient"
        found.append({**({} if has_owner else owner), **resource.content})
    return patient, found


def by_the_hook(fixture):
    call = hook_call(fixture.request)
    service = fixture.service or "vcf-appropriateness"
    answer = answer_hook(replace(call, today=fixture.today), topics()[service])
    return sorted((_plain(e) for e in answer.evaluations), key=str)


def _plain(evaluation):
    plain = {name: getattr(evaluation, name) or None for name in SINGLE}
    plain |= {name: list(getattr(evaluation, name)) or None for name in SEVERAL}
    return plain | {"indicator": evaluation.shown_indicator or None, "decision": evaluation.subject}


def by_the_run(fixture, mode):
    patient, resources = exported(fixture)
    lines = [line(n, json.dumps(r).encode()) for n, r in enumerate(resources, 1)]
    assert not [each.problem for each in lines if each.problem]
    rows = answers_for(patient, lines, EVERYTHING, JOB).rows
    kept = (*SINGLE, *SEVERAL, "indicator", "decision")
    return sorted(({k: r[k] for k in kept} for r in rows if r["mode"] == mode), key=str)


def is_dated(fixture):
    """Whether what was known is proved by a date, so that the strict answer is the same."""
    today = moment(fixture.today.isoformat())
    resources = exported(fixture)[1]
    return all(
        was_known(r, today, STRICT) for r in resources if r["resourceType"] != "ServiceRequest"
    )


def test_most_fixtures_are_complete():
    assert len(COMPLETE) > 50


@pytest.mark.parametrize("fixture", COMPLETE, ids=lambda f: f.folder.name)
def test_both_decide_the_same(fixture):
    assert by_the_run(fixture, LENIENT) == by_the_hook(fixture)


DATED = [fixture for fixture in COMPLETE if is_dated(fixture)]


@pytest.mark.parametrize("fixture", DATED, ids=lambda f: f.folder.name)
def test_strictly_too_where_everything_is_dated(fixture):
    assert by_the_run(fixture, STRICT) == by_the_hook(fixture)
