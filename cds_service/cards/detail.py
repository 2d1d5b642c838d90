"""The detail of a card: why, the evidence, the ratings, what is missing, safety, the source."""

from collections.abc import Iterable, Iterator

from cds_service.cards.evaluated import EvaluatedOrder
from cds_service.cards.evidence import fact_line, proof
from cds_service.cards.markdown import escape, table
from cds_service.cards.why import why
from cds_service.decision.facts import PRESUMED
from cds_service.decision.guideline import DISAGREEMENT, USUALLY_APPROPRIATE, Variant
from cds_service.decision.safety import Alert, speaking
from cds_service.decision.verdict import CONTRAST_NOT_STATED, OUTSIDE_SCOPE, NotChecked, Rated
from cds_service.language import N_

ADULT = 18
# The kinds of rule that the detail lists; those that excuse the order come first.
EXCUSES = ("soften", "quiet")
TOLD = (*EXCUSES, "outside-scope", "caution", "wrong-region", "alternative", "line")
KINDS_IN_WORDS = {
    "patient": N_("patient"),
    "conditions": N_("conditions"),
    "procedures": N_("procedures"),
    "observations": N_("observations"),
    "devices": N_("devices"),
    "allergies": N_("allergies"),
}


def detail(evaluated: EvaluatedOrder, remarks: str) -> str:
    """GitHub-flavoured Markdown. Text of the client is escaped; `remarks` are of the dialect."""
    if isinstance(evaluated.decision.verdict, NotChecked):
        return why(evaluated)
    parts = (why, _facts, _question, _ratings, _reservations, _safety, _suggestions)
    texts = [*(part(evaluated) for part in parts), remarks, _source(evaluated)]
    return "\n\n".join(filter(None, texts))


def _facts(evaluated: EvaluatedOrder) -> str:
    """A line for each fact that the decision rests on, with its evidence."""
    facts = evaluated.decision.facts
    asked = _facts_asked(evaluated)
    return "\n".join(fact_line(evaluated, facts[name]) for name in facts if name in asked)


def _facts_asked(evaluated: EvaluatedOrder) -> set[str]:
    """The criteria of the possible variants; where none is possible, what excluded them."""
    asked = {fact for v in evaluated.decision.outcomes.variants for fact in v.criteria}
    return asked or set(evaluated.topic.about.facts_without_variant)


def _question(evaluated: EvaluatedOrder) -> str:
    question = evaluated.decision.question
    if question is None:
        return ""
    return evaluated.say(
        "**%(question)s** The answer becomes part of the order, as one of its reasons.",
        question=evaluated.say(question.text),
    )


def _ratings(evaluated: EvaluatedOrder) -> str:
    """The ratings of each possible variant with the relative radiation level of the patient."""
    variants = evaluated.decision.outcomes.variants
    if not variants or evaluated.decision.subject == OUTSIDE_SCOPE:
        return ""
    guideline = evaluated.topic.guideline
    age = evaluated.decision.case.age
    child = age is not None and age < ADULT
    procedures = list(dict.fromkeys(p for v in variants for p in v.ratings))
    rows = []
    for procedure in (guideline.procedure[p] for p in procedures):
        level = procedure.radiation.child if child else procedure.radiation.adult
        cells = [_cell(evaluated, v, procedure.id) for v in variants]
        rows.append([evaluated.say(procedure.label), *cells, evaluated.say(level)])
    level = evaluated.say("Radiation (child)") if child else evaluated.say("Radiation (adult)")
    columns = [evaluated.say("Variant %(number)s", number=v.number) for v in variants]
    return table([evaluated.say("Procedure"), *columns, level], rows)


def _cell(evaluated: EvaluatedOrder, variant: Variant, procedure_id: str) -> str:
    category = variant.category_of(procedure_id)
    if category is None:
        return evaluated.say("not rated")
    return evaluated.say(evaluated.topic.guideline.category[category].label)


def _reservations(evaluated: EvaluatedOrder) -> str:
    """What was presumed, what was missing, and what the order was rated as."""
    return "\n".join(f"- {line}" for line in _reserved(evaluated))


