"""Decision rules, section 2: what counts as evidence, as new, as a fracture, and as supplied."""

import json

import pytest

from tests.small_world import (
    ASYMPTOMATIC,
    BREAST_CANCER,
    CAUDA_EQUINA,
    CT_LUMBAR_WO,
    FRACTURE,
    FRACTURE_TYPE_NOT_STATED,
    ICD,
    MRI_LUMBAR_WO,
    MRI_LUMBAR_WO_W,
    OSTEOPOROSIS,
    PACEMAKER,
    PAIN,
    ROOT,
    SCT,
    VERTEBROPLASTY,
    WEDGE_FRACTURE_L1,
    bundle,
    concept,
    condition,
    days_ago,
    decide,
    device,
    egfr,
    fact,
    hook_request,
    observation,
    order,
    patient,
    post,
    procedure,
)

WITHOUT_DATE = {"onset": None}
TOMORROW = days_ago(-1)


def is_new(**fields) -> bool:
    """Whether a fracture Condition with these fields is new; if not it must be old."""
    return new_not_old(conditions=[condition(fields.pop("code", FRACTURE), **fields)])


def new_not_old(*reasons, **chart) -> bool:
    new = fact("new_vcf", *reasons, **chart)
    assert fact("prior_vcf", *reasons, **chart) is not new
    return new


def alerts(*orders, **chart) -> set[str]:
    """The safety rules that speak."""
    return {alert.rule.id for alert in decide(*orders, **chart).alerts}


# --- Conditions -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "is_evidence", "counts_for_safety"),
    [
        pytest.param(None, True, True, id="absent"),
        pytest.param("confirmed", True, True, id="confirmed"),
        pytest.param("provisional", False, True, id="provisional"),
        pytest.param("differential", False, True, id="differential"),
        pytest.param("unconfirmed", False, True, id="unconfirmed"),
        pytest.param("refuted", False, False, id="refuted"),
        pytest.param("entered-in-error", False, False, id="entered-in-error"),
    ],
)
class TestVerificationStatus:
    """Evidence when absent or confirmed; for the safety rules also when provisional,
    differential or unconfirmed; never when refuted or entered-in-error.
    """

    @pytest.mark.parametrize(
        ("name", "code"),
        [
            ("vcf", FRACTURE),
            ("symptomatic", PAIN),
            ("malignancy", BREAST_CANCER),
            ("worsening", (SCT, "413428007")),
            ("osteoporotic", OSTEOPOROSIS),
            ("prior_spine_intervention", (ICD, "M96.1")),
        ],
    )
    def test_as_evidence_of_a_fact(self, status, is_evidence, counts_for_safety, name, code):
        young = patient(age=45)  # so that nothing is presumed
        coded = condition(code, verification=status, onset=days_ago(9))
        assert (fact(name, conditions=[coded], patient=young) is True) is is_evidence

    def test_as_evidence_that_the_patient_has_no_symptoms(
        self, status, is_evidence, counts_for_safety
    ):
        found = fact("symptomatic", conditions=[condition(ASYMPTOMATIC, verification=status)])
        assert (found is False) is is_evidence

    def test_as_evidence_of_a_pathologic_fracture(self, status, is_evidence, counts_for_safety):
        metastasis = condition((SCT, "94602001"), verification=status)
        found = fact("pathologic", FRACTURE, conditions=[metastasis])
        assert (found is True) is is_evidence

    @pytest.mark.parametrize("fragile", [OSTEOPOROSIS, BREAST_CANCER])
    def test_as_evidence_that_a_doubtful_fracture_counts(
        self, status, is_evidence, counts_for_safety, fragile
    ):
        chart = {"conditions": [condition(fragile, verification=status)]}
        assert fact("vcf", WEDGE_FRACTURE_L1, patient=patient(49), **chart) is is_evidence

    def test_behind_a_reason_reference(self, status, is_evidence, counts_for_safety):
        draft = order(
            MRI_LUMBAR_WO, reasons=(FRACTURE,), reasonReference=[{"reference": "Condition/pain"}]
        )
        pain = condition(PAIN, identifier="pain", verification=status)
        assert (decide(draft, conditions=[pain]).facts["symptomatic"].value is True) is is_evidence

    def test_for_the_safety_rules(self, status, is_evidence, counts_for_safety):
        chart = {"conditions": [condition(CAUDA_EQUINA, verification=status)]}
        draft = order(CT_LUMBAR_WO, reasons=(FRACTURE, PAIN))
        assert ("cord-compression-imaging" in alerts(draft, **chart)) is counts_for_safety


