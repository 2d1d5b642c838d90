"""The one question that would decide the order."""

from cds_service.decision.facts import answers
from cds_service.decision.situation import Situation
from cds_service.decision.topic import Question
from cds_service.decision.variants import facts_that_matter

GIVE_UP_AFTER = 2


def question_for(situation: Situation, questions: tuple[Question, ...]) -> Question | None:
    """The first question whose answer can change this order's category.

    None where every fact that matters was asked for already, and after two questions.
    """
    case = situation.case
    if case.order.questions_asked >= GIVE_UP_AFTER:
        return None
    procedure = case.order.procedure.id
    matter = set(facts_that_matter(situation.outcomes.variants, situation.values, procedure))
    open_facts = (q for q in questions if q.fact in matter)
    return next((q for q in open_facts if not answers(case, q.fact)), None)
