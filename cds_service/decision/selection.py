"""Which findings of a case a criterion means: by value set, source, certainty, time and place.

    {"finding": NAMES,                   value sets, or definitions of the topic
     "sources": [SOURCES],               default: all but DiagnosticReport
     "certainty": "confirmed" | "unconfirmed" | "any",      default: any
     "timing": "new" | "old" | "new-or-reason" | "current" | "any",      default: any
     "within_days": NUMBER,              not older than that; undated ones count
     "observed_within_days": NUMBER,     the same, of Observations and DiagnosticReports only
     "dated": true,                      with a date
     "also_in": [SETS],                  in one of these sets too
     "not_in": [SETS],                   in none of these sets
     "near": SELECTION,                  not coded in a region that touches none of these findings
     "prefer": TIMING}                   only such ones, if there are any, else all

Source: the decision rules, section 2. *New* is current, and undated or at most 90 days old; *old*
is everything else; *new-or-reason* is a reason of the order, or a new Condition.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cds_service.decision.chart import Case, Finding
from cds_service.decision.definitions import CERTAINTY, KIND_OF, SEEN, USUAL_SOURCES, Definition
from cds_service.decision.names import Names
from cds_service.decision.situation import (
    FALSE,
    UNKNOWN,
    CriterionError,
    Situation,
    Truth,
    evidence_of,
)
from cds_service.decision.terminology import union

Keep = Callable[[Finding, Situation], bool]


@dataclass(frozen=True)
class Selected:
    """The findings that are meant. `truth` says whether there is one; it is unknown where none is
    found and data are missing, or where it is not known whether a finding counts.
    """

    findings: tuple[Finding, ...]
    truth: Truth


Select = Callable[[Situation], Selected]


TIMING: Mapping[str, Callable[[Finding, Case], bool]] = {
    "new": lambda finding, case: finding.is_new(case.today),
    "old": lambda finding, case: not finding.is_new(case.today),
    "new-or-reason": lambda finding, case: case.recent(finding),
    "current": lambda finding, case: finding.current,
    "any": lambda finding, case: True,
}


def compile_selection(written: Any, names: Names) -> Select:
    """The selection. A name or a list of names stands for a `finding` without further conditions.
    Raises CriterionError where the form is wrong or a name is not known.
    """
    written = _whole(written)
    definition, sets = _what(written["finding"], names)
    sources = _sources(written, definition, names)
    kinds = frozenset(kind for source in sources if (kind := KIND_OF[source]))
    keeps = [FILTERS[a](v, names) for a, v in written.items() if a in FILTERS]
    preferred = TIMING[names.check(written.get("prefer", "any"), TIMING, "timing")]

    def select(situation: Situation) -> Selected:
        case, doubt = situation.case, False
        if definition:
            candidates, doubt = definition.of(situation)
        elif sets.isdisjoint(case.sets):  # the usual case
            return NONE if kinds <= case.chart.supplied else UNSURE
        else:
            candidates = case.in_sets(sets)
        found = [f for f in candidates if f.source in sources]
        found = [f for f in found if preferred(f, case)] or found
        for keep in keeps:
            found = [f for f in found if keep(f, situation)]
        if found:
            return Selected(tuple(found), Truth(True, evidence_of(found)))
        return NONE if kinds <= case.chart.supplied and not doubt else UNSURE

    return select


NONE, UNSURE = Selected((), FALSE), Selected((), UNKNOWN)


def _whole(written: Any) -> dict[str, Any]:
    """The selection as an object whose keys are all known."""
    if isinstance(written, str | list):
        written = {"finding": written}
    if not isinstance(written, dict) or "finding" not in written:
        raise CriterionError(f"{written} selects no finding")
    for argument in written.keys() - FILTERS.keys() - {"finding", "sources", "prefer"}:
        raise CriterionError(f"{argument} is no argument of finding")
    return written


def _what(written: Any, names: Names) -> tuple[Definition | None, frozenset[str]]:
    """The definition that is named, or the value sets."""
    listed = string_or_list(written)
    if len(listed) == 1 and listed[0] in names.definitions:
        return names.definitions[listed[0]], frozenset()
    checked = (names.check(n, names.value_sets, "value set or definition") for n in listed)
    return None, frozenset(checked)


def _sources(written: Any, definition: Definition | None, names: Names) -> tuple[str, ...]:
    usual = definition.sources if definition else USUAL_SOURCES
    listed = written.get("sources", usual)
    return tuple(names.check(source, KIND_OF, "source") for source in listed)


def string_or_list(written: Any) -> list[Any]:
    """A list of names; a single name may be written without the list."""
    return written if isinstance(written, list) else [written]


def _certainty(value: Any, names: Names) -> Keep:
    is_certain = CERTAINTY[names.check(value, CERTAINTY, "certainty")]
    return lambda finding, situation: is_certain(finding)


def _timing(value: Any, names: Names) -> Keep:
    timely = TIMING[names.check(value, TIMING, "timing")]
    return lambda finding, situation: timely(finding, situation.case)


def _within(days: int, names: Names) -> Keep:
    return lambda finding, situation: finding.seen_within(days, situation.case.today)


def _observed_within(days: int, names: Names) -> Keep:
    within = _within(days, names)
    return lambda finding, situation: finding.source not in SEEN or within(finding, situation)


def _also_in(listed: Any, names: Names) -> Keep:
    wanted = {names.check(n, names.value_sets, "value set") for n in string_or_list(listed)}
    return lambda finding, situation: not wanted.isdisjoint(finding.sets)


def _not_in(listed: Any, names: Names) -> Keep:
    is_in = _also_in(listed, names)
    return lambda finding, situation: not is_in(finding, situation)


def _dated(value: Any, names: Names) -> Keep:
    if value is not True:
        raise CriterionError(f"dated takes true, not {value}")
    return lambda finding, situation: finding.when is not None


def _near(written: Any, names: Names) -> Keep:
    others = compile_selection(written, names)

    def keep(finding: Finding, situation: Situation) -> bool:
        return not lies_elsewhere(finding, parts_of(others(situation).findings))

    return keep


def lies_elsewhere(finding: Finding, parts: frozenset[str]) -> bool:
    """Whether the place of the finding is coded, and touches none of the parts (of which there must
    be some).
    """
    return bool(parts and finding.parts) and parts.isdisjoint(finding.parts)


def parts_of(findings: Iterable[Finding]) -> frozenset[str]:
    """All parts of the body that the coded regions of the findings count to."""
    return union(f.place for f in findings if f.place)


FILTERS: Mapping[str, Callable[[Any, Names], Keep]] = {
    "certainty": _certainty,
    "timing": _timing,
    "within_days": _within,
    "observed_within_days": _observed_within,
    "dated": _dated,
    "also_in": _also_in,
    "not_in": _not_in,
    "near": _near,
}
