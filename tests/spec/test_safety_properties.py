"""Section 6, for any chart: all rules that apply act together, and none hides another."""

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from cds_service.decision.safety import INDICATORS
from cds_service.decision.situation import Situation
from cds_service.fixtures import find_fixtures, read_fixture
from tests.small_world import (
    ANSWER,
    CPT,
    ICD,
    LOINC,
    ROOT,
    SCT,
    allergy,
    ask,
    condition,
    days_ago,
    device,
    egfr,
    hook_request,
    order,
    patient,
    post,
    procedure,
    topic,
)

terminology = topic().terminology

# The first codes of each value set, and of the sets that are rules: as codings a chart may hold.
SETS = sorted({name for meaning in terminology.meanings.values() for name in meaning.sets})
POOL = [
    key
    for name in SETS
    for key in [k for k, m in terminology.meanings.items() if name in m.sets][:4]
]
POOL += [(ICD, "C50.911"), (ICD, "C79.51"), (ICD, "Z85.3"), (ICD, "I10")]
ANSWERS = [
    (ANSWER, f"{question.fact.replace('_', '-')}-{said}")
    for question in topic().questions
    for said in ("yes", "no")
]
ORDERS = sorted(terminology.orders)
FRACTURES = [
    k for k, m in terminology.meanings.items() if "vertebral-compression-fracture" in m.sets
]

CODES = st.sampled_from(POOL)
DATES = st.sampled_from([None, days_ago(0), days_ago(90), days_ago(91), days_ago(400)])
STATUS = st.sampled_from(["active", "resolved", None])
VERIFICATION = st.sampled_from(["confirmed", "provisional", "refuted", None])


CONDITIONS = st.lists(
    st.builds(condition, CODES, onset=DATES, clinical=STATUS, verification=VERIFICATION), max_size=5
)
PROCEDURES = st.lists(st.builds(procedure, CODES, on=DATES), max_size=2)
DEVICES = st.lists(st.builds(device, CODES), max_size=2)
ALLERGIES = st.lists(st.builds(allergy, CODES), max_size=2)
OBSERVATIONS = st.lists(
    st.builds(egfr, st.sampled_from([12, 29.9, 30, 80]), st.sampled_from([days_ago(5)])), max_size=1
)
CHARTS = st.fixed_dictionaries(
    {
        "conditions": CONDITIONS,
        "procedures": PROCEDURES,
        "devices": DEVICES,
        "allergies": ALLERGIES,
        "observations": OBSERVATIONS,
        "patient": st.builds(
            patient,
            st.sampled_from([None, 9, 10, 17, 18, 40, 55, 56, 70]),
            st.sampled_from(["female", "male", None]),
        ),
        "without": st.sampled_from([(), (), ("conditions",), ("conditions", "procedures")]),
    }
)
DRAFTS = st.builds(
    lambda coding, fracture, more: order(coding, reasons=(fracture, *more)),
    st.sampled_from(ORDERS),
    st.sampled_from(FRACTURES),
    st.lists(st.sampled_from(POOL + ANSWERS), max_size=3),
)

# Triggers that no fact and no variant hangs on: adding one changes nothing but the alerts.
ADDED = [
    ("devices", device((ICD, "Z95.0"))),
    ("conditions", condition((ICD, "Z95.810"))),
    ("conditions", condition((ICD, "Z18.10"))),
    ("allergies", allergy((SCT, "407976008"))),
    ("allergies", allergy((SCT, "426722004"))),
    ("allergies", allergy((SCT, "385420005"))),
    ("conditions", condition((ICD, "N18.5"))),
    ("conditions", condition((ICD, "Z33.1"))),
    ("conditions", condition((ICD, "R33.9"))),
    ("conditions", condition((ICD, "M46.26"))),
    ("conditions", condition((ICD, "R50.9"))),
    ("conditions", condition((ICD, "N39.0"))),
    ("conditions", condition((ICD, "D84.821"))),
    ("conditions", condition((ICD, "W19.XXXA"))),
    ("conditions", condition((ICD, "M41.9"))),
]
# What these kinds do to the rating's own indicator, they are meant to do.
LOWERING = {"soften", "quiet", "outside-scope"}


def asked(drafts, chart):
    """The answer to the orders, each resource of the chart under an id of its own."""
    named = {
        key: [{**r, "id": f"{key}-{n}"} for n, r in enumerate(resources)]
        for key, resources in chart.items()
        if key not in ("patient", "without")
    }
    return ask(*drafts, **{**chart, **named})


def rank(indicator):
    return INDICATORS.index(indicator) if indicator else -1


def cautions_of(decision):
    spoken = (a.rule for a in decision.alerts if a.speaks)
    return [r for r in spoken if r.kind in ("caution", "wrong-region")]


