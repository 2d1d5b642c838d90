"""The detail of a card: why, the evidence, the ratings, what is missing, safety, the source."""

from collections.abc import Iterator

from cds_service.cards.consult import Consult, study
from cds_service.cards.evidence import fact_line, proof
from cds_service.cards.markdown import escape, table
from cds_service.decision.chart import KINDS
from cds_service.decision.evaluate import (
    CONTRAST_NOT_STATED,
    NO_CRITERIA,
    OUTSIDE_SCOPE,
    QUESTION,
    RATED,
    UNREADABLE,
    UNRESOLVED,
    unknown_facts,
)
from cds_service.decision.knowledge import DISAGREEMENT, USUALLY_APPROPRIATE, Variant
from cds_service.decision.safety import speaking

ADULT = 18
SAID_OF_A_CARD = ("caution", "soften", "outside-scope", "alternative", "line", "wrong-region")


def detail(consult: Consult) -> str:
    """GitHub-flavoured Markdown; all text of the client is escaped."""
    if consult.decision.subject == UNREADABLE:
        return _unreadable(consult)
    parts = (_why, _facts, _question, _ratings, _reservations, _safety, _suggestions, _source)
    return "\n\n".join(text for part in parts if (text := part(consult)))


def ordered(consult: Consult) -> str:
    order = consult.decision.case.order
    return study(order.procedure, order.place)


def _why(consult: Consult) -> str:
    """One sentence, which names the order and what is said of it."""
    return f"**{ordered(consult)}** {SENTENCES[consult.decision.subject](consult)}"


def _rated(consult: Consult) -> str:
    label = consult.guideline.categories[consult.decision.category].label
    if consult.decision.outcomes.none_possible:
        return f"is rated *{label}* wherever the guideline applies: {_variants(consult)}."
    return f"is rated *{label}* in {_variants(consult)}."


def _variants(consult: Consult) -> str:
    variants = consult.decision.outcomes.variants
    titles = [f"variant {v.number} ({v.title.rstrip('.')})" for v in variants]
    of = f"the {consult.guideline.title}, {consult.guideline.edition}"
    return f"{' and '.join(titles)} of {of}"


def _no_criteria(consult: Consult) -> str:
    of = f"the {consult.guideline.title}, {consult.guideline.edition},"
    if consult.decision.outcomes.variants:
        return f"is not rated in {_variants(consult)}; what is rated there is listed below."
    if consult.decision.case.order.procedure.is_imaging:
        return (
            f"is not rated: {of} has no imaging variant for a fracture without symptoms and "
            "without a known malignancy; it describes medical management for it (variant 5)."
        )
    return f"is not rated: no treatment variant of {of} fits this patient."


def _outside_scope(consult: Consult) -> str:
    of = f"the {consult.guideline.title}, {consult.guideline.edition},"
    return f"is not rated: {of} does not cover suspected infection."


def _contrast(consult: Consult) -> str:
    return (
        f"does not say whether contrast is given, and the rating hangs on it: {_variants(consult)}."
    )


def _asked(consult: Consult) -> str:
    variants = _variants(consult)
    return f"is not rated yet; it depends on what the chart does not say. Possible: {variants}."


def _given_up(consult: Consult) -> str:
    missing = ", ".join(
        consult.guideline.facts[f.name].label.lower() for f in unknown_facts(consult.decision)
    )
    return f"could not be rated; not known: {missing}. Possible: {_variants(consult)}."


SENTENCES = {
    RATED: _rated,
    NO_CRITERIA: _no_criteria,
    OUTSIDE_SCOPE: _outside_scope,
    CONTRAST_NOT_STATED: _contrast,
    QUESTION: _asked,
    UNRESOLVED: _given_up,
}


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
    if decision.category == DISAGREEMENT:
        note = consult.guideline.categories[DISAGREEMENT].note
        yield f"“Disagreement” means that {note}."
    yield from _missing(consult)


def _missing(consult: Consult) -> Iterator[str]:
    chart = consult.decision.case.chart
    missing = [kind for kind in KINDS if not chart.has(kind)]
    if missing:
        yield f"Not supplied, or only in part: {', '.join(missing)}."
    if chart.unread:
        yield f"Could not be read: {', '.join(escape(name) for name in chart.unread)}."
    if consult.unresolved_reasons:
        names = ", ".join(escape(name) for name in consult.unresolved_reasons)
        yield f"Reasons that were not supplied: {names}."


def _safety(consult: Consult) -> str:
    """Every caution that is about the order, marked as ours and not the ACR's."""
    alerts = speaking(consult.decision.alerts, *SAID_OF_A_CARD)
    if not alerts:
        return ""
    lines = [f"- {_said(alert)}" for alert in alerts]
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
    )


def _source(consult: Consult) -> str:
    guideline = consult.guideline
    return (
        f"{guideline.citation} Not covered: high-energy trauma, suspected infection and other "
        "diseases. The referring physician and the radiologist decide."
    )


def _unreadable(consult: Consult) -> str:
    return (
        f"**{ordered(consult)}** was not checked: the order as sent could not be read "
        f"({escape(consult.problem)}). No rating was made."
    )
