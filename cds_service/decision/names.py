"""The names that a criterion may use."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cds_service.decision.definitions import Definition, NamedCriterion
from cds_service.decision.situation import CriterionError


@dataclass(frozen=True)
class Names:
    """The names that a criterion may use; each that is used is checked against these."""

    value_sets: frozenset[str]
    facts: frozenset[str] = frozenset()
    variants: frozenset[str] = frozenset()
    selectors: frozenset[str] = frozenset()
    definitions: Mapping[str, Definition] = field(default_factory=dict)
    criteria: Mapping[str, NamedCriterion] = field(default_factory=dict)

    def check(self, name: Any, known: Any, what: str) -> str:
        """The name. Raises CriterionError where it is not known."""
        if not isinstance(name, str) or name not in known:
            raise CriterionError(f"{name} is no {what}")
        return name
