"""Decision rules, section 4: which variants apply, and when a rating is certain."""

from functools import cache
from itertools import product

import pytest

from cds_service.decision.variants import is_excluded, is_matched, outcomes_of
from tests.small_world import (
    ASYMPTOMATIC,
    AUGMENTATION_LUMBAR,
    BONE_BIOPSY,
    BONE_SCAN,
    BREAST_CANCER,
    CT_LUMBAR_W,
    CT_LUMBAR_WO,
    CT_MYELOGRAPHY_LUMBAR,
    FRACTURE,
    IN_VARIANT,
    KYPHOSIS,
    LUMBAR_FUSION,
    MRI_LUMBAR_W,
    MRI_LUMBAR_WO,
    MRI_LUMBAR_WO_W,
    NEOPLASTIC_FRACTURE,
    OLD_FRACTURE,
    PAIN,
    RADIATION_ONCOLOGIST,
    SPINE_BIOPSY,
    SPINE_METASTASIS,
    SURGEON,
    VERTEBROPLASTY,
    condition,
    decide,
    order,
    patient,
    procedure,
    said,
    topic,
)

# The table of section 4, in its own words.
CRITERIA = {
    1: "vcf, symptomatic, not malignancy, not prior_vcf",
    2: "vcf, symptomatic, malignancy",
    3: "vcf, symptomatic, not malignancy, prior_vcf",
    4: "vcf, not symptomatic, malignancy",
    9: "vcf, pathologic, symptomatic",
    8: "vcf, not pathologic, worsening",
    7: "vcf, not pathologic, not worsening, symptomatic, new_vcf, prior_spine_intervention",
    6: "vcf, not pathologic, not worsening, symptomatic, not prior_spine_intervention,"
    " osteoporotic, edema_or_cleft",
    5: "vcf, not malignancy, not pathologic, not worsening, not symptomatic, osteoporotic",
}
KIND = {n: "imaging" if n < 5 else "treatment" for n in CRITERIA}
IMAGING, TREATMENT = MRI_LUMBAR_WO, AUGMENTATION_LUMBAR
ORDER_OF = {n: IMAGING if n < 5 else TREATMENT for n in CRITERIA}


def criteria(number: int) -> dict[str, bool]:
    words = [word.strip() for word in CRITERIA[number].split(",")]
    return {word.removeprefix("not "): not word.startswith("not ") for word in words}


def variant(number: int):
    return next(v for v in topic().guideline.variants if v.number == number)


def variants_of(kind: str) -> list:
    return [v for v in topic().guideline.variants if v.kind == kind]


def outcome(decision) -> tuple[tuple[int, ...], bool]:
    """The numbers of the variants that are possible, and whether none is possible too."""
    outcomes = decision.outcomes
    return tuple(v.number for v in outcomes.variants), outcomes.none_possible


# --- The table itself -----------------------------------------------------------------------------


@pytest.mark.parametrize("number", CRITERIA)
def test_the_criteria_of_each_variant(number):
    assert dict(variant(number).criteria) == criteria(number)
    assert variant(number).kind == KIND[number]


def facts_asked(kind: str) -> list[str]:
    return sorted({f for n in CRITERIA if KIND[n] == kind for f in criteria(n)})


@cache
def possible(kind: str, world: tuple[bool | None, ...]) -> frozenset[int | None]:
    """All outcomes by definition: those of every way to fill in the unknown facts; None is none."""
    if None in world:
        i = world.index(None)
        return frozenset().union(
            *(possible(kind, (*world[:i], known, *world[i + 1 :])) for known in (False, True))
        )
    values = dict(zip(facts_asked(kind), world, strict=True))
    numbers = [n for n in CRITERIA if KIND[n] == kind]
    matched = [n for n in numbers if criteria(n).items() <= values.items()]
    assert len(matched) <= 1
    return frozenset(matched or [None])


