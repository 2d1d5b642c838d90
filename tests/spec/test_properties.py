"""What holds for every patient and every order, tried on random ones."""

import copy
import json
import os
import subprocess
import sys

from hypothesis import given, settings
from hypothesis import strategies as st

from cds_service.decision.variants import outcomes_of
from tests import small_world as world
from tests.small_world import ROOT, hook_request, order, post, topic

QUICK = settings(max_examples=150, deadline=None, derandomize=True)

# --- Less knowledge never turns one certain rating into another -----------------------------------

GUIDELINE = topic().guideline
FACTS = list(topic().fact)
VALUES = st.fixed_dictionaries({name: st.sampled_from([True, False, None]) for name in FACTS})


def certain_ratings(values: dict) -> dict[str, str]:
    """The category of each procedure whose rating is certain."""
    found = {}
    for procedure in GUIDELINE.procedures:
        outcomes = outcomes_of(GUIDELINE.variants_for(procedure), values)
        if outcomes.is_certain(procedure.id):
            found[procedure.id] = outcomes.category(procedure.id)
    return found


@given(VALUES, st.sets(st.sampled_from(FACTS), min_size=1))
@settings(QUICK, max_examples=500)
def test_knowing_less_never_changes_a_certain_rating(values, forgotten):
    """A rating may become uncertain; it never becomes another one."""
    before = certain_ratings(values)
    after = certain_ratings({**values, **dict.fromkeys(forgotten)})
    assert after.items() <= before.items()


# --- Order of resources does not matter -----------------------------------------------------------

FINDINGS = [
    world.FRACTURE,
    world.LUMBAR_FRACTURE,
    world.OSTEOPOROTIC_FRACTURE,
    world.NEOPLASTIC_FRACTURE,
    world.WEDGE_FRACTURE_L1,
    (world.ICD, "S22.080D"),
    (world.ICD, "M48.52XS"),
    world.FRACTURE_TYPE_NOT_STATED,
    world.PAIN,
    world.LOW_BACK_PAIN,
    (world.SCT, "81680005"),
    world.CHRONIC_PAIN,
    world.ASYMPTOMATIC,
    world.BREAST_CANCER,
    (world.ICD, "C79.51"),
    world.SPINE_METASTASIS,
    world.OSTEOPOROSIS,
    world.KYPHOSIS,
    (world.ICD, "J98.4"),
    (world.ICD, "M41.9"),
    world.CAUDA_EQUINA,
    world.PACEMAKER,
    world.PREGNANCY,
    world.FEVER,
    world.DISCITIS,
    (world.ICD, "N18.5"),
    (world.ICD, "N39.0"),
    world.HYPERTENSION,
    *(world.said(question.fact, word) for question in topic().questions for word in ("yes", "no")),
]
STUDIES = [
    world.MRI_LUMBAR_WO,
    world.MRI_LUMBAR_W,
    world.MRI_LUMBAR_WO_W,
    world.MRI_LUMBAR,
    (world.CPT, "72146"),
    world.CT_LUMBAR_WO,
    world.CT_LUMBAR_W,
    world.CT_MYELOGRAPHY_LUMBAR,
    world.BONE_SCAN,
    world.PET_CT,
    world.SPINE_BIOPSY,
    world.AUGMENTATION_LUMBAR,
    world.ABLATION,
    world.SURGEON,
    world.RADIONUCLIDE_THERAPY,
]
DATES = st.sampled_from([None, *(world.days_ago(days) for days in (0, 30, 90, 91, 400))])
CONDITIONS = st.lists(
    st.builds(
        world.condition,
        st.sampled_from(FINDINGS),
        onset=DATES,
        clinical=st.sampled_from([None, "active", "resolved"]),
        verification=st.sampled_from([None, "confirmed", "provisional", "refuted"]),
    ),
    max_size=6,
)
PROCEDURES = st.lists(
    st.builds(
        world.procedure,
        st.sampled_from([world.VERTEBROPLASTY, world.LUMBAR_FUSION, (world.SCT, "81099000")]),
        on=DATES,
        status=st.sampled_from(["completed", "not-done"]),
    ),
    max_size=2,
)
OBSERVATIONS = st.lists(st.builds(world.egfr, st.sampled_from([20, 45, 80]), on=DATES), max_size=3)
DRAFTS = st.lists(
    st.builds(
        lambda codes, reasons: order(*codes, reasons=tuple(reasons)),
        st.lists(st.sampled_from(STUDIES), min_size=1, max_size=2, unique=True),
        st.lists(st.sampled_from(FINDINGS), max_size=5),
    ),
    min_size=1,
    max_size=4,
)


def numbered(resources: list[dict], prefix: str) -> list[dict]:
    """The same with an id each, so that permuting does not change which is which."""
    return [{**r, "id": f"{prefix}-{i}"} for i, r in enumerate(resources)]


@st.composite
def requests(draw) -> dict:
    """A request with a random chart and random orders."""
    prefetch = {
        "conditions": numbered(draw(CONDITIONS), "c"),
        "procedures": numbered(draw(PROCEDURES), "p"),
        "observations": numbered(draw(OBSERVATIONS), "o"),
    }
    without = draw(st.sets(st.sampled_from([*prefetch, "patient"])))
    drafts = numbered(draw(DRAFTS), "order")
    patient = world.patient(draw(st.sampled_from([16, 49, 50, 64, 70])))
    return hook_request(*drafts, without=tuple(without), patient=patient, **prefetch)


