"""What a section of the report is made of, in one language: a title, a sentence, a table."""

from dataclasses import dataclass
from functools import cached_property

from cds_service.language import Language
from cds_service.retrospective.as_of import LENIENT, MODES
from cds_service.retrospective.disclosure import ratio
from cds_service.retrospective.figures import Figures
from cds_service.retrospective.names import Names
from cds_service.retrospective.numbers import Numbers


@dataclass(frozen=True)
class Line:
    """A row of a table; `bar` is the share that is drawn behind it, if any."""

    label: str
    cells: tuple[str, ...]
    bar: float | None = None


@dataclass(frozen=True)
class Section:
    """A title, a sentence that says how to read it (may be empty), and a table."""

    title: str
    note: str
    head: tuple[str, ...]
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Told:
    """The figures of a run, and the language in which they are told."""

    figures: Figures
    names: Names
    language: Language

    @cached_property
    def numbers(self) -> Numbers:
        return Numbers(self.language)

    def say(self, text: str, **values: object) -> str:
        return self.language.say(text, **values)

    @property
    def days(self) -> int:
        """From the first order to the last."""
        return self.figures.manifest.counts["days"]

    def in_both_modes(self, label: str, parts: dict[str, int], wholes: dict[str, int]) -> Line:
        """Counts and shares by mode."""
        counts = (self.numbers.count(parts[mode]) for mode in MODES)
        rates = (self.numbers.per_hundred(parts[mode], wholes[mode]) for mode in MODES)
        return Line(label, (*counts, *rates), ratio(parts[LENIENT], wholes[LENIENT]))

    def counted(self, title: str, note: str, counts: dict[str, int]) -> Section:
        """Counts of orders, and which share of all they are."""
        numbers, total = self.numbers, self.figures.total.orders[LENIENT]
        lines = (
            Line(label, (numbers.count(n), numbers.percent(n, total)), ratio(n, total))
            for label, n in counts.items()
        )
        return Section(title, note, (self.say("Orders"), self.say("Of all")), tuple(lines))
