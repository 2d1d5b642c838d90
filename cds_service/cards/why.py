"""The verdict on the order in a sentence, and the reason of its rating."""

from cds_service.cards.evaluated import EvaluatedOrder
from cds_service.cards.instead import is_child, radiation, reason_of
from cds_service.cards.markdown import escape
from cds_service.decision.evaluate import unknown_facts
from cds_service.decision.guideline import DISAGREEMENT
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
from cds_service.language import N_

OF_SEVERAL_VARIANTS = {
    WELCOME: N_("Not warned against here, whatever its rating. Possible: %(variants)s."),
    CONTRAST_NOT_STATED: N_(
        "The order does not say whether contrast is given, and the rating hangs on it: "
        "%(variants)s."
    ),
    Asks.subject: N_(
        "Not rated yet: it depends on what the chart does not say. Possible: %(variants)s."
    ),
}


def why(evaluated: EvaluatedOrder) -> str:
    """A sentence, by the verdict; then the reason of the rating, where there is one."""
    sentence = SENTENCES[evaluated.decision.subject](evaluated)
    return " ".join(filter(None, (sentence, _reason(evaluated), _radiation(evaluated))))


def _radiation(evaluated: EvaluatedOrder) -> str:
    """The level of the ordered study for a child (decision rules, section 6); else empty."""
    if evaluated.decision.subject != Rated.subject or not is_child(evaluated):
        return ""
    level = radiation(evaluated, evaluated.decision.case.order.procedure)
    return f"({level})" if level else ""


def _reason(evaluated: EvaluatedOrder) -> str:
    """That of the ordered procedure; and what a disagreement is, where the panel was split."""
    if evaluated.decision.subject != Rated.subject:
        return ""
    category = evaluated.topic.guideline.category[evaluated.decision.category]
    reason = reason_of(evaluated, evaluated.decision.case.order.procedure.id)
    if category.id != DISAGREEMENT:
        return reason
    note = evaluated.say("“Disagreement”: %(note)s.", note=evaluated.say(category.note))
    return f"{note} {reason}"


def _order(evaluated: EvaluatedOrder) -> str:
    return f"**{evaluated.ordered}**"


def _rated(evaluated: EvaluatedOrder) -> str:
    decision = evaluated.decision
    category = evaluated.topic.guideline.category[decision.category]
    said = {"category": evaluated.say(category.label), "variants": _variants(evaluated)}
    if decision.outcomes.none_possible:
        return evaluated.say(
            "**%(category)s** wherever the guideline applies: %(variants)s.", **said
        )
    return evaluated.say("**%(category)s** in %(variants)s.", **said)


def _variants(evaluated: EvaluatedOrder) -> str:
    """The possible variants, each in a few words."""
    named = [
        evaluated.say(
            "variant %(number)s (%(title)s)",
            number=variant.number,
            title=evaluated.say(variant.in_text),
        )
        for variant in evaluated.decision.outcomes.variants
    ]
    return evaluated.say(" and ").join(filter(None, [", ".join(named[:-1]), named[-1]]))


def _no_criteria(evaluated: EvaluatedOrder) -> str:
    if evaluated.decision.outcomes.variants:
        return evaluated.say("Not rated in %(variants)s.", variants=_variants(evaluated))
    kind = evaluated.decision.case.order.procedure.kind
    text = evaluated.topic.about.texts.no_variant[kind]
    return evaluated.say(text, order=_order(evaluated))


def _outside_scope(evaluated: EvaluatedOrder) -> str:
    """The sentence of each rule that puts the order outside the scope."""
    order, rules = _order(evaluated), evaluated.decision.verdict.rules
    return " ".join(dict.fromkeys(evaluated.say(rule.not_rated, order=order) for rule in rules))


def _given_up(evaluated: EvaluatedOrder) -> str:
    facts = evaluated.topic.fact
    unknown = [evaluated.say(facts[f.name].in_text) for f in unknown_facts(evaluated.decision)]
    return evaluated.say(
        "Could not be rated; not known: %(facts)s. Possible: %(variants)s.",
        facts=", ".join(unknown),
        variants=_variants(evaluated),
    )


def _several_variants(evaluated: EvaluatedOrder) -> str:
    text = OF_SEVERAL_VARIANTS[evaluated.decision.subject]
    return evaluated.say(text, variants=_variants(evaluated))


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
    WELCOME: _several_variants,
    Rated.subject: _rated,
    NO_CRITERIA: _no_criteria,
    OUTSIDE_SCOPE: _outside_scope,
    CONTRAST_NOT_STATED: _several_variants,
    Asks.subject: _several_variants,
    UNRESOLVED: _given_up,
}
