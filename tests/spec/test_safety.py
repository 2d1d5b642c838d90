"""Section 6: the safety rules, on top of the rating; a row of the page is a part of this file."""

import pytest

from tests.small_world import (
    ABLATION,
    ANSWER,
    ASYMPTOMATIC,
    AUGMENTATION_LUMBAR,
    AUGMENTATION_THORACIC,
    BONE_BIOPSY,
    BONE_SCAN,
    BREAST_CANCER,
    CAUDA_EQUINA,
    CERVICAL_FRACTURE,
    CHRONIC_PAIN,
    CONTRAST_MEDIA,
    CPT,
    CT_LUMBAR,
    CT_LUMBAR_W,
    CT_LUMBAR_WO,
    CT_LUMBAR_WO_W,
    CT_MYELOGRAPHY_LUMBAR,
    CT_THORACIC_WO,
    DISCITIS,
    EDEMA_SEEN,
    FALL,
    FEVER,
    FRACTURE,
    FRACTURE_L3,
    FRACTURE_T12,
    GADOLINIUM,
    ICD,
    IN_VARIANT,
    IODINATED,
    KIDNEY_DISEASE_4,
    KYPHOSIS,
    LEG_PARESIS,
    LOINC,
    LOW_BACK_PAIN,
    LUMBAR_FRACTURE,
    LUMBAR_FUSION,
    MRI_LUMBAR,
    MRI_LUMBAR_W,
    MRI_LUMBAR_WO,
    MRI_LUMBAR_WO_W,
    MRI_SPINE_W,
    MRI_THORACIC_WO,
    NEOPLASTIC_FRACTURE,
    NO_EDEMA,
    OSTEOPOROSIS,
    OSTEOPOROTIC_FRACTURE,
    PACEMAKER,
    PAIN,
    PET_CT,
    PREGNANCY,
    RADIATION_ONCOLOGIST,
    RADIONUCLIDE_THERAPY,
    SCOLIOSIS,
    SCT,
    SHUNT,
    SPECT,
    SPINE_BIOPSY,
    SPINE_METASTASIS,
    SURGEON,
    THORACIC_FRACTURE,
    THORACIC_PAIN,
    URINARY_INFECTION,
    URINARY_RETENTION,
    WEDGE_FRACTURE_L1,
    allergy,
    ask,
    ask_in,
    card,
    card_in,
    condition,
    days_ago,
    decide,
    decide_in,
    device,
    egfr,
    observation,
    order,
    patient,
    procedure,
    rating_codes,
    resources_sent,
    spoken,
    suggested,
)

IMAGING = {
    "MRI without": MRI_LUMBAR_WO,
    "MRI with": MRI_LUMBAR_W,
    "MRI without and with": MRI_LUMBAR_WO_W,
    "MRI, not stated": MRI_LUMBAR,
    "CT without": CT_LUMBAR_WO,
    "CT with": CT_LUMBAR_W,
    "CT without and with": CT_LUMBAR_WO_W,
    "CT, not stated": CT_LUMBAR,
    "CT myelography": CT_MYELOGRAPHY_LUMBAR,
    "bone scan": BONE_SCAN,
    "SPECT": SPECT,
    "PET/CT": PET_CT,
    "biopsy": SPINE_BIOPSY,
}
TREATMENTS = {
    "augmentation": AUGMENTATION_LUMBAR,
    "ablation": ABLATION,
    "radionuclide therapy": RADIONUCLIDE_THERAPY,
    "surgeon": SURGEON,
    "radiation oncology": RADIATION_ONCOLOGIST,
}
ORDERS = {**IMAGING, **TREATMENTS}
MRI = {name for name in IMAGING if name.startswith("MRI")}
CONSULTATIONS = {"surgeon", "radiation oncology"}
INTERVENTIONS = TREATMENTS.keys() - CONSULTATIONS
IONIZING = IMAGING.keys() - MRI

OLD = days_ago(91)
NEW = days_ago(90)


def orders_that(speak, rule, *more, **chart):
    """Which of all orders a rule speaks about; `speak` says of which kind the variant is."""
    names = IMAGING if speak == "imaging" else TREATMENTS
    variant = 2 if speak == "imaging" else 9
    return {n for n, o in names.items() if rule in spoken(decide_in(variant, o, *more, **chart))}


def rules(variant, coding, *more, **chart):
    return spoken(decide_in(variant, coding, *more, **chart))


BACTEREMIA = (SCT, "5758002")
PARAPLEGIA = (ICD, "G82.20")
TETRAPLEGIA = (ICD, "G82.50")
NUMB_LEG = (SCT, "309537005")
CERVICAL_MYELOPATHY = (SCT, "202664003")
LUMBAR_MYELOPATHY = (SCT, "202719008")
CT_CERVICAL_WO = (CPT, "72125")

# --- Cord compression -----------------------------------------------------------------------------

CORD = {
    "cauda equina syndrome": CAUDA_EQUINA,
    "cauda equina, ICD-10-CM": (ICD, "G83.4"),
    "cord compression": (SCT, "71286001"),
    "fracture with cord injury": (SCT, "1734006"),
    "motor weakness of a leg": LEG_PARESIS,
    "foot drop": (ICD, "M21.371"),
    "urinary retention": URINARY_RETENTION,
    "acute urinary retention": (SCT, "236648008"),
    "fecal incontinence": (SCT, "72042002"),
    "saddle anesthesia": (SCT, "449813001"),
    "myelopathy": (ICD, "G95.9"),
    "paraplegia": PARAPLEGIA,
    "tetraplegia": TETRAPLEGIA,
}
NO_CORD = {
    "generic weakness": (ICD, "M62.81"),
    "weakness of a limb": (SCT, "309774006"),
    "weak arm": (ICD, "G83.2"),
    "gait trouble": (ICD, "R26.9"),
    "paresthesia": (ICD, "R20.2"),
    "radiculopathy": (ICD, "M54.16"),
    "sciatica": (SCT, "23056005"),
}


@pytest.mark.parametrize("finding", CORD.values(), ids=CORD.keys())
def test_cord_compression(finding):
    """As a reason or a new Condition: critical, for imaging and for treatment."""
    chart = {"conditions": [condition(finding, onset=NEW)]}
    for decision in (decide_in(1, CT_LUMBAR_W, finding), decide_in(1, CT_LUMBAR_W, **chart)):
        assert decision.indicator == "critical"
        assert "cord-compression-imaging" in spoken(decision)
    for decision in (decide_in(7, ABLATION, finding), decide_in(7, ABLATION, **chart)):
        assert decision.indicator == "critical"
        assert "cord-compression-treatment" in spoken(decision)


@pytest.mark.parametrize("finding", NO_CORD.values(), ids=NO_CORD.keys())
def test_no_cord_compression(finding):
    """Generic or arm weakness, gait trouble, paresthesia and radiculopathy do not count."""
    for decision in (decide_in(1, CT_LUMBAR_W, finding), decide_in(7, ABLATION, finding)):
        assert not spoken(decision)
        assert not any("cord" in alert.rule.id for alert in decision.alerts)


@pytest.mark.parametrize(
    ("finding", "counts"),
    [
        pytest.param({"onset": NEW}, True, id="90 days ago"),
        pytest.param({"onset": OLD}, False, id="91 days ago"),
        pytest.param({"onset": None}, True, id="undated"),
        pytest.param({"clinical": "resolved"}, False, id="resolved"),
        pytest.param({"verification": "provisional"}, True, id="provisional"),
        pytest.param({"verification": "differential"}, True, id="differential"),
        pytest.param({"verification": "unconfirmed"}, True, id="unconfirmed"),
        pytest.param({"verification": None}, True, id="verification not stated"),
        pytest.param({"verification": "refuted"}, False, id="refuted"),
        pytest.param({"verification": "entered-in-error"}, False, id="entered in error"),
    ],
)
@pytest.mark.parametrize(
    ("coding", "rule"),
    [
        (CAUDA_EQUINA, "cord-compression-imaging"),
        (LEG_PARESIS, "cord-compression-imaging"),
        ((SCT, "236648008"), "cord-compression-imaging"),
        (NUMB_LEG, "uncertain-cord-compression-imaging"),
        (DISCITIS, "infection"),
        (URINARY_INFECTION, "softer-red-flags"),
        (FALL, "other-red-flags"),
    ],
)
def test_triggers_count_as_evidence_also_provisional(coding, rule, finding, counts):
    """Triggers count as in section 2, also provisional ones; new means at most 90 days."""
    found = rules(1, CT_LUMBAR_W, conditions=[condition(coding, **finding)])
    assert (rule in found) is counts


