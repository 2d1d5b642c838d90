"""Section 5, the table: what the client gets back for a relevant order."""

import pytest

from tests.small_world import (
    ABLATION,
    ANSWER,
    ASYMPTOMATIC,
    AUGMENTATION_LUMBAR,
    BONE_SCAN,
    BREAST_CANCER,
    CT_LUMBAR,
    CT_LUMBAR_W,
    CT_LUMBAR_WO,
    CT_LUMBAR_WO_W,
    CT_MYELOGRAPHY_LUMBAR,
    DISCITIS,
    FRACTURE,
    MRI_LUMBAR,
    MRI_LUMBAR_W,
    MRI_LUMBAR_WO,
    MRI_LUMBAR_WO_W,
    OSTEOPOROTIC_FRACTURE,
    PAIN,
    PET_CT,
    RADIATION_ONCOLOGIST,
    RADIONUCLIDE_THERAPY,
    SPECT,
    SPINE_BIOPSY,
    SURGEON,
    VERTEBROPLASTY,
    ask,
    ask_in,
    card,
    card_in,
    condition,
    decide,
    decide_in,
    hook_request,
    order,
    post,
    procedure,
    rating_codes,
    suggested,
)

APPROPRIATE = ["appropriate"]
MAY_BE = ["appropriate", "may-be-appropriate"]
DISAGREEMENT = ["appropriate", "may-be-appropriate-disagreement"]
NOT_APPROPRIATE = ["not-appropriate"]
NO_CRITERIA = ["no-criteria-apply"]
NO_RATING: list[str] = []

MRI_THEN_CT = ["replace:mri-spine-wo", "replace:ct-spine-wo"]
CT_THEN_MRI = ["replace:ct-spine-wo", "replace:mri-spine-wo"]
ALL_THREE = ["replace:mri-spine-wo-w", "replace:ct-spine-wo", "replace:mri-spine-wo"]
AUGMENT = ["replace:vertebral-augmentation"]

# Situation: variant, order -> indicator, suggestions, PAMA rating (with the ACR category), topic.
ONE_VARIANT = {
    "usually appropriate: silence": (1, MRI_LUMBAR_WO, None, [], APPROPRIATE, "variant1"),
    "usually appropriate with cancer": (2, MRI_LUMBAR_WO_W, None, [], APPROPRIATE, "variant2"),
    "usually appropriate treatment": (6, AUGMENTATION_LUMBAR, None, [], APPROPRIATE, "variant6"),
    "usually appropriate consultation": (8, SURGEON, None, [], APPROPRIATE, "variant8"),
    "may be appropriate": (1, BONE_SCAN, "info", MRI_THEN_CT, MAY_BE, "variant1"),
    "may be, CT listed first": (3, MRI_LUMBAR_WO_W, "info", CT_THEN_MRI, MAY_BE, "variant3"),
    "may be, split panel": (2, MRI_LUMBAR_W, "info", ALL_THREE, DISAGREEMENT, "variant2"),
    "may be, CT myelography": (2, CT_MYELOGRAPHY_LUMBAR, "info", ALL_THREE, MAY_BE, "variant2"),
    "may be, treatment": (
        9,
        RADIONUCLIDE_THERAPY,
        "info",
        ["replace:surgical-consultation", "replace:percutaneous-ablation-spine", *AUGMENT],
        MAY_BE,
        "variant9",
    ),
    "may be, consultation: silence": (6, SURGEON, None, [], MAY_BE, "variant6"),
    "may be, biopsy: silence": (4, SPINE_BIOPSY, None, [], MAY_BE, "variant4"),
    "not appropriate": (1, CT_LUMBAR_W, "warning", MRI_THEN_CT, NOT_APPROPRIATE, "variant1"),
    "not appropriate, PET/CT": (1, PET_CT, "warning", MRI_THEN_CT, NOT_APPROPRIATE, "variant1"),
    "not appropriate, no pain": (
        4,
        CT_LUMBAR_WO_W,
        "warning",
        ALL_THREE,
        NOT_APPROPRIATE,
        "variant4",
    ),
    "not appropriate, treatment": (7, ABLATION, "warning", AUGMENT, NOT_APPROPRIATE, "variant7"),
    "not appropriate, consultation": (
        8,
        RADIATION_ONCOLOGIST,
        "warning",
        ["replace:surgical-consultation"],
        NOT_APPROPRIATE,
        "variant8",
    ),
    "not appropriate, medical care only": (
        5,
        AUGMENTATION_LUMBAR,
        "warning",
        ["delete"],
        NOT_APPROPRIATE,
        "variant5",
    ),
    "no outcome rates it": (1, SPINE_BIOPSY, "info", [], NO_CRITERIA, "novariant"),
    "no outcome rates the treatment": (
        5,
        RADIONUCLIDE_THERAPY,
        "info",
        [],
        NO_CRITERIA,
        "novariant",
    ),
    "only none: no pain and no cancer": (5, MRI_LUMBAR_WO, "info", [], NO_CRITERIA, "novariant"),
    "only none, contrast not stated": (5, MRI_LUMBAR, "info", [], NO_CRITERIA, "novariant"),
    "contrast not stated, MRI": (1, MRI_LUMBAR, "info", MRI_THEN_CT, NO_RATING, "unresolved"),
    "contrast not stated, CT": (1, CT_LUMBAR, "info", CT_THEN_MRI, NO_RATING, "unresolved"),
}