@st.composite
def permuted(draw, request: dict) -> dict:
    """The same request, with its Conditions, reasons, orders and the rest in another order."""
    other = copy.deepcopy(request)
    bundles = [b for b in other["prefetch"].values() if b["resourceType"] == "Bundle"]
    drafts = other["context"]["draftOrders"]
    for bundle in [*bundles, drafts]:
        bundle["entry"] = draw(st.permutations(bundle["entry"]))
    for entry in drafts["entry"]:
        draft = entry["resource"]
        if "reasonCode" in draft:
            draft["reasonCode"] = draw(st.permutations(draft["reasonCode"]))
    return other


def decided(request: dict) -> dict[str, tuple]:
    """All that is decided of each order, less the order in which evidence is listed."""
    return {
        d.case.order.id: (
            d.relevance,
            {name: (f.value, f.how, frozenset(f.evidence)) for name, f in d.facts.items()},
            d.subject,
            d.outcomes,
            d.category,
            d.rating,
            d.indicator,
            d.topic,
            {(a.rule.id, frozenset(a.evidence)) for a in d.alerts},
            d.question,
            d.suggestions,
        )
        for d in post(request).decisions
    }


@given(st.data())
@QUICK
def test_the_order_of_conditions_reasons_and_orders_does_not_matter(data):
    """Permuting Conditions, reasons or orders changes nothing but their order."""
    request = data.draw(requests())
    assert decided(data.draw(permuted(request))) == decided(request)


# --- Whatever comes, cards go out -----------------------------------------------------------------

WORDS = st.sampled_from(
    ["", " ", "\0", "ServiceRequest", "Condition", "Bundle", "Patient", "active", "2026-02-30"]
    + ["2026", "next", "final", *(code for pair in (*FINDINGS, *STUDIES) for code in pair)]
)
FIELDS = st.sampled_from(
    ["resourceType", "id", "code", "coding", "system", "display", "text", "subject", "patient"]
    + ["reference", "entry", "resource", "reasonCode", "reasonReference", "clinicalStatus"]
    + ["verificationStatus", "onsetDateTime", "onsetPeriod", "start", "recordedDate", "bodySite"]
    + ["status", "doNotPerform", "authoredOn", "extension", "url", "contained", "link", "relation"]
    + ["valueCodeableConcept", "valueQuantity", "value", "effectiveDateTime", "birthDate"]
)
JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | WORDS
    | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(FIELDS | st.text(), inner, max_size=4)
    ),
    max_leaves=12,
)
RESOURCE_JUNK = st.dictionaries(FIELDS, JUNK, max_size=8)


def paths(value, path=()) -> list[tuple]:
    """The way to every place in a JSON value."""
    found = [path] if path else []
    if isinstance(value, dict):
        children = value.items()
    else:
        children = enumerate(value) if isinstance(value, list) else ()
    return found + [p for key, child in children for p in paths(child, (*path, key))]


def spoil(body: dict, path: tuple, junk) -> None:
    """Puts junk at a place of the body."""
    for key in path[:-1]:
        body = body[key]
    body[path[-1]] = junk


@given(st.data())
@settings(QUICK, max_examples=400)
def test_junk_anywhere_in_a_request_still_gets_cards(data):
    """No input crashes: up to three places of a sound request hold something else."""
    body = data.draw(requests())
    for _ in range(data.draw(st.integers(1, 3))):
        places = [p for p in paths(body) if p[0] in ("context", "prefetch") and len(p) > 1]
        spoil(body, data.draw(st.sampled_from(places)), data.draw(JUNK))
    answers_with_cards(body)


@given(st.dictionaries(FIELDS, JUNK), st.lists(RESOURCE_JUNK, max_size=4), JUNK)
@QUICK
def test_nothing_but_junk_still_gets_cards(context, resources, prefetch):
    """No input crashes: resources made of nothing but junk, and a prefetch of any shape."""
    body = hook_request(order(world.MRI_LUMBAR_W, reasons=(world.FRACTURE, world.PAIN)))
    entries = [{"resource": resource} for resource in resources]
    body["context"]["draftOrders"]["entry"] += entries
    body["prefetch"]["conditions"]["entry"] = entries
    answers_with_cards(body)
    answers_with_cards({**body, "context": context})
    answers_with_cards({**body, "prefetch": prefetch})


def answers_with_cards(body: dict) -> None:
    answer = post(body).body
    assert isinstance(answer["cards"], list)
    json.dumps(answer)


# --- The same request, the same answer ------------------------------------------------------------


def as_bytes(body: dict) -> bytes:
    return json.dumps(post(body).body).encode()


@given(requests())
@QUICK
def test_the_same_request_gives_the_same_bytes_and_is_left_as_it_was(body):
    """Pure: the same request gives the same answer."""
    before = copy.deepcopy(body)
    first = as_bytes(body)
    assert body == before
    assert as_bytes(body) == first


EVERY_VARIANT = """
import json
from tests.small_world import *
for number in range(1, 10):
    reasons, chart = IN_VARIANT[number]
    without = ("procedures",) if number % 2 else ()
    for code in (MRI_LUMBAR_W, CT_LUMBAR_WO_W, MRI_LUMBAR, PET_CT, AUGMENTATION_LUMBAR, SURGEON):
        draft = order(code, reasons=(*reasons, WEDGE_FRACTURE_L1))
        print(json.dumps(ask(draft, without=without, **chart).body))
"""


def test_every_process_gives_the_same_bytes():
    """Nothing hangs on the order of sets, which is another in every process."""
    told = [
        subprocess.run(  # noqa: S603  our own text, run by our own interpreter
            [sys.executable, "-c", EVERY_VARIANT],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
        ).stdout
        for seed in ("1", "2", "3")
    ]
    assert told[0].count(b'"cards": [{') > 20
    assert len(set(told)) == 1