MAYBE_CORD = {
    "retention, R33.8": (ICD, "R33.8"),
    "retention, R33.9": (ICD, "R33.9"),
    "fecal incontinence, R15.9": (ICD, "R15.9"),
    "paraplegia": PARAPLEGIA,
    "tetraplegia": TETRAPLEGIA,
}


@pytest.mark.parametrize("coding", MAYBE_CORD.values(), ids=MAYBE_CORD.keys())
@pytest.mark.parametrize(
    ("onset", "indicator", "rule"),
    [
        pytest.param(NEW, "critical", "cord-compression", id="90 days ago"),
        pytest.param(None, "warning", "uncertain-cord-compression", id="undated"),
        pytest.param(OLD, None, None, id="91 days ago"),
    ],
)
def test_what_may_be_old_is_critical_only_with_a_date(coding, onset, indicator, rule):
    """Such a Condition without a date: the same with `warning` in place of `critical`."""
    chart = {"conditions": [condition(coding, onset=onset)]}
    for name, decision, kind in (
        ("CT", decide_in(1, CT_LUMBAR_WO, **chart), "imaging"),
        ("ablation", decide_in(9, ABLATION, **chart), "treatment"),
    ):
        assert decision.indicator == indicator, name
        assert spoken(decision) == ([f"{rule}-{kind}"] if rule else []), name


@pytest.mark.parametrize("dated", [{}, {"onset": NEW}], ids=["undated", "dated"])
def test_sensory_loss_of_the_legs_is_a_warning(dated):
    """Sensory loss of the legs, as a reason or a Condition: `warning`; MRI first, a surgeon."""
    chart = {"conditions": [condition(NUMB_LEG, **dated)]}
    for decision in (decide_in(1, CT_LUMBAR_WO, NUMB_LEG), decide_in(1, CT_LUMBAR_WO, **chart)):
        assert decision.indicator == "warning"
        assert suggested(decision) == ["replace:mri-spine-wo"]
    decision = decide_in(9, ABLATION, **chart)
    assert decision.indicator == "warning"
    assert suggested(decision) == ["create:surgical-consultation"]


def test_what_is_certain_and_what_may_be_old_give_one_caution():
    decision = decide_in(1, CT_LUMBAR_WO, CAUDA_EQUINA, NUMB_LEG)
    assert spoken(decision) == ["cord-compression-imaging"]


REGION_OF_DEFICIT = {
    "myelopathy of the neck, lumbar CT": (CERVICAL_MYELOPATHY, CT_LUMBAR_WO, "critical"),
    "myelopathy of the neck, CT of the neck": (CERVICAL_MYELOPATHY, CT_CERVICAL_WO, "critical"),
    "lumbar myelopathy, lumbar CT": (LUMBAR_MYELOPATHY, CT_LUMBAR_WO, "critical"),
    "lumbar myelopathy, CT of the neck": (LUMBAR_MYELOPATHY, CT_CERVICAL_WO, "info"),
    "lumbar cord injury, thoracic CT": ((ICD, "S34.109A"), CT_THORACIC_WO, "info"),
    "cord injury of the neck, thoracic CT": ((ICD, "S14.109A"), CT_THORACIC_WO, "critical"),
    "lumbar myelopathy, thoracic MRI": (LUMBAR_MYELOPATHY, MRI_THORACIC_WO, "info"),
}


@pytest.mark.parametrize(
    ("deficit", "coding", "indicator"),
    REGION_OF_DEFICIT.values(),
    ids=REGION_OF_DEFICIT.keys(),
)
def test_a_deficit_below_the_ordered_region_is_named(deficit, coding, indicator):
    """A deficit whose region does not touch the ordered one: at least `info`, naming it;
    myelopathy counts for orders of its region and below.
    """
    decision = decide(order(coding, reasons=(FRACTURE, PAIN, deficit)))
    assert decision.indicator == indicator
    rule = "cord-compression-imaging" if indicator == "critical" else "cord-compression-elsewhere"
    assert spoken(decision) == [rule]
    made = card(order(coding, reasons=(FRACTURE, PAIN, deficit)))
    assert decision.alerts[0].evidence[0].display.split(" (")[0] in made["detail"]


def test_a_surgeon_is_not_added_where_one_is_drafted():
    """Add a surgical consultation (`create`), unless one is among the draft orders."""
    surgeon = order(SURGEON, reasons=(FRACTURE, CAUDA_EQUINA), identifier="surgeon")
    for variant in (8, 9):
        reasons, _ = IN_VARIANT[variant]
        cement = order(AUGMENTATION_LUMBAR, reasons=(*reasons, CAUDA_EQUINA))
        (decision, _) = ask(cement, surgeon).decisions
        assert decision.indicator == "critical"
        assert suggested(decision) == []


def test_a_biopsy_that_no_variant_rates_gets_mri_with_cord_compression():
    """Only MRI among the suggestions, also for a biopsy that no variant rates."""
    for finding in (CAUDA_EQUINA, NUMB_LEG):
        assert suggested(decide_in(1, SPINE_BIOPSY, finding)) == ["replace:mri-spine-wo"]
    assert suggested(decide_in(1, SPINE_BIOPSY)) == []


def test_cord_compression_speaks_about_all_imaging_but_mri():
    """Imaging other than MRI → critical."""
    assert orders_that("imaging", "cord-compression-imaging", CAUDA_EQUINA) == IONIZING
    assert decide_in(1, MRI_LUMBAR_WO, CAUDA_EQUINA).indicator is None


def test_cord_compression_speaks_about_all_treatments_but_consultations():
    """Treatment other than a surgical or radiation-oncology consultation → critical."""
    found = orders_that("treatment", "cord-compression-treatment", CAUDA_EQUINA)
    assert found == INTERVENTIONS
    assert decide_in(9, RADIATION_ONCOLOGIST, CAUDA_EQUINA).indicator is None


@pytest.mark.parametrize(
    ("variant", "coding", "suggestions"),
    [
        pytest.param(1, CT_LUMBAR_W, ["replace:mri-spine-wo"], id="CT with contrast"),
        pytest.param(1, CT_LUMBAR_WO, ["replace:mri-spine-wo"], id="CT, usually appropriate"),
        pytest.param(
            2, PET_CT, ["replace:mri-spine-wo-w", "replace:mri-spine-wo"], id="PET/CT with cancer"
        ),
        pytest.param(3, CT_LUMBAR_WO, ["replace:mri-spine-wo"], id="CT listed first"),
        pytest.param(1, CT_LUMBAR, ["replace:mri-spine-wo"], id="CT, contrast not stated"),
        pytest.param(1, MRI_LUMBAR_W, ["replace:mri-spine-wo"], id="MRI with contrast"),
    ],
)
def test_cord_compression_puts_mri_first(variant, coding, suggestions):
    """MRI is preferred: MRI first among the suggestions."""
    assert suggested(decide_in(variant, coding, CAUDA_EQUINA)) == suggestions


@pytest.mark.parametrize("says", ["MRI is preferred", "referral should not wait"])
def test_cord_compression_in_words(says):
    """MRI is preferred, referral should not wait."""
    made = card_in(1, CT_LUMBAR_WO, CAUDA_EQUINA)
    assert says in made["detail"]
    assert "Cauda equina syndrome" in made["detail"]
    assert "Possible cord compression" in made["summary"]


def test_cord_compression_with_an_implant_asks_to_clarify_its_status():
    """With an MRI-implant trigger: clarify its status urgently, else CT without contrast. CT
    myelography is named in the text and never a button.
    """
    made = card_in(1, CT_LUMBAR_W, CAUDA_EQUINA, devices=[device(PACEMAKER)])
    assert made["indicator"] == "critical"
    assert "Clarify the MR-conditional status urgently" in made["detail"]
    assert "CT myelography can show the canal" in made["detail"]
    assert [s["label"] for s in made["suggestions"]] == [
        "Change to CT lumbar spine without IV contrast",
    ]


def test_what_may_be_old_with_an_implant_offers_ct_without_contrast_too():
    """The same, with `warning`."""
    decision = decide_in(1, CT_LUMBAR_W, NUMB_LEG, devices=[device(PACEMAKER)])
    assert decision.indicator == "warning"
    assert suggested(decision) == ["replace:ct-spine-wo"]


def test_ct_without_contrast_with_cord_compression_and_an_implant():
    """Where CT without contrast is what was ordered, nothing is called better."""
    for variant in (1, 2, 3, 4):
        options = {"devices": [device(PACEMAKER)]}
        decision = decide_in(variant, CT_LUMBAR_WO, CAUDA_EQUINA, **options)
        assert decision.indicator == "critical"
        assert suggested(decision) == []
        made = card_in(variant, CT_LUMBAR_WO, CAUDA_EQUINA, **options)
        assert "Better:" not in made["summary"]


