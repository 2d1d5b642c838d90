"""The one line of a card: the ordered study, what is said of it, and the better choice."""

from cds_service.cards.consult import Consult, study
from cds_service.cards.why import ordered
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
from cds_service.decision.safety import cautions

LONGEST = 139  # CDS Hooks: fewer than 140 characters


def summary(consult: Consult) -> str:
    """Plain text of our own words only."""
    line = f"{ordered(consult)}: {_state(consult)}"
    for addition in (_safety(consult), _better(consult)):
        if addition and len(line) + len(addition) <= LONGEST:
            line += addition
    return line[:LONGEST]


def _state(consult: Consult) -> str:
    decision = consult.decision
    if decision.subject == RATED:
        return f"{consult.guideline.categories[decision.category].label.lower()}."
    if decision.question:
        return decision.question.short
    return STATES[decision.subject]


STATES = {
    NO_CRITERIA: "not rated by the ACR for this fracture.",
    OUTSIDE_SCOPE: "not rated, infection is possible.",
    CONTRAST_NOT_STATED: "state the contrast.",
    WELCOME: "not warned against.",
    UNRESOLVED: "not rated, the chart leaves it open.",
    QUESTION: "one question decides.",
    UNREADABLE: "not checked, the order could not be read.",
    NOT_CHECKED: "not checked, no coded reason and no conditions.",
}


def _safety(consult: Consult) -> str:
    """The title of the most urgent caution; the rules come in the order of their urgency."""
    alerts = cautions(consult.decision.alerts)
    if not alerts:
        return ""
    title = alerts[0].rule.title
    return f" {title}" if title.endswith("?") else f" {title}."


def _better(consult: Consult) -> str:
    first = next(iter(consult.decision.suggestions), None)
    if first is None or not consult.has_id:
        return ""
    if first.kind == "delete":
        return " Better: medical management only"
    if first.kind != "replace":
        return ""
    same_study = first.procedure == consult.decision.case.order.procedure
    return (
        f" Better: {study(first.procedure, first.place) if same_study else first.procedure.short}"
    )
