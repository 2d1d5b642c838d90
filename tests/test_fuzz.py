"""A little of `make fuzz` with every run of the tests, and what it found, as small as can be."""

from fuzz.run import run_part
from tests.small_world import FRACTURE, MRI_LUMBAR_W, PAIN, ask, egfr, order

OURS = {
    "url": "http://fhir.org/argonaut/Extension/pama-rating-qcdsm-consulted",
    "valueString": "not-a-qcdsm:vcf-appropriateness",
}


def test_a_thousand_odd_requests_break_no_promise():
    seen = run_part(("1", 1_000))
    assert seen["with cards"] > 100


def test_an_egfr_that_is_no_float_is_no_number():
    """JSON holds whole numbers of any length."""
    answer = ask(order(MRI_LUMBAR_W, reasons=(FRACTURE, PAIN)), observations=[egfr(10**400)])
    (decision,) = answer.decisions
    assert not [f for f in decision.case.chart.findings if f.value is not None]


def test_a_null_among_the_extensions_of_an_order_is_dropped():
    """fhir.resources lets it pass; an order that is not ours any more is sent back without it."""
    for codes in (MRI_LUMBAR_W, ("urn:local", "knee")):
        body = ask(order(codes, reasons=(FRACTURE, PAIN), extension=[OURS, None])).body
        (action,) = body["systemActions"]
        assert None not in action["resource"].get("extension", [])


def test_an_order_that_is_not_valid_is_never_sent_back():
    """Neither where it is relevant, nor where it is not: only its fracture differs here."""
    for reasons in ((FRACTURE, PAIN), (PAIN,)):
        draft = order(MRI_LUMBAR_W, reasons=reasons, extension=[OURS, "2026-02-29"])
        assert "systemActions" not in ask(draft).body