@pytest.mark.parametrize(
    ("status", "current"),
    [
        (None, True),
        ("active", True),
        ("recurrence", True),
        ("relapse", True),
        ("inactive", False),
        ("remission", False),
        ("resolved", False),
    ],
)
def test_clinical_status(status, current):
    """Absent, active, recurrence, relapse = current; inactive, remission, resolved = past."""
    assert is_new(clinical=status) is current


# --- New and old ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "new"),
    [
        pytest.param({}, True, id="undated"),
        pytest.param({"onset": days_ago(0)}, True, id="today"),
        pytest.param({"onset": TOMORROW}, True, id="a date after today counts as today"),
        pytest.param({"onset": days_ago(90)}, True, id="90 days"),
        pytest.param({"onset": days_ago(91)}, False, id="91 days"),
        pytest.param({"onset": days_ago(90) + "T23:59:59-08:00"}, True, id="90 days, with time"),
        pytest.param({"onset": days_ago(91) + "T00:00:00Z"}, False, id="91 days, with time"),
        pytest.param({"onset": days_ago(10), "clinical": "resolved"}, False, id="10 days, past"),
        pytest.param({"onset": "2026-09"}, True, id="a month stands for its first day: new"),
        pytest.param({"onset": "2026-08"}, False, id="a month stands for its first day: old"),
        pytest.param({"onset": "2026"}, False, id="a year stands for its first day"),
        pytest.param({"recordedDate": days_ago(91)}, False, id="recordedDate alone"),
        pytest.param({"onsetPeriod": {"start": days_ago(91)}}, False, id="onsetPeriod alone"),
        pytest.param(
            {"onset": days_ago(90), "recordedDate": days_ago(91)},
            True,
            id="onsetDateTime before recordedDate",
        ),
        pytest.param(
            {"onset": days_ago(91), "recordedDate": days_ago(0)},
            False,
            id="onsetDateTime before recordedDate, old",
        ),
        pytest.param(
            {"onsetPeriod": {"start": days_ago(91)}, "recordedDate": days_ago(0)},
            False,
            id="onsetPeriod.start before recordedDate",
        ),
        pytest.param(
            {"onsetPeriod": {"end": days_ago(91)}, "recordedDate": days_ago(0)},
            True,
            id="onsetPeriod without start",
        ),
    ],
)
def test_new_and_old(fields, new):
    """New = current, and undated or at most 90 days before today. Old = everything else."""
    assert is_new(**fields) is new


@pytest.mark.parametrize(
    ("fields", "new"),
    [
        pytest.param({"onset": "2025-06-01"}, True, id="on the day of the order"),
        pytest.param({"onset": "2025-03-03"}, True, id="90 days before the order"),
        pytest.param({"onset": "2025-03-02"}, False, id="91 days before the order"),
        pytest.param({"onset": days_ago(0)}, True, id="after the order counts as its day"),
    ],
)
@pytest.mark.parametrize("authored", ["2025-06-01", "2025-06-01T08:00:00Z", "2025-06"])
def test_today_is_the_day_of_the_order(authored, fields, new):
    """Today = the draft order's authoredOn date where it has one."""
    draft = order(MRI_LUMBAR_WO, reasons=(PAIN,), authoredOn=authored)
    decision = decide(draft, conditions=[condition(FRACTURE, **fields)])
    assert decision.facts["new_vcf"].value is new


