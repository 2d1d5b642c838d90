"""The facts that the variants ask for: true, false or unknown, each with its evidence.

Precedence: coded evidence that makes a fact true, then an answer of the clinician to one of our
questions, then what makes it false. Data that was not supplied leaves a fact unknown.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from cds_service.decision.chart import Case, Evidence, Finding
from cds_service.decision.findings import (
    SAID_OF_THE_PATIENT,
    SEEN_IN_THE_PATIENT,
    at_two_places,
    certain,
    coded_as,
    is_osteoporotic_for_sure,
    is_symptom,
    lies_elsewhere,
    may_be_presumed_osteoporotic,
    still_counts,
)
from cds_service.decision.fractures import (
    compression_fractures,
    may_have_a_fracture,
    parts_of_fracture,
)

DONE_TO_THE_PATIENT = ("Condition", "Procedure")
SAID_OR_SEEN = (*SAID_OF_THE_PATIENT, *SEEN_IN_THE_PATIENT)


@dataclass(frozen=True)
class Fact:
    """`value` is True, False or None (unknown); `how` says where it comes from.

    `how` is one of coded, answered, presumed, absent (nothing of the kind in the data supplied),
    implied (follows from another fact) and unknown.
    """

    name: str
    value: bool | None
    how: str
    evidence: tuple[Evidence, ...] = ()


Facts = Mapping[str, Fact]


def establish_facts(case: Case) -> Facts:
    """All facts of the case, by name."""
    facts: dict[str, Fact] = {}
    for name, establish in ESTABLISH.items():
        facts[name] = establish(case, facts)
    return facts


def _vcf(case: Case, _: Facts) -> Fact:
    unknown = may_have_a_fracture(case)
    return _fact("vcf", case, compression_fractures(case), needs=("conditions",), doubt=unknown)


def _symptomatic(case: Case, _: Facts) -> Fact:
    present = [f for f in certain(case) if case.recent(f) and is_symptom(f, case)]
    if present:
        return _coded("symptomatic", present)
    answered = _answered("symptomatic", case)
    if answered:
        return answered
    denied = [f for f in certain(case) if "asymptomatic" in f.sets and still_counts(f, case)]
    if denied:
        return Fact("symptomatic", False, "coded", _proof(denied))
    return Fact("symptomatic", None, "unknown")


def _malignancy(case: Case, _: Facts) -> Fact:
    return _fact("malignancy", case, coded_as(case, {"malignancy"}), needs=("conditions",))


def _prior_vcf(case: Case, _: Facts) -> Fact:
    fractures = compression_fractures(case)
    old = [f for f in fractures if not f.is_new(case.today)]
    treated = coded_as(case, {"vertebral-augmentation-performed"}, ("Procedure",))
    several = at_two_places(fractures)
    needs = ("conditions", "procedures")
    doubt = may_have_a_fracture(case)
    return _fact("prior_vcf", case, [*old, *treated, *several], needs=needs, doubt=doubt)


def _new_vcf(case: Case, _: Facts) -> Fact:
    new = [f for f in compression_fractures(case) if f.is_new(case.today)]
    doubt = may_have_a_fracture(case)
    return _fact("new_vcf", case, new, needs=("conditions",), doubt=doubt)


def _prior_spine_intervention(case: Case, _: Facts) -> Fact:
    fracture = parts_of_fracture(case)
    augmented = coded_as(case, {"vertebral-augmentation-performed"}, DONE_TO_THE_PATIENT)
    operated = coded_as(case, {"spine-surgery"}, (*DONE_TO_THE_PATIENT, "reason"))
    here = [f for f in augmented + operated if not lies_elsewhere(f, fracture)]
    needs = ("conditions", "procedures")
    return _fact("prior_spine_intervention", case, here, needs=needs)


def _osteoporotic(case: Case, facts: Facts) -> Fact:
    sets = {"osteoporosis", "osteoporotic-vertebral-fracture"}
    coded = coded_as(case, sets, (*SAID_OF_THE_PATIENT, "Observation"))
    if coded:
        return _coded("osteoporotic", coded)
    answered = _answered("osteoporotic", case)
    if answered:
        return answered
    if facts["malignancy"].value is False and may_be_presumed_osteoporotic(case):
        return Fact("osteoporotic", True, "presumed")
    return Fact("osteoporotic", None, "unknown")


def _pathologic(case: Case, facts: Facts) -> Fact:
    fractures = compression_fractures(case)
    proof = [f for f in fractures if "neoplastic-vertebral-fracture" in f.sets]
    if fractures:
        proof += coded_as(
            case, {"vertebral-metastasis"}, (*SAID_OF_THE_PATIENT, *SEEN_IN_THE_PATIENT)
        )
    if proof:
        return _coded("pathologic", proof)
    answered = _answered("pathologic", case)
    if answered:
        return answered
    if facts["malignancy"].value is False or is_osteoporotic_for_sure(case):
        return Fact("pathologic", False, "implied")
    return Fact("pathologic", None, "unknown")


def _edema_or_cleft(case: Case, _: Facts) -> Fact:
    seen = coded_as(
        case, {"bone-marrow-edema-or-cleft"}, (*SAID_OF_THE_PATIENT, *SEEN_IN_THE_PATIENT)
    )
    return _fact("edema_or_cleft", case, seen, needs=None)


def _worsening(case: Case, _: Facts) -> Fact:
    deformity = [f for f in coded_as(case, {"kyphosis"}) if case.recent(f)]
    breathing = [f for f in coded_as(case, {"restrictive-lung-disease"}) if f.is_reason]
    # A value set that only a site's own codes fill.
    told = coded_as(case, {"worsening"}, SAID_OR_SEEN)
    getting_worse = [f for f in told if f.source != "Condition" or case.recent(f)]
    present = deformity + breathing + getting_worse
    return _fact("worsening", case, present, needs=("conditions",))


# In the order in which they build on each other.
ESTABLISH: dict[str, Callable[[Case, Facts], Fact]] = {
    "vcf": _vcf,
    "symptomatic": _symptomatic,
    "malignancy": _malignancy,
    "prior_vcf": _prior_vcf,
    "new_vcf": _new_vcf,
    "prior_spine_intervention": _prior_spine_intervention,
    "osteoporotic": _osteoporotic,
    "pathologic": _pathologic,
    "edema_or_cleft": _edema_or_cleft,
    "worsening": _worsening,
}


def _fact(
    name: str,
    case: Case,
    present: Iterable[Finding],
    needs: tuple[str, ...] | None,
    doubt: bool = False,
) -> Fact:
    """True by what is present, else as answered, else false where all that it needs was supplied.

    `needs` is None for a fact whose absence no data can show.
    """
    present = tuple(present)
    if present:
        return _coded(name, present)
    answered = _answered(name, case)
    if answered:
        return answered
    if needs is not None and case.chart.has(*needs) and not doubt:
        return Fact(name, False, "absent")
    return Fact(name, None, "unknown")


def _coded(name: str, findings: Iterable[Finding]) -> Fact:
    return Fact(name, True, "coded", _proof(findings))


def _proof(findings: Iterable[Finding]) -> tuple[Evidence, ...]:
    return tuple(dict.fromkeys(f.evidence for f in findings))


def answers(case: Case, name: str) -> frozenset[bool]:
    """What the reasons of the order answer to our question about a fact."""
    given = (f.answer for f in case.order.reasons if f.answer)
    return frozenset(value for fact, value in given if fact == name)


def _answered(name: str, case: Case) -> Fact | None:
    """The answer, where there is one; two answers that contradict each other are none."""
    given = answers(case, name)
    if len(given) != 1:
        return None
    proof = [f for f in case.order.reasons if f.answer and f.answer[0] == name]
    return Fact(name, next(iter(given)), "answered", _proof(proof))
