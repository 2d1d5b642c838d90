"""The sentence with which the detail of a card opens: what is said of the order, and why."""

from cds_service.cards.consult import Consult, study
from cds_service.cards.markdown import escape
from cds_service.decision.evaluate import (
    CONTRAST_NOT_STATED,
    NO_CRITERIA,
    NOT_CHECKED,
    OUTSIDE_SCOPE,
    QUESTION,
    RATED,
    UNREADABLE,
    UNRESOLVED,
    WELCOME,
    unknown_facts,
)


def ordered(consult: Consult) -> str:
    order = consult.decision.case.order
    return study(order.procedure, order.place)


def why(consult: Consult) -> str:
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


def _welcome(consult: Consult) -> str:
    return f"is not warned against here, whatever its rating. Possible: {_variants(consult)}."


def _unreadable(consult: Consult) -> str:
    return (
        "was not checked: the order as sent could not be read "
        f"({escape(consult.problem)}). No rating was made."
    )


def _not_checked(consult: Consult) -> str:
    return (
        f"was not checked against the {consult.guideline.title}, "
        f"{consult.guideline.edition}: the order has no coded reason, and the conditions of the "
        "patient were not supplied. A coded reason on the order is enough."
    )


SENTENCES = {
    UNREADABLE: _unreadable,
    NOT_CHECKED: _not_checked,
    WELCOME: _welcome,
    RATED: _rated,
    NO_CRITERIA: _no_criteria,
    OUTSIDE_SCOPE: _outside_scope,
    CONTRAST_NOT_STATED: _contrast,
    QUESTION: _asked,
    UNRESOLVED: _given_up,
}
