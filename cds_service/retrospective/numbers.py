"""Numbers of the report in words of a language; what may not be shown is said to be so."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cds_service.language import Language
from cds_service.retrospective.disclosure import SMALLEST, ratio, shown
from cds_service.retrospective.reviewed import Estimate

FEW, NONE = f"<{SMALLEST}", "–"


@dataclass(frozen=True)
class Numbers:
    """Each method gives the text of a number, or of two that are the bounds of one."""

    language: Language

    def count(self, number: int) -> str:
        rounded = shown(number)
        return FEW if rounded is None else self.language.number(rounded)

    def percent(self, part: int, whole: int) -> str:
        share = ratio(part, whole)
        return NONE if share is None else f"{self.language.number(round(100 * share))} %"

    def per_hundred(self, part: int, whole: int) -> str:
        share = ratio(part, whole)
        return NONE if share is None else self.language.number(round(100 * share, 1))

    def a_day(self, number: int, days: int) -> str:
        rounded = shown(number)
        return (
            NONE if rounded is None or not days else self.language.number(round(rounded / days, 1))
        )

    def estimate(self, found: Estimate | None) -> str:
        """A share with its interval."""
        if found is None:
            return NONE
        share, low, high = (
            self.language.number(round(100 * x, 1)) for x in (found.share, found.low, found.high)
        )
        return f"{share} % ({low}–{high} %)"

    @staticmethod
    def between(bounds: Mapping[str, int], write: Callable[[int], str]) -> str:
        """Both bounds, or the one that they agree on; the upper one where the lower is hidden."""
        low, high = (write(bound) for bound in sorted(bounds.values()))
        if low == high:
            return high
        return f"≤ {high}" if low in (FEW, NONE) else f"{low}–{high}"