@pytest.mark.parametrize("variant", [1, 2, 3, 4])
@pytest.mark.parametrize("coding", IMAGING.values(), ids=IMAGING.keys())
def test_ct_myelography_is_never_a_button_for_an_implant(variant, coding):
    decision = decide_in(variant, coding, CAUDA_EQUINA, devices=[device(PACEMAKER)])
    assert set(suggested(decision)) <= {"replace:ct-spine-wo"}


def test_an_mri_with_cord_compression_and_an_implant():
    """`critical` for an MRI order too, cord first; CT without contrast is offered in its place."""
    options = {"devices": [device(PACEMAKER)]}
    decision = decide_in(1, MRI_LUMBAR_WO, CAUDA_EQUINA, **options)
    assert decision.indicator == "critical"
    assert spoken(decision) == ["cord-compression-and-mri", "mri-implant"]
    assert suggested(decision) == ["replace:ct-spine-wo"]
    made = card_in(1, MRI_LUMBAR_WO, CAUDA_EQUINA, **options)
    assert "clarify the implant's status urgently" in made["summary"]
    assert "pacemaker" in made["detail"]


@pytest.mark.parametrize("coding", [AUGMENTATION_LUMBAR, ABLATION, RADIONUCLIDE_THERAPY])
@pytest.mark.parametrize("variant", [5, 6, 7, 9])
def test_cord_compression_adds_a_surgeon_to_a_treatment(variant, coding):
    """Suggestion: add a surgical consultation (`create`); no other."""
    decision = decide_in(variant, coding, URINARY_RETENTION)
    assert decision.indicator == "critical"
    assert suggested(decision) == ["create:surgical-consultation"]
    assert decision.suggestions[0].recommended


def test_cord_compression_keeps_cement_out_of_the_suggestions_for_any_order():
    """A referral that is usually not appropriate becomes a surgeon's, and no augmentation."""
    offered = suggested(decide_in(8, RADIATION_ONCOLOGIST, URINARY_RETENTION))
    assert offered == ["replace:surgical-consultation"]


WELCOME = {
    "cauda equina syndrome": CAUDA_EQUINA,
    "weak leg": LEG_PARESIS,
    "urinary retention": URINARY_RETENTION,
    "deformity": SCOLIOSIS,
    "instability": (ICD, "M53.2X6"),
}


@pytest.mark.parametrize("finding", WELCOME.values(), ids=WELCOME.keys())
@pytest.mark.parametrize("variant", [5, 6, 7, 8, 9])
def test_a_surgical_consultation_is_never_warned_against(variant, finding):
    """A surgical consultation is never warned against; nor with deformity or instability."""
    answer = ask_in(variant, SURGEON, finding)
    assert answer.body["cards"] == []
    assert [rating_codes(r) for r in resources_sent(answer)] != [["not-appropriate"]]


def test_kyphosis_is_a_deformity_however_old():
    """Nor where deformity is coded: kyphosis of the kyphosis set is one."""
    decision = decide_in(5, SURGEON, conditions=[condition(KYPHOSIS, onset=days_ago(900))])
    assert (decision.indicator, decision.rating) == (None, None)


def test_without_these_a_surgical_consultation_is_rated_as_listed():
    assert decide_in(5, SURGEON).indicator == "warning"


@pytest.mark.parametrize(
    "finding",
    [CAUDA_EQUINA, LEG_PARESIS, SCOLIOSIS],
    ids=["cauda equina", "weak leg", "deformity"],
)
def test_a_welcome_surgical_consultation_is_not_held_up_by_a_question(finding):
    """Never warned against: no question comes between the patient and the surgeon."""
    draft = order(SURGEON, reasons=(OSTEOPOROTIC_FRACTURE, PAIN, finding))
    assert card(draft, without=("conditions", "procedures")) is None


def test_another_caution_does_not_turn_the_rating_against_the_surgeon():
    """A child with a deficit: the card does not call the surgeon usually not appropriate."""
    made = card_in(5, SURGEON, URINARY_RETENTION, patient=patient(12))
    assert "not appropriate" not in made["summary"]


def test_other_consultations_are_rated_as_listed():
    """Welcome is the surgeon, not radiation oncology."""
    decision = decide_in(5, RADIATION_ONCOLOGIST, SCOLIOSIS)
    assert (decision.indicator, decision.rating) == ("warning", "not-appropriate")


# --- MRI and implants -----------------------------------------------------------------------------

IMPLANTS = {
    "pacemaker": PACEMAKER,
    "pacemaker, ICD-10-CM": (ICD, "Z95.0"),
    "defibrillator": (SCT, "441769002"),
    "defibrillator, ICD-10-CM": (ICD, "Z95.810"),
    "neurostimulator": (ICD, "Z96.82"),
    "cochlear implant": (ICD, "Z96.21"),
    "intraocular metal": (ICD, "H44.611"),
    "heart assist device": (ICD, "Z95.811"),
}
IMPLANT_DEVICES = {
    "pacemaker": (SCT, "14106009"),
    "defibrillator": (SCT, "72506001"),
    "neurostimulator": (SCT, "25937001"),
    "cochlear prosthesis": (SCT, "43252007"),
}


@pytest.mark.parametrize("finding", IMPLANTS.values(), ids=IMPLANTS.keys())
def test_an_implant_as_a_condition(finding):
    """Condition, and an MRI ordered → `warning`; however old the Condition is."""
    decision = decide_in(1, MRI_LUMBAR_WO, conditions=[condition(finding, onset=days_ago(3000))])
    assert (decision.indicator, spoken(decision)) == ("warning", ["mri-implant"])


@pytest.mark.parametrize("finding", IMPLANT_DEVICES.values(), ids=IMPLANT_DEVICES.keys())
def test_an_implant_as_a_device(finding):
    """Device, and an MRI ordered → `warning`."""
    decision = decide_in(1, MRI_LUMBAR_WO, devices=[device(finding)])
    assert (decision.indicator, spoken(decision)) == ("warning", ["mri-implant"])


def test_an_implanted_device_counts_from_procedures_too():
    """MRI-implant triggers also count from Procedures."""
    implanted = procedure((SCT, "307280005"), on="2001-01-01")
    assert rules(1, MRI_LUMBAR_WO, procedures=[implanted]) == ["mri-implant"]


@pytest.mark.parametrize(
    ("resource", "counts"),
    [
        pytest.param(device(PACEMAKER, status="active"), True, id="active"),
        pytest.param(device(PACEMAKER, status="inactive"), False, id="inactive"),
        pytest.param(device(PACEMAKER, status="entered-in-error"), False, id="in error"),
    ],
)
def test_a_device_counts_unless_inactive(resource, counts):
    """A Device counts unless `inactive` or `entered-in-error`."""
    assert bool(rules(1, MRI_LUMBAR_WO, devices=[resource])) is counts


def test_a_resolved_implant_does_not_count():
    """An explanted pacemaker is past."""
    explanted = condition(PACEMAKER, clinical="resolved")
    assert rules(1, MRI_LUMBAR_WO, conditions=[explanted]) == []


def test_implants_speak_about_mri_only():
    """And an MRI ordered."""
    assert orders_that("imaging", "mri-implant", devices=[device(PACEMAKER)]) == MRI
    assert orders_that("treatment", "mri-implant", devices=[device(PACEMAKER)]) == set()


@pytest.mark.parametrize(
    ("variant", "coding", "rating", "suggestions"),
    [
        pytest.param(
            1, MRI_LUMBAR_WO, ["appropriate"], ["replace:ct-spine-wo"], id="usually appropriate"
        ),
        pytest.param(
            3,
            MRI_LUMBAR_WO_W,
            ["appropriate", "may-be-appropriate"],
            ["replace:ct-spine-wo"],
            id="may be appropriate",
        ),
        pytest.param(
            1, MRI_LUMBAR_W, ["not-appropriate"], ["replace:ct-spine-wo"], id="not appropriate"
        ),
        pytest.param(5, MRI_LUMBAR_WO, ["no-criteria-apply"], [], id="not rated"),
        pytest.param(1, MRI_LUMBAR, [], ["replace:ct-spine-wo"], id="contrast not stated"),
    ],
)
def test_an_implant_warns_whatever_the_rating(variant, coding, rating, suggestions):
    """`warning` whatever the rating; the rating itself stays; suggestions without MRI."""
    answer = ask_in(variant, coding, devices=[device(PACEMAKER)])
    (decision,) = answer.decisions
    assert decision.indicator == "warning"
    assert suggested(decision) == suggestions
    sent = [rating_codes(a["resource"]) for a in answer.body.get("systemActions", [])]
    assert sent == ([rating] if rating else [])


