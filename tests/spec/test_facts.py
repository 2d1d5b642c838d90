"""Decision rules, section 3: each fact, and each way for it to be true, false or unknown."""

import json
import shutil

import pytest

from cds_service.decision.topic import Topic
from cds_service.hook import answer_hook
from cds_service.hook_call import HookCall
from cds_service.mappings import load
from tests.small_world import (
    ASYMPTOMATIC,
    BREAST_CANCER,
    CAUDA_EQUINA,
    CHRONIC_PAIN,
    CPT,
    FRACTURE,
    FRACTURE_L3,
    FRACTURE_T12,
    FRACTURE_TYPE_NOT_STATED,
    HYPERTENSION,
    ICD,
    KYPHOSIS,
    LEG_PARESIS,
    LOINC,
    LOW_BACK_PAIN,
    LUMBAR_FRACTURE,
    LUMBAR_FUSION,
    MRI_LUMBAR_WO,
    NEOPLASTIC_FRACTURE,
    OLD_FRACTURE,
    OSTEOPOROSIS,
    OSTEOPOROTIC_FRACTURE,
    PAIN,
    ROOT,
    SCT,
    SERVICE,
    SPINE_METASTASIS,
    THORACIC_FRACTURE,
    THORACIC_PAIN,
    TODAY,
    VERTEBROPLASTY,
    WEDGE_FRACTURE_L1,
    as_sent,
    ask,
    concept,
    condition,
    days_ago,
    decide,
    fact,
    hook_request,
    observation,
    order,
    patient,
    procedure,
    said,
)

CERVICAL_FRACTURE = (ICD, "M48.52XA")
THORACOLUMBAR_FRACTURE = (ICD, "M48.55XA")
LUMBAR_COLLAPSE = (SCT, "308758008")
NECK_PAIN = (SCT, "81680005")
CERVICAL_RADICULOPATHY = (SCT, "54404000")
CERVICAL_FUSION = (SCT, "81099000")
SPINAL_FUSION = (SCT, "55705006")  # region not stated
KYPHOPLASTY_THORACIC = (CPT, "22513")
POSTLAMINECTOMY_SYNDROME = (ICD, "M96.1")
BONE_METASTASIS = (ICD, "C79.51")
MYELOMA = (ICD, "C90.00")
RESTRICTIVE_LUNG_DISEASE = (SCT, "36485005")
HEALED = days_ago(91)
NO_CONDITIONS = ("conditions",)
NO_PROCEDURES = ("procedures",)


def case(situation: str, value: bool | None, *reasons: tuple[str, str], **chart):
    """One line of a table: the situation in words, the fact's value, the reasons, the chart."""
    return pytest.param(value, reasons, chart, id=situation)


def facts_of(*cases):
    return pytest.mark.parametrize(("value", "reasons", "chart"), cases)


def seen(coding: tuple[str, str], on: str) -> dict:
    """An Observation with this finding as its value."""
    return observation((LOINC, "75325-1"), on, valueCodeableConcept=concept(coding))


@facts_of(
    case("a reason", True, FRACTURE),
    case("a Condition", True, conditions=[condition(FRACTURE)]),
    case("an old Condition", True, conditions=[OLD_FRACTURE]),
    case("a past Condition", True, conditions=[condition(FRACTURE, clinical="resolved")]),
    case("a reason, no Conditions supplied", True, FRACTURE, without=NO_CONDITIONS),
    case("Conditions supplied, none", False, PAIN),
    case("Conditions supplied, others", False, conditions=[condition(OSTEOPOROSIS)]),
    case("Conditions not supplied", None, PAIN, without=NO_CONDITIONS),
    case("Observations prove none", False, PAIN, observations=[seen(FRACTURE, days_ago(1))]),
)
def test_vcf(value, reasons, chart):
    """True: a reason, or any Condition, is a VCF. False: Conditions supplied, none."""
    assert fact("vcf", *reasons, **chart) is value


