"""From the digests of a run back to its orders, by reading the export again: `ids.csv`."""

from collections.abc import Iterator
from pathlib import Path

import duckdb

from cds_service.report.formats import csv_of
from cds_service.retrospective.folder import Folder, whole_file
from cds_service.retrospective.job import Job
from cds_service.retrospective.lines import ORDER, UNREADABLE, Line, lines_of
from cds_service.retrospective.processes import Tell
from cds_service.retrospective.results import ALONE
from cds_service.retrospective.rows import order_digest

HEADER = ["order", "reference"]
DIGESTS = 'SELECT DISTINCT "order" FROM rows'


def references(folder: Folder, files: list[Path], job: Job, told: Tell) -> dict[str, Line]:
    """The line of each order of the run, by its digest."""
    with duckdb.connect(config=ALONE) as rows:
        rows.read_parquet(str(folder.orders)).create_view("rows")
        digests = {digest for (digest,) in rows.execute(DIGESTS).fetchall()}
    found: dict[str, Line] = {}
    for file in files:
        for line in _orders(file):
            digest = order_digest(job, line.patient, line.id)
            if digest in digests:
                found.setdefault(digest, line)
        told(file.stat().st_size)
    return found


def write_ids(folder: Folder, found: dict[str, Line]) -> None:
    """Who has this file knows which order is which."""
    rows = [[digest, f"{ORDER}/{line.id}"] for digest, line in sorted(found.items())]
    with whole_file(folder.ids) as part:
        part.write_text(csv_of(HEADER, rows), "utf-8")


def _orders(file: Path) -> Iterator[Line]:
    try:
        for line, _ in lines_of(file):
            if line.kind == ORDER and not line.problem:
                yield line
    except UNREADABLE:
        return
