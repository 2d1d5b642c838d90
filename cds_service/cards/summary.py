"""The one line of a card: the ordered study, what is said of it, and the better choice."""

from cds_service.cards.consult import Consult
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


def summary(consult: Consult) -> str:
    """Plain text of our own words only."""
    rating = f"{consult.ordered}: {_state(consult)}"
    parts = [rating, _safety(consult), _better(consult)]
    if consult.decision.indicator == "critical":
        parts[:2] = parts[1::-1]
    line = ""
    for part in filter(None, parts):
        longer = f"{line} {part}".strip()
        line = longer if len(longer) <= LONGEST else line
    return line


def _state(consult: Consult) -> str:
    decision = consult.decision
    if decision.subject == RATED:
        return f"{consult.say(consult.guideline.categories[decision.category].in_text)}."
    if decision.question:
        return consult.say(decision.question.short)
    return consult.say(STATES[decision.subject])


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


def _safety(consult: Consult) -> str:
    """The title of the most urgent caution, else of what excuses the order; the rules come in
    the order of their urgency.
    """
    alerts = consult.decision.alerts
    told = cautions(alerts) or speaking(alerts, "soften")
    if not told:
        return ""
    title = consult.say(told[0].rule.title)
    return title if title.endswith("?") else f"{title}."


def _better(consult: Consult) -> str:
    first = next(iter(consult.decision.suggestions), None)
    if first is None or not consult.has_id:
        return ""
    if first.kind == "delete":
        return consult.say("Better: medical management only")
    if first.kind != "replace":
        return ""
    same_study = first.procedure == consult.decision.case.order.procedure
    procedure, place = first.procedure, first.place
    name = consult.study(procedure, place) if same_study else consult.say(procedure.short)
    return consult.say("Better: %(study)s", study=name)