def test_each_order_has_its_own_today():
    drafts = [
        order(MRI_LUMBAR_WO, reasons=(PAIN,), identifier="then", authoredOn="2025-06-01"),
        order(MRI_LUMBAR_WO, reasons=(PAIN,), identifier="now"),
    ]
    body = hook_request(*drafts, conditions=[condition(FRACTURE, onset="2025-05-01")])
    assert [d.facts["new_vcf"].value for d in post(body).decisions] == [True, False]


def test_the_age_is_that_of_the_day_of_the_order():
    """Pure: the same request gives the same answer, whatever the day."""
    draft = order(MRI_LUMBAR_WO, reasons=(WEDGE_FRACTURE_L1,), authoredOn=days_ago(1))
    assert decide(draft, patient=patient(50)).facts["vcf"].value is False


@pytest.mark.parametrize(
    ("encounter", "undated", "within_90_days", "before"),
    [
        pytest.param("A", True, True, False, id="A: initial encounter"),
        pytest.param("D", False, True, False, id="D: subsequent, routine healing"),
        pytest.param("G", False, True, False, id="G: subsequent, delayed healing"),
        pytest.param("K", False, True, False, id="K: subsequent, nonunion"),
        pytest.param("P", False, True, False, id="P: subsequent, malunion"),
        pytest.param("S", False, False, False, id="S: sequela"),
    ],
)
class TestSeventhCharacter:
    """D, G, K, P mean old unless the date is within 90 days; S always means old."""

    def test_of_a_condition(self, encounter, undated, within_90_days, before):
        code = (ICD, f"M80.08X{encounter}")
        assert is_new(code=code) is undated
        assert is_new(code=code, onset=days_ago(90)) is within_90_days
        assert is_new(code=code, onset=days_ago(91)) is before

    def test_of_a_past_condition(self, encounter, undated, within_90_days, before):
        code = (ICD, f"M80.08X{encounter}")
        assert not is_new(code=code, onset=days_ago(10), clinical="resolved")

    @pytest.mark.parametrize("code", ["M80.08X{}", "M8008X{}", "m80.08x{}"])
    def test_of_a_reason(self, encounter, undated, within_90_days, before, code):
        """A reason code is new unless its 7th character says otherwise."""
        assert new_not_old((ICD, code.format(encounter.lower()))) is undated
        assert new_not_old((ICD, code.format(encounter))) is undated


def test_a_reason_code_without_a_7th_character_is_new():
    assert new_not_old(FRACTURE)


# --- Observations, procedures, devices ------------------------------------------------------------

NO_SYMPTOMS = {"valueCodeableConcept": concept(ASYMPTOMATIC)}
SYMPTOM_STATUS = ("http://loinc.org", "75325-1")


@pytest.mark.parametrize(
    ("on", "counts"),
    [
        pytest.param(days_ago(0), True, id="today"),
        pytest.param(TOMORROW, True, id="tomorrow counts as today"),
        pytest.param(days_ago(90), True, id="90 days"),
        pytest.param(days_ago(91), False, id="91 days"),
    ],
)
@pytest.mark.parametrize("date_field", ["effectiveDateTime", "effectivePeriod", "issued"])
def test_observations_count_for_90_days(date_field, on, counts):
    when = {
        "effectiveDateTime": on,
        "effectivePeriod": {"start": on},
        "issued": f"{on}T08:00:00Z",
    }
    found = {**observation(SYMPTOM_STATUS, **NO_SYMPTOMS), date_field: when[date_field]}
    assert (fact("symptomatic", FRACTURE, observations=[found]) is False) is counts


@pytest.mark.parametrize(("days", "counts"), [(90, True), (91, False)])
def test_observations_count_for_90_days_whatever_they_say(days, counts):
    """What an Observation makes true it makes true for 90 days, too."""
    found = observation(SYMPTOM_STATUS, days_ago(days), valueCodeableConcept=concept(OSTEOPOROSIS))
    value = fact("osteoporotic", FRACTURE, observations=[found], patient=patient(45))
    assert (value is True) is counts