@facts_of(
    case("spine pain", True, FRACTURE, PAIN),
    case("radiculopathy", True, FRACTURE, (ICD, "M54.16")),
    case("neurologic deficit", True, FRACTURE, LEG_PARESIS),
    case("cauda equina", True, FRACTURE, CAUDA_EQUINA),
    case("cord compression", True, FRACTURE, (ICD, "G95.20")),
    case("a new Condition", True, FRACTURE, conditions=[condition(PAIN)]),
    case(
        "a Condition of 90 days", True, FRACTURE, conditions=[condition(PAIN, onset=days_ago(90))]
    ),
    case("an old Condition", None, FRACTURE, conditions=[condition(PAIN, onset=HEALED)]),
    case("a past Condition", None, FRACTURE, conditions=[condition(PAIN, clinical="resolved")]),
    case("an old deficit", None, FRACTURE, conditions=[condition(LEG_PARESIS, onset=HEALED)]),
    case("an Observation", None, FRACTURE, observations=[seen(PAIN, days_ago(1))]),
    case("chronic pain alone", None, FRACTURE, CHRONIC_PAIN),
    case("chronic pain, a Condition", None, FRACTURE, conditions=[condition(CHRONIC_PAIN)]),
    case("nothing said", None, FRACTURE),
    case("pain and no symptoms", True, FRACTURE, PAIN, ASYMPTOMATIC),
    case("no symptoms: a reason", False, FRACTURE, ASYMPTOMATIC),
    case("no symptoms: a Condition", False, FRACTURE, conditions=[condition(ASYMPTOMATIC)]),
    case(
        "no symptoms: a current Condition of long ago",
        False,
        FRACTURE,
        conditions=[condition(ASYMPTOMATIC, onset=days_ago(400))],
    ),
    case(
        "no symptoms: a past Condition",
        None,
        FRACTURE,
        conditions=[condition(ASYMPTOMATIC, clinical="resolved")],
    ),
    case(
        "no symptoms: Observation", False, FRACTURE, observations=[seen(ASYMPTOMATIC, days_ago(9))]
    ),
    case("chronic pain and no symptoms", False, FRACTURE, CHRONIC_PAIN, ASYMPTOMATIC),
    case(
        "pain of long ago, no symptoms now",
        False,
        FRACTURE,
        ASYMPTOMATIC,
        conditions=[condition(PAIN, onset=HEALED)],
    ),
)
def test_symptomatic(value, reasons, chart):
    """True: a reason, or a new Condition, is a symptom. False: not true, and said asymptomatic."""
    assert fact("symptomatic", *reasons, **chart) is value


@facts_of(
    case("lumbar fracture, low back pain", True, LUMBAR_FRACTURE, LOW_BACK_PAIN),
    case("lumbar fracture, pain of no region", True, LUMBAR_FRACTURE, PAIN),
    case("fracture of no region, neck pain", True, FRACTURE, NECK_PAIN),
    case("lumbar fracture, neck pain", None, LUMBAR_FRACTURE, NECK_PAIN),
    case("lumbar fracture, thoracic pain", None, LUMBAR_FRACTURE, THORACIC_PAIN),
    case("L1, thoracic pain", True, WEDGE_FRACTURE_L1, THORACIC_PAIN),
    case("T12, low back pain", True, FRACTURE_T12, LOW_BACK_PAIN),
    case("L3, thoracic pain", None, FRACTURE_L3, THORACIC_PAIN),
    case("thoracolumbar, low back pain", True, THORACOLUMBAR_FRACTURE, LOW_BACK_PAIN),
    case("elsewhere and here", True, LUMBAR_FRACTURE, NECK_PAIN, LOW_BACK_PAIN),
    case("elsewhere, and no symptoms", False, LUMBAR_FRACTURE, NECK_PAIN, ASYMPTOMATIC),
    case("elsewhere: a Condition", None, LUMBAR_FRACTURE, conditions=[condition(NECK_PAIN)]),
    case("lumbar fracture, cervical radiculopathy", None, LUMBAR_FRACTURE, CERVICAL_RADICULOPATHY),
    case("lumbar fracture, lumbar radiculopathy", True, LUMBAR_FRACTURE, (ICD, "M54.16")),
    case("lumbar fracture, weak leg", True, LUMBAR_FRACTURE, LEG_PARESIS),
    case(
        "the pain of an old fracture's region",
        None,
        LUMBAR_FRACTURE,
        NECK_PAIN,
        conditions=[condition(CERVICAL_FRACTURE, onset=days_ago(400))],
    ),
    case(
        "two new fractures, pain of one",
        True,
        LUMBAR_FRACTURE,
        NECK_PAIN,
        conditions=[condition(CERVICAL_FRACTURE)],
    ),
    case(
        "only an old fracture, elsewhere",
        True,
        NECK_PAIN,
        conditions=[condition(LUMBAR_FRACTURE, onset=days_ago(400))],
    ),
    case(
        "only an old fracture, radiculopathy elsewhere",
        True,
        CERVICAL_RADICULOPATHY,
        conditions=[condition(LUMBAR_FRACTURE, onset=days_ago(400))],
    ),
    case(
        "an old fracture as the reason, elsewhere",
        None,
        (ICD, "M48.56XD"),
        (ICD, "S32.030D"),
        NECK_PAIN,
    ),
)
def test_symptomatic_by_region(value, reasons, chart):
    """Pain or radiculopathy whose coded region does not touch that of the new fracture, or of one
    that is a reason, does not count; where every fracture is old, pain anywhere counts.
    """
    assert fact("symptomatic", *reasons, **chart) is value