def test_an_implant_in_words():
    """Check MR-conditional status; never "MRI not possible"."""
    made = card_in(1, MRI_LUMBAR_WO, devices=[device(PACEMAKER)])
    assert "Check the MR-conditional status" in made["detail"]
    assert "Cardiac pacemaker in situ" in made["detail"]
    assert "not possible" not in made["detail"]


@pytest.mark.parametrize("coding", [CT_LUMBAR_W, BONE_SCAN, SPECT], ids=["CT", "scan", "SPECT"])
def test_an_implant_keeps_mri_out_of_the_suggestions_for_any_order(coding):
    """A pacemaker keeps MRI out of the suggestions for a CT order too."""
    assert suggested(decide_in(1, coding, devices=[device(PACEMAKER)])) == ["replace:ct-spine-wo"]


@pytest.mark.parametrize("finding", [SHUNT, (ICD, "Z18.10")], ids=["shunt", "metal fragments"])
def test_other_implants_are_a_line(finding):
    """Other implants of the set: a line in the detail; no card of their own."""
    chart = {"conditions": [condition(finding)]}
    assert card_in(1, MRI_LUMBAR_WO, **chart) is None
    made = card_in(1, MRI_LUMBAR_W, **chart)
    assert "MR safety screening" in made["detail"]
    assert made["suggestions"][0]["label"].startswith("Change to MRI")
    assert rules(1, CT_LUMBAR_W, **chart) == []


# --- Gadolinium -----------------------------------------------------------------------------------

GADOLINIUM_TRIGGERS = {
    "gadolinium allergy": ({"allergies": [allergy(GADOLINIUM)]}, True),
    "allergy, agent not stated": ({"allergies": [allergy(CONTRAST_MEDIA)]}, True),
    "iodinated contrast allergy": ({"allergies": [allergy(IODINATED)]}, False),
    "allergy, resolved": (
        {
            "allergies": [
                allergy(GADOLINIUM, clinicalStatus={"coding": [{"code": "resolved"}]}),
            ]
        },
        False,
    ),
    "allergy, refuted": (
        {
            "allergies": [
                allergy(GADOLINIUM, verificationStatus={"coding": [{"code": "refuted"}]}),
            ]
        },
        False,
    ),
    "eGFR 29": ({"observations": [egfr(29, days_ago(1))]}, True),
    "eGFR 29.9": ({"observations": [egfr(29.9, days_ago(1))]}, True),
    "eGFR 30": ({"observations": [egfr(30, days_ago(1))]}, False),
    "eGFR 20, 365 days ago": ({"observations": [egfr(20, days_ago(365))]}, True),
    "eGFR 20, 366 days ago": ({"observations": [egfr(20, days_ago(366))]}, False),
    "the latest eGFR is low": (
        {"observations": [egfr(60, days_ago(9)), egfr(20, days_ago(2))]},
        True,
    ),
    "the latest eGFR is normal": (
        {"observations": [egfr(20, days_ago(9)), egfr(60, days_ago(2))]},
        False,
    ),
    "two of one day, one low": (
        {
            "observations": [
                egfr(60, days_ago(2)),
                {**egfr(20, days_ago(2)), "id": "other"},
            ]
        },
        True,
    ),
    "CKD stage 4": ({"conditions": [condition(KIDNEY_DISEASE_4, onset=days_ago(3000))]}, True),
    "CKD stage 5": ({"conditions": [condition((ICD, "N18.5"))]}, True),
    "CKD stage 3": ({"conditions": [condition((ICD, "N18.30"))]}, False),
    "CKD stage 4, resolved": (
        {"conditions": [condition(KIDNEY_DISEASE_4, clinical="resolved")]},
        False,
    ),
    "dialysis": ({"conditions": [condition((ICD, "Z99.2"))]}, True),
    "dialysis as a Procedure": ({"procedures": [procedure((SCT, "302497006"))]}, True),
    "pregnancy": ({"conditions": [condition(PREGNANCY)], "patient": patient(30)}, True),
}


@pytest.mark.parametrize(
    ("chart", "counts"), GADOLINIUM_TRIGGERS.values(), ids=GADOLINIUM_TRIGGERS.keys()
)
def test_gadolinium(chart, counts):
    """A gadolinium allergy, the latest eGFR under 30, CKD stage 4–5, dialysis, or pregnancy."""
    decision = decide_in(2, MRI_LUMBAR_WO_W, **chart)
    assert decision.indicator == ("warning" if counts else None)
    assert spoken(decision) == (["gadolinium"] if counts else [])


def test_gadolinium_speaks_about_contrast_enhanced_mri_only():
    """A contrast-enhanced MRI ordered."""
    found = orders_that("imaging", "gadolinium", allergies=[allergy(GADOLINIUM)])
    assert found == {"MRI with", "MRI without and with"}


@pytest.mark.parametrize(
    "coding", [MRI_LUMBAR_WO_W, CT_LUMBAR_W, MRI_LUMBAR], ids=["MRI", "CT", "not stated"]
)
def test_suggestions_without_gadolinium(coding):
    """Suggestions without gadolinium, whatever was ordered."""
    offered = suggested(decide_in(2, coding, allergies=[allergy(GADOLINIUM)]))
    assert sorted(offered) == ["replace:ct-spine-wo", "replace:mri-spine-wo"]


def test_the_egfr_with_its_date():
    """The eGFR with its date: the value is what the clinician weighs."""
    line = _safety_lines(card_in(2, MRI_LUMBAR_WO_W, observations=[egfr(23, days_ago(5))]))[0]
    assert days_ago(5) in line
    assert "23" in line.replace(days_ago(5), "").replace("1.73", "")


def test_the_agent_is_not_stated():
    """ "any" counts with the wording "agent not stated"."""
    made = card_in(2, MRI_LUMBAR_WO_W, allergies=[allergy(CONTRAST_MEDIA)])
    assert "agent not stated" in made["detail"]


# --- Iodinated contrast ---------------------------------------------------------------------------

IODINATED_TRIGGERS = {
    "iodinated-contrast allergy": (allergy(IODINATED), True),
    "dye allergy": (allergy((ICD, "Z91.041")), True),
    "agent not stated": (allergy(CONTRAST_MEDIA), True),
    "gadolinium": (allergy(GADOLINIUM), False),
    "shellfish": (allergy((SCT, "300913006")), False),
}


@pytest.mark.parametrize(
    ("resource", "counts"), IODINATED_TRIGGERS.values(), ids=IODINATED_TRIGGERS.keys()
)
def test_iodinated_contrast(resource, counts):
    """An iodinated-contrast allergy → `warning`."""
    decision = decide_in(2, CT_MYELOGRAPHY_LUMBAR, allergies=[resource])
    assert decision.indicator == ("warning" if counts else "info")
    assert spoken(decision) == (["iodinated-contrast"] if counts else [])


def test_iodinated_contrast_speaks_about_ct_with_contrast_and_myelography():
    """CT with contrast or CT myelography ordered."""
    found = orders_that("imaging", "iodinated-contrast", allergies=[allergy(IODINATED)])
    assert found == {"CT with", "CT without and with", "CT myelography"}


def test_suggestions_without_iodinated_contrast():
    """Suggestions without, whatever else the chart holds."""
    offered = suggested(
        decide_in(
            1,
            CT_LUMBAR_W,
            CAUDA_EQUINA,
            devices=[device(PACEMAKER)],
            allergies=[allergy(IODINATED)],
        )
    )
    assert offered == ["replace:ct-spine-wo"]


# --- Pregnancy ------------------------------------------------------------------------------------

PREGNANT = {
    "300 days ago": ({"onset": days_ago(300)}, 30, "female", True),
    "301 days ago": ({"onset": days_ago(301)}, 30, "female", False),
    "undated": ({}, 30, "female", True),
    "no longer current": ({"clinical": "resolved"}, 30, "female", False),
    "provisional": ({"verification": "provisional"}, 30, "female", True),
    "refuted": ({"verification": "refuted"}, 30, "female", False),
    "9 years old": ({}, 9, "female", False),
    "10 years old": ({}, 10, "female", True),
    "55 years old": ({}, 55, "female", True),
    "56 years old": ({}, 56, "female", False),
    "male": ({}, 30, "male", False),
}