def _reserved(evaluated: EvaluatedOrder) -> Iterator[str]:
    decision, order = evaluated.decision, evaluated.decision.case.order
    if order.rated_as:
        yield evaluated.say(
            "“%(order)s” is rated as %(procedure)s (%(difference)s).",
            order=escape(order.display),
            procedure=evaluated.say(order.procedure.label),
            difference=evaluated.say(order.rated_as),
        )
    asked = _facts_asked(evaluated)
    for definition in evaluated.topic.facts:
        if definition.name in asked and decision.facts[definition.name].how == PRESUMED:
            yield evaluated.say(definition.presumed)
    if any(DISAGREEMENT in v.ratings.values() for v in decision.outcomes.variants):
        note = evaluated.say(evaluated.topic.guideline.category[DISAGREEMENT].note)
        yield evaluated.say("“Disagreement” means that %(note)s.", note=note)
    yield from _missing(evaluated)


def _missing(evaluated: EvaluatedOrder) -> Iterator[str]:
    chart = evaluated.decision.case.chart
    if chart.missing:
        kinds = ", ".join(evaluated.say(KINDS_IN_WORDS[kind]) for kind in chart.missing)
        yield evaluated.say("Not supplied, or only in part: %(kinds)s.", kinds=kinds)
    if chart.unread:
        yield evaluated.say("Could not be read: %(names)s.", names=_names(chart.unread))
    if evaluated.unresolved_reasons:
        names = _names(evaluated.unresolved_reasons)
        yield evaluated.say("Reasons that were not supplied: %(names)s.", names=names)


def _names(names: Iterable[str]) -> str:
    return ", ".join(map(escape, names))


def _safety(evaluated: EvaluatedOrder) -> str:
    """The text of every rule that is about the order, marked as ours and not the ACR's."""
    alerts = speaking(evaluated.decision.alerts, *TOLD)
    if not alerts:
        return ""
    excuses_first = sorted(alerts, key=lambda alert: alert.rule.kind not in EXCUSES)
    lines = [f"- {_said(evaluated, alert)}" for alert in excuses_first]
    return "\n".join([evaluated.say("Safety notes of this service, not of the ACR:"), "", *lines])


def _said(evaluated: EvaluatedOrder, alert: Alert) -> str:
    evidence = proof(evaluated, alert.evidence) or evaluated.say("see above")
    return evaluated.say(alert.rule.text).replace("{evidence}", evidence)


def _suggestions(evaluated: EvaluatedOrder) -> str:
    """What the sequence of the suggestions means, or why there are none."""
    decision = evaluated.decision
    kinds = {s.kind for s in decision.suggestions}
    if not evaluated.has_id:
        no_id = evaluated.say("The draft order has no id, so it cannot be changed from here.")
        return " ".join(filter(None, (no_id, how_to_answer(evaluated))))
    if "replace" in kinds:
        return evaluated.say(
            "The suggestions stand in the order of the document, safety first; that order is no "
            "ranking."
        )
    if kinds or decision.subject not in (Rated.subject, CONTRAST_NOT_STATED):
        return ""
    if decision.category == USUALLY_APPROPRIATE and not speaking(decision.alerts, "caution"):
        return ""
    none_left = evaluated.say(
        "No usually appropriate study is left that fits the safety notes and can be ordered with "
        "a verified code: discuss with radiology which study answers the question."
    )
    return none_left + _kept_out(evaluated)


def how_to_answer(evaluated: EvaluatedOrder) -> str:
    """Which reasons answer an open question, for where no button can."""
    question = evaluated.decision.question
    if question is None:
        return ""
    answers = " / ".join(evaluated.say(a.label) for a in question.answers.values())
    return evaluated.say(
        "To be answered by adding a coded reason to the order: %(answers)s.", answers=answers
    )


def _kept_out(evaluated: EvaluatedOrder) -> str:
    """The safety rules that are not about this order, but keep what is usually appropriate out."""
    decision, procedures = evaluated.decision, evaluated.topic.guideline.procedure
    best = {procedures[p] for v in decision.outcomes.variants for p in v.usually_appropriate}
    silent = [a for a in decision.alerts if not a.speaks and any(a.rule.avoids(p) for p in best)]
    return "".join(
        f" {evaluated.say(a.rule.title)} ({proof(evaluated, a.evidence)})." for a in silent
    )


def _source(evaluated: EvaluatedOrder) -> str:
    about = evaluated.topic.about
    return evaluated.say(
        "%(citation)s %(scope)s The referring physician and the radiologist decide.",
        citation=evaluated.say(about.source.citation),
        scope=evaluated.say(about.texts.scope),
    )