@facts_of(
    case("a reason", True, FRACTURE, BREAST_CANCER),
    case("a Condition", True, FRACTURE, conditions=[condition(BREAST_CANCER)]),
    case(
        "a Condition of long ago",
        True,
        FRACTURE,
        conditions=[condition(BREAST_CANCER, onset="1999")],
    ),
    case(
        "a past Condition",
        True,
        FRACTURE,
        conditions=[condition(BREAST_CANCER, clinical="remission")],
    ),
    case("a history of one", True, FRACTURE, conditions=[condition((ICD, "Z85.3"))]),
    case("a neoplastic fracture implies one", True, NEOPLASTIC_FRACTURE),
    case("a neoplastic fracture, ICD-10-CM", True, (ICD, "M84.58XA")),
    case("a metastasis", True, FRACTURE, SPINE_METASTASIS),
    case("a reason, no Conditions", True, FRACTURE, BREAST_CANCER, without=NO_CONDITIONS),
    case("Conditions supplied, none", False, FRACTURE),
    case("Conditions not supplied", None, FRACTURE, without=NO_CONDITIONS),
    case(
        "the value of an Observation",
        False,
        FRACTURE,
        observations=[seen(BREAST_CANCER, days_ago(1))],
    ),
)
def test_malignancy(value, reasons, chart):
    """True: a reason, or any Condition current or past. False: Conditions supplied, none."""
    assert fact("malignancy", *reasons, **chart) is value


@facts_of(
    case("an old VCF", True, FRACTURE, conditions=[OLD_FRACTURE]),
    case("a past VCF", True, FRACTURE, conditions=[condition(FRACTURE, clinical="resolved")]),
    case("a sequela as the reason", True, (ICD, "M48.56XS")),
    case("a new VCF", False, FRACTURE, conditions=[condition(FRACTURE)]),
    case("a vertebroplasty", True, FRACTURE, procedures=[procedure(VERTEBROPLASTY)]),
    case("a kyphoplasty, CPT", True, FRACTURE, procedures=[procedure(KYPHOPLASTY_THORACIC)]),
    case("an add-on code", True, FRACTURE, procedures=[procedure((CPT, "22515"))]),
    case("surgery on the spine", False, FRACTURE, procedures=[procedure(LUMBAR_FUSION)]),
    case("a vertebroplasty as the reason", False, FRACTURE, VERTEBROPLASTY),
    case("VCFs of two levels", True, WEDGE_FRACTURE_L1, FRACTURE_L3),
    case("VCFs of two regions", True, LUMBAR_FRACTURE, THORACIC_FRACTURE),
    case("levels of two regions", True, FRACTURE_T12, WEDGE_FRACTURE_L1),
    case("a level, and another region", True, FRACTURE_L3, THORACIC_FRACTURE),
    case(
        "a reason and a Condition of two regions",
        True,
        LUMBAR_FRACTURE,
        conditions=[condition(CERVICAL_FRACTURE)],
    ),
    case("three, two of one region", True, LUMBAR_FRACTURE, LUMBAR_COLLAPSE, THORACIC_FRACTURE),
    case("the same level twice", False, WEDGE_FRACTURE_L1, (ICD, "S32.018A")),
    case("the same region twice", False, LUMBAR_FRACTURE, LUMBAR_COLLAPSE),
    case("a level and its region", False, FRACTURE_L3, LUMBAR_FRACTURE),
    case("a level at a junction and its region", False, WEDGE_FRACTURE_L1, LUMBAR_FRACTURE),
    case(
        "two levels, with the bodySite of both",
        True,
        conditions=[
            condition(level, bodySite=[concept((SCT, "122496007"))])
            for level in (WEDGE_FRACTURE_L1, FRACTURE_L3)
        ],
    ),
    case("a region and one not stated", False, LUMBAR_FRACTURE, FRACTURE),
    case("none", False, FRACTURE),
    case(
        "old VCF, Procedures not supplied", True, conditions=[OLD_FRACTURE], without=NO_PROCEDURES
    ),
    case("Procedures not supplied", None, FRACTURE, without=NO_PROCEDURES),
    case("Conditions not supplied", None, FRACTURE, without=NO_CONDITIONS),
)
def test_prior_vcf(value, reasons, chart):
    """True: an old VCF, an augmentation in Procedures, or VCFs of two different stated levels or
    regions. False: Conditions and Procedures supplied, none.
    """
    assert fact("prior_vcf", *reasons, **chart) is value


