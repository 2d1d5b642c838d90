"""Decision rules, section 1: which draft orders are ours, what they ask for, and whether they are
about the fracture at all.
"""

import json

import pytest

from tests.small_world import (
    ABLATION,
    ASYMPTOMATIC,
    AUGMENTATION_LUMBAR,
    BONE_BIOPSY,
    BONE_SCAN,
    BREAST_CANCER,
    CAUDA_EQUINA,
    CHRONIC_PAIN,
    CPT,
    CT_LUMBAR,
    CT_LUMBAR_W,
    CT_LUMBAR_WO,
    CT_MYELOGRAPHY_LUMBAR,
    DISCITIS,
    FEVER,
    FRACTURE,
    FRACTURE_TYPE_NOT_STATED,
    HYPERTENSION,
    ICD,
    KYPHOSIS,
    LOINC,
    MRI_LUMBAR,
    MRI_LUMBAR_W,
    MRI_LUMBAR_WO,
    MRI_THORACIC_WO,
    OLD_FRACTURE,
    OSTEOPOROSIS,
    PAIN,
    PET_CT,
    RADIATION_ONCOLOGIST,
    RADIONUCLIDE_THERAPY,
    ROOT,
    SCT,
    SPECT,
    SPINE_BIOPSY,
    SPINE_METASTASIS,
    SURGEON,
    ask,
    concept,
    condition,
    days_ago,
    decide,
    hook_request,
    order,
    post,
    resource,
    said,
)

REASONS = (FRACTURE, PAIN)
NEW_FRACTURE = condition(FRACTURE, onset=days_ago(10))
CHEST_X_RAY = (CPT, "71046")
MRI_SPINE_WO = (LOINC, "36531-2")  # region not stated
MYELOGRAM_LUMBOSACRAL = (CPT, "62304")
MYELOGRAM_CERVICAL = (CPT, "62302")
BONE_NOT_STATED = (SCT, "443395009")
HOSPITAL_CODE = ("https://hospital.example.org/codes", "MRI-L")
ORDERS = json.loads((ROOT / "mappings/concept-maps/orders.json").read_text("utf-8"))


# --- Which orders are ours ------------------------------------------------------------------------


def ids(answer) -> list[str]:
    return [decision.case.order.id for decision in answer.decisions]


def two_orders() -> tuple:
    return (
        order(MRI_LUMBAR_W, reasons=REASONS, identifier="mri"),
        order(CT_LUMBAR_WO, reasons=REASONS, identifier="ct"),
    )


@pytest.mark.parametrize(
    ("hook", "selections", "expected"),
    [
        pytest.param("order-select", ["ServiceRequest/ct"], ["ct"], id="one is named"),
        pytest.param("order-select", ["ct"], ["ct"], id="named by its id alone"),
        pytest.param(
            "order-select",
            ["https://ehr.example.org/fhir/ServiceRequest/ct"],
            ["ct"],
            id="named by its full address",
        ),
        pytest.param(
            "order-select",
            ["ServiceRequest/ct", "ServiceRequest/mri"],
            ["mri", "ct"],
            id="both are named",
        ),
        pytest.param(
            "order-select",
            ["ServiceRequest/gone", "ServiceRequest/ct"],
            ["ct"],
            id="a name that names nothing is passed over",
        ),
        pytest.param("order-select", ["MedicationRequest/ct"], [], id="of another type"),
        pytest.param("order-select", [], [], id="none is named"),
        pytest.param("order-select", None, ["mri", "ct"], id="order-select without selections"),
        pytest.param("order-sign", None, ["mri", "ct"], id="order-sign"),
        pytest.param(
            "order-sign", ["ServiceRequest/ct"], ["mri", "ct"], id="order-sign, one named"
        ),
    ],
)
def test_selections(hook, selections, expected):
    """order-select: the orders that selections names; else, and without selections, all drafts."""
    assert ids(ask(*two_orders(), hook=hook, selections=selections)) == expected


