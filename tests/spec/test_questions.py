"""Section 5, the question: one fact that would decide, two answers, and no memory on our side."""

import pytest

from tests.small_world import (
    ABLATION,
    ANSWER,
    ASYMPTOMATIC,
    AUGMENTATION_LUMBAR,
    BREAST_CANCER,
    CANCER,
    CAUDA_EQUINA,
    CT_LUMBAR_W,
    FRACTURE,
    MRI_LUMBAR_W,
    MRI_LUMBAR_WO_W,
    NO_EDEMA,
    NOT_GETTING_WORSE,
    OSTEOPOROSIS,
    OSTEOPOROTIC_FRACTURE,
    PACEMAKER,
    PAIN,
    PET_CT,
    SCT,
    SPINE_BIOPSY,
    SURGEON,
    ask,
    card,
    concept,
    condition,
    decide,
    device,
    extensions,
    order,
    patient,
    suggested,
    topic,
)

NOTHING = ("conditions", "procedures")


def asked(*orders, **options):
    question = decide(*orders, **options).question
    return question.fact if question else None


def answer_codings(made, number):
    """What a click on an answer adds to the order: the last reason's codings."""
    (action,) = made["suggestions"][number]["actions"]
    assert action["type"] == "update"
    return action["resource"]["reasonCode"][-1]["coding"]


# Situation: order, reasons, what was not supplied -> the fact that is asked for.
WHICH = {
    "symptoms before cancer": (PET_CT, (FRACTURE,), NOTHING, "symptomatic"),
    "cancer before an earlier fracture": (PET_CT, (FRACTURE, PAIN), NOTHING, "malignancy"),
    "an earlier fracture": (MRI_LUMBAR_WO_W, (FRACTURE, PAIN), ("procedures",), "prior_vcf"),
    "symptoms of a biopsy: they settle whether any variant applies": (
        SPINE_BIOPSY,
        (FRACTURE,),
        NOTHING,
        "symptomatic",
    ),
    "no question on what changes nothing": (CT_LUMBAR_W, (FRACTURE, PAIN), NOTHING, None),
    "treatment: symptoms first": (AUGMENTATION_LUMBAR, (FRACTURE,), NOTHING, "symptomatic"),
    "treatment: is it pathologic": (
        ABLATION,
        (OSTEOPOROTIC_FRACTURE, PAIN),
        NOTHING,
        "pathologic",
    ),
    "treatment: is it getting worse": (
        SURGEON,
        (OSTEOPOROTIC_FRACTURE, PAIN, (ANSWER, "pathologic-no")),
        NOTHING,
        "worsening",
    ),
    "treatment: an earlier augmentation": (
        AUGMENTATION_LUMBAR,
        (OSTEOPOROTIC_FRACTURE, PAIN, NOT_GETTING_WORSE),
        ("procedures",),
        "prior_spine_intervention",
    ),
    "treatment: edema": (
        AUGMENTATION_LUMBAR,
        (OSTEOPOROTIC_FRACTURE, PAIN),
        (),
        "edema_or_cleft",
    ),
}


@pytest.mark.parametrize(("coding", "reasons", "missing", "fact"), WHICH.values(), ids=WHICH.keys())
def test_the_question(coding, reasons, missing, fact):
    """Among the facts that change this order's category, or remove "none", the first."""
    assert asked(order(coding, reasons=reasons), without=missing) == fact


def test_a_fact_that_changes_nothing_is_not_asked_for():
    """MRI with contrast hangs on cancer alone: once that was asked for, nothing else is."""
    draft = order(MRI_LUMBAR_W, reasons=(FRACTURE, PAIN))
    assert asked(draft, without=NOTHING) == "malignancy"
    both = (FRACTURE, PAIN, (ANSWER, "malignancy-yes"), (ANSWER, "malignancy-no"))
    decision = decide(order(MRI_LUMBAR_W, reasons=both), without=NOTHING)
    assert decision.facts["prior_vcf"].value is None
    assert decision.question is None