@pytest.mark.parametrize("status", ["entered-in-error", "cancelled"])
def test_an_observation_that_was_withdrawn_does_not_count(status):
    found = observation(SYMPTOM_STATUS, days_ago(1), status=status, **NO_SYMPTOMS)
    assert fact("symptomatic", FRACTURE, observations=[found]) is None


@pytest.mark.parametrize(
    ("values", "low"),
    [
        pytest.param([egfr(29, days_ago(365))], True, id="365 days"),
        pytest.param([egfr(29, days_ago(366))], False, id="366 days"),
        pytest.param([egfr(30, days_ago(1))], False, id="30"),
        pytest.param([egfr(29, days_ago(9)), egfr(60, days_ago(8))], False, id="the latest is 60"),
        pytest.param([egfr(60, days_ago(9)), egfr(29, days_ago(8))], True, id="the latest is 29"),
        pytest.param([egfr(29, TOMORROW)], True, id="tomorrow counts as today"),
    ],
)
def test_the_latest_egfr_within_365_days(values, low):
    draft = order(MRI_LUMBAR_WO_W, reasons=(FRACTURE, PAIN))
    assert ("gadolinium" in alerts(draft, observations=values)) is low
    assert ("gadolinium" in alerts(draft, observations=values[::-1])) is low


def test_two_equal_egfrs_are_told_in_the_same_way_in_either_order():
    """Pure: the order in which resources come decides nothing."""
    values = [egfr(20), egfr(20, days_ago(0))]
    draft = order(MRI_LUMBAR_WO_W, reasons=(FRACTURE, PAIN))
    told, other_way_round = (
        decide(draft, observations=listed).alerts for listed in (values, values[::-1])
    )
    assert told == other_way_round


@pytest.mark.parametrize(
    ("status", "counts"),
    [
        (None, True),
        ("completed", True),
        ("preparation", False),
        ("in-progress", False),
        ("not-done", False),
        ("on-hold", False),
        ("stopped", False),
        ("entered-in-error", False),
        ("unknown", False),
    ],
)
def test_procedure_status(status, counts):
    """A Procedure counts when its status is absent or completed."""
    done = procedure(VERTEBROPLASTY, status=status)
    assert fact("prior_vcf", FRACTURE, procedures=[done]) is counts
    assert fact("prior_spine_intervention", FRACTURE, procedures=[done]) is counts


@pytest.mark.parametrize(
    ("status", "counts"),
    [
        (None, True),
        ("active", True),
        ("unknown", True),
        ("inactive", False),
        ("entered-in-error", False),
    ],
)
def test_device_status(status, counts):
    """A Device counts unless it is inactive or entered-in-error."""
    draft = order(MRI_LUMBAR_WO, reasons=(FRACTURE, PAIN))
    implant = device(PACEMAKER, status=status)
    assert ("mri-implant" in alerts(draft, devices=[implant])) is counts