@settings(max_examples=250, deadline=None)
@given(DRAFTS, CHARTS, st.sampled_from(ADDED))
def test_one_more_trigger_hides_no_alert_and_lowers_nothing(draft, chart, added):
    """A rule never disappears because another one applies, nor does a caution's urgency. Red flags
    that are softer than an infection give way to it.
    """
    key, resource = added
    before = asked([draft], chart).decisions
    after = asked([draft], {**chart, key: [*chart[key], resource]}).decisions
    for first, second in zip(before, after, strict=True):
        alerts = [{(a.rule.id, a.speaks) for a in d.alerts} for d in (first, second)]
        infected = any(rule.startswith("infection") for rule, _ in alerts[1])
        hidden = {rule for rule, _ in alerts[0] - alerts[1]}
        assert hidden <= ({"softer-red-flags"} if infected else set())
        new = {a.rule.kind for a in second.alerts if a.speaks} - {
            a.rule.kind for a in first.alerts if a.speaks
        }
        if not new & LOWERING:
            assert rank(second.indicator) >= rank(first.indicator)


@settings(max_examples=250, deadline=None)
@given(DRAFTS, CHARTS)
def test_the_card_is_as_urgent_as_its_most_urgent_caution(draft, chart):
    """The highest indicator of all that apply."""
    for decision in asked([draft], chart).decisions:
        urgencies = [rank(rule.indicator) for rule in cautions_of(decision)]
        assert rank(decision.indicator) >= max(urgencies, default=-1)


def criteria():
    """The criteria of rules, and of facts but for what makes them true."""
    kinds = ("unknown_when", "presumed_when", "false_when", "implied_false_when")
    of_facts = (getattr(fact, kind) for fact in topic().facts for kind in kinds)
    return [*(rule.when for rule in topic().rules), *filter(None, of_facts)]


@settings(max_examples=250, deadline=None)
@given(DRAFTS, CHARTS)
def test_a_criterion_that_is_passed_over_could_not_be_true(draft, chart):
    for decision in asked([draft], chart).decisions:
        case = decision.case
        situation = Situation(case, topic().guideline, decision.facts, decision.outcomes)
        passed_over = [c for c in criteria() if not c.may_hold(case)]
        assert passed_over
        assert [c.written for c in passed_over if c.truth(situation).value] == []


def _allowed(procedure_id, decision):
    """The rules that an `alternative` lifts for a procedure."""
    lifting = (a.rule for a in decision.alerts if procedure_id in a.rule.allow)
    return {rule.instead_of for rule in lifting}


@settings(max_examples=400, deadline=None)
@given(DRAFTS, CHARTS)
def test_no_suggestion_breaks_a_safety_rule(draft, chart):
    """Every suggestion is screened by all rules, whatever was ordered."""
    for decision in asked([draft], chart).decisions:
        for suggestion in decision.suggestions:
            if suggestion.kind not in ("replace", "create"):
                continue
            procedure_id = suggestion.procedure.id
            avoiding = {a.rule.id for a in decision.alerts if suggestion.procedure in a.rule.avoid}
            assert avoiding <= _allowed(procedure_id, decision)
            assert suggestion.codes


@settings(max_examples=250, deadline=None)
@given(st.lists(DRAFTS, min_size=1, max_size=3), CHARTS)
def test_every_answer_is_valid_for_cds_hooks(drafts, chart):
    """At most one card an order; what the specification asks of each card holds."""
    named = [{**draft, "id": f"order-{n}"} for n, draft in enumerate(drafts)]
    answer = asked(named, chart)
    assert len(answer.body["cards"]) <= len(drafts)
    assert len({made["uuid"] for made in answer.body["cards"]}) == len(answer.body["cards"])
    for made in answer.body["cards"]:
        _is_valid(made)
    for action in answer.body.get("systemActions", []):
        assert action["type"] == "update"
        assert action["description"]
    rated = [a["resource"]["id"] for a in answer.body.get("systemActions", [])]
    assert len(rated) == len(set(rated))


