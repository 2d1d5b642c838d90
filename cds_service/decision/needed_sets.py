"""The value sets without which a criterion cannot be true.

Most rules are about what most patients do not have: these are passed over without a look.
"""

from collections.abc import Callable, Mapping
from typing import Any

from cds_service.decision.names import Names

Written = Mapping[str, Any]
NO_SETS: frozenset[str] = frozenset()


def needed_sets(written: Written, names: Names) -> frozenset[str]:
    """Value sets of which one must hold a finding of the case, or the criterion is not true; none
    where that cannot be told. The criterion was compiled with the same names.
    """
    find = FINDERS.get(next(iter(written)))
    return find(written, names) if find else NO_SETS


def _of_finding(written: Written, names: Names) -> frozenset[str]:
    """Of a selection, or of a function, which returns some of what its `finding` selects."""
    named = written["finding"]
    if isinstance(named, dict):
        named = named["finding"]
    if isinstance(named, list):
        return frozenset(named)
    definition = names.definitions.get(named)
    parts = definition.parts if definition else ()
    return frozenset().union(*(part.sets for part in parts)) or frozenset([named])


def _of_any(written: Written, names: Names) -> frozenset[str]:
    """One of each; none if there is one that needs none."""
    inner = [needed_sets(one, names) for one in written["any"]]
    return frozenset().union(*inner) if all(inner) else NO_SETS


def _of_all(written: Written, names: Names) -> frozenset[str]:
    """Those of the first that needs any."""
    inner = (needed_sets(one, names) for one in written["all"])
    return next(filter(None, inner), NO_SETS)


FINDERS: Mapping[str, Callable[[Written, Names], frozenset[str]]] = {
    "finding": _of_finding,
    "function": _of_finding,
    "observation": lambda written, names: frozenset([written["observation"]]),
    "criterion": lambda written, names: needed_sets(
        names.criteria[written["criterion"]].when.written, names
    ),
    "any": _of_any,
    "all": _of_all,
    "given": lambda written, names: needed_sets(written["given"], names),
}
