"""Why an order is answered as it is, in a sentence; English, as all commands are."""

from cds_service.decision.evaluate import Decision
from cds_service.decision.relevance import TOO_LITTLE_TO_GO_ON
from cds_service.decision.topic import Topic
from cds_service.decision.verdict import Rated, Silent
from cds_service.fhir.selected import CONFLICTING_CODES, NOT_OURS

NOT_SELECTED = "The hook does not name it among its selections, so it was not looked at."
PASSED_OVER = {
    NOT_OURS: "None of its codes asks for a procedure of the guideline. If one should, map it.",
    CONFLICTING_CODES: "Its codes ask for different procedures, so that none of them counts.",
    "no-service-request": "It is no ServiceRequest.",
    "do-not-perform": "It asks that something is not done (doNotPerform).",
    "status": "Its status says that it is no order any more.",
}


def why_passed_over(reason: str) -> str:
    """Of an order that is not of the topic."""
    return PASSED_OVER[reason]


def why_this_answer(decision: Decision, hidden: bool, topic: Topic) -> str:
    """Of an order of the topic; `hidden` says whether the client is silent on its card."""
    if isinstance(decision.verdict, Silent):
        return _why_not_relevant(decision, topic)
    if decision.indicator:
        called = ", ".join(sorted(decision.called_for_by)) or decision.subject
        kept = " It is kept back: the client is silent on it." if hidden else ""
        return f"A card ({decision.indicator}) is called for by: {called}.{kept}"
    if isinstance(decision.verdict, Rated):
        label = topic.guideline.category[decision.verdict.category].label
        return f"It is rated “{label}”, which needs no card."
    return f"It is neither rated nor warned against ({decision.subject})."


def _why_not_relevant(decision: Decision, topic: Topic) -> str:
    reason, relevance = decision.relevance, topic.relevance
    label = topic.fact[relevance.fact].label
    sentences = {
        TOO_LITTLE_TO_GO_ON: "It has no coded reason, and the conditions were not supplied.",
        relevance.not_about: "Its reasons, or without any its code, are about something else.",
        relevance.absent: f"It is not for such a patient: “{label}” is denied.",
        relevance.uncertain: f"It is not known to be for such a patient: “{label}” is open.",
    }
    return sentences[reason]
