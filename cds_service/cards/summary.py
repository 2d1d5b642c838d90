"""The one line of a card: the ordered study, what is said of it, and the better choice."""

from cds_service.cards.evaluated import EvaluatedOrder
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
)
from cds_service.decision.safety import cautions, speaking
from cds_service.language import N_

LONGEST = 139  # CDS Hooks: fewer than 140 characters


def summary(evaluated: EvaluatedOrder) -> str:
    """Plain text of our own words only."""
    rating = f"{evaluated.ordered}: {_state(evaluated)}"
    parts = [rating, _safety(evaluated), _better(evaluated)]
    if evaluated.decision.indicator == "critical":
        parts[:2] = parts[1::-1]
    line = ""
    for part in filter(None, parts):
        longer = f"{line} {part}".strip()
        line = longer if len(longer) <= LONGEST else line
    return line


def _state(evaluated: EvaluatedOrder) -> str:
    decision = evaluated.decision
    if decision.subject == RATED:
        return f"{evaluated.say(evaluated.guideline.categories[decision.category].in_text)}."
    if decision.question:
        return evaluated.say(decision.question.short)
    return evaluated.say(STATES[decision.subject])


STATES = {
    NO_CRITERIA: N_("not rated by the ACR for this fracture."),
    OUTSIDE_SCOPE: N_("not rated, infection is possible."),
    CONTRAST_NOT_STATED: N_("state the contrast."),
    WELCOME: N_("not warned against."),
    UNRESOLVED: N_("not rated, the chart leaves it open."),
    QUESTION: N_("one question decides."),
    UNREADABLE: N_("not checked, the order could not be read."),
    NOT_CHECKED: N_("not checked, no coded reason and no conditions."),
}


def _safety(evaluated: EvaluatedOrder) -> str:
    """The title of the most urgent caution, else of what excuses the order; the rules come in
    the order of their urgency.
    """
    alerts = evaluated.decision.alerts
    told = cautions(alerts) or speaking(alerts, "soften")
    if not told:
        return ""
    title = evaluated.say(told[0].rule.title)
    return title if title.endswith("?") else f"{title}."


def _better(evaluated: EvaluatedOrder) -> str:
    first = next(iter(evaluated.decision.suggestions), None)
    if first is None or not evaluated.has_id:
        return ""
    if first.kind == "delete":
        return evaluated.say("Better: medical management only")
    if first.kind != "replace":
        return ""
    same_study = first.procedure == evaluated.decision.case.order.procedure
    procedure, place = first.procedure, first.place
    name = evaluated.study(procedure, place) if same_study else evaluated.say(procedure.short)
    return evaluated.say("Better: %(study)s", study=name)