@pytest.mark.parametrize(
    ("variant", "coding", "indicator", "suggestions", "rating", "topic"),
    ONE_VARIANT.values(),
    ids=ONE_VARIANT.keys(),
)
def test_one_variant_or_none(variant, coding, indicator, suggestions, rating, topic):
    """Each row of the table where the chart leaves nothing open."""
    _assert_answer(ask_in(variant, coding), indicator, suggestions, rating, topic)


CANCER_AND_UNKNOWN = {"conditions": [condition(BREAST_CANCER)]}
NOTHING_SUPPLIED = {"without": ("conditions", "procedures")}

# Situation: reasons, chart, order -> indicator, suggestions, PAMA rating, topic.
LEFT_OPEN = {
    "imaging, the variants agree, none is possible, usually appropriate": (
        (FRACTURE,),
        NOTHING_SUPPLIED,
        MRI_LUMBAR_WO,
        None,
        [],
        NO_RATING,
        "several",
    ),
    "imaging, the variants agree, none is possible, may be appropriate": (
        (FRACTURE,),
        NOTHING_SUPPLIED,
        BONE_SCAN,
        "info",
        MRI_THEN_CT,
        NO_RATING,
        "several",
    ),
    "imaging, the variants agree, none is possible, not appropriate": (
        (FRACTURE,),
        NOTHING_SUPPLIED,
        CT_LUMBAR_W,
        "warning",
        MRI_THEN_CT,
        NO_RATING,
        "several",
    ),
    "imaging, one variant or none": (
        (FRACTURE,),
        {},
        CT_LUMBAR_W,
        "warning",
        MRI_THEN_CT,
        NO_RATING,
        "variant1",
    ),
    "imaging, several variants agree and one of them applies": (
        (FRACTURE, PAIN),
        NOTHING_SUPPLIED,
        MRI_LUMBAR_WO,
        None,
        [],
        APPROPRIATE,
        "several",
    ),
    "imaging, several variants agree on a warning": (
        (FRACTURE, PAIN),
        NOTHING_SUPPLIED,
        CT_LUMBAR_W,
        "warning",
        MRI_THEN_CT,
        NOT_APPROPRIATE,
        "several",
    ),
    "imaging, the two variants with cancer agree": (
        (FRACTURE,),
        CANCER_AND_UNKNOWN,
        SPECT,
        "info",
        ALL_THREE,
        MAY_BE,
        "several",
    ),
    "imaging, the variants disagree": (
        (FRACTURE, PAIN),
        NOTHING_SUPPLIED,
        MRI_LUMBAR_WO_W,
        "info",
        ["answer:malignancy"] * 2,
        NO_RATING,
        "unresolved",
    ),
    "treatment, none is possible": (
        (OSTEOPOROTIC_FRACTURE, PAIN),
        {},
        AUGMENTATION_LUMBAR,
        "info",
        ["answer:edema_or_cleft"] * 2,
        NO_RATING,
        "unresolved",
    ),
    "consultation, none is possible, may be appropriate": (
        (OSTEOPOROTIC_FRACTURE, PAIN),
        {},
        SURGEON,
        None,
        [],
        NO_RATING,
        "variant6",
    ),
    "contrast not stated, several variants": (
        (FRACTURE, PAIN),
        NOTHING_SUPPLIED,
        CT_LUMBAR,
        "info",
        CT_THEN_MRI,
        NO_RATING,
        "unresolved",
    ),
    "treatment that no variant fits": (
        (OSTEOPOROTIC_FRACTURE, PAIN, (ANSWER, "edema-or-cleft-no")),
        {},
        AUGMENTATION_LUMBAR,
        "info",
        [],
        NO_CRITERIA,
        "novariant",
    ),
}


@pytest.mark.parametrize(
    ("reasons", "chart", "coding", "indicator", "suggestions", "rating", "topic"),
    LEFT_OPEN.values(),
    ids=LEFT_OPEN.keys(),
)
def test_several_variants_or_perhaps_none(
    reasons, chart, coding, indicator, suggestions, rating, topic
):
    """Each row of the table where the chart leaves something open."""
    answer = ask(order(coding, reasons=reasons), **chart)
    _assert_answer(answer, indicator, suggestions, rating, topic)


