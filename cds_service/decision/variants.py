"""Which variants of the guideline apply: matched, excluded or possible (Kleene's logic)."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product

from cds_service.decision.guideline import Variant

Values = Mapping[str, bool | None]


@dataclass(frozen=True)
class Outcomes:
    """The variants that the patient may be in, and whether none of them is possible too."""

    variants: tuple[Variant, ...]
    none_possible: bool

    def categories(self, procedure_id: str) -> frozenset[str | None]:
        """What the variants say of a procedure; None stands for "not rated"."""
        return frozenset(v.category_of(procedure_id) for v in self.variants)

    def category(self, procedure_id: str) -> str | None:
        """What all variants agree on, if they do and rate it."""
        found = self.categories(procedure_id)
        return next(iter(found)) if len(found) == 1 else None

    def is_certain(self, procedure_id: str) -> bool:
        return self.category(procedure_id) is not None and not self.none_possible


def outcomes_of(variants: Iterable[Variant], values: Values) -> Outcomes:
    """The variants that no known fact excludes, and whether perhaps none of them applies."""
    left = tuple(v for v in variants if not is_excluded(v, values))
    return Outcomes(left, _can_miss_all(left, values))


def is_excluded(variant: Variant, values: Values) -> bool:
    """Whether a fact is known to be other than the variant asks."""
    return any(values[fact] is (not wanted) for fact, wanted in variant.criteria.items())


def is_matched(variant: Variant, values: Values) -> bool:
    return all(values[fact] is wanted for fact, wanted in variant.criteria.items())


def facts_that_matter(
    variants: tuple[Variant, ...], values: Values, procedure_id: str
) -> Iterator[str]:
    """The unknown facts whose value can change the procedure's category, or whether it has one."""
    unknown = sorted({f for v in variants for f in v.criteria if values[f] is None})
    worlds = {}
    for world in product((False, True), repeat=len(unknown)):
        known = {**values, **dict(zip(unknown, world, strict=True))}
        worlds[world] = _category_in(variants, known, procedure_id)
    for i, fact in enumerate(unknown):
        if any(worlds[w] != worlds[(*w[:i], not w[i], *w[i + 1 :])] for w in worlds):
            yield fact


def _category_in(variants: Iterable[Variant], values: Values, procedure_id: str) -> str | None:
    matched = next((v for v in variants if is_matched(v, values)), None)
    return matched.category_of(procedure_id) or "not-rated" if matched else None


def _can_miss_all(variants: tuple[Variant, ...], values: Values) -> bool:
    """Whether the unknown facts can be such that none of the variants applies."""
    if not variants:
        return True
    first, rest = variants[0], variants[1:]
    for fact, wanted in first.criteria.items():
        if values[fact] is None:
            otherwise = {**values, fact: not wanted}
            if _can_miss_all(tuple(v for v in rest if not is_excluded(v, otherwise)), otherwise):
                return True
    return False
