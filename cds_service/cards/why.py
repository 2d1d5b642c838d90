"""The sentence with which the detail of a card opens: what is said of the order, and why."""

from cds_service.cards.evaluated import EvaluatedOrder
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


def why(evaluated: EvaluatedOrder) -> str:
    """One sentence, which names the order and what is said of it."""
    return SENTENCES[evaluated.decision.subject](evaluated)


def _order(evaluated: EvaluatedOrder) -> str:
    return f"**{evaluated.ordered}**"


def _rated(evaluated: EvaluatedOrder) -> str:
    decision = evaluated.decision
    said = {
        "order": _order(evaluated),
        "category": evaluated.say(evaluated.guideline.categories[decision.category].label),
        "variants": _variants(evaluated),
    }
    if decision.outcomes.none_possible:
        return evaluated.say(
            "%(order)s is rated *%(category)s* wherever the guideline applies: %(variants)s.",
            **said,
        )
    return evaluated.say("%(order)s is rated *%(category)s* in %(variants)s.", **said)


def _variants(evaluated: EvaluatedOrder) -> str:
    """The possible variants and their source."""
    titles = [
        evaluated.say(
            "variant %(number)s (%(title)s)",
            number=variant.number,
            title=evaluated.say(variant.title).rstrip("."),
        )
        for variant in evaluated.decision.outcomes.variants
    ]
    both = evaluated.say(" and ").join(titles)
    return evaluated.say("%(variants)s of the %(source)s", variants=both, source=evaluated.source)


def _no_criteria(evaluated: EvaluatedOrder) -> str:
    said = {"order": _order(evaluated), "source": evaluated.source}
    if evaluated.decision.outcomes.variants:
        return evaluated.say(
            "%(order)s is not rated in %(variants)s; what is rated there is listed below.",
            order=_order(evaluated),
            variants=_variants(evaluated),
        )
    if evaluated.decision.case.order.procedure.is_imaging:
        return evaluated.say(
            "%(order)s is not rated: the %(source)s, has no imaging variant for a fracture without "
            "symptoms and without a known malignancy; it describes medical management for it "
            "(variant 5).",
            **said,
        )
    return evaluated.say(
        "%(order)s is not rated: no treatment variant of the %(source)s, fits this patient.", **said
    )


def _outside_scope(evaluated: EvaluatedOrder) -> str:
    return evaluated.say(
        "%(order)s is not rated: the %(source)s, does not cover suspected infection.",
        order=_order(evaluated),
        source=evaluated.source,
    )


def _contrast(evaluated: EvaluatedOrder) -> str:
    return evaluated.say(
        "%(order)s does not say whether contrast is given, and the rating hangs on it: "
        "%(variants)s.",
        order=_order(evaluated),
        variants=_variants(evaluated),
    )


def _asked(evaluated: EvaluatedOrder) -> str:
    return evaluated.say(
        "%(order)s is not rated yet; it depends on what the chart does not say. "
        "Possible: %(variants)s.",
        order=_order(evaluated),
        variants=_variants(evaluated),
    )


def _given_up(evaluated: EvaluatedOrder) -> str:
    facts = evaluated.guideline.facts
    unknown = [evaluated.say(facts[f.name].in_text) for f in unknown_facts(evaluated.decision)]
    return evaluated.say(
        "%(order)s could not be rated; not known: %(facts)s. Possible: %(variants)s.",
        order=_order(evaluated),
        facts=", ".join(unknown),
        variants=_variants(evaluated),
    )


def _welcome(evaluated: EvaluatedOrder) -> str:
    return evaluated.say(
        "%(order)s is not warned against here, whatever its rating. Possible: %(variants)s.",
        order=_order(evaluated),
        variants=_variants(evaluated),
    )


def _unreadable(evaluated: EvaluatedOrder) -> str:
    return evaluated.say(
        "%(order)s was not checked: the order as sent could not be read (%(problem)s). "
        "No rating was made.",
        order=_order(evaluated),
        problem=escape(evaluated.problem),
    )


def _not_checked(evaluated: EvaluatedOrder) -> str:
    return evaluated.say(
        "%(order)s was not checked against the %(source)s: the order has no coded reason, and the "
        "conditions of the patient were not supplied. A coded reason on the order is enough.",
        order=_order(evaluated),
        source=evaluated.source,
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