@pytest.mark.parametrize("kind", ["imaging", "treatment"])
def test_with_every_fact_known_at_most_one_variant_matches(kind):
    """Prove it by enumeration."""
    for world in product((False, True), repeat=len(facts_asked(kind))):
        values = dict(zip(facts_asked(kind), world, strict=True))
        matched = [v.number for v in variants_of(kind) if is_matched(v, values)]
        assert len(matched) <= 1
        found = outcomes_of(variants_of(kind), values)
        assert [v.number for v in found.variants] == matched
        assert found.none_possible is not bool(matched)


@pytest.mark.parametrize("kind", ["imaging", "treatment"])
def test_outcomes_are_all_that_the_unknown_facts_leave_room_for(kind):
    """Outcomes = the matched variant, or all possible ones and, where the unknown facts leave room
    for it, none: compared with every way to fill in what is unknown.
    """
    for world in product((False, True, None), repeat=len(facts_asked(kind))):
        values = dict(zip(facts_asked(kind), world, strict=True))
        found = outcomes_of(variants_of(kind), values)
        numbers = {v.number for v in found.variants} | ({None} if found.none_possible else set())
        assert numbers == possible(kind, world)


@pytest.mark.parametrize("number", CRITERIA)
def test_excluded_matched_possible(number):
    """Excluded when one criterion is false, matched when all are true, possible otherwise."""
    all_true = criteria(number)
    assert is_matched(variant(number), all_true)
    for fact, wanted in all_true.items():
        for value, excluded in ((not wanted, True), (None, False)):
            values = {**all_true, fact: value}
            assert is_excluded(variant(number), values) is excluded
            assert not is_matched(variant(number), values)


# --- Reached through a request --------------------------------------------------------------------


OTHERWISE_IN_VARIANT = {
    5: ((FRACTURE, ASYMPTOMATIC), {}),
    6: ((FRACTURE, PAIN, said("edema_or_cleft", "yes")), {}),
    7: ((FRACTURE, PAIN), {"procedures": [procedure(LUMBAR_FUSION)]}),
    8: ((FRACTURE, KYPHOSIS), {}),
}


@pytest.mark.parametrize(
    ("number", "patient"), [*IN_VARIANT.items(), *OTHERWISE_IN_VARIANT.items()]
)
def test_each_variant_is_reached(number, patient):
    reasons, chart = patient
    decision = decide(order(ORDER_OF[number], reasons=reasons), **chart)
    assert outcome(decision) == ((number,), False)


CANCER = [condition(BREAST_CANCER)]
FUSION = [procedure(LUMBAR_FUSION)]
YES, NO = "yes", "no"
NOT_PATHOLOGIC = said("pathologic", NO)
EDEMA = said("edema_or_cleft", YES)
NO_EDEMA = said("edema_or_cleft", NO)
NOT_OSTEOPOROTIC = said("osteoporotic", NO)
NONE = ((), True)


def one(number: int) -> tuple[tuple[int, ...], bool]:
    return (number,), False


def case(situation, expected, code, *reasons, **chart):
    """The situation in words, the outcome, what is ordered, its reasons, and the chart."""
    return pytest.param(expected, code, reasons, chart, id=situation)