@pytest.mark.parametrize(
    ("draft", "why"),
    [
        pytest.param(
            order(MRI_LUMBAR_W, reasons=REASONS, doNotPerform=True),
            "do-not-perform",
            id="not to do",
        ),
        pytest.param(order(CHEST_X_RAY, reasons=REASONS), "not-ours", id="another study"),
        pytest.param(
            order(HOSPITAL_CODE, reasons=REASONS), "not-ours", id="a code of nobody's map"
        ),
        pytest.param(
            {**order(reasons=REASONS), "code": {"text": "MRI lumbar spine"}},
            "not-ours",
            id="free text",
        ),
        pytest.param(
            resource(
                "MedicationRequest",
                "m-1",
                status="draft",
                intent="order",
                medicationCodeableConcept=concept(MRI_LUMBAR_W),
                code=concept(MRI_LUMBAR_W),
            ),
            "no-service-request",
            id="no ServiceRequest",
        ),
    ],
)
def test_an_order_that_is_not_ours_is_passed_over(draft, why):
    """Not ours: no card, no error."""
    answer = ask(draft)
    assert answer.body == {"cards": []}
    assert answer.decisions == []
    assert answer.selected.passed_over == {why: 1}


@pytest.mark.parametrize("do_not_perform", [False, None])
def test_an_order_to_be_performed_is_ours(do_not_perform):
    assert decide(order(MRI_LUMBAR_W, reasons=REASONS, doNotPerform=do_not_perform)).shows_card


STATUSES = {
    "draft": True,
    "active": True,
    "on-hold": True,
    "revoked": False,
    "entered-in-error": False,
    "completed": False,
    "unknown": False,
}


@pytest.mark.parametrize(("status", "ours"), STATUSES.items(), ids=STATUSES.keys())
def test_the_status_of_an_order(status, ours):
    """A status other than draft, active, on-hold or none: not ours, no card, no error."""
    answer = ask(order(CT_LUMBAR_W, reasons=REASONS, status=status))
    assert bool(answer.decisions) is ours
    assert bool(answer.body["cards"]) is ours


def test_an_order_without_a_status_is_ours():
    draft = order(CT_LUMBAR_W, reasons=REASONS)
    del draft["status"]
    assert ask(draft).decisions


MODIFIERS = {
    "72149-26": True,
    "72149 26": True,
    "72149TC": True,
    "72149-26-52": True,
    "72149-53": False,
    "72149-73": False,
    "72149-74": False,
    "72149-26-53": False,
}


@pytest.mark.parametrize(("code", "ours"), MODIFIERS.items(), ids=MODIFIERS.keys())
def test_a_modifier_is_stripped_for_look_up(code, ours):
    """A code with a modifier is the code without it, unless the study is broken off."""
    decisions = ask(order((CPT, code), reasons=REASONS)).decisions
    assert [d.case.order.procedure.id for d in decisions] == (["mri-spine-w"] if ours else [])


def test_a_replaced_code_takes_no_modifier_along():
    """The order is sent back as it came; the replacement has the plain code."""
    answer = ask(order((CPT, "72149-26"), reasons=REASONS))
    (rated,) = answer.body["systemActions"]
    assert rated["resource"]["code"]["coding"][0]["code"] == "72149-26"
    changed = answer.body["cards"][0]["suggestions"][0]["actions"][0]["resource"]
    assert changed["code"]["coding"][0]["code"] == "72148"


LEFT_OUT = {
    "burst fracture": (ICD, "S32.011A"),
    "open fracture": (ICD, "S32.010B"),
    "fracture of the neck": (ICD, "S12.000A"),
}


@pytest.mark.parametrize("reason", LEFT_OUT.values(), ids=LEFT_OUT.keys())
@pytest.mark.parametrize("study", [MRI_LUMBAR_WO, AUGMENTATION_LUMBAR, BONE_SCAN])
def test_a_fracture_that_the_topic_leaves_out_makes_no_order_relevant(study, reason):
    """A burst or open fracture, or one of the neck of unstated type."""
    answer = ask(order(study, reasons=(reason,)), conditions=[NEW_FRACTURE])
    assert answer.body["cards"] == []
    assert [decision.relevance for decision in answer.decisions] == ["not-about-the-fracture"]


def test_one_order_that_is_not_ours_leaves_the_others_alone():
    drafts = order(CHEST_X_RAY, identifier="x-ray"), order(MRI_LUMBAR_W, reasons=REASONS)
    assert ids(ask(*drafts)) == ["order-1"]


