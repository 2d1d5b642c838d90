"""A report as CSV and JSON, for programs."""

import csv
import io
import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from cds_service.report.figures import Figures, Report

IN_ALL = "in all"
# Characters with which a spreadsheet takes a text for a formula.
FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r", "\n")


def as_csv(report: Report) -> str:
    """A line for each part, then one in all; a breakdown is name=number, separated by "; "."""
    names = [*report.total.counts, *report.total.breakdowns]
    rows = [
        [part, *figures.counts.values(), *map(_joined, figures.breakdowns.values())]
        for part, figures in lines(report)
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


def lines(report: Report) -> Iterator[tuple[str, Figures]]:
    """The figures of each part, and those in all."""
    for parts in report.parts.values():
        yield from parts.items()
    yield IN_ALL, report.total
