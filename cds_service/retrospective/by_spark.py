"""The run on Spark, by DataFrames only: files are read and buckets decided wherever there is room.

The files of the export and the folder of the run are to be under the same path on every machine.
"""

import os
import pickle
import shutil
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from itertools import groupby, islice
from operator import itemgetter
from pathlib import Path

import pyarrow
from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession

from cds_service.retrospective.buckets import Buckets, needed_of
from cds_service.retrospective.folder import RunError
from cds_service.retrospective.job import Export, Job
from cds_service.retrospective.processes import SECONDS_BETWEEN, Tell
from cds_service.retrospective.scan import Scan, scan
from cds_service.shipped import PACKAGE

MEMORY = "1GB"
LOOPBACK = "127.0.0.1"
FILES = "number int, file string"
SCANNED = "scan binary"
PLACE = ("bucket", "patient", "file", "number")
NEEDED = "bucket int, patient string, file int, number int, text binary"
COLUMNS = pyarrow.schema([
    ("bucket", pyarrow.int32()), ("patient", pyarrow.string()), ("file", pyarrow.int32()),
    ("number", pyarrow.int32()), ("text", pyarrow.binary()),
])  # fmt: skip
FINISHED = "bucket int"
LINES_AT_ONCE = 1_000
Batches = Iterator[pyarrow.RecordBatch]


@contextmanager
def on_spark(spill: Path, memory: str | None, master: str) -> Iterator["BySpark"]:
    """A session at the master; `spill` is its folder for plain data of patients, which the caller
    removes, and `memory` that of each executor. Raises RunError.
    """
    if not shutil.which("java") and not os.environ.get("JAVA_HOME"):
        raise RunError("--engine spark needs Java 17 or newer: set JAVA_HOME")
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    if _is_here(master):
        os.environ.setdefault("SPARK_LOCAL_IP", LOOPBACK)
    builder = SparkSession.builder.appName("cds-service").master(master)
    try:
        with builder.config(map=_settings(spill, memory or MEMORY, master)).getOrCreate() as spark:
            yield BySpark(spark)
    except (PySparkException, Py4JError) as error:
        raise RunError(f"Spark failed, its log says why: {type(error).__name__}") from None


def _settings(spill: Path, memory: str, master: str) -> dict[str, str]:
    most = memory.removesuffix("B").lower()
    settings = {
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.log.level": "ERROR",
        "spark.local.dir": str(spill),
        "spark.executor.memory": most,
        "spark.driver.memory": most,
        # Executors on this machine find the package as it is here.
        "spark.executorEnv.PYTHONPATH": str(PACKAGE.parent),
        "spark.sql.execution.arrow.maxRecordsPerBatch": str(LINES_AT_ONCE),
    }
    if _is_here(master):
        settings |= {"spark.driver.host": LOOPBACK, "spark.driver.bindAddress": LOOPBACK}
    return settings


def _is_here(master: str) -> bool:
    """Whether no other machine is needed; then none can reach the session."""
    return master.startswith("local") or f"//{LOOPBACK}:" in master


class BySpark:
    """See `run.Driver`."""

    def __init__(self, session: SparkSession):
        self._session = session

    def scan(self, files: list[Path], job: Job, told: Tell) -> Iterator[Scan]:
        """The scan of each file, when all are ready."""
        for row in self._files(files).mapInArrow(partial(_scan, job=job), SCANNED).collect():
            found = pickle.loads(row.scan)  # noqa: S301  what our own executors made
            told(found.size)
            yield found

    def finish(
        self, files: list[Path], patients: set[str], export: Export, job: Job, buckets: Buckets
    ) -> Iterator[int]:
        """Finishes the buckets that are left, where there is room. The number of each is given
        when its file is there.
        """
        charts = self._charts(files, patients, job, buckets)
        finish = partial(_finish, export=export, job=job, buckets=buckets)
        left = set(buckets.left)
        with ThreadPoolExecutor(1) as waiting:
            work = waiting.submit(charts.mapInArrow(finish, FINISHED).collect)
            while not work.done():
                _wait(work)
                now = set(buckets.left)
                yield from left - now
                left = now
            work.result()
        for bucket in buckets.left:  # of no patient
            buckets.finish(bucket, [], export, job)
        yield from left

    def _charts(
        self, files: list[Path], patients: set[str], job: Job, buckets: Buckets
    ) -> DataFrame:
        """The lines that are needed, each bucket in one partition, sorted by patient."""
        lines = self._files(files).mapInArrow(partial(_needed, job=job, buckets=buckets), NEEDED)
        wanted = self._session.createDataFrame([(p,) for p in patients], "patient string")
        charts = lines.join(wanted, "patient", "left_semi")
        return charts.repartition(buckets.number, "bucket").sortWithinPartitions(*PLACE)

    def _files(self, files: list[Path]) -> DataFrame:
        """Each file with its number, one to a task."""
        numbered = [(number, str(file)) for number, file in enumerate(files)]
        return self._session.createDataFrame(numbered, FILES).repartition(len(files))


def _wait(work: Future) -> None:
    with suppress(TimeoutError):
        work.exception(SECONDS_BETWEEN)


def _rows(batches: Batches) -> Iterator[dict]:
    for batch in batches:
        yield from batch.to_pylist()


def _scan(batches: Batches, job: Job) -> Batches:
    for row in _rows(batches):
        found = scan(Path(row["file"]), job, lambda _: None)
        yield pyarrow.record_batch({"scan": [pickle.dumps(found)]})


def _needed(batches: Batches, job: Job, buckets: Buckets) -> Batches:
    for row in _rows(batches):
        lines = needed_of(Path(row["file"]), row["number"], None, job)
        while some := list(islice(lines, LINES_AT_ONCE)):
            placed = [(buckets.of(patient), patient, *place) for patient, *place in some]
            columns = [list(column) for column in zip(*placed, strict=True)]
            yield pyarrow.record_batch(columns, COLUMNS)


def _finish(batches: Batches, export: Export, job: Job, buckets: Buckets) -> Batches:
    of_line = itemgetter("patient", "file", "number", "text")
    for bucket, rows in groupby(_rows(batches), key=itemgetter("bucket")):
        buckets.finish(bucket, map(of_line, rows), export, job)
        yield pyarrow.record_batch({"bucket": pyarrow.array([bucket], pyarrow.int32())})
