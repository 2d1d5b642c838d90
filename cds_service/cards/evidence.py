"""The facts of a decision in words, each with its evidence."""

from cds_service.cards.consult import Consult
from cds_service.cards.markdown import escape
from cds_service.decision.chart import Chart, Evidence
from cds_service.decision.facts import Fact

MOST_SHOWN = 3
NEEDED = {
    "prior_vcf": ("conditions", "procedures"),
    "prior_spine_intervention": ("conditions", "procedures"),
}
REASON = "reason of the order"


def fact_line(consult: Consult, fact: Fact) -> str:
    """One bullet: what is known, and where from; or that it is not known, and why."""
    words = consult.guideline.facts[fact.name]
    if fact.value is None:
        return f"- {words.label}: not known"
    if fact.how == "absent":
        return f"- {words.label}: {_none_among(fact, consult.decision.case.chart)}"
    if fact.how == "implied":
        return f"- {words.label}: {words.false}"
    return f"- {words.label}: {'yes' if fact.value else 'no'}{_source(fact)}"


def proof(evidence: tuple[Evidence, ...]) -> str:
    """The first pieces of evidence, with resource and date, and how many more there are."""
    shown = [_piece(e) for e in evidence[:MOST_SHOWN]]
    more = len(evidence) - MOST_SHOWN
    return "; ".join([*shown, f"and {more} more"] if more > 0 else shown)


def _piece(evidence: Evidence) -> str:
    source = REASON if evidence.source == "reason" else evidence.source
    when = f", {evidence.when.isoformat()}" if evidence.when else ""
    return f"{escape(evidence.display)} ({source}{when})"


def _source(fact: Fact) -> str:
    if fact.how == "presumed":
        return " (presumed, see below)"
    return f" — {proof(fact.evidence)}" if fact.evidence else ""


def _none_among(fact: Fact, chart: Chart) -> str:
    """Absence is told as what it is: none among the data supplied."""
    kinds = NEEDED.get(fact.name, ("conditions",))
    counted = " and ".join(_count(chart.counts.get(kind, 0), kind) for kind in kinds)
    hint = ""
    if fact.name == "malignancy":
        hint = "; if there is a history of cancer, add it as a reason"
    return f"none among the {counted} supplied{hint}"


def _count(number: int, kind: str) -> str:
    return f"{number} {kind[:-1] if number == 1 else kind}"
