"""Section 5, the rating as a system action, with the extensions of the Argonaut PAMA guide."""

import pytest
from fhir.resources.R4B import get_fhir_model_class

from tests.small_world import (
    ARGONAUT,
    AUGMENTATION_LUMBAR,
    BONE_SCAN,
    CAUDA_EQUINA,
    CT_LUMBAR_W,
    DISCITIS,
    FRACTURE,
    HYPERTENSION,
    MRI_LUMBAR,
    MRI_LUMBAR_W,
    MRI_LUMBAR_WO,
    MRI_SPINE_W,
    PAIN,
    PET_CT,
    SPINE_BIOPSY,
    SURGEON,
    ask,
    ask_in,
    extensions,
    order,
    rating_codes,
    resources_sent,
)

RATING = "pama-rating"
CONSULTED = "pama-rating-qcdsm-consulted"
CONSULT_ID = "pama-rating-consult-id"
AUC_APPLIED = "pama-rating-auc-applied"

# Extensions as an earlier evaluation of this service, and as another service left them.
EARLIER = [
    {
        "url": ARGONAUT + RATING,
        "valueCodeableConcept": {
            "coding": [
                {
                    "system": "http://fhir.org/argonaut/CodeSystem/pama-rating",
                    "code": "not-appropriate",
                }
            ]
        },
    },
    {"url": ARGONAUT + CONSULTED, "valueString": "not-a-qcdsm:vcf-appropriateness"},
    {"url": ARGONAUT + CONSULT_ID, "valueUri": "urn:uuid:old"},
    {"url": ARGONAUT + AUC_APPLIED, "valueUri": "https://cds.example.org/old/variant-7"},
]
ANOTHER = [EARLIER[0], {"url": ARGONAUT + CONSULTED, "valueString": "G1011"}]
LOCAL = {"url": "http://example.org/local", "valueString": "kept"}


def action(answer):
    """The one system action of an answer."""
    (made,) = answer.body["systemActions"]
    return made


def test_one_update_per_rated_order():
    """One `update` per rated order; a silent one too."""
    reasons = (FRACTURE, PAIN)
    answer = ask(
        order(MRI_LUMBAR_WO, reasons=reasons, identifier="a"),
        order(CT_LUMBAR_W, reasons=reasons, identifier="b"),
    )
    made = answer.body["systemActions"]
    assert [(a["type"], a["resource"]["id"]) for a in made] == [("update", "a"), ("update", "b")]
    assert all(a["description"] for a in made)


def test_cds_hooks_and_argonaut_get_the_same_actions():
    """Under `systemActions` and `extension.systemActions`."""
    body = ask_in(1, CT_LUMBAR_W).body
    assert body["systemActions"]
    assert body["extension"]["systemActions"] == body["systemActions"]


def test_the_order_is_sent_back_whole():
    """The update holds the draft as it came, and the rating."""
    draft = order(CT_LUMBAR_W, reasons=(FRACTURE, PAIN), priority="stat", extension=[LOCAL])
    sent = action(ask(draft))["resource"]
    assert sent["extension"][0] == LOCAL
    assert {**sent, "extension": [LOCAL]} == draft


def test_the_four_extensions():
    """Rating, qCDSM consulted, consult id, AUC applied."""
    found = extensions(action(ask_in(1, CT_LUMBAR_W))["resource"])
    assert list(found) == [RATING, CONSULTED, CONSULT_ID, AUC_APPLIED]
    (coding,) = found[RATING]["valueCodeableConcept"]["coding"]
    assert coding == {
        "system": "http://fhir.org/argonaut/CodeSystem/pama-rating",
        "code": "not-appropriate",
    }
    assert found[CONSULTED]["valueString"]
    assert found[CONSULT_ID]["valueUri"].startswith("urn:uuid:")


@pytest.mark.parametrize("variant", range(1, 10))
def test_the_auc_applied_is_the_page_of_the_variant(variant):
    """The AUC applied is the URL of the variant's page, ending in `variant-N`."""
    coding = CT_LUMBAR_W if variant < 5 else AUGMENTATION_LUMBAR
    found = extensions(action(ask_in(variant, coding))["resource"])
    assert found[AUC_APPLIED]["valueUri"] == (
        f"https://cds.example.org/guidelines/acr-vcf-2022/variant-{variant}"
    )


