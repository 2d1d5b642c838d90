"""The sentence with which the detail of a card opens: what is said of the order, and why."""

from cds_service.cards.consult import Consult
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


def why(consult: Consult) -> str:
    """One sentence, which names the order and what is said of it."""
    return SENTENCES[consult.decision.subject](consult)


def _order(consult: Consult) -> str:
    return f"**{consult.ordered}**"


def _rated(consult: Consult) -> str:
    decision = consult.decision
    said = {
        "order": _order(consult),
        "category": consult.say(consult.guideline.categories[decision.category].label),
        "variants": _variants(consult),
    }
    if decision.outcomes.none_possible:
        return consult.say(
            "%(order)s is rated *%(category)s* wherever the guideline applies: %(variants)s.",
            **said,
        )
    return consult.say("%(order)s is rated *%(category)s* in %(variants)s.", **said)


def _variants(consult: Consult) -> str:
    """The possible variants and their source."""
    titles = [
        consult.say(
            "variant %(number)s (%(title)s)",
            number=variant.number,
            title=consult.say(variant.title).rstrip("."),
        )
        for variant in consult.decision.outcomes.variants
    ]
    both = consult.say(" and ").join(titles)
    return consult.say("%(variants)s of the %(source)s", variants=both, source=consult.source)


def _no_criteria(consult: Consult) -> str:
    said = {"order": _order(consult), "source": consult.source}
    if consult.decision.outcomes.variants:
        return consult.say(
            "%(order)s is not rated in %(variants)s; what is rated there is listed below.",
            order=_order(consult),
            variants=_variants(consult),
        )
    if consult.decision.case.order.procedure.is_imaging:
        return consult.say(
            "%(order)s is not rated: the %(source)s, has no imaging variant for a fracture without "
            "symptoms and without a known malignancy; it describes medical management for it "
            "(variant 5).",
            **said,
        )
    return consult.say(
        "%(order)s is not rated: no treatment variant of the %(source)s, fits this patient.", **said
    )


def _outside_scope(consult: Consult) -> str:
    return consult.say(
        "%(order)s is not rated: the %(source)s, does not cover suspected infection.",
        order=_order(consult),
        source=consult.source,
    )


def _contrast(consult: Consult) -> str:
    return consult.say(
        "%(order)s does not say whether contrast is given, and the rating hangs on it: "
        "%(variants)s.",
        order=_order(consult),
        variants=_variants(consult),
    )


def _asked(consult: Consult) -> str:
    return consult.say(
        "%(order)s is not rated yet; it depends on what the chart does not say. "
        "Possible: %(variants)s.",
        order=_order(consult),
        variants=_variants(consult),
    )


def _given_up(consult: Consult) -> str:
    facts = consult.guideline.facts
    unknown = [consult.say(facts[f.name].in_text) for f in unknown_facts(consult.decision)]
    return consult.say(
        "%(order)s could not be rated; not known: %(facts)s. Possible: %(variants)s.",
        order=_order(consult),
        facts=", ".join(unknown),
        variants=_variants(consult),
    )


def _welcome(consult: Consult) -> str:
    return consult.say(
        "%(order)s is not warned against here, whatever its rating. Possible: %(variants)s.",
        order=_order(consult),
        variants=_variants(consult),
    )


def _unreadable(consult: Consult) -> str:
    return consult.say(
        "%(order)s was not checked: the order as sent could not be read (%(problem)s). "
        "No rating was made.",
        order=_order(consult),
        problem=escape(consult.problem),
    )


def _not_checked(consult: Consult) -> str:
    return consult.say(
        "%(order)s was not checked against the %(source)s: the order has no coded reason, and the "
        "conditions of the patient were not supplied. A coded reason on the order is enough.",
        order=_order(consult),
        source=consult.source,
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
