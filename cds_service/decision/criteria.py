"""The language of criteria, in which facts, relevance and safety rules are written.

A criterion is a JSON object: true, false or unknown (Kleene's logic), with evidence if true. When
the folder is read, its names are resolved, and it is compiled into a function.

    {"finding": NAMES, …}                  there is such a finding; see `selection.py`
    {"function": NAME, ARGUMENT: …}        a computation on findings; see `functions.py`
    {"observation": SET, "below": NUMBER, "days": NUMBER}   the latest in DAYS is lower
    {"age": {"from": YEARS}} or {"age": {"below": YEARS}}   completed years
    {"sex": CODE}                          `gender` of the Patient
    {"fact": NAME, "is": [VALUES]}         the fact is true, false or null (unknown)
    {"variant": ID}                        that variant applies, and no other is possible
    {"usually_appropriate": SELECTOR}      a possible variant rates such a procedure so
    {"supplied": [KINDS]}                  these kinds of data came in full
    {"criterion": NAME}                    a file of `criteria/`
    {"any": […]} {"all": […]} {"not": …}   Kleene's or, and, not
    {"unless": …}                          true unless the inner one is known to be true
    {"given": …}                           the inner one, without its evidence
"""

from collections.abc import Callable
from typing import Any

from cds_service.decision import logic
from cds_service.decision.chart import KINDS, YEARS, Evidence
from cds_service.decision.functions import FUNCTIONS
from cds_service.decision.names import Names
from cds_service.decision.needed_sets import needed_sets
from cds_service.decision.selection import compile_selection
from cds_service.decision.situation import (
    FALSE,
    TRUE,
    UNKNOWN,
    Criterion,
    CriterionError,
    Holds,
    Situation,
    Truth,
    evidence_of,
)


def compile_criterion(written: Any, names: Names) -> Criterion:
    """The criterion. Raises CriterionError where the form is wrong or a name is not known."""
    if not isinstance(written, dict) or not written or next(iter(written)) not in COMPILERS:
        raise CriterionError(f"{written} is no criterion")
    kind = next(iter(written))
    allowed = ARGUMENTS.get(kind)
    for argument in list(written)[1:]:
        if allowed is not None and argument not in allowed:
            raise CriterionError(f"{argument} is no argument of {kind}")
    try:
        truth = COMPILERS[kind](written, names)
        return Criterion(written, truth, needed_sets(written, names))
    except KeyError as error:
        raise CriterionError(f"{kind} needs {error.args[0]}") from None


def _finding(written: Any, names: Names) -> Holds:
    select = compile_selection(written, names)
    return lambda situation: select(situation).truth


def _function(written: Any, names: Names) -> Holds:
    name = names.check(written["function"], FUNCTIONS, "function")
    function, wanted = FUNCTIONS[name]
    given = {key: value for key, value in written.items() if key != "function"}
    if set(given) != set(wanted):
        raise CriterionError(f"{name} takes {', '.join(wanted)}")
    selections = {key: compile_selection(value, names) for key, value in given.items()}

    def truth(situation: Situation) -> Truth:
        selected = {key: select(situation) for key, select in selections.items()}
        found = function(situation.case, **{key: s.findings for key, s in selected.items()})
        if found:
            return Truth(True, evidence_of(found))
        return UNKNOWN if any(s.truth.value is None for s in selected.values()) else FALSE

    return truth


def _observation(written: Any, names: Names) -> Holds:
    name = names.check(written["observation"], names.value_sets, "value set")
    below, days = written["below"], written["days"]

    def truth(situation: Situation) -> Truth:
        case = situation.case
        values = [
            f for f in case.coded(name) if f.value is not None and f.seen_within(days, case.today)
        ]
        latest = max((f.when for f in values if f.when), default=None)
        # Of several on the latest day, and of those without a date, the lowest counts.
        last = min(
            (f for f in values if f.when in (latest, None)),
            key=lambda f: (f.value, f.when is None),
            default=None,
        )
        return Truth(True, evidence_of([last])) if last and last.value < below else FALSE

    return truth


