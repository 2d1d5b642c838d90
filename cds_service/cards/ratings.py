"""The ratings that the card has not named yet, a line for each category."""

from collections.abc import Iterator

from cds_service.cards.evaluated import EvaluatedOrder
from cds_service.decision.guideline import DISAGREEMENT, Category, Variant
from cds_service.decision.verdict import OUTSIDE_SCOPE


def other_ratings(evaluated: EvaluatedOrder, most: int) -> str:
    """Those of each possible variant, in the order of the document, of the first `most` categories.
    Empty where the order is outside the scope.
    """
    if evaluated.decision.subject == OUTSIDE_SCOPE:
        return ""
    lists = [_of_variant(evaluated, v, most) for v in evaluated.decision.outcomes.variants]
    return "\n".join(filter(None, lists))


def _of_variant(evaluated: EvaluatedOrder, variant: Variant, most: int) -> str:
    lines = evaluated.once(("ratings", variant.id), lambda: list(_lines(evaluated, variant)))[:most]
    if not lines:
        return ""
    heading = evaluated.say("Also in variant %(number)s:", number=variant.number)
    return "\n".join([heading, *lines])


def _lines(evaluated: EvaluatedOrder, variant: Variant) -> Iterator[str]:
    procedures, named = evaluated.topic.guideline.procedure, _named(evaluated)
    for category in evaluated.topic.guideline.categories:
        rated = [p for p, c in variant.ratings.items() if c == category.id and p not in named]
        names = ", ".join(evaluated.say(procedures[p].short) for p in rated)
        if names:
            yield f"- {_label(evaluated, category)}: {names}"


def _named(evaluated: EvaluatedOrder) -> set[str]:
    """What the verdict and the suggestions name already, with its rating."""
    decision = evaluated.decision
    offered = {s.procedure.id for s in decision.suggestions if s.procedure}
    ordered = {decision.case.order.procedure.id} if decision.category else set()
    return (offered | ordered) if len(decision.outcomes.variants) == 1 else set()


def _label(evaluated: EvaluatedOrder, category: Category) -> str:
    """The category in the words of the guideline; of a disagreement, with what it means."""
    label = f"*{evaluated.say(category.label)}*"
    return f"{label} ({evaluated.say(category.note)})" if category.id == DISAGREEMENT else label
