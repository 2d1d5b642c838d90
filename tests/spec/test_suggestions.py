"""Section 5, suggestions: which procedures, in which order, and what a click does to the order."""

import pytest

from tests.small_world import (
    ABLATION,
    ANSWER,
    ASYMPTOMATIC,
    AUGMENTATION_LUMBAR,
    BONE_SCAN,
    BREAST_CANCER,
    CAUDA_EQUINA,
    CPT,
    CT_LUMBAR_W,
    CT_LUMBAR_WO,
    CT_MYELOGRAPHY_LUMBAR,
    CT_THORACIC_W,
    FRACTURE,
    FRACTURE_L3,
    ICD,
    LOINC,
    LUMBAR_FRACTURE,
    MRI_LUMBAR_W,
    MRI_SPINE_W,
    MRI_WHOLE_SPINE_W,
    OSTEOPOROTIC_FRACTURE,
    PACEMAKER,
    PAIN,
    PET_CT,
    PREGNANCY,
    RADIATION_ONCOLOGIST,
    RADIONUCLIDE_THERAPY,
    SCT,
    SURGEON,
    THORACIC_FRACTURE,
    ask,
    ask_in,
    card,
    card_in,
    concept,
    condition,
    days_ago,
    decide_in,
    device,
    order,
    patient,
    rating_codes,
    suggested,
)

SYMPTOMATIC = (FRACTURE, PAIN)


def buttons(made):
    return made.get("suggestions", [])


def updated(made, number=0):
    """The order after a click on one of the suggestions."""
    (action,) = buttons(made)[number]["actions"]
    assert action["type"] == "update"
    return action["resource"]


def codes_of(resource, system):
    return [c["code"] for c in resource["code"]["coding"] if c["system"] == system]


USUALLY_APPROPRIATE = {
    "variant 1": (1, CT_LUMBAR_W, ["mri-spine-wo", "ct-spine-wo"]),
    "variant 2": (2, CT_LUMBAR_W, ["mri-spine-wo-w", "ct-spine-wo", "mri-spine-wo"]),
    "variant 3": (3, CT_LUMBAR_W, ["ct-spine-wo", "mri-spine-wo"]),
    "variant 4": (4, CT_LUMBAR_W, ["mri-spine-wo-w", "ct-spine-wo", "mri-spine-wo"]),
    "variant 6": (6, ABLATION, ["vertebral-augmentation"]),
    "variant 7": (7, ABLATION, ["vertebral-augmentation"]),
    "variant 8": (8, ABLATION, ["vertebral-augmentation", "surgical-consultation"]),
    "variant 9": (
        9,
        RADIONUCLIDE_THERAPY,
        ["surgical-consultation", "percutaneous-ablation-spine", "vertebral-augmentation"],
    ),
}


@pytest.mark.parametrize(
    ("variant", "coding", "procedures"),
    USUALLY_APPROPRIATE.values(),
    ids=USUALLY_APPROPRIATE.keys(),
)
def test_the_usually_appropriate_procedures_in_the_order_of_the_document(
    variant, coding, procedures
):
    """The procedures that are usually appropriate, in the variant's order."""
    assert suggested(decide_in(variant, coding)) == [f"replace:{p}" for p in procedures]


def test_only_what_is_usually_appropriate_in_every_outcome():
    """Cancer unknown: what only the variant with cancer calls usually appropriate is left out."""
    made = ask(order(CT_LUMBAR_W, reasons=SYMPTOMATIC), without=("conditions",))
    assert suggested(made.decisions[0]) == ["replace:mri-spine-wo", "replace:ct-spine-wo"]


def test_several_outcomes_stand_in_the_order_of_the_first_variant():
    """In the (first) variant's order: variant 1 puts MRI first, variant 3 CT."""
    made = ask(order(CT_LUMBAR_W, reasons=SYMPTOMATIC), without=("procedures",))
    assert [v.number for v in made.decisions[0].outcomes.variants] == [1, 3]
    assert suggested(made.decisions[0]) == ["replace:mri-spine-wo", "replace:ct-spine-wo"]


