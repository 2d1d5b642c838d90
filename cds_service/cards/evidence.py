"""The facts of a decision in words, each with its evidence."""

from cds_service.cards.evaluated import EvaluatedOrder
from cds_service.cards.markdown import escape
from cds_service.decision.chart import AGENT_NOT_STATED, YEARS, Evidence
from cds_service.decision.facts import ABSENT, IMPLIED, PRESUMED
from cds_service.decision.situation import Fact
from cds_service.language import N_

MOST_SHOWN = 3
NONE_FOUND = N_("none among the %(data)s supplied")
REMARKS = {
    AGENT_NOT_STATED: N_("%(display)s, agent not stated"),
    YEARS: N_("%(display)s years old"),
    "": "%(display)s",
}


def fact_line(evaluated: EvaluatedOrder, fact: Fact) -> str:
    """One bullet: the fact, its value and its evidence."""
    words = evaluated.topic.fact[fact.name]
    return f"- {evaluated.say(words.label)}: {_known(evaluated, fact)}"


def _known(evaluated: EvaluatedOrder, fact: Fact) -> str:
    if fact.value is None:
        return _not_known(evaluated, fact)
    if fact.how == ABSENT:
        return _none_among(evaluated, fact)
    if fact.how == IMPLIED:
        return evaluated.say(evaluated.topic.fact[fact.name].false)
    said = evaluated.say("yes") if fact.value else evaluated.say("no")
    return said + _source(evaluated, fact)


def _not_known(evaluated: EvaluatedOrder, fact: Fact) -> str:
    """With the entry that leaves it open, if one does."""
    if not fact.evidence:
        return evaluated.say("not known")
    doubt = proof(evaluated, fact.evidence)
    return evaluated.say("not known, an entry leaves it open: %(entry)s", entry=doubt)


def proof(evaluated: EvaluatedOrder, evidence: tuple[Evidence, ...]) -> str:
    """The first pieces of evidence, with resource type and date, and the number of further ones."""
    shown = [_piece(evaluated, e) for e in evidence[:MOST_SHOWN]]
    more = len(evidence) - MOST_SHOWN
    if more > 0:
        shown.append(evaluated.say("and %(number)d more", number=more))
    return "; ".join(shown)


def _piece(evaluated: EvaluatedOrder, evidence: Evidence) -> str:
    reason = evidence.source == "reason"
    source = evaluated.say("reason of the order") if reason else evidence.source
    when = f", {evidence.when.isoformat()}" if evidence.when else ""
    shown = evaluated.say(REMARKS[evidence.remark], display=escape(evidence.display))
    return f"{shown} ({source}{when})"


def _source(evaluated: EvaluatedOrder, fact: Fact) -> str:
    if fact.how == PRESUMED:
        return evaluated.say(" (presumed, see below)")
    return f" — {proof(evaluated, fact.evidence)}" if fact.evidence else ""


def _none_among(evaluated: EvaluatedOrder, fact: Fact) -> str:
    """For an absent fact: how many resources were supplied, and that none of them shows it."""
    counts = evaluated.decision.case.chart.counts
    definition = evaluated.topic.fact[fact.name]
    kinds = definition.false_when_none_among
    counted = evaluated.say(" and ").join(_count(evaluated, k, counts.get(k, 0)) for k in kinds)
    return evaluated.say(definition.none_found or NONE_FOUND, data=counted)


def _count(evaluated: EvaluatedOrder, kind: str, number: int) -> str:
    count = evaluated.language.count
    if kind == "conditions":
        return count("%(number)d condition", "%(number)d conditions", number)
    return count("%(number)d procedure", "%(number)d procedures", number)