@facts_of(
    case("an augmentation", True, FRACTURE, procedures=[procedure(VERTEBROPLASTY)]),
    case("surgery on the spine", True, FRACTURE, procedures=[procedure(SPINAL_FUSION)]),
    case("a state after it", True, FRACTURE, conditions=[condition(POSTLAMINECTOMY_SYNDROME)]),
    case("same region", True, LUMBAR_FRACTURE, procedures=[procedure(LUMBAR_FUSION)]),
    case("its region not stated", True, LUMBAR_FRACTURE, procedures=[procedure(SPINAL_FUSION)]),
    case("the fracture's not stated", True, FRACTURE, procedures=[procedure(CERVICAL_FUSION)]),
    case("another region", False, LUMBAR_FRACTURE, procedures=[procedure(CERVICAL_FUSION)]),
    case(
        "an augmentation of another region",
        False,
        LUMBAR_FRACTURE,
        procedures=[procedure(KYPHOPLASTY_THORACIC)],
    ),
    case(
        "thoracic, and the fracture is L1",
        True,
        WEDGE_FRACTURE_L1,
        procedures=[procedure(KYPHOPLASTY_THORACIC)],
    ),
    case(
        "a bodySite of another region",
        False,
        LUMBAR_FRACTURE,
        procedures=[procedure(SPINAL_FUSION, bodySite=[concept((SCT, "122494005"))])],
    ),
    case(
        "elsewhere and here",
        True,
        LUMBAR_FRACTURE,
        procedures=[procedure(CERVICAL_FUSION), procedure(LUMBAR_FUSION)],
    ),
    case(
        "the region of an old fracture",
        False,
        LUMBAR_FRACTURE,
        conditions=[condition(CERVICAL_FRACTURE, onset=days_ago(400))],
        procedures=[procedure(CERVICAL_FUSION)],
    ),
    case("an augmentation as the reason, to be done", False, FRACTURE, VERTEBROPLASTY),
    case("any joint fused", False, FRACTURE, conditions=[condition((ICD, "Z98.1"))]),
    case("an old fracture is none", False, FRACTURE, conditions=[OLD_FRACTURE]),
    case("none", False, FRACTURE),
    case(
        "elsewhere, Procedures not supplied",
        None,
        LUMBAR_FRACTURE,
        conditions=[condition((SCT, "202723000"))],
        without=NO_PROCEDURES,
    ),
    case("Procedures not supplied", None, FRACTURE, without=NO_PROCEDURES),
    case("Conditions not supplied", None, FRACTURE, without=NO_CONDITIONS),
)
def test_prior_spine_intervention(value, reasons, chart):
    """True: an augmentation, or surgery on the spine, unless its coded region is another than the
    fracture's. False: Conditions and Procedures supplied, none.
    """
    assert fact("prior_spine_intervention", *reasons, **chart) is value


MAN_OF = {age: patient(age, "male") for age in (64, 65)}
WOMAN_OF = {age: patient(age) for age in (40, 49, 50)}


