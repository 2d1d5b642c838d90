"""The first sentence of the detail of a card: the verdict on the order, and why."""

from cds_service.cards.evaluated import EvaluatedOrder
from cds_service.cards.markdown import escape
from cds_service.decision.evaluate import unknown_facts
from cds_service.decision.verdict import (
    CONTRAST_NOT_STATED,
    NO_CRITERIA,
    NOT_CHECKED,
    OUTSIDE_SCOPE,
    UNREADABLE,
    UNRESOLVED,
    WELCOME,
    Asks,
    Rated,
)


def why(evaluated: EvaluatedOrder) -> str:
    """One sentence, by the verdict."""
    return SENTENCES[evaluated.decision.subject](evaluated)


def _order(evaluated: EvaluatedOrder) -> str:
    return f"**{evaluated.ordered}**"


def _rated(evaluated: EvaluatedOrder) -> str:
    decision = evaluated.decision
    said = {
        "order": _order(evaluated),
        "category": evaluated.say(evaluated.topic.guideline.category[decision.category].label),
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
    kind = evaluated.decision.case.order.procedure.kind
    return evaluated.say(evaluated.topic.about.texts.no_variant[kind], **said)


def _outside_scope(evaluated: EvaluatedOrder) -> str:
    """The sentence of each rule that puts the order outside the scope."""
    said = {"order": _order(evaluated), "source": evaluated.source}
    rules = evaluated.decision.verdict.rules
    return " ".join(dict.fromkeys(evaluated.say(rule.not_rated, **said) for rule in rules))


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
    facts = evaluated.topic.fact
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
        problem=escape(evaluated.decision.verdict.problem),
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
    Rated.subject: _rated,
    NO_CRITERIA: _no_criteria,
    OUTSIDE_SCOPE: _outside_scope,
    CONTRAST_NOT_STATED: _contrast,
    Asks.subject: _asked,
    UNRESOLVED: _given_up,
}