@pytest.mark.parametrize("variant", [1, 2, 3, 4])
def test_the_first_suggestion_and_no_other_is_recommended(variant):
    """The first is isRecommended."""
    recommended = [s.get("isRecommended", False) for s in buttons(card_in(variant, CT_LUMBAR_W))]
    assert recommended[0] is True
    assert not any(recommended[1:])


def test_what_has_no_verified_code_is_no_button():
    """Usually appropriate in variant 9, but no code for it is sent: it is not offered."""
    offered = suggested(decide_in(9, RADIONUCLIDE_THERAPY))
    assert "replace:radiation-oncology-consultation" not in offered


CONSULTATION = {
    "surgeon": (5, SURGEON, ["delete"]),
    "radiation oncology, variant 8": (8, RADIATION_ONCOLOGIST, ["replace:surgical-consultation"]),
    "radiation oncology, variant 6": (6, RADIATION_ONCOLOGIST, []),
    "radiation oncology, variant 7": (7, RADIATION_ONCOLOGIST, []),
}


@pytest.mark.parametrize(
    ("variant", "coding", "offered"), CONSULTATION.values(), ids=CONSULTATION.keys()
)
def test_a_consultation_is_replaced_by_a_consultation_only(variant, coding, offered):
    """Never by a treatment or a study."""
    assert suggested(decide_in(variant, coding)) == offered


def test_no_study_that_a_rule_allows_is_offered_for_a_consultation():
    """An implant allows CT without contrast for imaging orders; a consultation stays one."""
    chart = {"devices": [device(PACEMAKER)]}
    assert suggested(decide_in(6, RADIATION_ONCOLOGIST, CAUDA_EQUINA, **chart)) == []


def test_no_treatment_is_a_button_while_none_remains_possible():
    """While "none" remains possible no treatment is offered as a button: only the answers."""
    child = patient(17)  # of whom a safety rule speaks
    draft = order(ABLATION, reasons=(OSTEOPOROTIC_FRACTURE, PAIN))
    (decision,) = ask(draft, patient=child).decisions
    assert decision.outcomes.none_possible
    assert suggested(decision) == ["answer:edema_or_cleft"] * 2
    assert "replace:vertebral-augmentation" in suggested(decide_in(6, ABLATION, patient=child))


def test_no_deletion_is_a_button_while_none_remains_possible():
    child = patient(17)
    reasons = (OSTEOPOROTIC_FRACTURE, ASYMPTOMATIC, (ANSWER, "worsening-no"))
    draft = order(AUGMENTATION_LUMBAR, reasons=reasons)
    (decision,) = ask(draft, patient=child, without=("conditions",)).decisions
    assert decision.outcomes.none_possible
    assert suggested(decision) == ["answer:malignancy"] * 2
    assert suggested(ask(draft, patient=child).decisions[0]) == ["delete"]


def test_no_button_offers_the_order_itself():
    """The order as it stands is no suggestion, whatever a safety rule says of it."""
    assert buttons(card_in(1, CT_LUMBAR_W))
    decision = decide_in(1, MRI_LUMBAR_W, devices=[device(PACEMAKER)])
    assert suggested(decision) == ["replace:ct-spine-wo"]
    urgent = decide_in(1, CT_LUMBAR_WO, CAUDA_EQUINA, devices=[device(PACEMAKER)])
    assert urgent.indicator == "critical"
    assert "replace:ct-spine-wo" not in suggested(urgent)


# --- Nothing survives the screening ---------------------------------------------------------------

PREGNANT_WITH_PACEMAKER = {
    "patient": patient(30),
    "conditions": [condition(PREGNANCY)],
    "devices": [device(PACEMAKER)],
}


def test_where_nothing_survives_there_is_no_suggestion():
    """Where nothing survives the screening: no suggestion."""
    made = card_in(1, CT_LUMBAR_W, **PREGNANT_WITH_PACEMAKER)
    assert "suggestions" not in made
    assert "selectionBehavior" not in made
    assert "Better:" not in made["summary"]