def _age(written: Any, names: Names) -> Holds:
    bound = written["age"]
    if not isinstance(bound, dict) or set(bound) not in ({"from"}, {"below"}):
        raise CriterionError("age takes from or below")
    ((side, years),) = bound.items()

    def truth(situation: Situation) -> Truth:
        age = situation.case.age
        if age is None:
            return UNKNOWN
        holds = age >= years if side == "from" else age < years
        return Truth(True, (Evidence(str(age), "Patient", remark=YEARS),)) if holds else FALSE

    return truth


def _sex(written: Any, names: Names) -> Holds:
    wanted = names.check(written["sex"], ("female", "male", "other", "unknown"), "sex")

    def truth(situation: Situation) -> Truth:
        sex = situation.case.chart.sex
        return UNKNOWN if not sex else TRUE if sex == wanted else FALSE

    return truth


def _fact(written: Any, names: Names) -> Holds:
    name = names.check(written["fact"], names.facts, "fact")
    values = tuple(written["is"])

    def truth(situation: Situation) -> Truth:
        fact = situation.facts[name]
        return Truth(True, fact.evidence) if fact.value in values else FALSE

    return truth


def _variant(written: Any, names: Names) -> Holds:
    name = names.check(written["variant"], names.variants, "variant")

    def truth(situation: Situation) -> Truth:
        outcomes = situation.outcomes
        alone = [v.id for v in outcomes.variants] == [name] and not outcomes.none_possible
        return TRUE if alone else FALSE

    return truth


def _usually_appropriate(written: Any, names: Names) -> Holds:
    name = written["usually_appropriate"]
    names.check(name, names.selectors, "procedure, kind, modality or trait")

    def truth(situation: Situation) -> Truth:
        procedures = situation.guideline.procedure
        best = {p for v in situation.outcomes.variants for p in v.usually_appropriate}
        return TRUE if any(name in procedures[p].selectors for p in best) else FALSE

    return truth


def _supplied(written: Any, names: Names) -> Holds:
    kinds = [names.check(kind, KINDS, "kind of data") for kind in written["supplied"]]
    return lambda situation: TRUE if situation.case.chart.has(*kinds) else FALSE


def _named(written: Any, names: Names) -> Holds:
    name = names.check(written["criterion"], names.criteria, "criterion")
    return names.criteria[name].when.truth


def _inner(written: Any, names: Names) -> list[Holds]:
    inner = next(iter(written.values()))
    if not isinstance(inner, list) or not inner:
        raise CriterionError("any and all take a list of criteria")
    return [compile_criterion(one, names).truth for one in inner]


def _one(written: Any, names: Names) -> Holds:
    return compile_criterion(next(iter(written.values())), names).truth


COMPILERS: dict[str, Callable[[Any, Names], Holds]] = {
    "finding": _finding,
    "function": _function,
    "observation": _observation,
    "age": _age,
    "sex": _sex,
    "fact": _fact,
    "variant": _variant,
    "usually_appropriate": _usually_appropriate,
    "supplied": _supplied,
    "criterion": _named,
    "any": lambda written, names: logic.any_of(_inner(written, names)),
    "all": lambda written, names: logic.all_of(_inner(written, names)),
    "not": lambda written, names: logic.opposite(_one(written, names)),
    "unless": lambda written, names: logic.unless(_one(written, names)),
    "given": lambda written, names: logic.without_evidence(_one(written, names)),
}
# The further keys of each kind; those of findings and functions are checked where they are read.
ARGUMENTS: dict[str, frozenset[str]] = {
    **dict.fromkeys(COMPILERS, frozenset()),
    "observation": frozenset({"below", "days"}),
    "fact": frozenset({"is"}),
}
del ARGUMENTS["finding"], ARGUMENTS["function"]
