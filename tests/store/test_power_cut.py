"""What was answered is kept through a loss of power: a copy of the disk is taken in mid-run.

The data folder lies in a file system of its own, in a file. That file holds what was written to
the disk, and nothing of what the operating system still has in memory.
"""

import os
import shutil
import signal
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from cds_service.store.database import Database
from cds_service.store.store import Store, StoreLocation
from tests import REAL_PROCESSES
from tests.store.clients import Clients, cards, children_of, running
from tests.test_gunicorn import free_port, stop

pytestmark = REAL_PROCESSES

CUTS = 5
# What is decided may wait so long for the disk; feedback may not.
GRACE_SECONDS = 1.0


@contextmanager
def mounted(image, folder):
    folder.mkdir()
    mount = ["mount", "-o", "loop", str(image), str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:  # noqa: S603
        pytest.skip("no loop device: mounting a file needs root")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)  # noqa: S603, S607


@pytest.fixture
def image(tmp_path):
    """A file with an empty file system of 64 MB."""
    if not shutil.which("mkfs.ext4"):
        pytest.skip("no mkfs.ext4")
    made = tmp_path / "disk"
    made.touch()
    os.truncate(made, 64_000_000)
    subprocess.run(["mkfs.ext4", "-q", str(made)], check=True)  # noqa: S603, S607
    return made


@contextmanager
def frozen(process):
    """Nothing is done while the block runs."""
    pids = [process.pid, *children_of(process)]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def on_server(database_url):
    """The cards of decisions and of feedback that a database server has; it loses no power."""
    return in_database(Database(database_url, Path())) if database_url else (set(), set())


def on_disk(image, folder):
    """Those that are found on the disk, when a service starts again and loads what is there."""
    with mounted(image, folder) as disk:
        location = StoreLocation("", disk / "data")
        Store(location, print).finish()
        return in_database(location.database())


def in_database(database):
    found = set(cards(database)), set(cards(database, "feedback"))
    database.close()
    return found


def test_nothing_that_was_answered_a_second_before_is_lost(image, database_url, tmp_path):
    with mounted(image, tmp_path / "running") as disk:
        service = running(tmp_path, free_port(), database_url, CDS_DATA=str(disk / "data"))
        cuts = []
        try:
            with Clients(service.base) as clients:
                for number in range(CUTS):
                    clients.give_feedback = number % 2 == 0  # else nothing waits for the disk
                    assert clients.wait_for_more()
                    time.sleep(1.5 * GRACE_SECONDS)
                    with frozen(service.process):
                        at, copy = time.monotonic(), tmp_path / f"copy-{number}"
                        shutil.copyfile(image, copy)
                        cuts.append((at, copy, on_server(database_url)))
        finally:
            stop(service.process)
    for at, copy, (decided, told) in cuts:
        decided_too, told_too = on_disk(copy, copy.with_suffix(".mounted"))
        due = {card for card, when in clients.decisions.items() if when < at - GRACE_SECONDS}
        assert len(due) > CUTS
        assert due - decided - decided_too == set()
        assert {c for c, when in clients.feedback.items() if when < at} - told - told_too == set()