@pytest.mark.parametrize(("coded", "age", "sex", "counts"), PREGNANT.values(), ids=PREGNANT.keys())
def test_pregnancy(coded, age, sex, counts):
    """A current pregnancy code of the last 300 days, female, 10 to 55 years."""
    chart = {"conditions": [condition(PREGNANCY, **coded)], "patient": patient(age, sex)}
    for variant, coding, rule in (
        (2, CT_LUMBAR_WO, "pregnancy"),
        (2, MRI_LUMBAR_WO_W, "gadolinium"),
        (9, RADIONUCLIDE_THERAPY, "pregnancy-radionuclide"),
    ):
        assert (rule in rules(variant, coding, **chart)) is counts


EXPECTING = {"conditions": [condition(PREGNANCY)], "patient": patient(30)}


def test_a_pregnancy_observed():
    """Pregnancy status as an Observation: the value says whether."""
    status = (LOINC, "82810-3")
    pregnant = {"coding": [{"system": LOINC, "code": "LA15173-0"}]}
    not_pregnant = {"coding": [{"system": LOINC, "code": "LA26683-5"}]}
    for value, counts in ((pregnant, True), (not_pregnant, False)):
        seen = observation(status, days_ago(3), valueCodeableConcept=value)
        found = rules(1, CT_LUMBAR_WO, observations=[seen], patient=patient(30))
        assert ("pregnancy" in found) is counts


def test_pregnancy_speaks_about_ionizing_studies_and_interventions():
    """A study with ionising radiation, or a treatment (consultations are none)."""
    assert orders_that("imaging", "pregnancy", **EXPECTING) == IONIZING
    assert orders_that("treatment", "pregnancy", **EXPECTING) == INTERVENTIONS


@pytest.mark.parametrize(
    ("variant", "coding", "indicator"),
    [
        pytest.param(1, CT_LUMBAR_WO, "warning", id="CT, usually appropriate"),
        pytest.param(1, BONE_SCAN, "warning", id="bone scan, may be appropriate"),
        pytest.param(4, BONE_BIOPSY, "warning", id="biopsy"),
        pytest.param(6, AUGMENTATION_LUMBAR, "warning", id="augmentation"),
        pytest.param(9, ABLATION, "warning", id="ablation"),
        pytest.param(9, RADIONUCLIDE_THERAPY, "critical", id="radionuclide therapy"),
        pytest.param(5, RADIONUCLIDE_THERAPY, "critical", id="radionuclide therapy, not rated"),
        pytest.param(1, MRI_LUMBAR_WO, None, id="MRI without contrast"),
        pytest.param(8, SURGEON, None, id="surgeon"),
        pytest.param(9, RADIATION_ONCOLOGIST, None, id="radiation oncology"),
    ],
)
def test_how_urgent_a_pregnancy_is(variant, coding, indicator):
    """→ `warning` (radionuclide therapy: `critical`)."""
    assert decide_in(variant, coding, **EXPECTING).indicator == indicator


@pytest.mark.parametrize("variant", [1, 2, 3, 4])
@pytest.mark.parametrize("coding", [CT_LUMBAR_WO, CT_LUMBAR_W, BONE_SCAN, MRI_LUMBAR_W])
def test_in_pregnancy_non_ionizing_studies_come_first(variant, coding):
    """Non-ionising studies first: ionising ones and gadolinium are kept out altogether."""
    assert suggested(decide_in(variant, coding, **EXPECTING)) == ["replace:mri-spine-wo"]


def test_in_pregnancy_no_intervention_is_offered():
    """A treatment is cautioned against, so none is a button; a surgeon's opinion may be."""
    offered = suggested(decide_in(8, ABLATION, **EXPECTING))
    assert offered == ["replace:surgical-consultation"]


# --- A child --------------------------------------------------------------------------------------

CHILD = {"patient": patient(17)}


@pytest.mark.parametrize(
    ("age", "indicator"),
    [
        pytest.param(0, "info", id="newborn"),
        pytest.param(17, "info", id="17 years"),
        pytest.param(18, None, id="18 years"),
        pytest.param(None, None, id="age not known"),
    ],
)
def test_a_child(age, indicator):
    """Under 18, where an MRI is usually appropriate → at least `info`."""
    assert decide_in(1, CT_LUMBAR_WO, patient=patient(age)).indicator == indicator
    assert decide_in(9, ABLATION, patient=patient(age)).indicator == indicator


def test_a_child_is_spoken_of_with_ionizing_studies():
    """A study with ionising radiation; an MRI is none."""
    assert orders_that("imaging", "child-imaging", **CHILD) == IONIZING
    assert orders_that("treatment", "child-imaging", **CHILD) == set()


def test_a_child_is_spoken_of_with_every_treatment():
    """A treatment → at least `info`: the treatment variants describe adults."""
    assert orders_that("treatment", "child-treatment", **CHILD) == TREATMENTS.keys()
    assert orders_that("imaging", "child-treatment", **CHILD) == set()
    assert "describe adults" in card_in(9, SURGEON, **CHILD)["detail"]


def test_a_child_without_an_mri_that_is_usually_appropriate():
    """No variant applies, so no MRI is usually appropriate: the rule does not speak."""
    reasons = (FRACTURE, ASYMPTOMATIC)
    assert spoken(decide(order(CT_LUMBAR_WO, reasons=reasons), **CHILD)) == []


@pytest.mark.parametrize(
    ("variant", "coding", "suggestions"),
    [
        pytest.param(1, CT_LUMBAR_WO, ["mri-spine-wo"], id="CT, usually appropriate"),
        pytest.param(3, CT_LUMBAR_W, ["mri-spine-wo", "ct-spine-wo"], id="CT listed first"),
        pytest.param(3, CT_LUMBAR_WO, ["mri-spine-wo"], id="CT as ordered"),
        pytest.param(
            2, CT_LUMBAR_W, ["mri-spine-wo-w", "mri-spine-wo", "ct-spine-wo"], id="with cancer"
        ),
    ],
)
def test_for_a_child_mri_comes_first(variant, coding, suggestions):
    """MRI first; a usually appropriate order is offered only what the rule wants first."""
    offered = suggested(decide_in(variant, coding, **CHILD))
    assert offered == [f"replace:{p}" for p in suggestions]


def test_for_a_child_the_pediatric_level_is_shown():
    """The pediatric level shown."""
    detail = card_in(1, BONE_SCAN, **CHILD)["detail"]
    assert "(child: radiation ☢☢☢☢ 3–10 mSv)" in detail
    assert "17 years old" in detail


def test_for_a_child_a_warning_stays_one():
    """At least `info`: a rating that warns keeps warning."""
    assert decide_in(1, CT_LUMBAR_W, **CHILD).indicator == "warning"


# --- Infection ------------------------------------------------------------------------------------

INFECTION = {
    "discitis as a reason": ((DISCITIS,), [], True),
    "new discitis": ((), [condition(DISCITIS, onset=NEW)], True),
    "old discitis": ((), [condition(DISCITIS, onset=OLD)], False),
    "osteomyelitis, ICD-10-CM": (((ICD, "M46.26"),), [], True),
    "fever as a reason, with pain": ((FEVER,), [], True),
    "new fever, with pain": ((), [condition(FEVER, onset=NEW)], True),
    "old fever": ((), [condition(FEVER, onset=OLD)], False),
    "urinary infection": ((URINARY_INFECTION,), [], False),
    "bacteremia, with pain": ((BACTEREMIA,), [], False),
}


@pytest.mark.parametrize(("more", "conditions", "counts"), INFECTION.values(), ids=INFECTION.keys())
def test_infection(more, conditions, counts):
    """Spinal infection as a reason or a new Condition; or fever together with spine pain."""
    decision = decide_in(1, MRI_LUMBAR_WO, *more, conditions=conditions)
    assert (decision.rating == "no-criteria-apply") is counts
    assert ("infection" in spoken(decision)) is counts


@pytest.mark.parametrize(
    ("pain", "counts"),
    [
        pytest.param((PAIN,), True, id="pain"),
        pytest.param((CHRONIC_PAIN,), True, id="chronic pain"),
        pytest.param((), False, id="no pain"),
        pytest.param(((ICD, "M54.16"),), True, id="radiculopathy"),
        pytest.param((LEG_PARESIS,), True, id="neurologic deficit"),
        pytest.param(((SCT, "309774006"),), True, id="generic limb weakness"),
        pytest.param((CAUDA_EQUINA,), True, id="cord compression"),
        pytest.param((URINARY_RETENTION,), True, id="a symptom of it"),
        pytest.param((OSTEOPOROSIS,), False, id="no symptom"),
    ],
)
def test_fever_counts_together_with_spine_pain(pain, counts):
    """Fever together with spine pain, radiculopathy, a deficit or cord compression; fever alone
    does not.
    """
    found = spoken(decide(order(CT_LUMBAR_W, reasons=(FRACTURE, FEVER, *pain))))
    assert ("infection" in found) is counts


