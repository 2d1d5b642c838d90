"""The safety rules that speak about an order, in words: critical ones first, others at the end."""

from cds_service.cards.evaluated import EvaluatedOrder
from cds_service.cards.evidence import proof
from cds_service.decision.safety import Alert, speaking

# The kinds of rule that the detail tells; those that excuse the order come first.
EXCUSES = ("soften", "quiet")
MOST_PIECES = 3  # of evidence for a caution
TOLD = (*EXCUSES, "outside-scope", "caution", "wrong-region", "alternative", "line")


def critical_lines(evaluated: EvaluatedOrder) -> str:
    """A bold line for each caution that is critical."""
    return "\n\n".join(f"**{_said(evaluated, alert)}**" for alert in _critical(evaluated))


def other_cautions(evaluated: EvaluatedOrder) -> str:
    """The text of every other rule that is about the order, marked as ours and not the ACR's."""
    critical = _critical(evaluated)
    alerts = [a for a in speaking(evaluated.decision.alerts, *TOLD) if a not in critical]
    if not alerts:
        return ""
    excuses_first = sorted(alerts, key=lambda alert: alert.rule.kind not in EXCUSES)
    lines = dict.fromkeys(f"- {_said(evaluated, alert)}" for alert in excuses_first)
    heading = evaluated.say("Cautions of this service, not of the guideline:")
    return "\n".join([heading, *lines])


def _critical(evaluated: EvaluatedOrder) -> list[Alert]:
    told = speaking(evaluated.decision.alerts, *TOLD)
    return [alert for alert in told if alert.rule.indicator == "critical"]


def _said(evaluated: EvaluatedOrder, alert: Alert) -> str:
    evidence = proof(evaluated, alert.evidence, MOST_PIECES) or evaluated.say("see above")
    return evaluated.say(alert.rule.text).replace("{evidence}", evidence)
