"""Lines of a report, and how they are shown."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table
from rich.text import Text

from cds_service.commandline import printable

OK, WARNING, PROBLEM, SKIPPED = "ok", "warning", "problem", "skipped"
STYLES = {OK: "green", WARNING: "yellow", PROBLEM: "bold red", SKIPPED: "dim"}


@dataclass(frozen=True)
class Line:
    """What was checked, with which result, and what it means or what to do."""

    state: str
    about: str
    text: str


def ok(about: str, text: str) -> Line:
    return Line(OK, about, text)


def warning(about: str, text: str) -> Line:
    return Line(WARNING, about, text)


def problem(about: str, text: str) -> Line:
    return Line(PROBLEM, about, text)


def skipped(about: str, text: str) -> Line:
    return Line(SKIPPED, about, text)


def show(lines: Iterable[Line], console: Console) -> int:
    """Prints the lines, and how many are not ok; exit status 1 where there is a problem."""
    lines = list(lines)
    if console.is_terminal:
        console.print(_table(lines))
    else:
        _print_plainly(lines, console)
    counts = Counter(line.state for line in lines)
    console.print(f"problems: {counts[PROBLEM]}, warnings: {counts[WARNING]}", highlight=False)
    return 1 if counts[PROBLEM] else 0


def _table(lines: list[Line]) -> Table:
    """For a terminal: long sentences wrap in their column."""
    table = Table(box=None, show_header=False, pad_edge=False)
    for _ in range(2):
        table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for line in lines:
        state = Text(line.state, style=STYLES[line.state])
        table.add_row(state, Text(printable(line.about)), Text(printable(line.text)))
    return table


def _print_plainly(lines: list[Line], console: Console) -> None:
    """For a file or a pipe: one line for each check."""
    width = max((len(line.about) for line in lines), default=0)
    for line in lines:
        text = f"{line.state:7}  {printable(line.about):{width}}  {printable(line.text)}"
        console.print(text, markup=False, highlight=False, soft_wrap=True)