def _is_valid(made):
    assert 0 < len(made["summary"]) < 140
    assert made["indicator"] in ("info", "warning", "critical")
    assert made["source"]["label"]
    assert re.fullmatch("[A-Za-z0-9]+", made["source"]["topic"]["code"])
    assert all(reason["display"] for reason in made["overrideReasons"])
    assert all(link["label"] and link["url"] for link in made["links"])
    suggestions = made.get("suggestions", [])
    assert ("selectionBehavior" in made) == bool(suggestions)
    assert made.get("selectionBehavior", "at-most-one") == "at-most-one"
    assert sum(s.get("isRecommended", False) for s in suggestions) <= 1
    for suggestion in suggestions:
        assert suggestion["label"]
        for action in suggestion["actions"]:
            assert action["type"] in ("create", "update", "delete")
            assert action["description"]
            assert ("resourceId" in action) == (action["type"] == "delete")
            assert ("resource" in action) == (action["type"] != "delete")


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(ORDERS), CHARTS)
def test_every_order_code_is_answered(coding, chart):
    """Every order of the map, with pain and a fracture: decided, and never an error."""
    draft = order(coding, reasons=((ICD, "M48.50XA"), (ICD, "M54.50")))
    (decision,) = asked([draft], chart).decisions
    assert decision.relevance == "relevant"
    assert decision.rating in (None, "appropriate", "not-appropriate", "no-criteria-apply")


def test_the_pool_holds_every_value_set_and_the_orders_every_system():
    """Guard: the charts are drawn from all sets, and the orders from all systems."""
    assert len(SETS) > 35
    assert {"mri-implant", "pregnancy", "egfr", "spinal-infection", "kyphosis"} <= set(SETS)
    assert {system for system, _ in ORDERS} >= {LOINC, CPT, SCT}
    assert len(ORDERS) > 150


# --- A click on a suggestion ----------------------------------------------------------------------

CONSULTATIONS = {"surgical-consultation", "radiation-oncology-consultation"}


def clicked(body, answer):
    """Each suggestion that orders something, with the decision on the order that was clicked and
    the decision on the suggested one in its place, for the same chart.
    """
    cards = {made["uuid"]: made for made in answer.body["cards"]}
    shown = [d for d in answer.decisions if d.shows_card]
    for decision, made in zip(shown, cards.values(), strict=True):
        buttons = made.get("suggestions", [])
        for suggestion, button in zip(decision.suggestions, buttons, strict=bool(buttons)):
            if suggestion.kind in ("replace", "create"):
                (action,) = button["actions"]
                yield suggestion, decision, decision_on(action["resource"], body)


def decision_on(resource, body):
    """The decision on an order in place of all drafts; None where it is not one of ours."""
    drafts = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": resource}]}
    context = {**body["context"], "draftOrders": drafts}
    context.pop("selections", None)
    found = post({**body, "hook": "order-sign", "context": context}).decisions
    return found[0] if found else None


def fault_of(suggestion, decision, after):
    """What is wrong with a suggestion, by the decision on it; None where nothing is."""
    ordered, offered = decision.case.order.procedure, suggestion.procedure
    if suggestion.kind == "create":
        return None if offered.id in CONSULTATIONS else "adds no consultation"
    if ordered.id in CONSULTATIONS and offered.id not in CONSULTATIONS:
        return "in place of a consultation"
    if after is None:
        return "not ours"
    if after.rating == "not-appropriate":
        return "usually not appropriate"
    against = warned_by(after) - lifted(offered.id, after)
    return f"warned against: {sorted(against)}" if against else None


def warned_by(decision):
    serious = (r for r in cautions_of(decision) if r.indicator in ("warning", "critical"))
    return {rule.id for rule in serious}


def lifted(procedure_id, decision):
    """The rules that offer a procedure in spite of another one, and these: CT without contrast,
    where cord compression asks for MRI and an implant keeps it out, is still no reason to wait.
    """
    offering = {a.rule.id for a in decision.alerts if procedure_id in a.rule.allow}
    return offering | _allowed(procedure_id, decision)


def faults(body):
    answer = post(body)
    found = ((fault_of(*one), one[0].procedure.id) for one in clicked(body, answer))
    return [fault for fault in found if fault[0]]


def body_of(draft, chart):
    """The request with each resource of the chart under an id of its own."""
    named = {
        key: [{**r, "id": f"{key}-{n}"} for n, r in enumerate(resources)]
        for key, resources in chart.items()
        if key not in ("patient", "without")
    }
    return hook_request(draft, **{**chart, **named})


@settings(max_examples=400, deadline=None)
@given(DRAFTS, CHARTS)
def test_no_suggestion_is_warned_against_when_it_is_clicked(draft, chart):
    """Nor usually not appropriate, nor a study or treatment in place of a consultation."""
    assert faults(body_of(draft, chart)) == []


def test_no_suggestion_of_a_fixture_is_warned_against_when_it_is_clicked():
    seen, wrong = 0, []
    for folder in find_fixtures([ROOT / "fixtures"]):
        try:
            body = read_fixture(folder).request
            seen += len(list(clicked(body, post(body))))
        except (KeyError, TypeError):
            continue
        wrong += [(folder.name, fault) for fault in faults(body)]
    assert seen > 50
    assert wrong == []