@pytest.mark.parametrize(
    ("expected", "code", "reasons", "chart"),
    [
        case("1, malignancy", one(2), IMAGING, FRACTURE, PAIN, BREAST_CANCER),
        case("1, earlier VCF", one(3), IMAGING, FRACTURE, PAIN, conditions=[OLD_FRACTURE]),
        case("1, no symptoms", NONE, IMAGING, FRACTURE, ASYMPTOMATIC),
        case("2, no symptoms", one(4), IMAGING, FRACTURE, ASYMPTOMATIC, BREAST_CANCER),
        case(
            "2, earlier VCF: cancer takes it to 2 and not 3",
            one(2),
            IMAGING,
            FRACTURE,
            PAIN,
            conditions=[OLD_FRACTURE, *CANCER],
        ),
        case("3, no symptoms", NONE, IMAGING, FRACTURE, ASYMPTOMATIC, conditions=[OLD_FRACTURE]),
        case(
            "4, earlier VCF",
            one(4),
            IMAGING,
            FRACTURE,
            ASYMPTOMATIC,
            conditions=[OLD_FRACTURE, *CANCER],
        ),
        case("imaging does not ask for worsening", one(1), IMAGING, FRACTURE, PAIN, KYPHOSIS),
        case("biopsy is imaging", one(2), SPINE_BIOPSY, FRACTURE, PAIN, BREAST_CANCER),
        case("bone biopsy is imaging", one(2), BONE_BIOPSY, FRACTURE, PAIN, BREAST_CANCER),
        case("9, no symptoms", NONE, TREATMENT, NEOPLASTIC_FRACTURE, ASYMPTOMATIC),
        case("9, worsening", one(9), TREATMENT, NEOPLASTIC_FRACTURE, PAIN, KYPHOSIS),
        case(
            "9, edema, earlier fusion",
            one(9),
            TREATMENT,
            NEOPLASTIC_FRACTURE,
            PAIN,
            EDEMA,
            procedures=FUSION,
        ),
        case(
            "8, pathologic, no symptoms",
            NONE,
            TREATMENT,
            NEOPLASTIC_FRACTURE,
            KYPHOSIS,
            ASYMPTOMATIC,
        ),
        case("8, symptoms", one(8), TREATMENT, FRACTURE, KYPHOSIS, PAIN),
        case("8, no symptoms", one(8), TREATMENT, FRACTURE, KYPHOSIS, ASYMPTOMATIC),
        case("8, earlier fusion", one(8), TREATMENT, FRACTURE, KYPHOSIS, PAIN, procedures=FUSION),
        case(
            "8, cancer, not pathologic",
            one(8),
            TREATMENT,
            FRACTURE,
            KYPHOSIS,
            NOT_PATHOLOGIC,
            conditions=CANCER,
        ),
        case(
            "7, cancer, not pathologic",
            one(7),
            TREATMENT,
            FRACTURE,
            PAIN,
            NOT_PATHOLOGIC,
            conditions=CANCER,
            procedures=FUSION,
        ),
        case("7, edema", one(7), TREATMENT, FRACTURE, PAIN, EDEMA, procedures=FUSION),
        case(
            "7, augmented",
            one(7),
            TREATMENT,
            FRACTURE,
            PAIN,
            procedures=[procedure(VERTEBROPLASTY)],
        ),
        case(
            "7, not a new VCF",
            NONE,
            TREATMENT,
            PAIN,
            EDEMA,
            conditions=[OLD_FRACTURE],
            procedures=FUSION,
        ),
        case("7, no symptoms", one(5), TREATMENT, FRACTURE, ASYMPTOMATIC, procedures=FUSION),
        case("6, an old VCF", one(6), TREATMENT, PAIN, EDEMA, conditions=[OLD_FRACTURE]),
        case("6, no edema", NONE, TREATMENT, FRACTURE, PAIN, NO_EDEMA),
        case("6, not osteoporotic", NONE, TREATMENT, FRACTURE, PAIN, EDEMA, NOT_OSTEOPOROTIC),
        case("6, worsening", one(8), TREATMENT, FRACTURE, PAIN, EDEMA, KYPHOSIS),
        case("6, no symptoms", one(5), TREATMENT, FRACTURE, ASYMPTOMATIC, EDEMA),
        case("6, pathologic", one(9), TREATMENT, NEOPLASTIC_FRACTURE, PAIN, EDEMA),
        case("5, not osteoporotic", NONE, TREATMENT, FRACTURE, ASYMPTOMATIC, NOT_OSTEOPOROTIC),
        case("5, worsening", one(8), TREATMENT, FRACTURE, ASYMPTOMATIC, KYPHOSIS),
        case(
            "5, malignancy",
            NONE,
            TREATMENT,
            FRACTURE,
            ASYMPTOMATIC,
            NOT_PATHOLOGIC,
            said("osteoporotic", YES),
            conditions=CANCER,
        ),
        case("5, an old VCF", one(5), TREATMENT, ASYMPTOMATIC, conditions=[OLD_FRACTURE]),
        case("consultations are treatment", one(8), SURGEON, FRACTURE, KYPHOSIS),
    ],
)
def test_one_criterion_otherwise(expected, code, reasons, chart):
    """All criteria must hold; each of them, dropped, leads to another variant or to none."""
    assert outcome(decide(order(code, reasons=reasons), **chart)) == expected


