"""What `make fuzz` found, each as small as it can be."""

from tests.small_world import FRACTURE, MRI_LUMBAR_W, PAIN, ask, condition, egfr, order


def test_half_a_surrogate_pair_where_a_model_has_its_name_makes_a_condition_unread():
    """pydantic quotes the name in its error, and cannot."""
    odd = condition(FRACTURE)
    odd["code"]["resource_type"] = "\ud800"
    answer = ask(order(MRI_LUMBAR_W, reasons=(FRACTURE, PAIN)), conditions=[odd])
    (decision,) = answer.decisions
    assert decision.case.chart.unread == (f"Condition/{odd['id']} (the resource)",)


def test_an_egfr_that_is_no_float_is_no_number():
    """JSON holds whole numbers of any length."""
    answer = ask(order(MRI_LUMBAR_W, reasons=(FRACTURE, PAIN)), observations=[egfr(10**400)])
    (decision,) = answer.decisions
    assert not [f for f in decision.case.chart.findings if f.value is not None]
