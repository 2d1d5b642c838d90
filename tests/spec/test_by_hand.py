"""The guideline by hand: which variants, ratings and question follow from stated facts."""

from itertools import product

import pytest

from cds_service.decision.by_hand import facts_asked, find_by_hand, premises
from tests.small_world import topic

GUIDELINE = topic().guideline
KINDS = ("imaging", "treatment")


@pytest.mark.parametrize("variant", GUIDELINE.variants, ids=lambda v: v.id)
def test_the_criteria_of_a_variant_lead_to_it(variant):
    found = find_by_hand(variant.kind, dict(variant.criteria), topic())
    assert found.outcomes.variants == (variant,)
    assert not found.outcomes.none_possible
    assert found.decides is None


@pytest.mark.parametrize("kind", KINDS)
def test_without_any_fact_every_variant_is_possible(kind):
    found = find_by_hand(kind, {}, topic())
    assert found.outcomes.variants == tuple(v for v in GUIDELINE.variants if v.kind == kind)
    assert found.outcomes.none_possible


QUESTIONS = [
    ("imaging", {"vcf": True}, "symptomatic"),
    ("imaging", {"vcf": True, "symptomatic": True}, "malignancy"),
    ("imaging", {"vcf": True, "symptomatic": True, "malignancy": False}, "prior_vcf"),
    ("imaging", {"vcf": True, "symptomatic": True, "malignancy": True}, None),
    ("treatment", {"vcf": True, "symptomatic": False, "malignancy": False}, "worsening"),
    ("imaging", {"symptomatic": True, "malignancy": True}, "vcf"),
]


@pytest.mark.parametrize(("kind", "stated", "asked"), QUESTIONS)
def test_the_question_that_decides_next(kind, stated, asked):
    decides = find_by_hand(kind, stated, topic()).decides
    assert (decides.name if decides else None) == asked


@pytest.mark.parametrize("kind", KINDS)
def test_a_variant_that_a_fact_excludes_is_never_left(kind):
    """Whatever is stated: the variants that are left agree with every stated fact."""
    variants = [v for v in GUIDELINE.variants if v.kind == kind]
    names = [fact.name for fact in facts_asked(variants, topic())]
    for values in product((None, True, False), repeat=4):
        stated = {n: v for n, v in zip(names, values, strict=False) if v is not None}
        found = find_by_hand(kind, stated, topic())
        for variant in found.outcomes.variants:
            for name, value in stated.items():
                assert variant.criteria.get(name, value) is value


def test_what_follows_is_told():
    found = find_by_hand("treatment", {"vcf": True, "malignancy": False}, topic())
    assert [fact.name for fact in found.implied] == ["pathologic"]


def test_the_guideline_is_about_a_fracture():
    assert premises(topic()) == {"vcf"}