NO_AUC = {
    "no criteria: not rated there": (1, SPINE_BIOPSY, ()),
    "no criteria: no variant": (5, MRI_LUMBAR_WO, ()),
    "no criteria: suspected infection": (1, CT_LUMBAR_W, (DISCITIS,)),
}


@pytest.mark.parametrize(("variant", "coding", "more"), NO_AUC.values(), ids=NO_AUC.keys())
def test_no_auc_is_named_with_no_criteria_apply(variant, coding, more):
    """No AUC is named with `no-criteria-apply`."""
    sent = action(ask_in(variant, coding, *more))["resource"]
    assert rating_codes(sent) == ["no-criteria-apply"]
    assert list(extensions(sent)) == [RATING, CONSULTED, CONSULT_ID]


def test_no_auc_is_named_where_several_variants_agree():
    """Several variants that agree: no AUC is named, neither on the order nor on a suggestion."""
    answer = ask(order(CT_LUMBAR_W, reasons=(FRACTURE, PAIN)), without=("conditions",))
    for sent in resources_sent(answer):
        assert RATING in extensions(sent)
        assert AUC_APPLIED not in extensions(sent)


def test_the_category_is_a_second_coding():
    """`appropriate`, the ACR category as a second coding."""
    rated = extensions(action(ask_in(2, MRI_LUMBAR_W))["resource"])[RATING]
    assert rated["valueCodeableConcept"]["coding"][1] == {
        "system": "urn:vcf-appropriateness:category",
        "code": "may-be-appropriate-disagreement",
        "display": "May Be Appropriate (Disagreement)",
    }


# --- A second evaluation --------------------------------------------------------------------------


@pytest.mark.parametrize("left", [EARLIER, ANOTHER], ids=["by us", "by another service"])
def test_a_second_evaluation_replaces_the_extensions(left):
    """A second evaluation replaces the extensions that an earlier one left."""
    answer = ask_in(1, MRI_LUMBAR_WO, fields={"extension": [LOCAL, *left]})
    sent = action(answer)["resource"]
    assert [e["url"].split("/")[-1] for e in sent["extension"]] == [
        "local",
        RATING,
        CONSULTED,
        CONSULT_ID,
        AUC_APPLIED,
    ]
    assert rating_codes(sent) == ["appropriate"]
    assert "old" not in str(sent)


def test_evaluating_what_we_rated_changes_nothing():
    """The rated order, asked about again, comes back as it is."""
    first = action(ask_in(1, MRI_LUMBAR_WO))["resource"]
    assert action(ask(first))["resource"] == first


def test_a_suggestion_replaces_the_extensions_too():
    """The PAMA rating of the new procedure is the only one."""
    answer = ask_in(1, CT_LUMBAR_W, fields={"extension": EARLIER})
    for sent in resources_sent(answer):
        assert [e["url"] for e in sent["extension"]].count(ARGONAUT + RATING) == 1


def test_another_services_rating_never_travels_onto_a_changed_code():
    """A replacement that we do not rate has no rating at all; one that we do has ours only."""
    not_rated = ask(order(CT_LUMBAR_W, reasons=(FRACTURE,), extension=[LOCAL, *ANOTHER]))
    rated = ask_in(1, CT_LUMBAR_W, fields={"extension": [LOCAL, *ANOTHER]})
    for answer in (not_rated, rated):
        for button in answer.body["cards"][0]["suggestions"]:
            changed = button["actions"][0]["resource"]
            assert changed["extension"][0] == LOCAL
            assert "old" not in str(changed["extension"])
            assert rating_codes(changed) == (["appropriate"] if answer is rated else [])


NO_LONGER_RATED = {
    "a question": (order(PET_CT, reasons=(FRACTURE, PAIN)), ("conditions",)),
    "contrast not stated": (order(MRI_LUMBAR, reasons=(FRACTURE, PAIN)), ()),
    "no longer about the fracture": (order(MRI_LUMBAR_WO, reasons=(HYPERTENSION,)), ()),
    "no longer an order of ours": (order(HYPERTENSION), ()),
    "do not perform": (order(MRI_LUMBAR_WO, reasons=(FRACTURE, PAIN), doNotPerform=True), ()),
}