@facts_of(
    case("osteoporosis", True, FRACTURE, OSTEOPOROSIS, patient=WOMAN_OF[40]),
    case(
        "osteoporosis, a Condition",
        True,
        FRACTURE,
        conditions=[condition((ICD, "M81.0"), onset="2001")],
        patient=WOMAN_OF[40],
    ),
    case("osteoporotic fracture", True, OSTEOPOROTIC_FRACTURE, patient=WOMAN_OF[40]),
    case("osteoporotic fracture, ICD-10-CM", True, (ICD, "M80.08XA"), patient=WOMAN_OF[40]),
    case("coded, with a malignancy", True, OSTEOPOROTIC_FRACTURE, BREAST_CANCER),
    case("coded, of trauma", True, WEDGE_FRACTURE_L1, OSTEOPOROSIS),
    case("presumed: woman of 50", True, FRACTURE, patient=WOMAN_OF[50]),
    case("not presumed: woman of 49", None, FRACTURE, patient=WOMAN_OF[49]),
    case("presumed: man of 65", True, FRACTURE, patient=MAN_OF[65]),
    case("not presumed: man of 64", None, FRACTURE, patient=MAN_OF[64]),
    case("presumed: 65, sex not known", True, FRACTURE, patient=patient(65, None)),
    case("not presumed: 64, sex not known", None, FRACTURE, patient=patient(64, None)),
    case("not presumed: 64, another sex", None, FRACTURE, patient=patient(64, "other")),
    case("not presumed: age not known", None, FRACTURE, patient=patient(None)),
    case("not presumed: Patient not supplied", None, FRACTURE, without=("patient",)),
    case("not presumed: malignancy", None, FRACTURE, BREAST_CANCER),
    case("not presumed: malignancy not known", None, FRACTURE, without=NO_CONDITIONS),
    case(
        "presumed: malignancy denied",
        True,
        FRACTURE,
        said("malignancy", "no"),
        without=NO_CONDITIONS,
    ),
    case("not presumed: traumatic", None, WEDGE_FRACTURE_L1),
    case("not presumed: traumatic, type not stated", None, (ICD, "S32.018A")),
    case("not presumed: traumatic too", None, FRACTURE, WEDGE_FRACTURE_L1),
    case("not presumed: neoplastic", None, NEOPLASTIC_FRACTURE),
    case("presumed: type and cause not stated", True, FRACTURE_TYPE_NOT_STATED),
    case("not presumed: no fracture", None, PAIN),
    case("never false by the data", None, FRACTURE, patient=WOMAN_OF[40]),
)
def test_osteoporotic(value, reasons, chart):
    """Coded, or presumed from age and sex where malignancy is false; never false by the data."""
    assert fact("osteoporotic", *reasons, **chart) is value


@pytest.mark.parametrize(
    ("reasons", "how"),
    [
        pytest.param((FRACTURE,), "presumed", id="presumed"),
        pytest.param((FRACTURE, OSTEOPOROSIS), "coded", id="coded"),
        pytest.param((FRACTURE, said("osteoporotic", "yes")), "answered", id="answered"),
    ],
)
def test_osteoporotic_says_that_it_is_presumed(reasons, how):
    """The card says that it is presumed."""
    assert decide(order(MRI_LUMBAR_WO, reasons=reasons)).facts["osteoporotic"].how == how


def test_a_neoplastic_fracture_is_not_presumed_osteoporotic_though_no_malignancy_is_coded():
    """The VCF is coded neither traumatic nor neoplastic: 203449003 implies no malignancy, and
    excludes none.
    """
    spine = [concept((SCT, "421060004"))]
    fracture = condition((SCT, "203449003"), bodySite=spine)
    assert fact("malignancy", conditions=[fracture]) is None
    assert fact("osteoporotic", conditions=[fracture]) is None


@facts_of(
    case("a neoplastic fracture", True, NEOPLASTIC_FRACTURE),
    case("a neoplastic fracture, ICD-10-CM", True, (ICD, "M84.58XA")),
    case(
        "an old neoplastic fracture",
        True,
        conditions=[condition(NEOPLASTIC_FRACTURE, onset=HEALED)],
    ),
    case("a VCF, and a metastasis to the spine", True, FRACTURE, SPINE_METASTASIS),
    case("the metastasis: a Condition", True, FRACTURE, conditions=[condition(SPINE_METASTASIS)]),
    case("osteoporotic, metastasis to the spine", True, OSTEOPOROTIC_FRACTURE, SPINE_METASTASIS),
    case("a metastasis without a VCF", None, SPINE_METASTASIS),
    case("no malignancy", False, FRACTURE),
    case(
        "no malignancy, an answer", False, FRACTURE, said("malignancy", "no"), without=NO_CONDITIONS
    ),
    case("malignancy not known", None, FRACTURE, without=NO_CONDITIONS),
    case("a malignancy, and any fracture", None, FRACTURE, BREAST_CANCER),
    case("a malignancy, and osteoporosis", None, FRACTURE, BREAST_CANCER, OSTEOPOROSIS),
    case("a malignancy, and osteoporotic", False, OSTEOPOROTIC_FRACTURE, BREAST_CANCER),
    case("a malignancy, and M80.08", False, (ICD, "M80.08XA"), BREAST_CANCER),
    case(
        "only an old fracture was osteoporotic",
        None,
        FRACTURE,
        BREAST_CANCER,
        conditions=[condition(OSTEOPOROTIC_FRACTURE, onset=days_ago(400))],
    ),
    case(
        "the metastasis: an Observation",
        True,
        FRACTURE,
        observations=[seen(SPINE_METASTASIS, days_ago(1))],
    ),
    case("osteoporotic, bone metastasis", None, OSTEOPOROTIC_FRACTURE, BONE_METASTASIS),
    case(
        "osteoporotic, bone metastasis, SNOMED CT", None, OSTEOPOROTIC_FRACTURE, (SCT, "94222008")
    ),
    case("osteoporotic, myeloma", None, OSTEOPOROTIC_FRACTURE, MYELOMA),
    case("osteoporotic, myeloma, SNOMED CT", None, OSTEOPOROTIC_FRACTURE, (SCT, "109989006")),
    case("bone, not which", None, FRACTURE, BONE_METASTASIS),
    case(
        "osteoporotic, Conditions not supplied", None, OSTEOPOROTIC_FRACTURE, without=NO_CONDITIONS
    ),
    case(
        "a provisional metastasis",
        False,
        FRACTURE,
        conditions=[condition(SPINE_METASTASIS, verification="provisional")],
    ),
)
def test_pathologic(value, reasons, chart):
    """True: a VCF code that says neoplastic, or a VCF with a metastasis to the vertebral column.
    False: malignancy is false; or the VCF code says osteoporotic, and no bone metastasis and no
    myeloma is coded.
    """
    assert fact("pathologic", *reasons, **chart) is value