# --- Malignancy -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "counts"),
    [
        pytest.param((ICD, "C50.911"), True, id="breast cancer"),
        pytest.param((ICD, "c50911"), True, id="breast cancer, without dot or capitals"),
        pytest.param((ICD, "C00.0"), True, id="first of the chapter"),
        pytest.param((ICD, "C61"), True, id="prostate cancer, three characters"),
        pytest.param((ICD, "C90.00"), True, id="myeloma"),
        pytest.param((ICD, "C96.9"), True, id="last of the chapter"),
        pytest.param((ICD, "C43.9"), True, id="melanoma"),
        pytest.param((ICD, "C4A.9"), True, id="Merkel cell carcinoma"),
        pytest.param((ICD, "C7A.00"), True, id="carcinoid"),
        pytest.param((ICD, "C7B.03"), True, id="carcinoid, secondary"),
        pytest.param((ICD, "C79.51"), True, id="bone metastasis"),
        pytest.param((ICD, "Z85.3"), True, id="history of breast cancer"),
        pytest.param((ICD, "Z85.820"), True, id="history of melanoma"),
        pytest.param((ICD, "M84.58XA"), True, id="neoplastic fracture"),
        pytest.param((ICD, "M84.551A"), True, id="neoplastic fracture of the femur"),
        pytest.param((SCT, "363346000"), True, id="malignant neoplastic disease"),
        pytest.param((SCT, "94602001"), True, id="metastasis to vertebral column"),
        pytest.param((ICD, "C44"), False, id="skin cancer, three characters"),
        pytest.param((ICD, "C44.91"), False, id="basal cell carcinoma"),
        pytest.param((ICD, "Z85.828"), False, id="history of skin cancer"),
        pytest.param((ICD, "D05.10"), False, id="in situ"),
        pytest.param((ICD, "D24.1"), False, id="benign"),
        pytest.param((ICD, "D47.2"), False, id="MGUS"),
        pytest.param((ICD, "Z80.3"), False, id="family history"),
        pytest.param((ICD, "Z12.31"), False, id="screening"),
        pytest.param((ICD, "Z03.89"), False, id="suspected, ruled out"),
        pytest.param((SCT, "429740004"), False, id="family history, SNOMED CT"),
        pytest.param((SCT, "868252007"), False, id="suspected, SNOMED CT"),
        pytest.param((SCT, "254701007"), False, id="basal cell carcinoma, SNOMED CT"),
    ],
)
def test_what_is_a_malignancy(code, counts):
    """Family history, screening, suspected, benign, in situ and non-melanoma skin are none."""
    assert fact("malignancy", FRACTURE, conditions=[condition(code)]) is counts
    assert fact("malignancy", FRACTURE, code) is counts


def look_alikes() -> list[tuple[str, str]]:
    file = ROOT / "mappings/value-sets/malignancy-look-alikes.json"
    included = json.loads(file.read_text("utf-8"))["compose"]["include"]
    return [(i["system"], c["code"]) for i in included for c in i.get("concept", [])]


def test_no_look_alike_is_a_malignancy():
    conditions = [condition(code, identifier=f"c{i}") for i, code in enumerate(look_alikes())]
    assert len(conditions) > 300
    assert fact("malignancy", FRACTURE, conditions=conditions) is False


def test_the_cancer_of_a_relative_is_not_the_patients():
    """Family history is no malignancy: an Observation is no Condition of the patient."""
    family = observation(
        ("http://loinc.org", "54116-9"),
        days_ago(5),
        valueCodeableConcept=concept(BREAST_CANCER),
    )
    assert fact("malignancy", FRACTURE, observations=[family]) is False


# --- Fractures that count in some patients --------------------------------------------------------

TYPE_NOT_STATED = {"lumbar spine": FRACTURE_TYPE_NOT_STATED, "ICD-10-CM": (ICD, "S32.018A")}
WEDGES = {
    "lumbar": WEDGE_FRACTURE_L1,
    "thoracic": (ICD, "S22.000A"),
    "SNOMED CT": (SCT, "207959006"),
}
FRAGILE = {
    "osteoporosis": OSTEOPOROSIS,
    "osteoporosis with a fracture of the femur": (ICD, "M80.051A"),
    "an osteoporotic fracture of a bone": (SCT, "443165006"),
    "malignancy": BREAST_CANCER,
    "history of malignancy": (ICD, "Z85.3"),
}


def table(rows: dict) -> dict:
    return {"argvalues": rows.values(), "ids": rows.keys()}


@pytest.mark.parametrize(("age", "counts"), [(18, False), (49, False), (50, True), (90, True)])
@pytest.mark.parametrize("code", **table(WEDGES))
def test_a_traumatic_wedge_under_50(code, age, counts):
    """In a patient under 50 no VCF for us: high-energy trauma in the young is left out."""
    assert fact("vcf", code, patient=patient(age)) is counts
    assert fact("vcf", conditions=[condition(code)], patient=patient(age)) is counts


