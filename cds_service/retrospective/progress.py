"""How far a run is, for the person who waits for it."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    ProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.progress import Progress as Bars

from cds_service.retrospective.processes import Tell

IN_BYTES = True


class Progress:
    """A bar for each stage, with rate and time left; where no terminal is, a line when it ends."""

    def __init__(self, console: Console):
        self._console = console

    @contextmanager
    def stage(self, name: str, total: int, in_bytes: bool = False) -> Iterator[Tell]:
        """Gives what is to be told how much more is done; `total` is how much it will be."""
        bars = Bars(
            *_columns(in_bytes), console=self._console, disable=not self._console.is_terminal
        )
        with bars:
            bar = bars.add_task(name, total=total)
            yield lambda number: bars.advance(bar, number)
        if not self._console.is_terminal:
            self._console.print(f"{name}: done")


def _columns(in_bytes: bool) -> list[ProgressColumn]:
    amounts = [DownloadColumn(), TransferSpeedColumn()] if in_bytes else [_Rate()]
    named = TextColumn("{task.description}")
    return [named, BarColumn(), *amounts, TimeElapsedColumn(), TimeRemainingColumn()]


class _Rate(MofNCompleteColumn):
    """Of how many, and how many in a second."""

    def render(self, task):
        return super().render(task).append(f" {task.speed or 0:.1f}/s")