# --- What an order asks for -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("codes", "procedure"),
    [
        pytest.param([MRI_LUMBAR_W], "mri-spine-w", id="one code"),
        pytest.param([MRI_LUMBAR], "mri-spine-unspecified", id="MRI, contrast not stated"),
        pytest.param([CT_LUMBAR], "ct-spine-unspecified", id="CT, contrast not stated"),
        pytest.param([HOSPITAL_CODE, MRI_LUMBAR_W], "mri-spine-w", id="any coding may map"),
        pytest.param([MRI_LUMBAR_WO, (LOINC, "30679-5")], "mri-spine-wo", id="two for the same"),
        pytest.param([MRI_LUMBAR, MRI_LUMBAR_W], "mri-spine-w", id="stated contrast, second"),
        pytest.param([MRI_LUMBAR_W, MRI_LUMBAR], "mri-spine-w", id="stated contrast, first"),
        pytest.param([CT_LUMBAR, CT_LUMBAR_WO], "ct-spine-wo", id="stated contrast of a CT"),
        pytest.param([MYELOGRAM_LUMBOSACRAL], "ct-myelography-spine", id="myelogram alone"),
        pytest.param(
            [CT_LUMBAR_W, MYELOGRAM_LUMBOSACRAL],
            "ct-myelography-spine",
            id="the CT with contrast of a myelogram",
        ),
        pytest.param([(CPT, "22512")], "vertebral-augmentation", id="an add-on code is read"),
        pytest.param([(CPT, "78320")], "spect-spine", id="a deleted code is read"),
    ],
)
def test_the_procedure(codes, procedure):
    """Ours when a coding of its code maps to a procedure; a stated contrast beats unspecified."""
    assert decide(order(*codes, reasons=REASONS)).case.order.procedure.id == procedure


@pytest.mark.parametrize(
    "codes",
    [
        pytest.param([MRI_LUMBAR_WO, MRI_LUMBAR_W], id="with and without contrast"),
        pytest.param([MRI_LUMBAR_WO, CT_LUMBAR_WO], id="MRI and CT"),
        pytest.param([MRI_LUMBAR, MRI_LUMBAR_WO, MRI_LUMBAR_W], id="three, two of them stated"),
        pytest.param([MRI_LUMBAR, CT_LUMBAR], id="MRI and CT, neither with its contrast"),
        pytest.param([MRI_LUMBAR, CT_LUMBAR_WO], id="MRI without, CT with its contrast stated"),
        pytest.param([CT_LUMBAR_WO, MYELOGRAM_LUMBOSACRAL], id="myelogram and a plain CT"),
        pytest.param([AUGMENTATION_LUMBAR, MRI_LUMBAR_WO], id="imaging and treatment"),
    ],
)
def test_conflicting_codes(codes):
    """Two codings that map to different procedures: not ours, counted as conflicting."""
    answer = ask(order(*codes, reasons=REASONS))
    assert (answer.body, answer.selected.passed_over) == ({"cards": []}, {"conflicting-codes": 1})


@pytest.mark.parametrize(
    ("system", "code", "procedure"),
    [
        pytest.param("urn:oid:2.16.840.1.113883.6.12", "72149", "mri-spine-w", id="OID as URN"),
        pytest.param("2.16.840.1.113883.6.12", "72149", "mri-spine-w", id="bare OID"),
        pytest.param("https://www.ama-assn.org/go/cpt/", "72149", "mri-spine-w", id="https, slash"),
        pytest.param("http://LOINC.org", "24968-0", "mri-spine-unspecified", id="capitals"),
        pytest.param("http://loinc.org", " 24968-0 ", "mri-spine-unspecified", id="blanks"),
    ],
)
def test_code_systems_are_normalised(system, code, procedure):
    """Codings are compared after normalising the system (URI, OID, common misspellings)."""
    assert decide(order((system, code), reasons=REASONS)).case.order.procedure.id == procedure


def codes_and_regions() -> list:
    return [
        pytest.param(
            (group["source"], element["code"]),
            {p["value"] for t in element["target"] for p in t.get("product", [])},
            id=element["code"],
        )
        for group in ORDERS["group"]
        for element in group["element"]
    ]


@pytest.mark.parametrize(("code", "regions"), codes_and_regions())
def test_the_region_of_each_code(code, regions):
    """The map also gives the spine region where the code has one."""
    place = decide(order(code, reasons=REASONS)).case.order.place
    if len(regions) > 1:
        assert place.parts == regions
    else:
        assert {place.code if place else None} == (regions or {None})