@facts_of(
    case("a yes", True, FRACTURE, said("edema_or_cleft", "yes")),
    case("a no", False, FRACTURE, said("edema_or_cleft", "no")),
    case("all data supplied", None, FRACTURE),
    case("bone marrow edema of another code", None, FRACTURE, (ICD, "M89.8X8")),
)
def test_edema_or_cleft(value, reasons, chart):
    """True or false by an answer code; no standard code exists."""
    assert fact("edema_or_cleft", *reasons, **chart) is value


HOSPITAL_EDEMA = (ICD, "M89.8X8")


@pytest.fixture(scope="module")
def hospital(tmp_path_factory) -> Topic:
    """The shipped mappings, and a ValueSet of a hospital that codes edema in its own way."""
    copy = shutil.copytree(ROOT / "mappings", tmp_path_factory.mktemp("hospital") / "mappings")
    value_set = {
        "resourceType": "ValueSet",
        "url": "urn:vcf-appropriateness:value-set:bone-marrow-edema-or-cleft",
        "status": "active",
        "compose": {
            "include": [
                {"system": ICD, "concept": [{"code": HOSPITAL_EDEMA[1], "display": "Edema"}]}
            ]
        },
    }
    (copy / "value-sets/hospital-edema.json").write_text(json.dumps(value_set), "utf-8")
    return load(copy)[SERVICE]


def edema_at(hospital: Topic, *reasons, **chart) -> bool | None:
    """Fact edema_or_cleft, as a service with the hospital's mappings sees it."""
    body = hook_request(order(MRI_LUMBAR_WO, reasons=(FRACTURE, *reasons)), **chart)
    prefetch = as_sent(body["prefetch"])
    call = HookCall("order-sign", "instance", body["context"], prefetch, TODAY, "https://cds")
    (decision,) = answer_hook(call, hospital).decisions
    return decision.facts["edema_or_cleft"].value


def test_edema_by_a_code_of_the_hospitals_own_map(hospital):
    """A code of the hospital's own map says so, whatever was answered."""
    edema = condition(HOSPITAL_EDEMA)
    assert edema_at(hospital) is None
    assert edema_at(hospital, HOSPITAL_EDEMA) is True
    assert edema_at(hospital, conditions=[edema]) is True
    assert edema_at(hospital, said("edema_or_cleft", "no"), conditions=[edema]) is True


@pytest.mark.parametrize(("days", "value"), [(90, True), (91, None)])
def test_edema_by_an_observation_of_the_hospital_counts_for_90_days(hospital, days, value):
    report = seen(HOSPITAL_EDEMA, days_ago(days))
    assert edema_at(hospital, observations=[report]) is value