@pytest.mark.parametrize("fragile", **table(FRAGILE))
@pytest.mark.parametrize("code", **table(WEDGES))
def test_a_traumatic_wedge_under_50_with_osteoporosis_or_malignancy(code, fragile):
    """... without coded osteoporosis or malignancy."""
    assert fact("vcf", code, conditions=[condition(fragile)], patient=patient(30)) is True
    assert fact("vcf", code, fragile, patient=patient(30)) is True


@pytest.mark.parametrize(("age", "counts"), [(30, False), (64, False), (65, True), (90, True)])
@pytest.mark.parametrize("code", **table(TYPE_NOT_STATED))
def test_a_fracture_of_unstated_type_from_65(code, age, counts):
    """Counts as a VCF when the patient is 65 or older."""
    assert fact("vcf", code, patient=patient(age)) is counts
    assert fact("vcf", conditions=[condition(code)], patient=patient(age)) is counts


@pytest.mark.parametrize("fragile", **table(FRAGILE))
@pytest.mark.parametrize("code", **table(TYPE_NOT_STATED))
def test_a_fracture_of_unstated_type_with_osteoporosis_or_malignancy(code, fragile):
    """Counts as a VCF when osteoporosis or a malignancy is coded."""
    assert fact("vcf", code, conditions=[condition(fragile)], patient=patient(30)) is True


@pytest.mark.parametrize("code", [WEDGE_FRACTURE_L1, FRACTURE_TYPE_NOT_STATED])
@pytest.mark.parametrize(
    "chart",
    [
        pytest.param({"without": ("patient",)}, id="Patient not supplied"),
        pytest.param({"patient": patient(age=None)}, id="no birth date"),
        pytest.param({"patient": patient(30), "without": ("conditions",)}, id="no Conditions"),
    ],
)
def test_a_doubtful_fracture_without_the_data_that_decide(code, chart):
    """Data not supplied makes a fact unknown, never false."""
    assert fact("vcf", code, **chart) is None


def test_a_fracture_that_needs_no_further_data_counts_at_any_age():
    assert fact("vcf", FRACTURE, patient=patient(20)) is True


@pytest.mark.parametrize(
    ("site", "counts"),
    [
        pytest.param("122496007", True, id="lumbar vertebral column"),
        pytest.param("421060004", True, id="vertebral column"),
        pytest.param("71341001", False, id="femur"),
        pytest.param(None, False, id="no site"),
    ],
)
@pytest.mark.parametrize("code", ["443395009", "443165006", "268029009", "134421000", "203449003"])
def test_a_fracture_whose_bone_is_not_stated(code, site, counts):
    """Counts only with a spine bodySite."""
    sites = [concept((SCT, site))] if site else None
    assert fact("vcf", conditions=[condition((SCT, code), bodySite=sites)]) is counts


@pytest.mark.parametrize("code", [PAIN, (ICD, "M80.051A"), OSTEOPOROSIS])
def test_a_spine_body_site_makes_no_fracture_of_anything_else(code):
    spine = [concept((SCT, "421060004"))]
    assert fact("vcf", conditions=[condition(code, bodySite=spine)]) is False


@pytest.mark.parametrize(
    "code",
    [
        pytest.param((ICD, "M48.56XA"), id="collapsed vertebra"),
        pytest.param((ICD, "M80.08XA"), id="osteoporotic, other site"),
        pytest.param((ICD, "M80.88XA"), id="other osteoporosis, other site"),
        pytest.param((ICD, "M84.48XA"), id="pathologic, other site"),
        pytest.param((ICD, "M84.58XA"), id="neoplastic, other site"),
        pytest.param((ICD, "M84.68XA"), id="in other disease, other site"),
    ],
)
def test_a_compression_fracture_of_icd_10_cm(code):
    assert fact("vcf", code, patient=patient(40)) is True