def test_infection_is_about_any_of_our_orders():
    """Any of our orders."""
    assert orders_that("imaging", "infection", DISCITIS) == IMAGING.keys()
    assert orders_that("treatment", "infection", DISCITIS) == TREATMENTS.keys()


@pytest.mark.parametrize(
    ("variant", "coding"),
    [
        pytest.param(1, MRI_LUMBAR_WO, id="usually appropriate"),
        pytest.param(1, BONE_SCAN, id="may be appropriate"),
        pytest.param(1, CT_LUMBAR_W, id="usually not appropriate"),
        pytest.param(1, MRI_LUMBAR, id="contrast not stated"),
        pytest.param(1, SPINE_BIOPSY, id="not rated"),
        pytest.param(5, RADIATION_ONCOLOGIST, id="consultation"),
        pytest.param(9, RADIONUCLIDE_THERAPY, id="treatment"),
    ],
)
def test_infection_answers_with_information_only(variant, coding):
    """At most `info`; no replacement; topic `novariant`, PAMA `no-criteria-apply`."""
    decision = decide_in(variant, coding, DISCITIS)
    assert decision.indicator == "info"
    assert (decision.topic, decision.rating) == ("novariant", "no-criteria-apply")
    assert decision.suggestions == ()


def test_infection_asks_no_question():
    draft = order(PET_CT, reasons=(FRACTURE, PAIN, DISCITIS))
    decision = decide(draft, without=("conditions",))
    assert (decision.question, decision.topic, suggested(decision)) == (None, "novariant", [])


def test_infection_in_words():
    """The topic does not cover suspected infection."""
    made = card_in(1, CT_LUMBAR_W, DISCITIS)
    assert "does not cover suspected infection" in made["detail"]
    assert "infection" in made["summary"]
    assert "Infective discitis" in made["detail"]


@pytest.mark.parametrize(
    ("variant", "coding"),
    [(1, CT_LUMBAR_W), (1, MRI_LUMBAR_W), (2, PET_CT), (5, SURGEON), (6, ABLATION)],
)
def test_infection_shows_no_ratings(variant, coding):
    """No ratings on the card; the study is named without one."""
    made = card_in(variant, coding, DISCITIS)
    for said in ("usually not appropriate", "usually appropriate", "may be appropriate"):
        assert said not in (made["summary"] + made["detail"]).lower()
    assert "suggestions" not in made


@pytest.mark.parametrize("finding", [CAUDA_EQUINA, NUMB_LEG], ids=["certain", "may be old"])
def test_infection_offers_mri_where_the_cord_rule_speaks_too(finding):
    """No replacement suggestions, but MRI where the cord rule speaks too."""
    decision = decide_in(1, CT_LUMBAR_W, DISCITIS, finding)
    assert (decision.topic, decision.rating) == ("novariant", "no-criteria-apply")
    assert suggested(decision) == ["replace:mri-spine-wo"]
    assert suggested(decide_in(1, CT_LUMBAR_W, DISCITIS, **EXPECTING)) == []


@pytest.mark.parametrize("coding", [AUGMENTATION_LUMBAR, ABLATION])
@pytest.mark.parametrize(("variant", "more"), [(6, (DISCITIS,)), (9, (FEVER,)), (5, (DISCITIS,))])
def test_infection_comes_before_cement_and_ablation(variant, coding, more):
    """Augmentation, ablation → `warning`: treat infection first."""
    decision = decide_in(variant, coding, *more)
    assert decision.indicator == "warning"
    assert (decision.topic, decision.rating) == ("novariant", "no-criteria-apply")
    made = card_in(variant, coding, *more)
    assert "infection first" in made["detail"]


# --- Softer red flags -----------------------------------------------------------------------------

SOFTER = {
    "bacteremia": BACTEREMIA,
    "sepsis": (ICD, "A41.9"),
    "urinary infection": URINARY_INFECTION,
    "intravenous drug use": (SCT, "228388006"),
    "immunosuppression": (ICD, "D84.821"),
    "unexplained weight loss": (SCT, "422868009"),
}


@pytest.mark.parametrize("finding", SOFTER.values(), ids=SOFTER.keys())
def test_a_softer_red_flag(finding):
    """New or a reason → `info` instead of `warning`; rating unchanged."""
    recent, old = condition(finding, onset=NEW), condition(finding, onset=OLD)
    as_reason = decide_in(1, CT_LUMBAR_W, finding)
    assert (as_reason.indicator, as_reason.rating) == ("info", "not-appropriate")
    assert decide_in(1, CT_LUMBAR_W, conditions=[recent]).indicator == "info"
    assert decide_in(1, CT_LUMBAR_W, conditions=[old]).indicator == "warning"


def test_fever_alone_softens_the_warning():
    """Fever alone: there is no pain, but a cancer, so that a variant applies."""
    decision = decide_in(4, CT_LUMBAR_WO_W, FEVER)
    assert spoken(decision) == ["softer-red-flags"]
    assert spoken(decide_in(1, CT_LUMBAR_WO_W, FEVER)) == ["infection"]
    assert (decision.indicator, decision.rating) == ("info", "not-appropriate")


@pytest.mark.parametrize(
    ("coding", "verification", "indicator"),
    [
        pytest.param(BREAST_CANCER, "provisional", "info", id="provisional"),
        pytest.param(BREAST_CANCER, "differential", "info", id="differential"),
        pytest.param(BREAST_CANCER, "unconfirmed", "info", id="unconfirmed"),
        pytest.param((ICD, "D49.5"), "provisional", "info", id="behaviour not stated"),
        pytest.param(BREAST_CANCER, "refuted", "warning", id="refuted"),
        pytest.param(OSTEOPOROSIS, "provisional", "warning", id="no malignancy"),
    ],
)
def test_a_suspected_malignancy_softens_the_warning(coding, verification, indicator):
    """A malignancy that is provisional, differential or unconfirmed: rating unchanged."""
    suspected = condition(coding, verification=verification, onset=OLD)
    decision = decide_in(1, CT_LUMBAR_W, conditions=[suspected])
    assert (decision.indicator, decision.rating) == (indicator, "not-appropriate")


def test_a_suspicion_in_words_softens_the_warning_too():
    suspected = condition(("https://hospital.example.org", "1"), verification="provisional")
    suspected["code"]["text"] = "Prostate cancer"
    assert decide_in(1, CT_LUMBAR_W, conditions=[suspected]).indicator == "info"


def test_softer_red_flags_speak_about_contrast_studies_and_pet():
    """A contrast study (IV contrast) or PET/CT."""
    found = orders_that("imaging", "softer-red-flags", URINARY_INFECTION)
    assert found == {
        "MRI with",
        "MRI without and with",
        "CT with",
        "CT without and with",
        "PET/CT",
    }
    assert decide_in(1, CT_MYELOGRAPHY_LUMBAR, URINARY_INFECTION).indicator == "warning"


def test_a_softer_red_flag_changes_a_usually_not_appropriate_study_only():
    """With a usually-not-appropriate study: silence stays silence."""
    assert decide_in(2, MRI_LUMBAR_WO_W, URINARY_INFECTION).indicator is None
    assert decide_in(2, PET_CT, URINARY_INFECTION).indicator == "info"


def test_a_softer_red_flag_does_not_soften_another_caution():
    """All rules act together, with the highest indicator."""
    decision = decide_in(1, CT_LUMBAR_W, URINARY_INFECTION, allergies=[allergy(IODINATED)])
    assert decision.indicator == "warning"


@pytest.mark.parametrize(
    "chart",
    [pytest.param({}, id="adult"), pytest.param(CHILD, id="child")],
)
def test_the_red_flag_comes_first(chart):
    """`info` instead of `warning`, the red flag first."""
    lines = _safety_lines(card_in(1, CT_LUMBAR_W, URINARY_INFECTION, FALL, **chart))
    assert "red flag for infection or cancer" in lines[0]
    assert "Urinary tract infection" in lines[0]


def test_a_red_flag_leaves_the_suggestions():
    assert suggested(decide_in(1, CT_LUMBAR_W, URINARY_INFECTION)) == [
        "replace:mri-spine-wo",
        "replace:ct-spine-wo",
    ]