def test_osteoporosis_is_asked_for_last():
    """A man of 40: edema comes before osteoporosis, and osteoporosis is asked for at last."""
    man = {"patient": patient(40, "male")}
    reasons = (FRACTURE, PAIN)
    assert asked(order(AUGMENTATION_LUMBAR, reasons=reasons), **man) == "edema_or_cleft"
    known = (*reasons, (ANSWER, "edema-or-cleft-yes"))
    assert asked(order(AUGMENTATION_LUMBAR, reasons=known), **man) == "osteoporotic"


def test_the_order_of_the_facts():
    """symptomatic, malignancy, prior_vcf, pathologic, worsening, intervention, edema, bone."""
    assert [q.fact for q in topic().questions] == [
        "symptomatic",
        "malignancy",
        "prior_vcf",
        "pathologic",
        "worsening",
        "prior_spine_intervention",
        "edema_or_cleft",
        "osteoporotic",
    ]


# Fact: what yes adds, what no adds; the answer first, our own coding second.
ANSWERS = {
    "symptomatic": (
        [(SCT, "161891005"), (ANSWER, "symptomatic-yes")],
        [(SCT, "84387000"), (ANSWER, "symptomatic-no")],
    ),
    "malignancy": (
        [(SCT, "363346000"), (ANSWER, "malignancy-yes")],
        [(ANSWER, "malignancy-no")],
    ),
    "prior_vcf": ([(ANSWER, "prior-vcf-yes")], [(ANSWER, "prior-vcf-no")]),
    "pathologic": ([(ANSWER, "pathologic-yes")], [(ANSWER, "pathologic-no")]),
    "worsening": ([(ANSWER, "worsening-yes")], [(ANSWER, "worsening-no")]),
    "prior_spine_intervention": (
        [(ANSWER, "prior-spine-intervention-yes")],
        [(ANSWER, "prior-spine-intervention-no")],
    ),
    "edema_or_cleft": ([(ANSWER, "edema-or-cleft-yes")], [(ANSWER, "edema-or-cleft-no")]),
    "osteoporotic": (
        [(SCT, "64859006"), (ANSWER, "osteoporotic-yes")],
        [(ANSWER, "osteoporotic-no")],
    ),
}
ASKING = {fact: row for row in WHICH.values() if (fact := row[3])}


def asking(fact):
    """A card that asks for the fact."""
    if fact == "osteoporotic":
        reasons = (FRACTURE, PAIN, (ANSWER, "edema-or-cleft-yes"))
        return card(order(AUGMENTATION_LUMBAR, reasons=reasons), patient=patient(40, "male"))
    coding, reasons, missing, _ = ASKING[fact]
    return card(order(coding, reasons=reasons), without=missing)


@pytest.mark.parametrize(("fact", "yes_and_no"), ANSWERS.items(), ids=ANSWERS.keys())
def test_exactly_two_answers_yes_and_no(fact, yes_and_no):
    """Exactly two answers; the reason's first coding is the answer."""
    made = asking(fact)
    assert len(made["suggestions"]) == 2
    for number, expected in enumerate(yes_and_no):
        codings = answer_codings(made, number)
        assert [(c["system"], c["code"]) for c in codings] == expected
        assert all(c["display"] for c in codings)


@pytest.mark.parametrize("fact", ANSWERS)
def test_no_answer_is_recommended(fact):
    """We do not know the answer: neither button is recommended."""
    assert not any("isRecommended" in s for s in asking(fact)["suggestions"])


@pytest.mark.parametrize("fact", ANSWERS)
@pytest.mark.parametrize("said", ["yes", "no"])
def test_each_answer_resolves_the_fact_at_the_next_call(fact, said):
    """So that the EHR's next call resolves it without any state on our side."""
    button = asking(fact)["suggestions"][said == "no"]
    answered = button["actions"][0]["resource"]
    decision = decide(answered, without=NOTHING, patient=patient(40, "male"))
    assert decision.facts[fact].value is (said == "yes")


def test_an_answer_adds_one_reason_and_keeps_the_rest():
    """Updates the order by adding one reasonCode; nothing else changes."""
    draft = order(PET_CT, reasons=(FRACTURE, PAIN), priority="urgent")
    resource = card(draft, without=NOTHING)["suggestions"][0]["actions"][0]["resource"]
    assert resource["reasonCode"][:-1] == draft["reasonCode"]
    assert len(resource["reasonCode"]) == 3
    assert {**resource, "reasonCode": draft["reasonCode"]} == draft


