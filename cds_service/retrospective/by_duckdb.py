"""The run on one machine: processes read the files, and DuckDB sorts the lines on disk."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from cds_service.retrospective.buckets import Buckets, Needed, needed_of
from cds_service.retrospective.folder import RunError
from cds_service.retrospective.job import Export, Job
from cds_service.retrospective.processes import Processes, Tell, tell
from cds_service.retrospective.results import ALONE
from cds_service.retrospective.scan import Scan, scan
from cds_service.store.files import open_private

MEMORY, OF_A_PROCESS = "500MB", "256MB"
# Stands between the columns of a spilled line: JSON has no control characters.
BETWEEN = "\x01"
READ_AT_ONCE = 500  # lines
LONGEST_LINE = 2_000_000  # bytes, where none is longer
LINES = """
    CREATE TABLE lines AS
    SELECT * FROM read_csv(?, delim = ?, quote = '', escape = '', header = false,
        auto_detect = false, max_line_size = ?, columns = {'bucket': 'USMALLINT',
        'patient': 'VARCHAR', 'file': 'UINTEGER', 'number': 'UINTEGER', 'text': 'VARCHAR'})
    ORDER BY bucket, patient, file, number
"""
OF_A_BUCKET = """
    SELECT patient, file, number, text FROM lines WHERE bucket = ?
    ORDER BY patient, file, number
"""


@contextmanager
def on_duckdb(spill: Path, memory: str | None) -> Iterator["ByDuckDB"]:
    """`spill` is a folder for plain data of patients, which the caller removes; `memory` the most
    that DuckDB takes, as it writes it (1GB). Raises RunError; what DuckDB says of its errors may
    hold what it read.
    """
    try:
        with Processes() as processes:
            yield ByDuckDB(spill, memory or MEMORY, processes)
    except duckdb.Error as error:
        raise RunError(f"DuckDB failed, try more --memory: {type(error).__name__}") from None


class ByDuckDB:
    """See `run.Driver`."""

    def __init__(self, spill: Path, memory: str, processes: Processes):
        self._spill, self._memory, self._processes = spill, memory, processes

    def scan(self, files: list[Path], job: Job, told: Tell) -> Iterator[Scan]:
        """The scan of each file, as it is ready."""
        yield from self._processes.each(_scan, [(file, job) for file in files], told)

    def finish(
        self, files: list[Path], patients: set[str], export: Export, job: Job, buckets: Buckets
    ) -> Iterator[int]:
        """Finishes the buckets that are left; the number of each when it is."""
        left = buckets.left
        spilled = self._spill_lines(files, patients, job, buckets)
        self._sort(max(spilled, default=0))
        work = [(self._database, bucket, buckets, export, job) for bucket in left]
        yield from self._processes.each(_finish, work, lambda _: None)

    @property
    def _database(self) -> Path:
        return self._spill / "lines.duckdb"

    def _spill_lines(
        self, files: list[Path], patients: set[str], job: Job, buckets: Buckets
    ) -> list[int]:
        """Writes the lines that are needed; the length of the longest of each file."""
        work = [
            (file, number, patients, job, buckets, self._spill) for number, file in enumerate(files)
        ]
        return list(self._processes.each(_spill, work, lambda _: None))

    def _sort(self, longest: int) -> None:
        """Sorts what was spilled, by bucket and patient, and removes it."""
        parts = [str(part) for part in self._spill.glob("*.lines")]
        here = {"temp_directory": str(self._spill / "sorting"), "threads": str(os.cpu_count() or 1)}
        with _opened(self._database, self._memory, **here) as lines:
            lines.execute(LINES, [parts, BETWEEN, max(longest, LONGEST_LINE)])
        for part in parts:
            Path(part).unlink()


def _opened(
    database: Path, memory: str, read_only: bool = False, **settings: str
) -> duckdb.DuckDBPyConnection:
    return duckdb.connect(str(database), read_only, {**ALONE, "memory_limit": memory, **settings})


def _scan(file: Path, job: Job) -> Scan:
    return scan(file, job, tell)


def _spill(
    file: Path, number: int, patients: set[str], job: Job, buckets: Buckets, folder: Path
) -> int:
    longest = 0
    with open(folder / f"{number}.lines", "wb", opener=open_private) as out:
        for patient, _, row, text in needed_of(file, number, patients, job):
            place = BETWEEN.join((str(buckets.of(patient)), patient, str(number), str(row), ""))
            longest = max(longest, out.write(place.encode() + text + b"\n"))
    return longest


def _finish(database: Path, bucket: int, buckets: Buckets, export: Export, job: Job) -> int:
    with _opened(database, OF_A_PROCESS, read_only=True, threads="1") as lines:
        lines.execute(OF_A_BUCKET, [bucket])
        buckets.finish(bucket, _fetched(lines), export, job)
    return bucket


def _fetched(lines: duckdb.DuckDBPyConnection) -> Iterator[Needed]:
    while rows := lines.fetchmany(READ_AT_ONCE):
        for patient, file, number, text in rows:
            yield patient, file, number, text.encode()