@pytest.mark.parametrize(
    ("codes", "region"),
    [
        pytest.param([MRI_LUMBAR_WO], "lumbar", id="one"),
        pytest.param([MRI_LUMBAR_WO, (LOINC, "30679-5")], "lumbar", id="the same twice"),
        pytest.param([MRI_LUMBAR_WO, MRI_THORACIC_WO], "spine", id="two regions"),
        pytest.param([MRI_LUMBAR_WO, MRI_SPINE_WO], "lumbar", id="one stated, one not"),
        pytest.param([MRI_SPINE_WO, MRI_LUMBAR_WO], "lumbar", id="one not, one stated"),
        pytest.param([MRI_LUMBAR, MRI_THORACIC_WO], "spine", id="two regions, contrast of one"),
        pytest.param(
            [MYELOGRAM_CERVICAL, CT_LUMBAR_W], "spine", id="a myelogram, and the CT of elsewhere"
        ),
        pytest.param([MRI_SPINE_WO], "spine", id="not stated"),
    ],
)
def test_the_region_of_several_codings(codes, region):
    """Two regions: unspecified."""
    assert decide(order(*codes, reasons=REASONS)).case.order.place.code == region


def test_an_order_without_an_id_gets_a_card_without_suggestions_or_actions():
    answer = ask(order(MRI_LUMBAR_W, reasons=REASONS, identifier=None))
    (card,) = answer.body["cards"]
    assert card["indicator"] == "warning"
    assert "suggestions" not in card
    assert "systemActions" not in answer.body


# --- Relevance ------------------------------------------------------------------------------------

FOR_ANY_STUDY = {
    "compression fracture": FRACTURE,
    "vertebral fracture, type not stated": FRACTURE_TYPE_NOT_STATED,
    "wedge fracture": (ICD, "S22.080A"),
    "spine pain": PAIN,
    "chronic spine pain": CHRONIC_PAIN,
    "radiculopathy": (ICD, "M54.16"),
    "neurologic deficit": (SCT, "102568007"),
    "cauda equina": CAUDA_EQUINA,
    "spinal metastasis": SPINE_METASTASIS,
    "an answer of ours": said("malignancy", "no"),
}
FOR_THE_SPINE_ONLY = {
    "symptom of cord compression": (SCT, "236648008"),
    "asymptomatic": ASYMPTOMATIC,
    "osteoporosis": OSTEOPOROSIS,
    "malignancy": BREAST_CANCER,
    "history of malignancy": (ICD, "Z85.3"),
    "bone metastasis": (ICD, "C79.51"),
    "abnormal imaging finding": (ICD, "R93.7"),
    "spinal infection": DISCITIS,
    "fever": FEVER,
    "kyphosis": KYPHOSIS,
    "scoliosis": (ICD, "M41.9"),
    "instability": (ICD, "M53.2X6"),
    "restrictive lung disease": (ICD, "J98.4"),
}
FOR_NO_STUDY = {
    "hypertension": HYPERTENSION,
    "knee pain": (ICD, "M25.561"),
    "bone pain": (SCT, "12584003"),
    "history of any fracture": (ICD, "Z87.310"),
    "urinary infection": (ICD, "N39.0"),
    "weight loss": (ICD, "R63.4"),
    "family history of cancer": (ICD, "Z80.3"),
    "pacemaker": (SCT, "441509002"),
}
SPINE_STUDIES = {
    "MRI": MRI_LUMBAR_WO,
    "CT": CT_LUMBAR_WO,
    "myelography": CT_MYELOGRAPHY_LUMBAR,
    "spine biopsy": SPINE_BIOPSY,
    "augmentation": AUGMENTATION_LUMBAR,
}
OTHER_STUDIES = {
    "bone scan": BONE_SCAN,
    "SPECT": SPECT,
    "PET/CT": PET_CT,
    "bone biopsy": BONE_BIOPSY,
    "ablation": ABLATION,
    "radionuclide therapy": RADIONUCLIDE_THERAPY,
    "surgeon": SURGEON,
    "radiation oncologist": RADIATION_ONCOLOGIST,
}


def table(rows: dict) -> dict:
    return {"argvalues": rows.values(), "ids": rows.keys()}


def relevance_of(code, *reasons, **chart) -> str:
    """How relevant an order is for a patient with an old, healed fracture."""
    return decide(order(code, reasons=reasons), conditions=[OLD_FRACTURE], **chart).relevance