def test_where_nothing_survives_the_detail_sends_to_radiology():
    """The detail says what to discuss with radiology."""
    detail = card_in(1, CT_LUMBAR_W, **PREGNANT_WITH_PACEMAKER)["detail"]
    assert "discuss with radiology" in detail
    assert "No usually appropriate study is left" in detail


@pytest.mark.parametrize("why", ["Pregnancy (Condition)", "pacemaker"])
def test_where_nothing_survives_the_detail_says_why(why):
    """The detail says why: each thing that kept a study out, also what is not about the order."""
    assert why in card_in(1, CT_LUMBAR_W, **PREGNANT_WITH_PACEMAKER)["detail"]


def test_radiology_is_not_named_where_suggestions_are_left():
    assert "discuss with radiology" not in card_in(1, CT_LUMBAR_W)["detail"]


# --- Replacing an order ---------------------------------------------------------------------------

DRAFT = {
    "authoredOn": "2026-11-20",
    "priority": "urgent",
    "requester": {"reference": "Practitioner/dr-kim"},
    "encounter": {"reference": "Encounter/e1"},
    "note": [{"text": "after a fall"}],
    "extension": [{"url": "http://example.org/local", "valueString": "kept"}],
}


def test_replacing_keeps_the_whole_order():
    """Id, subject, reasons and all else kept; only the code and the rating change."""
    draft = order(CT_LUMBAR_W, reasons=SYMPTOMATIC, **DRAFT)
    changed = updated(card(draft))
    same = [name for name in draft if name not in ("code", "extension")]
    assert {name: changed[name] for name in same} == {name: draft[name] for name in same}
    assert changed["extension"][0] == DRAFT["extension"][0]
    assert set(changed) == set(draft)


def test_replacing_is_one_update():
    """One `update` action, with a description."""
    (action,) = buttons(card_in(1, CT_LUMBAR_W))[0]["actions"]
    assert action["type"] == "update"
    assert action["description"] == "Change to MRI lumbar spine without IV contrast"


def test_replacing_leaves_other_codings_of_the_old_order_behind():
    """The code is changed as a whole: no coding and no text of the old study stays."""
    draft = order(CT_LUMBAR_W, ("http://example.org/local", "CTLW"), reasons=SYMPTOMATIC)
    draft["code"]["text"] = "CT L-spine with"
    changed = updated(card(draft))
    assert {c["code"] for c in changed["code"]["coding"]} == {
        "30679-5",
        "72148",
        "394451000119106",
    }
    assert changed["code"]["text"] == "MRI lumbar spine without IV contrast"


@pytest.mark.parametrize(
    ("ordered", "systems"),
    [
        pytest.param((CPT, "72132"), [CPT, LOINC, SCT], id="ordered in CPT"),
        pytest.param((LOINC, "24964-9"), [LOINC, CPT, SCT], id="ordered in LOINC"),
        pytest.param((SCT, "90523008"), [SCT, LOINC, CPT], id="ordered in SNOMED CT"),
        pytest.param(
            ("urn:oid:2.16.840.1.113883.6.12", "72132"), [CPT, LOINC, SCT], id="CPT as OID"
        ),
    ],
)
def test_the_system_of_the_order_comes_first(ordered, systems):
    """The codings of every system that the map has; the system that the order used comes first."""
    changed = updated(card(order(ordered, reasons=SYMPTOMATIC)))
    assert [c["system"] for c in changed["code"]["coding"]] == systems
    assert all(c["display"] for c in changed["code"]["coding"])


def test_a_system_that_no_map_knows_does_not_count_as_used():
    """A local coding before the LOINC one does not bring another system to the front."""
    draft = order(("http://example.org", "X"), (SCT, "90523008"), reasons=SYMPTOMATIC)
    assert updated(card(draft))["code"]["coding"][0]["system"] == SCT


