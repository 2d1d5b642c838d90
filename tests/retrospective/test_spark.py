"""The run on Spark: the same rows as on DuckDB, here and on a cluster of which a part dies."""

import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.retrospective.exports import rows_in, run
from tests.retrospective.test_resume import finished_buckets, killed_when, until
from tests.small_world import ROOT
from tests.test_gunicorn import free_port

pytestmark = pytest.mark.skipif(
    not shutil.which("java") or not find_spec("pyspark"),
    reason="no Spark: a JDK 17 and requirements-spark.txt are not installed",
)
ON_SPARK = ("--engine", "spark", "--master")


@pytest.fixture
def out(finished, tmp_path):
    """A folder with the salt of the finished run, so that its digests are the same."""
    (tmp_path / "out").mkdir()
    shutil.copy(finished.folder / "secret", tmp_path / "out")
    return tmp_path / "out"


@pytest.fixture
def export(finished):
    return finished.folder.parent / "export"


def test_the_rows_are_those_of_duckdb(finished, export, out):
    run(export, "--out", out, *ON_SPARK, "local[2]")
    assert rows_in(out) == finished.rows
    for name in ("unmapped.csv", "problems.csv"):
        assert (out / name).read_text() == (finished.folder / name).read_text()
    assert not (out / "spill").exists()


def test_what_a_killed_run_has_finished_is_gone_on_with(finished, export, out):
    arguments = (export, "--out", out, *ON_SPARK, "local[2]")
    killed_when(lambda: len(finished_buckets(out)) > 1, *arguments)
    assert (out / "spill").stat().st_mode & 0o777 == 0o700
    run(export, "--out", out)
    assert rows_in(out) == finished.rows


@pytest.mark.slow
def test_on_a_cluster_an_executor_may_die(finished, export, out, tmp_path):
    with cluster(tmp_path / "cluster") as (master, workers):
        options = (*ON_SPARK, master, "--memory", "600MB")
        with in_background(export, "--out", out, *options) as command:
            until(lambda: finished_buckets(out) or command.poll() is not None)
            os.kill(executors(workers)[0], signal.SIGKILL)
            assert command.wait() == 0
    assert rows_in(out) == finished.rows


@contextmanager
def in_background(*arguments):
    command = [sys.executable, "-m", "cds_service", "retrospective", *map(str, arguments)]
    started = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL)  # noqa: S603
    try:
        yield started
    finally:
        started.kill()
        started.wait()


def executors(workers):
    """The processes of executors: Java, that a worker of the cluster has started."""
    parents = {worker.pid for worker in workers}
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            name, _, rest = stat.read_text().rpartition(")")
            if int(rest.split()[1]) in parents and name.endswith("(java"):
                found.append(int(stat.parent.name))
    return found


@contextmanager
def cluster(folder):
    """A standalone master and two workers on this machine; gives its address, and the workers."""
    import pyspark

    start = str(Path(pyspark.__file__).parent / "bin" / "spark-class")
    address = f"spark://127.0.0.1:{(port := free_port())}"
    here = ["--host", "127.0.0.1", "--webui-port", "0"]
    environment = {**os.environ, "SPARK_LOCAL_IP": "127.0.0.1"}
    deploy = "org.apache.spark.deploy"
    parts = [[f"{deploy}.master.Master", *here, "--port", str(port)]]
    for number in (1, 2):
        of_worker = ["--cores", "1", "--memory", "1g", "--work-dir", str(folder / str(number))]
        parts.append([f"{deploy}.worker.Worker", *here, *of_worker, address])
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    started = []
    try:
        for part in parts:
            started.append(subprocess.Popen([start, *part], env=environment, **quiet))  # noqa: S603
            time.sleep(3)
        yield address, started[1:]
    finally:
        for process in reversed(started):
            process.terminate()
        for process in started:
            process.wait()
