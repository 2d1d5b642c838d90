"""The detail of a card: why, the evidence, the ratings, what is missing, safety, the source."""

from collections.abc import Iterator

from cds_service.cards.consult import Consult
from cds_service.cards.evidence import fact_line, proof
from cds_service.cards.markdown import escape, table
from cds_service.cards.why import why
from cds_service.decision.evaluate import (
    CONTRAST_NOT_STATED,
    NOT_CHECKED,
    RATED,
    UNREADABLE,
)
from cds_service.decision.knowledge import DISAGREEMENT, USUALLY_APPROPRIATE, Variant
from cds_service.decision.safety import speaking

ADULT = 18
# The kinds of rule that are told; what excuses the order comes first.
EXCUSES = ("soften", "quiet")
TOLD = (*EXCUSES, "outside-scope", "caution", "wrong-region", "alternative", "line")


def detail(consult: Consult, remarks: str) -> str:
    """GitHub-flavoured Markdown; all text of the client is escaped. `remarks` are the dialect's."""
    if consult.decision.subject in (UNREADABLE, NOT_CHECKED):
        return why(consult)
    parts = (why, _facts, _question, _ratings, _reservations, _safety, _suggestions)
    texts = [*(part(consult) for part in parts), remarks, _source(consult)]
    return "\n\n".join(filter(None, texts))


def _facts(consult: Consult) -> str:
    """The facts that the decision rests on, in the words of the chart."""
    facts = consult.decision.facts
    asked = _facts_asked(consult)
    return "\n".join(fact_line(consult, facts[name]) for name in facts if name in asked)


def _facts_asked(consult: Consult) -> set[str]:
    """The criteria of the possible variants; where none is possible, what excluded them."""
    variants = consult.decision.outcomes.variants
    asked = {fact for v in variants for fact, _ in v.criteria}
    return asked or {"vcf", "symptomatic", "malignancy"}


def _question(consult: Consult) -> str:
    question = consult.decision.question
    if question is None:
        return ""
    return f"**{question.text}** The answer becomes part of the order, as one of its reasons."


def _ratings(consult: Consult) -> str:
    """The ratings of each possible variant with the relative radiation level of the patient."""
    variants = consult.decision.outcomes.variants
    if not variants:
        return ""
    guideline = consult.guideline
    age = consult.decision.case.age
    child = age is not None and age < ADULT
    procedures = list(dict.fromkeys(p for v in variants for p, _ in v.ratings))
    rows = []
    for procedure in (guideline.procedures[p] for p in procedures):
        level = procedure.child_radiation if child else procedure.adult_radiation
        rows.append([procedure.label, *(_cell(consult, v, procedure.id) for v in variants), level])
    level = "Radiation (child)" if child else "Radiation (adult)"
    return table(["Procedure", *(f"Variant {v.number}" for v in variants), level], rows)


def _cell(consult: Consult, variant: Variant, procedure_id: str) -> str:
    category = variant.category_of(procedure_id)
    return consult.guideline.categories[category].label if category else "not rated"


def _reservations(consult: Consult) -> str:
    """What was presumed, what was missing, and what the order was rated as."""
    return "\n".join(f"- {line}" for line in _reserved(consult))


def _reserved(consult: Consult) -> Iterator[str]:
    decision, order = consult.decision, consult.decision.case.order
    if order.rated_as:
        label = order.procedure.label
        yield f"“{escape(order.display)}” is rated as {label} ({order.rated_as})."
    presumed = decision.facts["osteoporotic"].how == "presumed"
    if presumed and "osteoporotic" in _facts_asked(consult):
        yield (
            "Presumed osteoporotic from age and sex: no malignancy is known, and the fracture is "
            "coded neither traumatic nor neoplastic."
        )
    if any(DISAGREEMENT in dict(v.ratings).values() for v in decision.outcomes.variants):
        note = consult.guideline.categories[DISAGREEMENT].note
        yield f"“Disagreement” means that {note}."
    yield from _missing(consult)


def _missing(consult: Consult) -> Iterator[str]:
    chart = consult.decision.case.chart
    if chart.missing:
        yield f"Not supplied, or only in part: {', '.join(chart.missing)}."
    if chart.unread:
        yield f"Could not be read: {', '.join(escape(name) for name in chart.unread)}."
    if consult.unresolved_reasons:
        names = ", ".join(escape(name) for name in consult.unresolved_reasons)
        yield f"Reasons that were not supplied: {names}."


def _safety(consult: Consult) -> str:
    """Every caution that is about the order, marked as ours and not the ACR's."""
    alerts = speaking(consult.decision.alerts, *TOLD)
    if not alerts:
        return ""
    excuses_first = sorted(alerts, key=lambda alert: alert.rule.kind not in EXCUSES)
    lines = [f"- {_said(alert)}" for alert in excuses_first]
    return "\n".join(["Safety notes of this service, not of the ACR:", "", *lines])


def _said(alert) -> str:
    evidence = proof(alert.evidence) or "see above"
    return alert.rule.text.replace("{evidence}", evidence)


def _suggestions(consult: Consult) -> str:
    """What the order of the buttons means, or why there is none."""
    decision = consult.decision
    kinds = {s.kind for s in decision.suggestions}
    if not consult.has_id:
        return "The draft order has no id, so it cannot be changed from here."
    if "replace" in kinds:
        return (
            "The suggestions stand in the order of the document, safety first; that order is no "
            "ranking."
        )
    if kinds or decision.subject not in (RATED, CONTRAST_NOT_STATED):
        return ""
    if decision.category == USUALLY_APPROPRIATE and not speaking(decision.alerts, "caution"):
        return ""
    return (
        "No usually appropriate study is left that fits the safety notes and can be ordered with "
        "a verified code: discuss with radiology which study answers the question."
        + _kept_out(consult)
    )


def _kept_out(consult: Consult) -> str:
    """The safety rules that are not about the order, but keep the usually appropriate out."""
    decision, procedures = consult.decision, consult.guideline.procedures
    best = {procedures[p] for v in decision.outcomes.variants for p in v.usually_appropriate}
    silent = [a for a in decision.alerts if not a.speaks and any(p in a.rule.avoid for p in best)]
    return "".join(f" {alert.rule.title} ({proof(alert.evidence)})." for alert in silent)


def _source(consult: Consult) -> str:
    guideline = consult.guideline
    return (
        f"{guideline.citation} Outside its scope: high-energy trauma, suspected infection and "
        "other diseases. The referring physician and the radiologist decide."
    )