def test_none_is_rated_by_no_criteria():
    """None: the topic has no imaging variant (medical management only, variant 5)."""
    decision = decide(order(IMAGING, reasons=(FRACTURE, ASYMPTOMATIC)))
    assert (decision.subject, decision.category) == ("no-criteria", None)
    assert decision.rating == "no-criteria-apply"


# --- What is unknown ------------------------------------------------------------------------------

NOTHING = {"without": ("conditions", "procedures")}
NO_PROCEDURES = {"without": ("procedures",)}


@pytest.mark.parametrize(
    ("expected", "code", "reasons", "chart"),
    [
        case("symptoms not known", ((1,), True), IMAGING, FRACTURE),
        case("symptoms not known, cancer", ((2, 4), False), IMAGING, FRACTURE, BREAST_CANCER),
        case("earlier VCF not known", ((1, 3), False), IMAGING, FRACTURE, PAIN, **NO_PROCEDURES),
        case("no chart", ((1, 2, 3), False), IMAGING, FRACTURE, PAIN, **NOTHING),
        case("no chart, no symptoms", ((4,), True), IMAGING, FRACTURE, ASYMPTOMATIC, **NOTHING),
        case("no chart, symptoms not known", ((1, 2, 3, 4), True), IMAGING, FRACTURE, **NOTHING),
        case("edema not known", ((6,), True), TREATMENT, FRACTURE, PAIN),
        case("symptoms not known", ((5, 6), True), TREATMENT, FRACTURE),
        case("symptoms not known, worsening", ((8,), False), TREATMENT, FRACTURE, KYPHOSIS),
        case("symptoms not known, pathologic", ((9,), True), TREATMENT, NEOPLASTIC_FRACTURE),
        case(
            "pathologic not known",
            ((6, 9), False),
            TREATMENT,
            FRACTURE,
            PAIN,
            EDEMA,
            BREAST_CANCER,
            said("osteoporotic", YES),
        ),
        case(
            "earlier intervention not known",
            ((6, 7), False),
            TREATMENT,
            FRACTURE,
            PAIN,
            EDEMA,
            **NO_PROCEDURES,
        ),
        case(
            "osteoporosis not known",
            ((5,), True),
            TREATMENT,
            FRACTURE,
            ASYMPTOMATIC,
            patient=patient(40),
        ),
        case("no chart", ((6, 7, 8, 9), True), TREATMENT, FRACTURE, PAIN, **NOTHING),
        case("no chart, nothing said", ((5, 6, 7, 8, 9), True), TREATMENT, FRACTURE, **NOTHING),
    ],
)
def test_what_is_unknown_leaves_several_outcomes(expected, code, reasons, chart):
    """Possible unless one criterion is false; none, where the unknown facts leave room for it."""
    assert outcome(decide(order(code, reasons=reasons), **chart)) == expected


USUALLY, MAY_BE = "usually-appropriate", "may-be-appropriate"
DISAGREEMENT, USUALLY_NOT = "may-be-appropriate-disagreement", "usually-not-appropriate"
CERTAIN, OPEN = True, False
UNKNOWN_CANCER = ((FRACTURE, PAIN), NOTHING)  # variants 1, 2 and 3
UNKNOWN_SYMPTOMS = ((FRACTURE,), {})  # variant 1, or none
UNKNOWN_SYMPTOMS_IN_CANCER = ((FRACTURE, BREAST_CANCER), {})  # variants 2 and 4
UNKNOWN_EARLIER_VCF = ((FRACTURE, PAIN), NO_PROCEDURES)  # variants 1 and 3
UNKNOWN_PATHOLOGIC = ((FRACTURE, KYPHOSIS, PAIN), NOTHING)  # variants 8 and 9
UNKNOWN_INTERVENTION = ((FRACTURE, PAIN, EDEMA), NO_PROCEDURES)  # variants 6 and 7