@facts_of(
    case("kyphosis", True, FRACTURE, KYPHOSIS),
    case("kyphosis, ICD-10-CM", True, FRACTURE, (ICD, "M40.204")),
    case("a new Condition", True, FRACTURE, conditions=[condition(KYPHOSIS, onset=days_ago(90))]),
    case("an old Condition", None, FRACTURE, conditions=[condition(KYPHOSIS, onset=HEALED)]),
    case("an undated Condition", None, FRACTURE, conditions=[condition(KYPHOSIS)]),
    case(
        "an undated Condition, an answer no",
        False,
        FRACTURE,
        said("worsening", "no"),
        conditions=[condition(KYPHOSIS)],
    ),
    case(
        "an undated and a dated one",
        True,
        FRACTURE,
        conditions=[
            condition(KYPHOSIS, identifier="undated"),
            condition(KYPHOSIS, onset=days_ago(90)),
        ],
    ),
    case("a header that may be one", None, FRACTURE, conditions=[condition((ICD, "M40"))]),
    case("a past Condition", None, FRACTURE, conditions=[condition(KYPHOSIS, clinical="resolved")]),
    case("restrictive lung disease", True, FRACTURE, RESTRICTIVE_LUNG_DISEASE),
    case("restrictive lung disease, ICD-10-CM", True, FRACTURE, (ICD, "J98.4")),
    case(
        "restrictive lung disease, a Condition",
        False,
        FRACTURE,
        conditions=[condition(RESTRICTIVE_LUNG_DISEASE)],
    ),
    case("postural", False, FRACTURE, (ICD, "M40.04")),
    case("postlaminectomy", False, FRACTURE, (ICD, "M96.3")),
    case("postradiation", False, FRACTURE, (ICD, "M96.2")),
    case("unspecified dorsopathy", False, FRACTURE, (ICD, "M43.9")),
    case("scoliosis", False, FRACTURE, (ICD, "M41.9")),
    case("spondylolisthesis", False, FRACTURE, (SCT, "274152003")),
    case("none", False, FRACTURE),
    case("Conditions not supplied", None, FRACTURE, without=NO_CONDITIONS),
    case("kyphosis, no Conditions supplied", True, FRACTURE, KYPHOSIS, without=NO_CONDITIONS),
    case("an answer yes", True, FRACTURE, said("worsening", "yes")),
    case("an answer no", False, FRACTURE, said("worsening", "no"), without=NO_CONDITIONS),
)
def test_worsening(value, reasons, chart):
    """True: a kyphosis as a reason, or as a current Condition dated within 90 days; restrictive
    lung disease as a reason; or an answer. False: Conditions supplied, none; or an answer. An
    undated or older kyphosis leaves it unknown.
    """
    assert fact("worsening", *reasons, **chart) is value


@pytest.mark.parametrize(
    ("onset", "value"),
    [
        pytest.param(None, True, id="undated"),
        pytest.param(days_ago(90), True, id="90 days ago"),
        pytest.param(HEALED, None, id="dated earlier"),
    ],
)
def test_worsening_by_the_condition_behind_a_reason(onset, value):
    """Kyphosis as a reason, unless the Condition behind it is dated earlier."""
    draft = order(
        MRI_LUMBAR_WO,
        reasons=(FRACTURE,),
        reasonReference=[{"reference": "Condition/kyphosis"}],
    )
    found = decide(draft, conditions=[condition(KYPHOSIS, onset=onset, identifier="kyphosis")])
    assert found.facts["worsening"].value is value


@pytest.mark.parametrize(
    ("name", "header", "others"),
    [
        pytest.param("prior_vcf", "M48", (FRACTURE,), id="fracture or none"),
        pytest.param("malignancy", "Z85", (FRACTURE,), id="history of which neoplasm"),
        pytest.param("malignancy", "D49.5", (FRACTURE,), id="neoplasm of unstated behaviour"),
        pytest.param("prior_spine_intervention", "M96", (FRACTURE,), id="after which procedure"),
        pytest.param("worsening", "M40", (FRACTURE,), id="kyphosis or lordosis"),
        pytest.param("pathologic", "C79", (OSTEOPOROTIC_FRACTURE,), id="metastasis of bone or not"),
        pytest.param("pathologic", "Z85", (OSTEOPOROTIC_FRACTURE,), id="malignancy not known"),
    ],
)
def test_a_header_makes_a_fact_unknown(name, header, others):
    """Where only some of what is below a header counts, it makes the fact unknown, never false."""
    assert fact(name, *others, conditions=[condition((ICD, header))]) is None
    unlike = condition((ICD, "I10"))
    assert fact(name, *others, conditions=[unlike]) is False or name == "pathologic"


def test_a_header_is_no_fracture_and_excludes_none():
    """M48 alone: whether there is a fracture is not known, and the order is passed over."""
    answer = ask(order(MRI_LUMBAR_WO, reasons=(PAIN,)), conditions=[condition((ICD, "M48"))])
    (decision,) = answer.decisions
    assert decision.facts["vcf"].value is None
    assert answer.body["cards"] == []


# --- Words of an entry that cannot be read --------------------------------------------------------

LOCAL = "https://hospital.example.org/problems"