@pytest.mark.parametrize("reason", **table(FOR_ANY_STUDY | FOR_THE_SPINE_ONLY))
@pytest.mark.parametrize("study", **table(SPINE_STUDIES))
def test_a_spine_study_is_relevant_with_one_of_these_reasons(study, reason):
    assert relevance_of(study, HYPERTENSION, reason) == "relevant"


@pytest.mark.parametrize("reason", **table(FOR_ANY_STUDY))
@pytest.mark.parametrize("study", **table(OTHER_STUDIES))
def test_any_other_study_is_relevant_with_one_of_these_reasons(study, reason):
    assert relevance_of(study, HYPERTENSION, reason) == "relevant"


@pytest.mark.parametrize("reason", **table(FOR_THE_SPINE_ONLY))
@pytest.mark.parametrize("study", **table(OTHER_STUDIES))
def test_any_other_study_is_not_relevant_with_the_wider_reasons(study, reason):
    """Staging a cancer is not about the fracture."""
    assert relevance_of(study, reason) == "not-about-the-fracture"


@pytest.mark.parametrize("reason", **table(FOR_NO_STUDY))
@pytest.mark.parametrize("study", **table(SPINE_STUDIES | OTHER_STUDIES))
def test_no_study_is_relevant_with_reasons_about_something_else(study, reason):
    """With coded reasons: at least one is about the fracture."""
    assert relevance_of(study, reason) == "not-about-the-fracture"


@pytest.mark.parametrize("study", **table(SPINE_STUDIES))
def test_a_spine_study_without_reasons_is_relevant_with_a_new_fracture(study):
    """Without coded reasons: the patient has a new VCF Condition, and it is of the spine."""
    assert decide(order(study), conditions=[NEW_FRACTURE]).relevance == "relevant"


@pytest.mark.parametrize("study", **table(OTHER_STUDIES))
def test_any_other_study_without_reasons_is_not_relevant(study):
    decision = decide(order(study), conditions=[NEW_FRACTURE])
    assert decision.relevance == "not-about-the-fracture"


@pytest.mark.parametrize("study", **table(SPINE_STUDIES))
def test_a_spine_study_without_reasons_is_not_relevant_with_an_old_fracture(study):
    assert decide(order(study), conditions=[OLD_FRACTURE]).relevance == "not-about-the-fracture"


def test_a_bone_biopsy_with_a_region_is_one_of_the_spine():
    """Spine biopsy is of the spine; a generic biopsy is not."""
    assert relevance_of((LOINC, "35905-9"), BREAST_CANCER) == "relevant"


UNCODED = {
    "no reason": {},
    "free text": {"reasonCode": [{"text": "fracture of L1"}]},
    "a system that no map knows": {"reasonCode": [concept(HOSPITAL_CODE)]},
    "a Condition that was not sent": {"reasonReference": [{"reference": "Condition/gone"}]},
}


@pytest.mark.parametrize("reason", **table(UNCODED))
def test_a_reason_that_counts_as_not_coded(reason):
    """All of its codings are of systems that no map knows: the chart decides."""
    assert decide(order(MRI_LUMBAR_WO, **reason), conditions=[NEW_FRACTURE]).relevance == "relevant"
    assert decide(order(BONE_SCAN, **reason), conditions=[NEW_FRACTURE]).relevance != "relevant"


def test_a_code_of_a_known_system_is_a_coded_reason_though_no_map_holds_it():
    decision = decide(order(MRI_LUMBAR_WO, reasons=(HYPERTENSION,)), conditions=[NEW_FRACTURE])
    assert decision.relevance == "not-about-the-fracture"


def test_one_known_system_makes_a_reason_coded():
    draft = order(MRI_LUMBAR_WO, reasonCode=[concept(HOSPITAL_CODE, HYPERTENSION)])
    assert decide(draft, conditions=[NEW_FRACTURE]).relevance == "not-about-the-fracture"


REFERENCES = {
    "plain": "Condition/pain",
    "full address": "https://ehr.example.org/fhir/Condition/pain",
}


@pytest.mark.parametrize("target", **table(REFERENCES))
def test_the_conditions_behind_reason_reference_are_reasons(target):
    """Reasons = the codings of reasonCode and of the Conditions behind reasonReference."""
    draft = order(BONE_SCAN, reasonReference=[{"reference": target}])
    pain = condition(PAIN, identifier="pain")
    assert decide(draft, conditions=[OLD_FRACTURE, pain]).relevance == "relevant"


