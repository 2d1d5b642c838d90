"""A report as a table for people, and as CSV and JSON for programs."""

import csv
import io
import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from cds_service.report.figures import HEADINGS, Figures, Report

STYLE: dict[str, Any] = {"title_justify": "left", "title_style": "bold", "box": SIMPLE_HEAD}
IN_ALL = "in all"
COLUMNS_AT_ONCE, COUNT_WIDTH, PART_WIDTH = 4, 11, 22
# Characters with which a spreadsheet takes a text for a formula.
FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r", "\n")


def as_tables(report: Report) -> Iterator[Table]:
    """The counts, by part and in all, in tables that fit 80 columns; then a table for each
    breakdown of the whole.
    """
    names = list(report.total.counts)
    for start in range(0, len(names), COLUMNS_AT_ONCE):
        yield _counts(
            report, names[start : start + COLUMNS_AT_ONCE], "" if start else _title(report)
        )
    for name, counted in report.total.breakdowns.items():
        if counted:
            yield _breakdown(HEADINGS[name], counted)


def _counts(report: Report, names: list[str], title: str) -> Table:
    table = Table(title=title or None, **STYLE)
    table.add_column("", width=PART_WIDTH, overflow="fold")
    for name in names:
        table.add_column(HEADINGS[name], justify="right", width=COUNT_WIDTH)
    for part, figures in _lines(report):
        table.add_row(escape(part), *(f"{figures.counts[name]:,}" for name in names))
    return table


def _breakdown(title: str, counted: Counter[str]) -> Table:
    table = Table(title=title, show_header=False, **STYLE)
    table.add_column(min_width=40, overflow="fold")
    table.add_column(justify="right")
    for what, number in counted.most_common():
        table.add_row(escape(what), f"{number:,}")
    return table


def as_csv(report: Report) -> str:
    """A line for each part, then one in all; a breakdown is name=number, separated by "; "."""
    names = [*report.total.counts, *report.total.breakdowns]
    rows = [
        [part, *figures.counts.values(), *map(_joined, figures.breakdowns.values())]
        for part, figures in _lines(report)
    ]
    return csv_of(["part", *names], rows)


def csv_of(header: list[str], rows: list[list[Any]]) -> str:
    """CSV in which no spreadsheet finds a formula."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([_harmless(cell) for cell in row] for row in rows)
    return out.getvalue()


def _harmless(cell: Any) -> Any:
    is_formula = isinstance(cell, str) and cell.lstrip(" ").startswith(FORMULA)
    return f"'{cell}" if is_formula else cell


def _joined(counted: Counter[str]) -> str:
    return "; ".join(f"{what}={number}" for what, number in counted.most_common())


def as_json(report: Report) -> str:
    made = {
        "since": report.period.since.isoformat(),
        "until": report.period.until.isoformat(),
        "total": _plain(report.total),
        **{f"by_{by}": {k: _plain(f) for k, f in p.items()} for by, p in report.parts.items()},
    }
    return json.dumps(made, indent=2, ensure_ascii=False)


def _plain(figures: Figures) -> dict:
    broken_down = {name: dict(c.most_common()) for name, c in figures.breakdowns.items()}
    return {**figures.counts, **broken_down}


def _lines(report: Report) -> Iterator[tuple[str, Figures]]:
    for parts in report.parts.values():
        yield from parts.items()
    yield IN_ALL, report.total


def _title(report: Report) -> str:
    return f"{report.period.since} to {report.period.until} (UTC)"