# --- CT myelography -------------------------------------------------------------------------------


def test_myelography_after_surgery_on_the_spine():
    """Surgery on the spine, however old: `info` that states the exception; rating unchanged."""
    fusion = procedure(LUMBAR_FUSION, on="2001-01-01")
    decision = decide_in(1, CT_MYELOGRAPHY_LUMBAR, procedures=[fusion])
    assert (decision.indicator, decision.rating) == ("info", "not-appropriate")
    made = card_in(1, CT_MYELOGRAPHY_LUMBAR, procedures=[fusion])
    assert "exception" in made["detail"]
    assert "surgical hardware" in made["detail"]


def test_myelography_without_either_is_warned_about():
    assert decide_in(1, CT_MYELOGRAPHY_LUMBAR).indicator == "warning"


@pytest.mark.parametrize("finding", [LEG_PARESIS, CAUDA_EQUINA], ids=["weak leg", "cauda equina"])
def test_myelography_with_a_deficit(finding):
    """The exception is stated; that MRI is preferred with cord compression stands above it."""
    decision = decide_in(1, CT_MYELOGRAPHY_LUMBAR, finding)
    assert spoken(decision) == ["cord-compression-imaging", "myelography-exception"]
    assert (decision.indicator, decision.rating) == ("critical", "not-appropriate")
    assert "names an exception" in card_in(1, CT_MYELOGRAPHY_LUMBAR, finding)["detail"]


def test_the_exception_is_of_myelography_only():
    chart = {"procedures": [procedure(LUMBAR_FUSION)]}
    assert orders_that("imaging", "myelography-exception", **chart) == {"CT myelography"}
    assert decide_in(1, CT_LUMBAR_W, **chart).indicator == "warning"


# --- Cancer before treatment ----------------------------------------------------------------------

CANCER_FIRST = {
    "cancer, cause of the fracture not known": ((FRACTURE, PAIN), BREAST_CANCER, True),
    "cancer, fracture said not to be pathologic": (
        (FRACTURE, PAIN, (ANSWER, "pathologic-no")),
        BREAST_CANCER,
        True,
    ),
    "cancer, osteoporotic fracture": ((OSTEOPOROTIC_FRACTURE, PAIN), BREAST_CANCER, True),
    "pathologic fracture": ((NEOPLASTIC_FRACTURE, PAIN), BREAST_CANCER, False),
    "metastasis to the spine": ((FRACTURE, PAIN), SPINE_METASTASIS, False),
    "said to be pathologic": (
        (FRACTURE, PAIN, (ANSWER, "pathologic-yes")),
        BREAST_CANCER,
        False,
    ),
}


@pytest.mark.parametrize(
    ("reasons", "cancer", "counts"), CANCER_FIRST.values(), ids=CANCER_FIRST.keys()
)
def test_cancer_before_treatment(reasons, cancer, counts):
    """A treatment order, malignancy true, the fracture not proven pathologic."""
    for coding in TREATMENTS.values():
        decision = decide(order(coding, reasons=reasons), conditions=[condition(cancer)])
        assert ("cancer-before-treatment" in spoken(decision)) is counts


def test_no_cancer_no_caution():
    assert rules(6, AUGMENTATION_LUMBAR) == []


def test_cancer_before_treatment_is_at_least_info():
    """At least `info`: characterise the fracture first (variants 2 and 4)."""
    reasons = (OSTEOPOROTIC_FRACTURE, PAIN, (ANSWER, "worsening-yes"))
    draft = order(AUGMENTATION_LUMBAR, reasons=reasons)
    made = card(draft, conditions=[condition(BREAST_CANCER)])
    assert made["indicator"] == "info"
    assert "characterise the fracture first" in made["detail"]
    assert "variants 2 and 4" in made["detail"]
    assert "suggestions" not in made


def test_cancer_is_no_caution_for_imaging():
    assert orders_that("imaging", "cancer-before-treatment") == set()


# --- Edema without pain ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("variant", "more", "said"),
    [
        pytest.param(5, (EDEMA_SEEN,), True, id="no pain, edema"),
        pytest.param(5, (NO_EDEMA,), False, id="no pain, no edema"),
        pytest.param(5, (), False, id="no pain, edema not known"),
        pytest.param(7, (EDEMA_SEEN,), False, id="pain, edema"),
    ],
)
def test_edema_without_pain(variant, more, said):
    """Variant 5 with edema_or_cleft true: a line: may be unhealed, reassess symptoms."""
    made = card_in(variant, ABLATION, *more)
    assert made["indicator"] == "warning"
    assert ("may be unhealed; reassess the symptoms" in made["detail"]) is said


# --- Wrong region ---------------------------------------------------------------------------------

REGIONS = {
    "lumbar fracture, lumbar order": ((LUMBAR_FRACTURE, PAIN), MRI_LUMBAR_WO, False),
    "thoracic fracture, lumbar order": ((THORACIC_FRACTURE, PAIN), MRI_LUMBAR_WO, True),
    "lumbar fracture, thoracic order": ((LUMBAR_FRACTURE, PAIN), MRI_THORACIC_WO, True),
    "cervical fracture, lumbar order": ((CERVICAL_FRACTURE, PAIN), MRI_LUMBAR_WO, True),
    "L3, thoracic order": ((FRACTURE_L3, PAIN), MRI_THORACIC_WO, True),
    "L1 counts to both sides": ((WEDGE_FRACTURE_L1, PAIN), MRI_THORACIC_WO, False),
    "T12 counts to both sides": ((FRACTURE_T12, PAIN), MRI_LUMBAR_WO, False),
    "T1 counts to both sides": (((ICD, "S22.010A"), PAIN), (LOINC, "30667-0"), False),
    "T7, lumbar order": (((ICD, "S22.060A"), PAIN), MRI_LUMBAR_WO, True),
    "level not stated": ((FRACTURE, PAIN), MRI_LUMBAR_WO, False),
    "region of the order not stated": ((THORACIC_FRACTURE, PAIN), MRI_SPINE_W, False),
    "the whole spine contains each": ((CERVICAL_FRACTURE, PAIN), (LOINC, "30854-4"), False),
    "two regions contain each": ((LUMBAR_FRACTURE, PAIN), (LOINC, "83310-3"), False),
    "one of two fractures inside": (
        (THORACIC_FRACTURE, LUMBAR_FRACTURE, PAIN),
        MRI_LUMBAR_WO,
        False,
    ),
    "both fractures outside": ((THORACIC_FRACTURE, CERVICAL_FRACTURE, PAIN), MRI_LUMBAR_WO, True),
    "pain inside settles it": ((THORACIC_FRACTURE, LOW_BACK_PAIN, PAIN), MRI_LUMBAR_WO, False),
    "pain outside does not": ((THORACIC_FRACTURE, THORACIC_PAIN), MRI_LUMBAR_WO, True),
    "pain without region does not": ((THORACIC_FRACTURE, PAIN), MRI_LUMBAR_WO, True),
    "thoracic CT, lumbar fracture": ((LUMBAR_FRACTURE, PAIN), CT_THORACIC_WO, True),
    "a scan has no region": ((THORACIC_FRACTURE, PAIN), BONE_SCAN, False),
}


@pytest.mark.parametrize(("reasons", "coding", "wrong"), REGIONS.values(), ids=REGIONS.keys())
def test_wrong_region(reasons, coding, wrong):
    """All new, coded fracture levels lie outside the ordered region."""
    assert ("wrong-region" in spoken(decide(order(coding, reasons=reasons)))) is wrong


MEANT = {
    "the new one, not an old one inside": (
        [condition(THORACIC_FRACTURE, onset=NEW), condition(LUMBAR_FRACTURE, onset=OLD)],
        (PAIN,),
        True,
    ),
    "a new one inside": ([condition(LUMBAR_FRACTURE, onset=NEW)], (PAIN,), False),
    "the one in a reason beside a new one": (
        [condition(THORACIC_FRACTURE, onset=NEW)],
        (LUMBAR_FRACTURE, PAIN),
        False,
    ),
    "the one in a reason, not an old one inside": (
        [condition(LUMBAR_FRACTURE, onset=OLD)],
        (THORACIC_FRACTURE, PAIN),
        True,
    ),
    "new pain inside settles it": (
        [condition(THORACIC_FRACTURE, onset=NEW), condition(LOW_BACK_PAIN, onset=NEW)],
        (PAIN,),
        False,
    ),
    "old pain inside does not": (
        [condition(THORACIC_FRACTURE, onset=NEW), condition(LOW_BACK_PAIN, onset=OLD)],
        (PAIN,),
        True,
    ),
    "an old one alone": ([condition(THORACIC_FRACTURE, onset=OLD)], (PAIN,), False),
    "an old one that is the reason": ([], ((ICD, "S22.060D"), PAIN), True),
    "a new one, its level not stated, beside it": (
        [condition(THORACIC_FRACTURE, onset=NEW), condition(FRACTURE, onset=NEW)],
        (PAIN,),
        True,
    ),
    "a radiculopathy inside does not settle it": (
        [condition(THORACIC_FRACTURE, onset=NEW)],
        ((ICD, "M54.16"), PAIN),
        True,
    ),
}