def test_an_order_without_reason_codes_gets_its_first():
    """A question to an order whose reason is a Condition."""
    fracture = condition(FRACTURE, identifier="c1")
    draft = order(AUGMENTATION_LUMBAR, reasonReference=[{"reference": "Condition/c1"}])
    made = card(draft, conditions=[fracture])
    resource = made["suggestions"][0]["actions"][0]["resource"]
    assert len(resource["reasonCode"]) == 1
    assert resource["reasonReference"] == draft["reasonReference"]


STALE = {
    "url": "http://fhir.org/argonaut/Extension/pama-rating-qcdsm-consulted",
    "valueString": "not-a-qcdsm:vcf-appropriateness",
}


def test_an_answers_resource_loses_the_rating():
    """An answer's resource loses the extensions that an earlier evaluation left."""
    draft = order(PET_CT, reasons=(FRACTURE, PAIN), extension=[STALE])
    for button in card(draft, without=NOTHING)["suggestions"]:
        assert extensions(button["actions"][0]["resource"]) == {}


def test_the_card_asks_and_says_what_becomes_of_the_answer():
    """The detail says that the answer becomes part of the order."""
    made = asking("malignancy")
    assert made["summary"].endswith("any cancer, now or in the past?")
    assert "Does the patient have, or has the patient had, cancer" in made["detail"]
    assert "The answer becomes one of the reasons of the order." in made["detail"]
    assert (made["indicator"], made["source"]["topic"]["code"]) == ("info", "unresolved")


# --- Never twice, and never more than two ---------------------------------------------------------

NEVER_AGAIN = {
    "coded cancer": ((FRACTURE, PAIN), [condition(BREAST_CANCER)]),
    "answered yes": ((FRACTURE, PAIN, (ANSWER, "malignancy-yes")), None),
    "answered no": ((FRACTURE, PAIN, (ANSWER, "malignancy-no")), None),
    "answered yes and no": (
        (FRACTURE, PAIN, (ANSWER, "malignancy-yes"), (ANSWER, "malignancy-no")),
        None,
    ),
}


@pytest.mark.parametrize(("reasons", "conditions"), NEVER_AGAIN.values(), ids=NEVER_AGAIN.keys())
def test_never_ask_what_is_already_answered(reasons, conditions):
    """Never ask what is already answered."""
    chart = {"without": NOTHING} if conditions is None else {"conditions": conditions}
    assert asked(order(PET_CT, reasons=reasons), **chart) != "malignancy"


TWO_ANSWERS = (OSTEOPOROTIC_FRACTURE, PAIN, (ANSWER, "symptomatic-yes"), (ANSWER, "pathologic-no"))


def test_after_two_questions_give_up():
    """After two questions for an order: `info`, what is missing, no suggestion."""
    draft = order(SURGEON, reasons=TWO_ANSWERS)
    made = card(draft, without=NOTHING)
    assert made["indicator"] == "info"
    assert made["source"]["topic"]["code"] == "unresolved"
    assert "suggestions" not in made
    assert "?" not in made["summary"]
    assert "edema or cleft" in made["detail"].split("\n")[0]
    assert "systemActions" not in ask(draft, without=NOTHING).body


def test_before_that_the_same_order_has_a_question():
    assert asked(order(SURGEON, reasons=TWO_ANSWERS[:-1]), without=NOTHING) is not None


def test_the_same_question_answered_twice_counts_once():
    """Two reasons with one answer are one question."""
    reasons = (OSTEOPOROTIC_FRACTURE, PAIN, NOT_GETTING_WORSE, NOT_GETTING_WORSE)
    assert asked(order(AUGMENTATION_LUMBAR, reasons=reasons)) == "edema_or_cleft"


def test_our_own_coding_beside_a_standard_code_counts_the_question():
    """Backache as an answer counts; Backache as a reason of the clinician does not."""
    answered = order(SURGEON, reasons=(OSTEOPOROTIC_FRACTURE, (ANSWER, "pathologic-no")))
    by_us = concept(PAIN, (ANSWER, "symptomatic-yes"))
    by_the_clinician = concept(PAIN)
    for reason, open_question in ((by_us, False), (by_the_clinician, True)):
        draft = {**answered, "reasonCode": [*answered["reasonCode"], reason]}
        assert (asked(draft, without=NOTHING) is not None) is open_question


