"""The computations on findings that a criterion may name: what the language cannot say.

Each takes the case, and the findings that its arguments in the criterion select; it returns the
findings for which it holds, none where it does not.
"""

from collections.abc import Callable, Iterable

from cds_service.decision.chart import Case, Finding
from cds_service.decision.selection import parts_of

Findings = tuple[Finding, ...]


def at_different_places(case: Case, finding: Findings) -> Findings:
    """The findings with a stated level or region, if two of them are at different ones."""
    placed = tuple(f for f in finding if f.parts)
    apart = any(_differ(a, b) for i, a in enumerate(placed) for b in placed[i + 1 :])
    return placed if apart else ()


def outside_ordered_region(case: Case, finding: Findings, unless: Findings) -> Findings:
    """The findings with a stated place, if all of these lie outside the region of the order.

    None where one of `unless` lies within that region: then the region is right.
    """
    ordered = case.order.place.parts if case.order.place else frozenset()
    coded = parts_of(finding)
    if not ordered or not coded or not ordered.isdisjoint(coded) or _touch(unless, ordered):
        return ()
    return tuple(f for f in finding if f.parts)


def _differ(a: Finding, b: Finding) -> bool:
    if a.place.is_level and b.place.is_level:
        return a.place != b.place
    return a.parts.isdisjoint(b.parts)


def _touch(findings: Iterable[Finding], parts: frozenset[str]) -> bool:
    return any(not parts.isdisjoint(f.parts) for f in findings)


# By name: the function, and its arguments.
FUNCTIONS: dict[str, tuple[Callable[..., Findings], tuple[str, ...]]] = {
    "at_different_places": (at_different_places, ("finding",)),
    "outside_ordered_region": (outside_ordered_region, ("finding", "unless")),
}