@pytest.mark.parametrize(("conditions", "reasons", "wrong"), MEANT.values(), ids=MEANT.keys())
def test_the_fracture_meant(conditions, reasons, wrong):
    """The fracture meant is the new one or the one in a reason."""
    decision = decide(order(MRI_LUMBAR_WO, reasons=reasons), conditions=conditions)
    assert ("wrong-region" in spoken(decision)) is wrong


@pytest.mark.parametrize(
    ("coding", "indicator", "labels"),
    [
        pytest.param(
            MRI_LUMBAR_WO,
            "info",
            ["MRI thoracic spine without IV contrast", "CT thoracic spine without IV contrast"],
            id="usually appropriate",
        ),
        pytest.param(
            CT_LUMBAR_WO,
            "info",
            ["CT thoracic spine without IV contrast", "MRI thoracic spine without IV contrast"],
            id="the same study first",
        ),
        pytest.param(
            CT_LUMBAR_W,
            "warning",
            ["MRI thoracic spine without IV contrast", "CT thoracic spine without IV contrast"],
            id="not appropriate there either",
        ),
    ],
)
def test_the_study_is_offered_for_the_region_of_the_fracture(coding, indicator, labels):
    """At least `info`, suggesting the same study for the fracture's region."""
    made = card(order(coding, reasons=(THORACIC_FRACTURE, PAIN)))
    assert made["indicator"] == indicator
    assert [s["label"] for s in made["suggestions"]] == [f"Change to {label}" for label in labels]
    assert "outside the ordered region" in made["detail"]


def test_a_study_that_may_be_appropriate_is_not_offered_for_the_fractures_region():
    """The same study first where it is usually appropriate: not in variant 3, with contrast."""
    reasons = (THORACIC_FRACTURE, PAIN)
    chart = {"conditions": [condition(FRACTURE, onset=days_ago(400))]}
    made = card(order(MRI_LUMBAR_WO_W, reasons=reasons), **chart)
    assert [s["label"] for s in made["suggestions"]] == [
        "Change to CT thoracic spine without IV contrast",
        "Change to MRI thoracic spine without IV contrast",
    ]


def test_fractures_of_two_regions_are_covered_by_one_study():
    """Thoracic and cervical fractures, lumbar order: one region that shows both."""
    reasons = (THORACIC_FRACTURE, CERVICAL_FRACTURE, PAIN)
    made = card(order(CT_LUMBAR_WO, reasons=reasons))
    assert made["suggestions"][0]["label"] == (
        "Change to CT cervical and thoracic spine without IV contrast"
    )


@pytest.mark.parametrize(
    ("coding", "fracture", "indicator"),
    [
        pytest.param(AUGMENTATION_LUMBAR, (SCT, "311891006"), "warning", id="outside"),
        pytest.param(AUGMENTATION_THORACIC, (SCT, "311891006"), None, id="inside"),
    ],
)
def test_augmentation_of_the_wrong_region(coding, fracture, indicator):
    """For augmentation `warning`, without a replacement: the level is the operator's to say."""
    reasons = (fracture, PAIN, EDEMA_SEEN)
    made = card(order(coding, reasons=reasons))
    assert (made and made["indicator"]) == indicator
    assert not made or "suggestions" not in made


def test_augmentation_of_the_wrong_region_is_not_deleted():
    """Neither replacement nor deletion, though medical management is what variant 5 names."""
    reasons = ((SCT, "311891006"), ASYMPTOMATIC, OSTEOPOROSIS)
    decision = decide(order(AUGMENTATION_LUMBAR, reasons=reasons))
    assert (decision.topic, suggested(decision)) == ("variant5", [])
    inside = decide(order(AUGMENTATION_THORACIC, reasons=reasons))
    assert suggested(inside) == ["delete"]


def test_augmentation_of_the_wrong_region_keeps_the_answers():
    """Answers to an open question stay."""
    reasons = ((SCT, "311891006"), PAIN)
    decision = decide(order(AUGMENTATION_LUMBAR, reasons=reasons))
    assert (decision.indicator, decision.topic) == ("warning", "unresolved")
    assert suggested(decision) == ["answer:edema_or_cleft"] * 2


# --- Other red flags ------------------------------------------------------------------------------


def test_other_red_flags_are_one_line():
    """The other red flags of the document's Appendix 1, where coded, are one line."""
    fall, steroids = FALL, (ICD, "Z79.52")
    assert card_in(1, MRI_LUMBAR_WO, fall) is None
    made = card_in(1, CT_LUMBAR_W, fall, steroids)
    (line,) = [line for line in _safety_lines(made) if "red flag" in line]
    assert "Unspecified fall" in line
    assert "steroids" in line
    assert made["indicator"] == "warning"


def test_other_red_flags_are_said_of_every_order():
    assert orders_that("imaging", "other-red-flags", FALL) == IMAGING.keys()
    assert orders_that("treatment", "other-red-flags", FALL) == TREATMENTS.keys()


# --- All that apply act together ------------------------------------------------------------------

TOGETHER = {
    "conditions": [condition(PREGNANCY), condition(CAUDA_EQUINA, onset=NEW), condition(SHUNT)],
    "allergies": [allergy(CONTRAST_MEDIA)],
    "patient": patient(17),
}


def test_one_card_with_the_highest_indicator_and_every_caution():
    """One card, the highest indicator, every caution in the detail."""
    made = card_in(1, CT_LUMBAR_W, FALL, **TOGETHER)
    assert made["indicator"] == "critical"
    lines = "\n".join(_safety_lines(made))
    for said in (
        "compression of the spinal cord",
        "Pregnancy is coded",
        "iodinated contrast",
        "under 18",
        "red flags coded",
    ):
        assert said in lines


def test_the_summary_names_the_most_urgent_caution():
    assert "Possible cord compression" in card_in(1, CT_LUMBAR_W, **TOGETHER)["summary"]


def test_every_suggestion_is_screened_by_all_rules():
    """Every suggestion is screened by all of them, whatever was ordered."""
    offered = {
        "nothing": (decide_in(2, CT_LUMBAR_W), ["mri-spine-wo-w", "ct-spine-wo", "mri-spine-wo"]),
        "no gadolinium": (
            decide_in(2, CT_LUMBAR_W, allergies=[allergy(GADOLINIUM)]),
            ["ct-spine-wo", "mri-spine-wo"],
        ),
        "no MRI": (decide_in(2, CT_LUMBAR_W, devices=[device(PACEMAKER)]), ["ct-spine-wo"]),
        "neither gadolinium nor CT": (decide_in(2, CT_LUMBAR_W, **EXPECTING), ["mri-spine-wo"]),
        "no MRI and no CT": (
            decide_in(2, CT_LUMBAR_W, devices=[device(PACEMAKER)], **EXPECTING),
            [],
        ),
    }
    for situation, (decision, procedures) in offered.items():
        assert suggested(decision) == [f"replace:{p}" for p in procedures], situation


def test_what_another_rule_keeps_out_stays_out():
    """Cord compression with an implant allows CT; a pregnancy still keeps it out."""
    chart = {**EXPECTING, "devices": [device(PACEMAKER)]}
    assert suggested(decide_in(1, CT_LUMBAR_W, CAUDA_EQUINA, **chart)) == []


def test_infection_caps_the_rating_and_not_another_rule():
    """At most `info` is said of the rating; an implant is still a warning."""
    decision = decide_in(1, MRI_LUMBAR_WO, DISCITIS, devices=[device(PACEMAKER)])
    assert (decision.indicator, decision.topic) == ("warning", "novariant")
    assert decide_in(1, CT_LUMBAR_W, DISCITIS, CAUDA_EQUINA).indicator == "critical"


def _safety_lines(made):
    """The critical lines of a card, which open it, and the other cautions."""
    first, *others = made["detail"].split("Cautions of this service, not of the guideline:\n")
    critical = [part for part in first.split("\n\n") if made["indicator"] == "critical"]
    return critical + [line for part in others for line in part.split("\n\n")[0].split("\n")]