def test_two_clicks_settle_augmentation():
    """From the question to the rating by clicks alone."""
    draft = order(AUGMENTATION_LUMBAR, reasons=(OSTEOPOROTIC_FRACTURE,))
    for fact in ("symptomatic", "edema_or_cleft"):
        assert asked(draft) == fact
        draft = card(draft)["suggestions"][0]["actions"][0]["resource"]
    assert decide(draft).topic == "variant6"
    assert card(draft) is None


# --- A safety rule speaks while a question is open ------------------------------------------------


def test_a_safety_rule_takes_the_card_over():
    """Its indicator, topic `unresolved`, the suggestions that fit every outcome."""
    draft = order(MRI_LUMBAR_WO_W, reasons=(FRACTURE, PAIN))
    made = card(draft, without=NOTHING, devices=[device(PACEMAKER)])
    assert made["indicator"] == "warning"
    assert made["source"]["topic"]["code"] == "unresolved"
    assert [s["label"] for s in made["suggestions"]] == [
        "Change to CT lumbar spine without IV contrast",
        "Yes, cancer now or in the past",
        "No history of cancer",
    ]
    assert [s.get("isRecommended", False) for s in made["suggestions"]] == [True, False, False]


def test_the_question_moves_to_the_detail():
    """The question moves to the detail, its two answers behind what the safety rule suggests."""
    draft = order(MRI_LUMBAR_W, reasons=(FRACTURE,))
    made = card(draft, without=NOTHING, devices=[device(PACEMAKER)])
    assert "Does the fracture cause symptoms" in made["detail"]
    assert [s["label"].split(",")[0] for s in made["suggestions"]] == [
        "Change to CT lumbar spine without IV contrast",
        "Yes",
        "No",
    ]


def test_a_critical_rule_keeps_its_own_suggestion_while_a_question_is_open():
    """Ablation and cauda equina syndrome: a surgeon first, and then the answers."""
    draft = order(ABLATION, reasons=(OSTEOPOROTIC_FRACTURE, CAUDA_EQUINA))
    decision = decide(draft, without=NOTHING)
    assert (decision.indicator, decision.topic) == ("critical", "unresolved")
    assert suggested(decision) == ["create:surgical-consultation", *["answer:pathologic"] * 2]
    assert [s.recommended for s in decision.suggestions] == [True, False, False]


def test_a_card_without_buttons_says_how_to_answer():
    """A card never asks what it gives no way to answer: which reason to add."""
    draft = order(PET_CT, reasons=(FRACTURE, PAIN), identifier=None)
    made = card(draft, without=NOTHING)
    assert "suggestions" not in made
    assert "Yes, cancer now or in the past / No history of cancer" in made["detail"]


def test_a_line_leaves_the_question_as_it_is():
    """A mere line in the detail is no caution: the answers stay buttons."""
    draft = order(PET_CT, reasons=(FRACTURE, PAIN, (SCT, "1912002")))
    decision = decide(draft, without=NOTHING)
    assert suggested(decision) == ["answer:malignancy"] * 2


@pytest.mark.parametrize(
    ("reasons", "fact", "value"),
    [
        pytest.param((FRACTURE, PAIN, (ANSWER, "symptomatic-no")), "symptomatic", True, id="pain"),
        pytest.param(
            (FRACTURE, CANCER, (ANSWER, "malignancy-no")), "malignancy", True, id="cancer"
        ),
        pytest.param((FRACTURE, ASYMPTOMATIC), "symptomatic", False, id="coded as asymptomatic"),
        pytest.param((FRACTURE, OSTEOPOROSIS), "osteoporotic", True, id="osteoporosis"),
        pytest.param((FRACTURE, NO_EDEMA), "edema_or_cleft", False, id="no edema"),
    ],
)
def test_coded_evidence_comes_before_an_answer(reasons, fact, value):
    """An answer never overrides evidence that makes a fact true."""
    assert decide(order(MRI_LUMBAR_WO_W, reasons=reasons)).facts[fact].value is value
