"""A report as tables, for people at a terminal."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from cds_service.report.figures import HEADINGS, Report
from cds_service.report.formats import lines

STYLE: dict[str, Any] = {"title_justify": "left", "title_style": "bold", "box": SIMPLE_HEAD}
COLUMNS_AT_ONCE, COUNT_WIDTH, PART_WIDTH = 4, 11, 22


def as_tables(report: Report) -> Iterator[Table]:
    """The counts, by part and in all, in tables that fit 80 columns; then a table for each
    breakdown of the whole.
    """
    names, period = list(report.total.counts), report.period
    title = f"{period.since} to {period.until} (UTC)"
    for start in range(0, len(names), COLUMNS_AT_ONCE):
        yield _counts(report, names[start : start + COLUMNS_AT_ONCE], "" if start else title)
    for name, counted in report.total.breakdowns.items():
        if counted:
            yield _breakdown(HEADINGS[name], counted)


def _counts(report: Report, names: list[str], title: str) -> Table:
    table = Table(title=title or None, **STYLE)
    table.add_column("", width=PART_WIDTH, overflow="fold")
    for name in names:
        table.add_column(HEADINGS[name], justify="right", width=COUNT_WIDTH)
    for part, figures in lines(report):
        table.add_row(escape(part), *(f"{figures.counts[name]:,}" for name in names))
    return table


def _breakdown(title: str, counted: Counter[str]) -> Table:
    table = Table(title=title, show_header=False, **STYLE)
    table.add_column(min_width=40, overflow="fold")
    table.add_column(justify="right")
    for what, number in counted.most_common():
        table.add_row(escape(what), f"{number:,}")
    return table