@pytest.mark.parametrize(
    ("variant", "number", "rating"),
    [
        pytest.param(1, 0, ["appropriate"], id="MRI in place of CT with contrast"),
        pytest.param(2, 1, ["appropriate"], id="CT without contrast in place of it"),
    ],
)
def test_a_replacement_carries_the_rating_of_the_new_procedure(variant, number, rating):
    """The PAMA rating extension of the *new* procedure is attached."""
    made = card_in(variant, CT_LUMBAR_W)
    assert rating_codes(updated(made, number)) == rating


def test_a_replacement_offered_by_a_safety_rule_carries_its_own_rating():
    """CT without contrast for possible cord compression with an implant is usually appropriate."""
    made = card_in(1, CT_LUMBAR_W, CAUDA_EQUINA, devices=[device(PACEMAKER)])
    assert [rating_codes(updated(made, n)) for n in range(len(buttons(made)))] == [["appropriate"]]


def test_a_replacement_has_no_rating_where_none_is_certain():
    """No pain coded: no variant may apply, and nothing is rated."""
    made = card(order(CT_LUMBAR_W, reasons=(FRACTURE,)))
    assert rating_codes(updated(made)) == []


# --- The region -----------------------------------------------------------------------------------

REGIONS = {
    "lumbar stays lumbar": (CT_LUMBAR_W, "30679-5"),
    "thoracic stays thoracic": (CT_THORACIC_W, "36532-0"),
    "no region stays without": (MRI_SPINE_W, "36531-2"),
    "the whole spine stays whole": (MRI_WHOLE_SPINE_W, "30854-4"),
}


@pytest.mark.parametrize(("coding", "loinc"), REGIONS.values(), ids=REGIONS.keys())
def test_the_same_region(coding, loinc):
    """The code is changed to the suggested procedure for the same region."""
    changed = updated(card(order(coding, reasons=SYMPTOMATIC)))
    assert codes_of(changed, LOINC) == [loinc]


NEW = days_ago(10)
NO_REGION = {
    "one new lumbar fracture": ([condition(LUMBAR_FRACTURE, onset=NEW)], "30679-5"),
    "one new fracture of L3": ([condition(FRACTURE_L3, onset=NEW)], "30679-5"),
    "a level not stated": ([condition(FRACTURE, onset=NEW)], "36531-2"),
    "two new fractures of two regions": (
        [condition(LUMBAR_FRACTURE, onset=NEW), condition(THORACIC_FRACTURE, onset=NEW)],
        "36531-2",
    ),
    "a new lumbar and an old thoracic one": (
        [condition(LUMBAR_FRACTURE, onset=NEW), condition(THORACIC_FRACTURE, onset=days_ago(200))],
        "30679-5",
    ),
    "an old one only": ([condition(LUMBAR_FRACTURE, onset=days_ago(200))], "36531-2"),
}


@pytest.mark.parametrize("coding", [BONE_SCAN, PET_CT], ids=["bone scan", "PET/CT"])
@pytest.mark.parametrize(("conditions", "loinc"), NO_REGION.values(), ids=NO_REGION.keys())
def test_an_order_without_a_region(coding, conditions, loinc):
    """The region of the one new fracture level, else the code for the spine."""
    made = card(order(coding, reasons=SYMPTOMATIC), conditions=conditions)
    mri = next(s for s in buttons(made) if "MRI" in s["label"] and "without IV" in s["label"])
    assert codes_of(mri["actions"][0]["resource"], LOINC) == [loinc]


def test_a_procedure_without_a_region_is_sent_without_one():
    """A referral has one code, whatever region the order named."""
    changed = updated(card_in(8, ABLATION), 1)
    assert [c["code"] for c in changed["code"]["coding"]] == [SURGEON[1]]