@pytest.mark.parametrize(
    "code",
    [
        pytest.param((ICD, "S32.011A"), id="burst, stable"),
        pytest.param((ICD, "S32.012A"), id="burst, unstable"),
        pytest.param((ICD, "S32.010B"), id="open"),
        pytest.param((ICD, "S12.100A"), id="cervical, type not stated"),
        pytest.param((ICD, "S32.10XA"), id="sacrum"),
        pytest.param((ICD, "M80.051A"), id="osteoporotic, femur"),
        pytest.param((ICD, "M84.551A"), id="neoplastic, femur"),
        pytest.param((ICD, "M48.46XA"), id="fatigue"),
        pytest.param((SCT, "1734006"), id="with cord injury"),
        pytest.param((ICD, "Z87.310"), id="history of an osteoporotic fracture of any bone"),
    ],
)
def test_a_fracture_that_does_not_count(code):
    assert fact("vcf", conditions=[condition(code)]) is False


# --- Supplied -------------------------------------------------------------------------------------

CANCER = condition(BREAST_CANCER)
NEXT = {"link": [{"relation": "next", "url": "https://ehr.example.org/page2"}]}
SELF = {"link": [{"relation": "self", "url": "https://ehr.example.org/page1"}]}
FAILED = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "timeout"}]}


def asked_with(**prefetch) -> bool | None:
    """Fact malignancy with this prefetch in place of the usual."""
    body = hook_request(order(MRI_LUMBAR_WO, reasons=(FRACTURE,)), without=("conditions",))
    body["prefetch"].update(prefetch)
    (decision,) = post(body).decisions
    return decision.facts["malignancy"].value


@pytest.mark.parametrize(
    ("prefetch", "value"),
    [
        pytest.param({}, None, id="key not sent"),
        pytest.param({"conditions": bundle([])}, False, id="an empty Bundle is supplied"),
        pytest.param(
            {"conditions": {"resourceType": "Bundle", "type": "searchset", "total": 0}},
            False,
            id="a Bundle without entry",
        ),
        pytest.param({"conditions": None}, False, id="null: sent, and there is nothing"),
        pytest.param({"conditions": bundle([CANCER])}, True, id="a Bundle with the Condition"),
        pytest.param({"conditions": CANCER}, True, id="the one Condition itself"),
        pytest.param({"conditions": bundle([bundle([CANCER])])}, True, id="a Bundle in a Bundle"),
        pytest.param({"conditions": bundle([], **SELF)}, False, id="the only page"),
        pytest.param({"conditions": bundle([], **NEXT)}, None, id="a next page: never false"),
        pytest.param({"conditions": bundle([CANCER], **NEXT)}, True, id="a next page: may be true"),
        pytest.param({"conditions": FAILED}, None, id="the EHR could not supply it"),
        pytest.param({"problems": bundle([condition(PAIN)])}, False, id="under another key"),
        pytest.param({"problems": bundle([condition(PAIN)], **NEXT)}, None, id="same, next page"),
        pytest.param(
            {"conditions": bundle([]), "problems": bundle([condition(PAIN)], **NEXT)},
            None,
            id="one key in full, one in part",
        ),
    ],
)
def test_supplied(prefetch, value):
    """Supplied = the client sent the key. Not supplied is unknown, never false; a Bundle with a
    next page may prove true, never false.
    """
    assert asked_with(**prefetch) is value


@pytest.mark.parametrize("key", ["conditions", "procedures"])
@pytest.mark.parametrize("name", ["prior_vcf", "prior_spine_intervention"])
def test_a_next_page_of_either_kind_of_data_leaves_a_fact_unknown(name, key):
    body = hook_request(order(MRI_LUMBAR_WO, reasons=(FRACTURE,)))
    body["prefetch"][key].update(NEXT)
    (decision,) = post(body).decisions
    assert decision.facts[name].value is None


UNREADABLE = {
    "another patient's": {"subject": {"reference": "Patient/other"}},
    "invalid": {"onsetDateTime": "last year"},
}


@pytest.mark.parametrize("fields", **table(UNREADABLE))
def test_a_condition_that_cannot_be_read_proves_nothing(fields):
    """Neither true nor false: what is left out was not supplied."""
    unread = {**condition(BREAST_CANCER), **fields}
    assert fact("malignancy", FRACTURE, conditions=[unread]) is None
