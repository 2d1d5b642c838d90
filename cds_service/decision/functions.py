"""The computations on findings that a criterion may name: what the language cannot say.

Each takes the case, and the findings that its arguments in the criterion select; it returns the
findings for which it holds, none where it does not.
"""

from collections.abc import Callable, Iterable

from cds_service.decision.chart import Case, Finding
from cds_service.decision.selection import parts_of

Findings = tuple[Finding, ...]
# The parts of the spine, as the code system of regions names them.
FROM_ABOVE = ("cervical", "thoracic", "lumbar", "sacral")


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


def at_or_above_ordered_region(case: Case, finding: Findings) -> Findings:
    """The findings that may have to do with the ordered region: those in it, those above it (a
    lesion of the cord acts downwards), and those without a stated region.
    """
    ordered = case.order.place.parts if case.order.place else frozenset()
    return tuple(f for f in finding if not _lies_below(f, ordered))


def below_ordered_region(case: Case, finding: Findings) -> Findings:
    """The findings whose stated region lies below the ordered one, and does not touch it."""
    ordered = case.order.place.parts if case.order.place else frozenset()
    return tuple(f for f in finding if _lies_below(f, ordered))


def _lies_below(finding: Finding, parts: frozenset[str]) -> bool:
    if not parts or not finding.parts or not parts.isdisjoint(finding.parts):
        return False
    lowest = max(FROM_ABOVE.index(part) for part in parts)
    return min(FROM_ABOVE.index(part) for part in finding.parts) > lowest


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
    "at_or_above_ordered_region": (at_or_above_ordered_region, ("finding",)),
    "below_ordered_region": (below_ordered_region, ("finding",)),
}
