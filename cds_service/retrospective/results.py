"""Makes the files of a run out of its finished buckets."""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

import duckdb

from cds_service.mappings.forms import has_known_form
from cds_service.report.formats import csv_of
from cds_service.retrospective.folder import Folder, whole_file
from cds_service.retrospective.manifest import Manifest
from cds_service.retrospective.scan import Scan
from cds_service.store.common import ENOUGH_PATIENTS
from cds_service.store.rows import NO_CODE

# DuckDB asks no server for anything.
ALONE = {"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}
TEXT, TEXTS, NUMBER = "VARCHAR", "VARCHAR[]", "UINTEGER"
COLUMNS = {
    "order": TEXT, "patient": TEXT, "month": TEXT, "week": TEXT, "clinician": TEXT,
    "department": TEXT, "guideline": TEXT, "procedure": TEXT, "region": TEXT, "mode": TEXT,
    "relevance": TEXT, "decision": TEXT, "variants": TEXTS, "category": TEXT, "rating": TEXT,
    "indicator": TEXT, "topic": TEXT, "rules": TEXTS, "unknown": TEXTS, "missing": TEXTS,
    "question": TEXT, "suggested": TEXTS,
}  # fmt: skip
# What else the lines of a bucket hold. The day goes no further than into counts.
BESIDES = {
    "is": TEXT, "day": TEXT, "about": TEXT, "system": TEXT, "code": TEXT, "display": TEXT,
    "sounds_like": TEXT, "number": NUMBER, "file": NUMBER, "line": NUMBER, "problem": TEXT,
}  # fmt: skip
FOUND = "CREATE TEMP TABLE found AS SELECT * FROM read_json(?, format = 'nd', columns = ?)"
ORDERS = """
    SELECT * EXCLUDE ("is", day, about, system, code, display, sounds_like, number, file, line,
                      problem)
    FROM found WHERE "is" = 'row' ORDER BY guideline, "order", mode
"""
# Of each code how often it came, and from how many patients; the words that most of them had.
CODES = """
    WITH codes AS (SELECT * FROM found WHERE "is" = 'unmapped'),
    words AS (
        SELECT about, system, code, arg_max(display, patients) AS display FROM (
            SELECT about, system, code, display, count(DISTINCT patient) AS patients
            FROM codes WHERE display <> '' GROUP BY ALL HAVING patients >= $enough)
        GROUP BY ALL)
    SELECT about, code, any_value(words.display), system, max(sounds_like), sum(number) AS times,
        count(DISTINCT patient)
    FROM codes LEFT JOIN words USING (about, system, code) GROUP BY about, system, code
    ORDER BY max(sounds_like) = '', about = 'condition', times DESC, system, code
"""
PROBLEMS = """SELECT file, line, problem FROM found WHERE "is" = 'problem' ORDER BY ALL"""
DAYS = """SELECT min(day), max(day) FROM found WHERE "is" = 'row'"""
BURDEN = """
    SELECT mode, cards, count(*) FROM (
        SELECT mode, clinician, day, count(indicator) AS cards FROM found
        WHERE "is" = 'row' AND clinician IS NOT NULL GROUP BY mode, clinician, day)
    GROUP BY mode, cards ORDER BY mode, cards
"""
CODE_COLUMNS = ["about", "code", "display", "system", "sounds_like", "count"]


def write_results(folder: Folder, scans: list[Scan], manifest: Manifest) -> None:
    """Writes all but the report and what is asked for besides; fills in counts and burden."""
    files = sorted(str(file) for file in folder.buckets.glob("*.ndjson"))
    with duckdb.connect(config=ALONE) as found:
        found.execute(FOUND, [files, {**COLUMNS, **BESIDES}])
        with whole_file(folder.orders) as part:
            found.sql(ORDERS).write_parquet(str(part))
        with whole_file(folder.unmapped) as part:
            part.write_text(csv_of(CODE_COLUMNS, list(_codes(found))), "utf-8")
        failed = found.execute(PROBLEMS).fetchall()
        _write_problems(folder, scans, failed)
        first, last = found.execute(DAYS).fetchone()
        manifest.counts |= _period(first, last)
        manifest.counts["problems"] += len(failed)
        for mode, cards, number in found.execute(BURDEN).fetchall():
            manifest.burden.setdefault(mode, {})[str(cards)] = number


def _codes(found: duckdb.DuckDBPyConnection) -> Iterator[list[Any]]:
    """The codes in no map, by the rule of the service's own list: a code in a form that we do not
    know, and words, are kept where they came from enough patients.
    """
    for *row, patients in found.execute(CODES, {"enough": ENOUGH_PATIENTS}).fetchall():
        _, code, _, system, *_ = row
        is_known = has_known_form(system, code) or (system, code) == NO_CODE
        if is_known or patients >= ENOUGH_PATIENTS:
            yield row


def _period(first: str | None, last: str | None) -> dict[str, Any]:
    if first is None:
        return {"first_day": None, "last_day": None, "days": 0}
    days = (date.fromisoformat(last) - date.fromisoformat(first)).days + 1
    return {"first_day": first, "last_day": last, "days": days}


def _write_problems(folder: Folder, scans: list[Scan], failed: Iterable[tuple]) -> None:
    """A line for each problem: the file, its line (empty for the whole), and what is wrong."""
    rows = []
    for found in scans:
        rows += [[str(found.file), number or "", problem] for number, problem in found.problems]
        if found.unnamed_problems:
            rows.append([str(found.file), "", f"and {found.unnamed_problems} lines more"])
    rows += [[str(scans[number].file), line, problem] for number, line, problem in failed]
    with whole_file(folder.problems) as part:
        part.write_text(csv_of(["file", "line", "problem"], rows), "utf-8")
