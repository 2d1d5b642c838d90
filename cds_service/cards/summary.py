"""The summary of a card: the ordered study, its rating, the caution, and the better choice."""

from cds_service.cards.evaluated import EvaluatedOrder
from cds_service.decision.safety import cautions, speaking
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

LONGEST = 139  # CDS Hooks: fewer than 140 characters


def summary(evaluated: EvaluatedOrder) -> str:
    """Plain text, of our own words only. Where the study with its region leaves no room for the
    rest, its short name stands there; then parts that do not fit are left out whole.
    """
    procedure = evaluated.decision.case.order.procedure
    names = (evaluated.ordered, evaluated.say(procedure.short))
    whole = (" ".join(filter(None, _parts(evaluated, name))) for name in names)
    fitting = next((line for line in whole if len(line) <= LONGEST), "")
    return fitting or _cut(_parts(evaluated, evaluated.ordered))


def _parts(evaluated: EvaluatedOrder, name: str) -> list[str]:
    """The study with its rating, the caution, and the better choice; what is critical is first."""
    parts = [f"{name}: {_state(evaluated)}", _safety(evaluated), _better(evaluated)]
    if evaluated.decision.indicator == "critical":
        parts[:2] = parts[1::-1]
    return parts


def _cut(parts: list[str]) -> str:
    line = ""
    for part in filter(None, parts):
        longer = f"{line} {part}".strip()
        line = longer if len(longer) <= LONGEST else line
    return line


def _state(evaluated: EvaluatedOrder) -> str:
    verdict, topic = evaluated.decision.verdict, evaluated.topic
    if isinstance(verdict, Rated):
        return f"{evaluated.say(topic.guideline.category[verdict.category].in_text)}."
    if isinstance(verdict, Asks):
        return evaluated.say(verdict.question.short)
    if verdict.subject == OUTSIDE_SCOPE:
        return evaluated.say(verdict.rules[0].state)
    if verdict.subject == NO_CRITERIA:
        return evaluated.say(topic.about.texts.not_rated)
    return evaluated.say(STATES[verdict.subject])


STATES = {
    CONTRAST_NOT_STATED: N_("state the contrast."),
    WELCOME: N_("not warned against."),
    UNRESOLVED: N_("not rated, the chart leaves it open."),
    UNREADABLE: N_("not checked, the order could not be read."),
    NOT_CHECKED: N_("not checked, no coded reason and no conditions."),
}


def _safety(evaluated: EvaluatedOrder) -> str:
    """The title of the most urgent caution, else of the first rule that softens the rating. Alerts
    are sorted by urgency.
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
        instead = evaluated.say(evaluated.topic.about.texts.deletes)
        return evaluated.say("Better: %(study)s", study=instead)
    if first.kind != "replace":
        return ""
    same_study = first.procedure == evaluated.decision.case.order.procedure
    procedure, place = first.procedure, first.place
    name = evaluated.study(procedure, place) if same_study else evaluated.say(procedure.short)
    return evaluated.say("Better: %(study)s", study=name)
