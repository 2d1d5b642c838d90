"""The facts of a decision in words, each with its evidence."""

from cds_service.cards.consult import Consult
from cds_service.cards.markdown import escape
from cds_service.decision.chart import AGENT_NOT_STATED, YEARS, Evidence
from cds_service.decision.facts import Fact
from cds_service.language import N_

MOST_SHOWN = 3
NEEDED = {
    "prior_vcf": ("conditions", "procedures"),
    "prior_spine_intervention": ("conditions", "procedures"),
}
REMARKS = {
    AGENT_NOT_STATED: N_("%(display)s, agent not stated"),
    YEARS: N_("%(display)s years old"),
    "": "%(display)s",
}


def fact_line(consult: Consult, fact: Fact) -> str:
    """One bullet: what is known, and where from; or that it is not known, and why."""
    words = consult.guideline.facts[fact.name]
    return f"- {consult.say(words.label)}: {_known(consult, fact)}"


def _known(consult: Consult, fact: Fact) -> str:
    if fact.value is None:
        return consult.say("not known")
    if fact.how == "absent":
        return _none_among(consult, fact)
    if fact.how == "implied":
        return consult.say(consult.guideline.facts[fact.name].false)
    said = consult.say("yes") if fact.value else consult.say("no")
    return said + _source(consult, fact)


def proof(consult: Consult, evidence: tuple[Evidence, ...]) -> str:
    """The first pieces of evidence, with resource and date, and how many more there are."""
    shown = [_piece(consult, e) for e in evidence[:MOST_SHOWN]]
    more = len(evidence) - MOST_SHOWN
    if more > 0:
        shown.append(consult.say("and %(number)d more", number=more))
    return "; ".join(shown)


def _piece(consult: Consult, evidence: Evidence) -> str:
    reason = evidence.source == "reason"
    source = consult.say("reason of the order") if reason else evidence.source
    when = f", {evidence.when.isoformat()}" if evidence.when else ""
    shown = consult.say(REMARKS[evidence.remark], display=escape(evidence.display))
    return f"{shown} ({source}{when})"


def _source(consult: Consult, fact: Fact) -> str:
    if fact.how == "presumed":
        return consult.say(" (presumed, see below)")
    return f" — {proof(consult, fact.evidence)}" if fact.evidence else ""


def _none_among(consult: Consult, fact: Fact) -> str:
    """Absence is told as what it is: none among the data supplied."""
    counts = consult.decision.case.chart.counts
    kinds = NEEDED.get(fact.name, ("conditions",))
    counted = consult.say(" and ").join(_count(consult, k, counts.get(k, 0)) for k in kinds)
    if fact.name == "malignancy":
        return consult.say(
            "none among the %(data)s supplied; if there is a history of cancer, add it as a reason",
            data=counted,
        )
    return consult.say("none among the %(data)s supplied", data=counted)


def _count(consult: Consult, kind: str, number: int) -> str:
    count = consult.language.count
    if kind == "conditions":
        return count("%(number)d condition", "%(number)d conditions", number)
    return count("%(number)d procedure", "%(number)d procedures", number)