@pytest.mark.parametrize(
    ("code", "patient_like", "category", "certain"),
    [
        pytest.param(MRI_LUMBAR_WO, UNKNOWN_CANCER, USUALLY, CERTAIN, id="1, 2, 3 agree: MRI"),
        pytest.param(CT_LUMBAR_WO, UNKNOWN_CANCER, USUALLY, CERTAIN, id="1, 2, 3 agree: CT"),
        pytest.param(CT_LUMBAR_W, UNKNOWN_CANCER, USUALLY_NOT, CERTAIN, id="1, 2, 3 agree: not"),
        pytest.param(BONE_SCAN, UNKNOWN_CANCER, MAY_BE, CERTAIN, id="1, 2, 3 agree: may be"),
        pytest.param(MRI_LUMBAR_WO_W, UNKNOWN_CANCER, None, OPEN, id="1, 2, 3 differ"),
        pytest.param(MRI_LUMBAR_W, UNKNOWN_CANCER, None, OPEN, id="not, and split panel"),
        pytest.param(SPINE_BIOPSY, UNKNOWN_CANCER, None, OPEN, id="rated in 2 only"),
        pytest.param(SPINE_BIOPSY, UNKNOWN_EARLIER_VCF, None, OPEN, id="rated in neither"),
        pytest.param(MRI_LUMBAR_W, UNKNOWN_EARLIER_VCF, USUALLY_NOT, CERTAIN, id="1 and 3 agree"),
        pytest.param(MRI_LUMBAR_WO_W, UNKNOWN_EARLIER_VCF, None, OPEN, id="1 and 3 differ"),
        pytest.param(SPINE_BIOPSY, UNKNOWN_SYMPTOMS_IN_CANCER, MAY_BE, CERTAIN, id="2 and 4 agree"),
        pytest.param(
            CT_MYELOGRAPHY_LUMBAR, UNKNOWN_SYMPTOMS_IN_CANCER, None, OPEN, id="2 and 4 differ"
        ),
        pytest.param(MRI_LUMBAR_WO, UNKNOWN_SYMPTOMS, USUALLY, OPEN, id="1 or none"),
        pytest.param(CT_LUMBAR_W, UNKNOWN_SYMPTOMS, USUALLY_NOT, OPEN, id="1 or none: not"),
        pytest.param(TREATMENT, UNKNOWN_INTERVENTION, USUALLY, CERTAIN, id="6 and 7 agree"),
        pytest.param(SURGEON, UNKNOWN_INTERVENTION, MAY_BE, CERTAIN, id="6 and 7: may be"),
        pytest.param(SURGEON, UNKNOWN_PATHOLOGIC, USUALLY, CERTAIN, id="8 and 9 agree"),
        pytest.param(RADIATION_ONCOLOGIST, UNKNOWN_PATHOLOGIC, None, OPEN, id="8 and 9 differ"),
    ],
)
def test_category_and_certainty(code, patient_like, category, certain):
    """The category exists when the outcomes that are variants agree; the rating is certain when it
    exists and none is not among the outcomes. What is unknown matters only where it changes the
    answer.
    """
    reasons, chart = patient_like
    decision = decide(order(code, reasons=reasons), **chart)
    procedure_id = decision.case.order.procedure.id
    assert decision.outcomes.category(procedure_id) == category
    assert decision.outcomes.is_certain(procedure_id) is certain
    assert (decision.rating in ("appropriate", "not-appropriate")) is certain


def test_the_split_panel_is_a_category_of_its_own():
    """Disagreement is not may be appropriate: the variants must agree on it."""
    reasons, chart = IN_VARIANT[2]
    assert decide(order(MRI_LUMBAR_W, reasons=reasons), **chart).category == DISAGREEMENT


def test_a_metastasis_to_the_spine_is_pathologic_for_treatment_and_cancer_for_imaging():
    reasons = (FRACTURE, PAIN, SPINE_METASTASIS)
    assert outcome(decide(order(TREATMENT, reasons=reasons))) == one(9)
    assert outcome(decide(order(IMAGING, reasons=reasons))) == one(2)