def _assert_answer(answer, indicator, suggestions, rating, topic):
    (decision,) = answer.decisions
    cards = answer.body["cards"]
    assert [c["indicator"] for c in cards] == ([indicator] if indicator else [])
    assert suggested(decision) == suggestions
    assert [len(c.get("suggestions", [])) for c in cards] == ([len(suggestions)] if cards else [])
    assert decision.topic == topic
    assert [c["source"]["topic"]["code"] for c in cards] == ([topic] if cards else [])
    rated = [rating_codes(a["resource"]) for a in answer.body.get("systemActions", [])]
    assert rated == ([rating] if rating else [])


def test_at_most_one_card_per_order():
    """At most one card for an order, and each order has its own."""
    reasons = (FRACTURE, PAIN)
    orders = [
        order(CT_LUMBAR_W, reasons=reasons, identifier="a"),
        order(MRI_LUMBAR_WO, reasons=reasons, identifier="b"),
        order(BONE_SCAN, reasons=reasons, identifier="c"),
    ]
    answer = ask(*orders)
    assert [c["indicator"] for c in answer.body["cards"]] == ["warning", "info"]
    assert len({c["uuid"] for c in answer.body["cards"]}) == 2
    assert [a["resource"]["id"] for a in answer.body["systemActions"]] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("variant", "coding", "says"),
    [
        pytest.param(5, MRI_LUMBAR_WO, "no imaging variant", id="no pain, no cancer"),
        pytest.param(5, MRI_LUMBAR_WO, "medical management", id="medical management only"),
        pytest.param(1, SPINE_BIOPSY, "Not rated in variant 1", id="not listed there"),
        pytest.param(
            1, SPINE_BIOPSY, "*May Be Appropriate*: Whole-body bone scan", id="what is listed"
        ),
    ],
)
def test_no_criteria_says_what_the_guideline_does_say(variant, coding, says):
    """`info`: what the guideline does say."""
    assert says in card_in(variant, coding)["detail"]


def test_what_is_unknown_matters_only_where_it_changes_the_answer():
    """The variants of cancer and no cancer agree on CT with contrast: no question is asked."""
    made = card(order(CT_LUMBAR_W, reasons=(FRACTURE, PAIN)), without=("conditions",))
    assert made["source"]["topic"]["code"] == "several"
    assert made["indicator"] == "warning"


@pytest.mark.parametrize("variant", [1, 2, 3, 4])
def test_contrast_not_stated_offers_the_same_modality_first(variant):
    """Usually-appropriate procedures of the outcomes, same modality first."""
    offered = [s.procedure.modality for s in decide_in(variant, CT_LUMBAR).suggestions]
    assert offered == ["ct"] + ["mri"] * (len(offered) - 1)


def test_contrast_not_stated_offers_what_every_outcome_calls_usually_appropriate():
    """With cancer unknown, MRI with and without contrast is not offered."""
    decision = decide(order(MRI_LUMBAR, reasons=(FRACTURE, PAIN)), without=("conditions",))
    assert suggested(decision) == MRI_THEN_CT


def test_the_same_request_gives_the_same_answer():
    """Everything is pure: the same request gives the same answer."""
    body = hook_request(order(CT_LUMBAR_W, reasons=(FRACTURE, PAIN)))
    assert post(body).body == post(body).body


def test_two_hooks_have_cards_of_their_own():
    """The card's uuid is of one hook instance and one decision."""
    body = hook_request(order(CT_LUMBAR_W, reasons=(FRACTURE, PAIN)))
    other = {**body, "hookInstance": "00000000-0000-4000-8000-000000000000"}
    first, second = (post(b).body["cards"][0] for b in (body, other))
    assert first["uuid"] != second["uuid"]


def test_an_earlier_augmentation_leads_to_variant_7():
    """A treatment order is answered from the treatment variants, not from those of imaging."""
    reasons = (OSTEOPOROTIC_FRACTURE, PAIN)
    decision = decide(
        order(AUGMENTATION_LUMBAR, reasons=reasons), procedures=[procedure(VERTEBROPLASTY)]
    )
    assert (decision.topic, decision.rating) == ("variant7", "appropriate")


@pytest.mark.parametrize(
    ("reasons", "topic"),
    [
        pytest.param((FRACTURE, ASYMPTOMATIC), "novariant", id="no variant"),
        pytest.param((FRACTURE, PAIN, DISCITIS), "novariant", id="outside the scope"),
    ],
)
def test_without_a_variant_the_topic_says_so(reasons, topic):
    """`variant1` … `variant9`, else `several`, `novariant`, or `unresolved`."""
    assert decide(order(CT_LUMBAR_WO, reasons=reasons)).topic == topic