def worded(text: str, **fields) -> dict:
    made = condition((LOCAL, "4711"), **fields)
    made["code"]["text"] = text
    return made


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Prostate cancer", None),
        ("Prostatakarzinom", None),
        ("Cáncer de próstata", None),
        ("Rule out metastatic disease", None),
        ("Low-risk prostate cancer", None),
        ("Vertebral fracture secondary to cancer", None),
        ("Family history of breast cancer", False),
        ("Screening for colon cancer", False),
        ("Malignant hypertension", False),
        ("Myelomalacia", False),
        ("Hypertension", False),
    ],
)
def test_words_withhold_that_there_is_no_malignancy(text, value):
    """A problem that we cannot read proves nothing, and proves no absence."""
    assert fact("malignancy", FRACTURE, conditions=[worded(text)]) is value


def test_an_entry_that_is_known_is_read_by_its_codes():
    """Whatever its words say."""
    known = condition(OSTEOPOROSIS)
    known["code"]["text"] = "Osteoporosis after breast cancer"
    assert fact("malignancy", FRACTURE, conditions=[known]) is False


def test_the_answer_settles_what_words_left_open():
    """The question is asked, and its answer comes before the doubt."""
    answered = said("malignancy", "no")
    assert fact("malignancy", FRACTURE, answered, conditions=[worded("Prostate cancer")]) is False


# --- Precedence -----------------------------------------------------------------------------------

# Of each fact that we ask about: the reasons that make it true.
CODED = {
    "symptomatic": (FRACTURE, PAIN),
    "malignancy": (FRACTURE, BREAST_CANCER),
    "prior_vcf": (WEDGE_FRACTURE_L1, FRACTURE_L3),
    "prior_spine_intervention": (FRACTURE, POSTLAMINECTOMY_SYNDROME),
    "osteoporotic": (FRACTURE, OSTEOPOROSIS),
    "pathologic": (NEOPLASTIC_FRACTURE,),
    "worsening": (FRACTURE, KYPHOSIS),
}
# Of each fact: the reasons that, with all data supplied, make it false.
ABSENT = {name: (FRACTURE,) for name in CODED if name != "osteoporotic"}
ABSENT["symptomatic"] = (FRACTURE, ASYMPTOMATIC)
EVERYTHING = ("patient", "conditions", "procedures", "observations", "devices", "allergies")
ASKED = [*CODED, "edema_or_cleft"]


@pytest.mark.parametrize("name", CODED)
def test_coded_evidence_comes_before_an_answer(name):
    """Precedence: coded evidence that makes a fact true, then an answer code of our own."""
    assert fact(name, *CODED[name]) is True
    assert fact(name, *CODED[name], said(name, "no")) is True


@pytest.mark.parametrize("name", ABSENT)
def test_an_answer_comes_before_what_makes_a_fact_false(name):
    """Precedence: ... then an answer code in a reason, then what makes it false."""
    assert fact(name, *ABSENT[name]) is False
    assert fact(name, *ABSENT[name], said(name, "yes")) is True


def test_an_answer_comes_before_the_presumption_of_osteoporosis():
    """Presumed is not coded evidence."""
    assert fact("osteoporotic", FRACTURE) is True
    assert fact("osteoporotic", FRACTURE, said("osteoporotic", "no")) is False


@pytest.mark.parametrize("name", ASKED)
@pytest.mark.parametrize(("word", "value"), [("yes", True), ("no", False)])
def test_an_answer_decides_where_nothing_is_known(name, word, value):
    assert fact(name, FRACTURE, without=EVERYTHING) is None
    assert fact(name, FRACTURE, said(name, word), without=EVERYTHING) is value


@pytest.mark.parametrize("name", ASKED)
def test_an_answer_to_another_question_says_nothing(name):
    others = [said(other, "yes") for other in ASKED if other not in (name, "malignancy")]
    assert fact(name, FRACTURE, *others, without=EVERYTHING) is None


@pytest.mark.parametrize("name", ASKED)
def test_an_answer_counts_in_a_reason_only(name):
    """An answer code of our own in a reason."""
    answer = condition(said(name, "yes"))
    without = tuple(key for key in EVERYTHING if key != "conditions")
    assert fact(name, FRACTURE, conditions=[answer], without=without) is not True


@pytest.mark.parametrize("name", ASKED)
def test_two_answers_that_contradict_each_other_are_none(name):
    both = (said(name, "yes"), said(name, "no"))
    assert fact(name, FRACTURE, *both, without=EVERYTHING) is None


def test_no_answer_makes_a_fracture():
    """vcf is never asked: without one the order is not ours to rate."""
    assert fact("vcf", PAIN, HYPERTENSION) is False
