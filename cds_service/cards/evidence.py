"""What a decision rests on, in words: facts with their best evidence, and what is not known."""

import re
from collections.abc import Iterable, Iterator

from cds_service.cards.evaluated import EvaluatedOrder
from cds_service.cards.markdown import escape
from cds_service.decision.chart import AGENT_NOT_STATED, SITE_AMONG_OTHERS, YEARS, Evidence
from cds_service.decision.facts import ABSENT, ANSWERED, IMPLIED, PRESUMED
from cds_service.decision.situation import Fact
from cds_service.language import N_

# The last part of a name of SNOMED CT: Gout (disorder).
SEMANTIC_TAG = re.compile(
    r" \((?:disorder|finding|procedure|situation|event|observable entity|"
    r"physical object|morphologic abnormality|product|substance)\)$"
)
LONGEST_DISPLAY, MOST_NAMES = 100, 3
NONE_FOUND = N_("none among the %(data)s supplied")
IN_WORDS = {
    AGENT_NOT_STATED: N_("%(display)s, agent not stated"),
    SITE_AMONG_OTHERS: N_("%(display)s, rated as of this site though the code includes others"),
    YEARS: N_("%(display)s years old"),
    "": "%(display)s",
}
KINDS_IN_WORDS = {
    "patient": N_("patient"),
    "conditions": N_("conditions"),
    "procedures": N_("procedures"),
    "observations": N_("observations"),
    "devices": N_("devices"),
    "allergies": N_("allergies"),
}


def what_this_rests_on(evaluated: EvaluatedOrder) -> str:
    """A line for each fact that the decision rests on; what is said of several is said once. Then
    what the order was rated as, and what was missing.
    """
    asked = _facts_asked(evaluated)
    said: dict[str, list[str]] = {}
    for name, fact in evaluated.decision.facts.items():
        if name in asked:
            label = evaluated.say(evaluated.topic.fact[name].label)
            said.setdefault(_known(evaluated, fact), []).append(label)
    lines = [_line(known, labels) for known, labels in said.items()]
    lines = [*lines, *_rated_as(evaluated), *_missing(evaluated)]
    # The heading also keeps the list apart from the one before.
    heading = [evaluated.say("Based on:")] if lines else []
    return "\n".join(heading + [f"- {line}" for line in lines])


def _line(known: str, labels: list[str]) -> str:
    """Labels and what is known; a label that the first words repeat is left out."""
    if len(labels) == 1 and known.casefold().startswith(labels[0].casefold()):
        return known
    return f"{', '.join(labels)}: {known}"


def _facts_asked(evaluated: EvaluatedOrder) -> set[str]:
    """The criteria of the possible variants; where none is possible, what excluded them."""
    asked = {fact for v in evaluated.decision.outcomes.variants for fact in v.criteria}
    return asked or set(evaluated.topic.about.facts_without_variant)


def _known(evaluated: EvaluatedOrder, fact: Fact) -> str:
    if fact.value is None:
        return _not_known(evaluated, fact)
    if fact.how == ABSENT:
        return _none_among(evaluated, fact)
    if fact.how == IMPLIED:
        return evaluated.say(evaluated.topic.fact[fact.name].false)
    if fact.how == PRESUMED:
        return evaluated.say(evaluated.topic.fact[fact.name].presumed)
    seen = proof(evaluated, fact.evidence)
    if seen and (fact.value or fact.how == ANSWERED):
        return seen
    answer = evaluated.say("yes") if fact.value else evaluated.say("no")
    return f"{answer}, {seen}" if seen else answer


def _not_known(evaluated: EvaluatedOrder, fact: Fact) -> str:
    """With the entry that leaves it open, if one does."""
    if not fact.evidence:
        return evaluated.say("not known")
    doubt = proof(evaluated, fact.evidence)
    return evaluated.say("not known, an entry leaves it open: %(entry)s", entry=doubt)


def proof(evaluated: EvaluatedOrder, evidence: tuple[Evidence, ...], most: int = 1) -> str:
    """The best pieces of evidence, with resource type and date, and how many more there are; empty
    without any. The same words in another resource say nothing new.
    """
    distinct = {shown(one.display): one for one in reversed(evidence)}
    best = [one for one in evidence if distinct[shown(one.display)] is one]
    pieces = "; ".join(_piece(evaluated, one) for one in best[:most])
    more = len(best) - most
    if more <= 0:
        return pieces
    return evaluated.say("%(evidence)s, and %(number)d more", evidence=pieces, number=more)


def shown(display: str) -> str:
    """What a display says, without the semantic tag of SNOMED CT, and cut where it is long."""
    bare = SEMANTIC_TAG.sub("", " ".join(display.split()))
    return bare if len(bare) <= LONGEST_DISPLAY else bare[: LONGEST_DISPLAY - 1] + "…"


def _piece(evaluated: EvaluatedOrder, evidence: Evidence) -> str:
    reason = evidence.source == "reason"
    source = evaluated.say("reason") if reason else evidence.source
    when = f", {evidence.when.isoformat()}" if evidence.when else ""
    said = evaluated.say(IN_WORDS[evidence.remark], display=escape(shown(evidence.display)))
    return f"{said} ({source}{when})"


def _rated_as(evaluated: EvaluatedOrder) -> Iterator[str]:
    order = evaluated.decision.case.order
    if order.rated_as:
        yield evaluated.say(
            "“%(order)s” is rated as %(procedure)s (%(difference)s).",
            order=escape(shown(order.display)),
            procedure=evaluated.say(order.procedure.label),
            difference=evaluated.say(order.rated_as),
        )


def _missing(evaluated: EvaluatedOrder) -> Iterator[str]:
    chart = evaluated.decision.case.chart
    if chart.missing:
        kinds = ", ".join(evaluated.say(KINDS_IN_WORDS[kind]) for kind in chart.missing)
        yield evaluated.say("Not supplied, or only in part: %(kinds)s.", kinds=kinds)
    if chart.unread:
        yield evaluated.say("Could not be read: %(names)s.", names=_names(evaluated, chart.unread))
    if evaluated.unresolved_reasons:
        names = _names(evaluated, evaluated.unresolved_reasons)
        yield evaluated.say("Reasons that were not supplied: %(names)s.", names=names)


def _names(evaluated: EvaluatedOrder, names: Iterable[str]) -> str:
    """The first names, and how many more there are."""
    names = list(names)
    named = ", ".join(escape(shown(name)) for name in names[:MOST_NAMES])
    more = len(names) - MOST_NAMES
    if more <= 0:
        return named
    return evaluated.say("%(names)s and %(number)d more", names=named, number=more)


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
