"""The one question that would decide the order."""

from cds_service.decision.chart import Case
from cds_service.decision.facts import Facts, answers
from cds_service.decision.knowledge import Guideline, Question
from cds_service.decision.variants import Outcomes, facts_that_matter

GIVE_UP_AFTER = 2


def question_for(
    case: Case, facts: Facts, outcomes: Outcomes, guideline: Guideline
) -> Question | None:
    """The first question whose answer can change this order's category.

    None when every fact that matters was asked for already, or after two questions.
    """
    if case.order.questions_asked >= GIVE_UP_AFTER:
        return None
    values = {name: fact.value for name, fact in facts.items()}
    matter = set(facts_that_matter(outcomes.variants, values, case.order.procedure.id))
    open_facts = (q for q in guideline.questions if q.fact in matter)
    return next((q for q in open_facts if not answers(case, q.fact)), None)
