"""Every rating of the document, reached by a request with every order code that the map holds."""

import json

import pytest

from tests.small_world import IN_VARIANT, ROOT, TOPIC_FOLDER, decide, order

GUIDELINE = json.loads((TOPIC_FOLDER / "guideline.json").read_text("utf-8"))
ORDERS = json.loads((ROOT / "mappings/concept-maps/orders.json").read_text("utf-8"))
KINDS = {p["id"]: p["kind"] for p in GUIDELINE["procedures"]}
VARIANTS = {v["number"]: v for v in GUIDELINE["variants"]}
CONTRAST_NOT_STATED = {"mri-spine-unspecified", "ct-spine-unspecified"}
MEDICAL_MANAGEMENT = "medical-management"

# The whole document on one screen: Usually, May be, Disagreement (may be), Not; - is not listed.
LETTERS = {
    "usually-appropriate": "U",
    "may-be-appropriate": "M",
    "may-be-appropriate-disagreement": "D",
    "usually-not-appropriate": "N",
}
DOCUMENT = """
                                 1 2 3 4 5 6 7 8 9
mri-spine-wo                     U U U U - - - - -
mri-spine-w                      N D N N - - - - -
mri-spine-wo-w                   N U M U - - - - -
ct-spine-wo                      U U U U - - - - -
ct-spine-w                       N N N N - - - - -
ct-spine-wo-w                    N N N N - - - - -
ct-myelography-spine             N M N N - - - - -
bone-scan-whole-body             M M M M - - - - -
spect-spine                      M M M M - - - - -
fdg-pet-ct-skull-base-mid-thigh  N M M M - - - - -
image-guided-biopsy-spine        - M - M - - - - -
medical-management               - - - - U U U M M
vertebral-augmentation           - - - - N U U U U
percutaneous-ablation-spine      - - - - N N N N U
surgical-consultation            - - - - N M M U U
radiation-oncology-consultation  - - - - N N N N U
systemic-radionuclide-therapy    - - - - - N N N M
"""


def category(number: int, procedure: str) -> str | None:
    """What the guideline in the mappings says of a procedure in a variant."""
    return VARIANTS[number]["ratings"].get(procedure)


def order_codes() -> list[tuple[str, str, str]]:
    """System, code and procedure of every order code in the map."""
    return [
        (group["source"], element["code"], element["target"][0]["code"])
        for group in ORDERS["group"]
        for element in group["element"]
    ]


def every_code_in_every_variant() -> list:
    return [
        pytest.param((system, code), procedure, number, id=f"{procedure}-{code}-variant{number}")
        for system, code, procedure in order_codes()
        for number, variant in VARIANTS.items()
        if variant["kind"] == KINDS[procedure]
    ]


@pytest.mark.parametrize(("code", "procedure", "number"), every_code_in_every_variant())
def test_each_code_is_rated_as_the_document_says(code, procedure, number):
    """What the variant says of the procedure, and nothing where the variant does not list it."""
    reasons, chart = IN_VARIANT[number]
    decision = decide(order(code, reasons=reasons), **chart)
    assert decision.case.order.procedure.id == procedure
    assert [v.number for v in decision.outcomes.variants] == [number]
    expected = category(number, procedure)
    assert decision.category == expected
    if procedure in CONTRAST_NOT_STATED:
        assert (decision.subject, decision.rating) == ("contrast-not-stated", None)
    else:
        assert decision.rating == pama(expected)


def pama(expected: str | None) -> str:
    if expected is None:
        return "no-criteria-apply"
    return "not-appropriate" if expected == "usually-not-appropriate" else "appropriate"


@pytest.mark.parametrize(
    "line", DOCUMENT.strip().splitlines()[1:], ids=lambda line: line.split()[0]
)
def test_the_mappings_say_what_the_document_says(line):
    """71 rows of the ACR document, each in its place."""
    procedure, *expected = line.split()
    found = [LETTERS.get(category(number, procedure), "-") for number in range(1, 10)]
    assert found == expected


def test_all_71_ratings_are_there():
    rated = {(n, procedure) for n, v in VARIANTS.items() for procedure in v["ratings"]}
    assert len(rated) == 71
    assert sum(len(v["ratings"]) for v in VARIANTS.values()) == 71


def test_every_rating_but_medical_management_is_reached_by_some_code():
    """Medical management is no order."""
    reached = {
        (number, procedure)
        for _, _, procedure in order_codes()
        for number in VARIANTS
        if category(number, procedure)
    }
    rated = {(n, procedure) for n, v in VARIANTS.items() for procedure in v["ratings"]}
    assert rated - reached == {(number, MEDICAL_MANAGEMENT) for number in range(5, 10)}
