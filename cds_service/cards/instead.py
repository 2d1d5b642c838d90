"""What to do instead of the order: a line for each suggestion, or why there is none."""

from cds_service.cards.evaluated import EvaluatedOrder
from cds_service.cards.evidence import proof
from cds_service.decision.guideline import USUALLY_APPROPRIATE, Procedure
from cds_service.decision.safety import speaking
from cds_service.decision.suggestions import Suggestion
from cds_service.decision.verdict import CONTRAST_NOT_STATED, Rated

ADULT = 18


def instead(evaluated: EvaluatedOrder, reasons: int) -> str:
    """A line for each study, treatment or deletion that is offered, with its reason and its
    relative radiation level; else why nothing is. Only the first `reasons` say their reason.
    """
    offered = [s for s in evaluated.decision.suggestions if s.kind != "answer"]
    lines = [_line(evaluated, s, number < reasons) for number, s in enumerate(offered)]
    if not evaluated.has_id:
        no_id = evaluated.say("The draft order has no id, so it cannot be changed from here.")
        return "\n".join([no_id, *lines])
    return "\n".join([_heading(evaluated, offered), *lines]) if lines else _none_left(evaluated)


def _heading(evaluated: EvaluatedOrder, offered: list[Suggestion]) -> str:
    kinds = {suggestion.kind for suggestion in offered}
    if kinds == {"create"}:
        return evaluated.say("In addition:")
    if len(offered) > 1:
        return evaluated.say("Instead, in the order of the document:")
    return evaluated.say("Instead:")


def _line(evaluated: EvaluatedOrder, suggestion: Suggestion, with_reasons: bool) -> str:
    if suggestion.kind == "delete":
        return f"- **{evaluated.say(evaluated.topic.about.texts.deletes)}**"
    procedure = suggestion.procedure
    moved = procedure == evaluated.decision.case.order.procedure
    name = evaluated.study(procedure, suggestion.place) if moved else evaluated.say(procedure.short)
    reason = reason_of(evaluated, procedure.id) if with_reasons else ""
    level = radiation(evaluated, procedure)
    said = f"- **{name}** ({level})" if level else f"- **{name}**"
    return f"{said}: {reason}" if reason else said


def reason_of(evaluated: EvaluatedOrder, procedure_id: str) -> str:
    """Why the first possible variant that rates a procedure rates it so; empty if none does."""
    variants = evaluated.decision.outcomes.variants
    reasons = (evaluated.topic.why(variant.id, procedure_id) for variant in variants)
    return evaluated.say(next(filter(None, reasons), ""))


def radiation(evaluated: EvaluatedOrder, procedure: Procedure) -> str:
    """The relative radiation level for the age of the patient; empty where none is known."""
    child = is_child(evaluated)
    level = evaluated.say(procedure.radiation.child if child else procedure.radiation.adult)
    if not level:
        return ""
    if child:
        return evaluated.say("child: radiation %(level)s", level=level)
    return evaluated.say("radiation %(level)s", level=level)


def is_child(evaluated: EvaluatedOrder) -> bool:
    age = evaluated.decision.case.age
    return age is not None and age < ADULT


def _none_left(evaluated: EvaluatedOrder) -> str:
    """Why nothing is offered, where something else than the order would be appropriate."""
    decision = evaluated.decision
    if decision.suggestions or decision.subject not in (Rated.subject, CONTRAST_NOT_STATED):
        return ""
    if decision.category == USUALLY_APPROPRIATE and not speaking(decision.alerts, "caution"):
        return ""
    none_left = evaluated.say(
        "No usually appropriate study is left that fits the cautions and has a verified code: "
        "discuss with radiology which study answers the question."
    )
    return none_left + _kept_out(evaluated)


def _kept_out(evaluated: EvaluatedOrder) -> str:
    """The safety rules that are not about this order, but keep what is usually appropriate out."""
    decision, procedures = evaluated.decision, evaluated.topic.guideline.procedure
    best = {procedures[p] for v in decision.outcomes.variants for p in v.usually_appropriate}
    silent = [a for a in decision.alerts if not a.speaks and any(a.rule.avoids(p) for p in best)]
    return "".join(
        f" {evaluated.say(a.rule.title)} ({proof(evaluated, a.evidence)})." for a in silent
    )


def how_to_answer(evaluated: EvaluatedOrder) -> str:
    """Which reasons answer an open question, for where no button can; empty without a question."""
    question = evaluated.decision.question
    if question is None:
        return ""
    answers = " / ".join(evaluated.say(a.label) for a in question.answers.values())
    return evaluated.say(
        "To be answered by adding a coded reason to the order: %(answers)s.", answers=answers
    )
