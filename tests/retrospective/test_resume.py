"""A run that is killed at any moment goes on where it stopped; nothing is lost, none is twice."""

import fcntl
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bench.exports import write_export
from cds_service.cli import DONE, PROBLEMS, main
from tests.retrospective.exports import assert_as_seeded, manifest_of, run
from tests.small_world import ROOT

PATIENCE_SECONDS = 400  # seconds as a rule


def killed_when(reached, *arguments):
    """Starts the command and kills it with -9 as soon as something is reached; its processes."""
    command = [sys.executable, "-m", "cds_service", "retrospective", *map(str, arguments)]
    started = subprocess.Popen(  # noqa: S603
        command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    until(lambda: reached() or started.poll() is not None)
    workers = children_of(started.pid)
    started.send_signal(signal.SIGKILL)
    started.wait()
    return workers


def until(condition):
    end = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


def children_of(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as listed:
            return [int(child) for child in listed.read().split()]
    except FileNotFoundError:
        return []


def is_running(pid):
    try:
        with open(f"/proc/{pid}/stat") as told:
            return told.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def finished_buckets(out):
    return list((out / "buckets").glob("[0-9]*.ndjson"))


def test_killed_again_and_again_it_loses_and_doubles_nothing(tmp_path):
    seeded = write_export(tmp_path / "export", 120, 0.4)
    out = tmp_path / "out"
    written: dict[Path, int] = {}
    for reached in (
        lambda: list((out / "spill").glob("*.lines")),
        lambda: finished_buckets(out),
        lambda: len(finished_buckets(out)) > 4,
        lambda: (out / "unmapped.csv").exists(),
    ):
        workers = killed_when(reached, tmp_path / "export", "--out", out)
        until(lambda workers=workers: not any(map(is_running, workers)))
        assert (out / "spill").stat().st_mode & 0o777 == 0o700
        assert all(file.stat().st_mtime_ns == at for file, at in written.items())
        written = {file: file.stat().st_mtime_ns for file in finished_buckets(out)}
    assert manifest_of(out)["state"] == "unfinished"
    run(tmp_path / "export", "--out", out)
    assert_as_seeded(seeded, out)
    assert manifest_of(out)["state"] == "finished"
    assert not (out / "spill").exists()
    assert not (out / "buckets").exists()


def test_what_a_killed_run_left_of_patients_is_gone_at_the_next_start(tmp_path, capsys):
    left = tmp_path / "spill" / "0.lines"
    left.parent.mkdir()
    left.write_text("a patient")
    assert main(["retrospective", str(tmp_path / "nowhere"), "--out", str(tmp_path)]) == PROBLEMS
    assert not left.exists()


class TestGoingOn:
    @pytest.fixture
    def copy(self, finished, tmp_path):
        """The finished run with its export, to be changed."""
        shutil.copytree(finished.folder.parent, tmp_path / "copy")
        return tmp_path / "copy"

    def test_a_finished_run_is_not_made_again(self, finished):
        before = (finished.folder / "orders.parquet").stat().st_mtime_ns
        assert again(finished.folder.parent / "export", finished.folder) == DONE
        assert (finished.folder / "orders.parquet").stat().st_mtime_ns == before

    def test_other_settings_are_refused_by_name(self, finished, capsys):
        export = finished.folder.parent / "export"
        assert again(export, finished.folder, "--to", "2025-06-30") == PROBLEMS
        assert "holds a run with other settings" in capsys.readouterr().err

    def test_another_export_is_refused_unless_begun_anew(self, copy, finished, capsys):
        assert again(copy / "export", copy / "out") == PROBLEMS
        assert "holds a run with other input" in capsys.readouterr().err
        secret = (copy / "out" / "secret").read_text()
        assert again(copy / "export", copy / "out", "--anew") == DONE
        assert (copy / "out" / "secret").read_text() == secret
        assert_as_seeded(finished.seeded, copy / "out")

    def test_one_run_at_a_time_works_in_a_folder(self, copy, capsys):
        with (copy / "out" / "lock").open("r+") as taken:
            fcntl.flock(taken, fcntl.LOCK_EX)
            assert again(copy / "export", copy / "out") == PROBLEMS
        assert "another run is at work" in capsys.readouterr().err


def again(export, out, *options):
    return main(["retrospective", str(export), "--out", str(out), *options])