# --- Medical management ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "coding",
    [AUGMENTATION_LUMBAR, ABLATION, SURGEON, RADIATION_ONCOLOGIST],
    ids=["augmentation", "ablation", "surgeon", "radiation oncology"],
)
def test_medical_management_deletes_the_draft(coding):
    """Where it is the only usually-appropriate treatment, the last suggestion deletes the draft."""
    (button,) = buttons(card_in(5, coding))
    (action,) = button["actions"]
    assert action["type"] == "delete"
    assert action["resourceId"] == "ServiceRequest/order-1"
    assert action["description"]
    assert "resource" not in action


def test_deleting_is_never_recommended():
    """Never recommended."""
    (button,) = buttons(card_in(5, AUGMENTATION_LUMBAR))
    assert "isRecommended" not in button


@pytest.mark.parametrize(
    ("variant", "coding"),
    [
        pytest.param(1, CT_LUMBAR_W, id="imaging"),
        pytest.param(6, ABLATION, id="augmentation is usually appropriate too"),
        pytest.param(8, ABLATION, id="medical management may be appropriate"),
        pytest.param(9, RADIONUCLIDE_THERAPY, id="pathologic fracture"),
    ],
)
def test_medical_management_is_offered_in_no_other_case(variant, coding):
    """It is never offered as a replacement: medical care accompanies every treatment."""
    offered = suggested(decide_in(variant, coding))
    assert offered
    assert "delete" not in offered
    assert "replace:medical-management" not in offered


def test_an_order_that_is_not_rated_is_not_deleted():
    """Radionuclide therapy is not rated in variant 5: the draft stays."""
    assert suggested(decide_in(5, RADIONUCLIDE_THERAPY)) == []


# --- An order without an id -----------------------------------------------------------------------

WITHOUT_ID = {
    "warning": (1, CT_LUMBAR_W),
    "may be appropriate": (1, BONE_SCAN),
    "delete": (5, AUGMENTATION_LUMBAR),
}


@pytest.mark.parametrize(("variant", "coding"), WITHOUT_ID.values(), ids=WITHOUT_ID.keys())
def test_an_order_without_id_has_a_card_without_suggestions_and_actions(variant, coding):
    """A draft order without an id gets a card without suggestions or actions."""
    answer = ask_in(variant, coding, fields={"identifier": None})
    (made,) = answer.body["cards"]
    assert "suggestions" not in made
    assert "selectionBehavior" not in made
    assert "systemActions" not in answer.body
    assert "extension" not in answer.body
    assert "no id" in made["detail"]
    assert "Better:" not in made["summary"]


def test_a_question_without_id_has_no_buttons():
    made = card(
        order(AUGMENTATION_LUMBAR, reasons=SYMPTOMATIC, identifier=None), without=("conditions",)
    )
    assert made["indicator"] == "info"
    assert "suggestions" not in made


def test_a_local_reason_is_kept():
    """Reasons that no map knows are kept as they came."""
    draft = order(CT_LUMBAR_W, reasons=(*SYMPTOMATIC, (ICD, "I10")))
    assert updated(card(draft))["reasonCode"] == draft["reasonCode"]


def test_reason_references_are_kept():
    """The Conditions behind reasonReference stay behind it."""
    fracture = condition(FRACTURE, onset=NEW, identifier="c1")
    draft = order(CT_LUMBAR_W, reasons=(PAIN,), reasonReference=[{"reference": "Condition/c1"}])
    made = card(draft, conditions=[fracture])
    assert updated(made)["reasonReference"] == draft["reasonReference"]


def test_a_certain_cancer_changes_what_is_offered():
    """Cancer in the chart: MRI without and with contrast comes first."""
    made = card(
        order(CT_MYELOGRAPHY_LUMBAR, reasons=SYMPTOMATIC), conditions=[condition(BREAST_CANCER)]
    )
    assert buttons(made)[0]["label"] == "Change to MRI lumbar spine without and with IV contrast"
    assert concept(*[(c["system"], c["code"]) for c in updated(made)["code"]["coding"]])[
        "coding"
    ] == [{"system": LOINC, "code": "24967-2"}, {"system": CPT, "code": "72158"}]