@pytest.mark.parametrize(("draft", "without"), NO_LONGER_RATED.values(), ids=NO_LONGER_RATED.keys())
def test_an_order_that_is_no_longer_rated_loses_our_rating(draft, without):
    """An order that is no longer rated loses them; all else stays."""
    answer = ask({**draft, "extension": [LOCAL, *EARLIER]}, without=without)
    made = action(answer)
    assert made["type"] == "update"
    assert made["resource"] == {**draft, "extension": [LOCAL]}


@pytest.mark.parametrize(("draft", "without"), NO_LONGER_RATED.values(), ids=NO_LONGER_RATED.keys())
def test_another_services_rating_is_not_touched(draft, without):
    """What another service left on an order that we do not rate is not ours to remove."""
    answer = ask({**draft, "extension": ANOTHER}, without=without)
    assert "systemActions" not in answer.body


def test_another_services_rating_stays_on_an_answers_resource():
    """An answer takes off what an earlier evaluation of ours left, and nothing else."""
    draft = order(PET_CT, reasons=(FRACTURE, PAIN), extension=ANOTHER)
    for sent in resources_sent(ask(draft, without=("conditions",))):
        assert sent["extension"] == ANOTHER


def test_without_any_rating_there_is_no_action():
    """No key `systemActions` and no `extension` where there is nothing to do."""
    body = ask(order(PET_CT, reasons=(FRACTURE, PAIN)), without=("conditions",)).body
    assert set(body) == {"cards"}


def test_a_stale_order_without_id_cannot_be_updated():
    draft = order(HYPERTENSION, identifier=None, extension=EARLIER)
    assert "systemActions" not in ask(draft).body


# --- What is sent is valid FHIR -------------------------------------------------------------------

EMPTY = {"note": [], "text": {}, "instantiatesUri": [""], "requester": {"reference": ""}}


def test_empty_elements_are_dropped():
    """Empty elements of the client's order are dropped when it is sent back."""
    answer = ask_in(1, CT_LUMBAR_W, fields=EMPTY)
    assert len(resources_sent(answer)) == 3
    for sent in resources_sent(answer):
        assert not set(EMPTY) & set(sent)


def test_empty_elements_of_a_stale_order_are_dropped():
    stale = order(HYPERTENSION, extension=EARLIER, **EMPTY)
    assert not set(EMPTY) & set(action(ask(stale))["resource"])


VALID = {
    "rated": ask_in(1, MRI_LUMBAR_WO, fields=EMPTY),
    "may be appropriate": ask_in(1, BONE_SCAN),
    "replacements": ask_in(2, CT_LUMBAR_W, fields={"extension": EARLIER}),
    "replacements without region": ask_in(1, MRI_SPINE_W),
    "no criteria": ask_in(5, MRI_LUMBAR_WO),
    "answers": ask(order(PET_CT, reasons=(FRACTURE, PAIN)), without=("conditions",)),
    "a surgeon besides": ask_in(6, AUGMENTATION_LUMBAR, CAUDA_EQUINA),
    "a rating removed": ask(order(HYPERTENSION, extension=EARLIER)),
}


@pytest.mark.parametrize("answer", VALID.values(), ids=VALID.keys())
def test_every_resource_sent_back_is_valid(answer):
    """Every resource in an action passes fhir.resources (R4B)."""
    assert resources_sent(answer)
    for sent in resources_sent(answer):
        get_fhir_model_class(sent["resourceType"]).model_validate(sent)


# --- Adding an order ------------------------------------------------------------------------------


def test_an_order_is_added_with_the_patient_and_the_reasons():
    """`create`: a new urgent draft of the same patient, for the same reasons, with no id."""
    fields = {"encounter": {"reference": "Encounter/e1"}, "note": [{"text": "x"}]}
    answer = ask_in(6, AUGMENTATION_LUMBAR, CAUDA_EQUINA, fields=fields)
    (button,) = answer.body["cards"][0]["suggestions"]
    (made,) = button["actions"]
    draft = answer.body["systemActions"][0]["resource"]
    assert made["type"] == "create"
    new = made["resource"]
    assert new["code"]["coding"][0]["code"] == SURGEON[1]
    assert (new["resourceType"], new["status"], new["priority"]) == (
        "ServiceRequest",
        "draft",
        "urgent",
    )
    for name in ("subject", "encounter", "reasonCode"):
        assert new[name] == draft[name]
    assert not {"id", "note", "extension"} & set(new)
    assert button["isRecommended"] is True