def test_a_contained_condition_is_a_reason():
    pain = {**condition(PAIN), "id": "c"}
    draft = order(BONE_SCAN, contained=[pain], reasonReference=[{"reference": "#c"}])
    assert decide(draft, conditions=[OLD_FRACTURE]).relevance == "relevant"


def test_a_condition_among_the_draft_orders_is_a_reason():
    draft = order(BONE_SCAN, reasonReference=[{"reference": "Condition/pain"}])
    body = hook_request(draft, condition(PAIN, identifier="pain"), conditions=[OLD_FRACTURE])
    (decision,) = post(body).decisions
    assert decision.relevance == "relevant"


@pytest.mark.parametrize("status", ["refuted", "entered-in-error"])
def test_a_condition_that_never_counts_is_no_reason(status):
    """Refuted and entered-in-error never count."""
    draft = order(BONE_SCAN, reasonReference=[{"reference": "Condition/pain"}])
    pain = condition(PAIN, identifier="pain", verification=status)
    decision = decide(draft, conditions=[OLD_FRACTURE, pain])
    assert decision.relevance == "not-about-the-fracture"


@pytest.mark.parametrize("study", [MRI_LUMBAR_WO, BONE_SCAN], ids=["spine", "any other"])
def test_a_fracture_of_a_bone_not_stated_is_no_reason(study):
    """It may be the hip: codes whose bone is not stated count only with a spine bodySite."""
    assert relevance_of(study, BONE_NOT_STATED) == "not-about-the-fracture"


def test_a_fracture_of_a_bone_not_stated_in_the_spine_is_a_reason():
    draft = order(BONE_SCAN, reasonReference=[{"reference": "Condition/fracture"}])
    spine = [concept((SCT, "122496007"))]
    fracture = condition(BONE_NOT_STATED, identifier="fracture", bodySite=spine)
    assert decide(draft, conditions=[fracture]).relevance == "relevant"


def test_a_condition_in_the_chart_is_no_reason():
    """A coded reason is asked for, not a Condition that happens to be there."""
    decision = decide(
        order(MRI_LUMBAR_WO, reasons=(HYPERTENSION,)), conditions=[NEW_FRACTURE, condition(PAIN)]
    )
    assert decision.relevance == "not-about-the-fracture"


# --- Without a fracture, or without anything to go on ---------------------------------------------

SILENT = {
    "no fracture": (order(MRI_LUMBAR_W, reasons=(PAIN,)), {}, "no-fracture"),
    "fracture not known": (
        order(MRI_LUMBAR_W, reasons=(PAIN,)),
        {"without": ("conditions",)},
        "fracture-uncertain",
    ),
    "no reason, no fracture": (order(MRI_LUMBAR_W), {}, "no-fracture"),
    "no reason and no Conditions supplied": (
        order(MRI_LUMBAR_W),
        {"without": ("conditions",)},
        "too-little-to-go-on",
    ),
    "not about the fracture": (
        order(MRI_LUMBAR_W, reasons=(HYPERTENSION,)),
        {"conditions": [NEW_FRACTURE]},
        "not-about-the-fracture",
    ),
}


@pytest.mark.parametrize(("draft", "chart", "why"), **table(SILENT))
def test_an_order_that_is_not_relevant(draft, chart, why):
    """Fact vcf must be true. Not relevant: no card, no rating."""
    answer = ask(draft, **chart)
    (decision,) = answer.decisions
    assert answer.body == {"cards": []}
    assert (decision.relevance, decision.rating) == (why, None)


def test_a_fracture_in_part_of_the_conditions_is_enough_to_go_on():
    """A Bundle with a next page may prove true."""
    body = hook_request(order(MRI_LUMBAR_W), conditions=[NEW_FRACTURE])
    body["prefetch"]["conditions"]["link"] = [{"relation": "next", "url": "https://ehr/next"}]
    (decision,) = post(body).decisions
    assert decision.relevance == "relevant"


def test_a_fracture_as_the_reason_needs_no_chart():
    draft = order(MRI_LUMBAR_WO, reasons=(FRACTURE,))
    everything = ("patient", "conditions", "procedures", "observations", "devices", "allergies")
    assert decide(draft, without=everything).relevance == "relevant"
