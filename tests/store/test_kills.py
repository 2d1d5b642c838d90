"""What was answered is kept, once, whoever is killed while hooks and feedback come in."""

import os
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest

from cds_service.store.database import Database
from cds_service.store.store import Store, StoreLocation
from tests import REAL_PROCESSES
from tests.small_world import ROOT
from tests.store.clients import Clients, cards, children_of, running
from tests.test_gunicorn import command, eventually, free_port, stop

pytestmark = REAL_PROCESSES


def kill_a_worker(service, clients, again):
    """The master starts another one."""
    workers = children_of(service.process)
    os.kill(workers[0], signal.SIGKILL)
    eventually(lambda: len(set(children_of(service.process)) - set(workers)) == 1)
    return service


def kill_the_master(service, clients, again):
    """Another one is started at once; the orphaned workers go on while clients are connected.

    The first start fails, as it would where the orphans hold the port, though sooner.
    """
    service.process.kill()
    service.process.wait()
    in_vain = command("--check-config")
    subprocess.run(in_vain, cwd=ROOT, env=service.environment, check=True)  # noqa: S603
    clients.wait_for_more(seconds=2)
    with clients.hung_up():
        return again()


def kill_all(service, clients, again):
    """The master is stopped first, so that it starts no worker."""
    service.process.send_signal(signal.SIGSTOP)
    for pid in [*children_of(service.process), service.process.pid]:
        os.kill(pid, signal.SIGKILL)
    service.process.wait()
    return again()


def files_of(process):
    """What a process has open, without what it closes meanwhile."""
    files = []
    for file in Path(f"/proc/{process}/fd").iterdir():
        with suppress(FileNotFoundError):
            files.append(os.readlink(file))
    return files


def test_only_workers_open_what_is_kept(tmp_path):
    """SQLite loses its locks in a process that was forked from one that has it open."""
    nobody = tmp_path / "clients.toml"
    nobody.touch()
    service = running(
        tmp_path,
        free_port(),
        "",
        CDS_AUTH="required",
        CDS_CLIENTS=str(nobody),
        CDS_PUBLIC_URL="https://cds.example.org",
    )
    try:
        for process, expected in ((service.workers[0], True), (service.process.pid, False)):
            files = files_of(process)
            assert any("/data/" in file for file in files) == expected
    finally:
        stop(service.process)


KILLS = [(kill_a_worker, 20), (kill_the_master, 10), (kill_all, 10)]


@pytest.mark.parametrize(("kill", "times"), KILLS, ids=lambda k: getattr(k, "__name__", ""))
def test_nothing_is_lost_and_nothing_doubled(kill, times, database_url, tmp_path):
    port = free_port()

    def again():
        return running(tmp_path, port, database_url)

    service = again()
    try:
        with Clients(service.base) as clients:
            for _ in range(times):
                assert clients.wait_for_more()
                service = kill(service, clients, again)
            assert clients.wait_for_more()
    finally:
        stop(service.process)
    database = Database(database_url, tmp_path / "data")
    Store(StoreLocation(database_url, tmp_path / "data"), print).finish()
    decided, told = cards(database), cards(database, "feedback")
    database.close()
    print(len(clients.decisions), "decisions,", len(clients.feedback), "feedback")
    assert set(clients.decisions) - set(decided) == set()
    assert set(clients.feedback) - set(told) == set()
    assert len(decided) == len(set(decided))
    assert len(told) == len(set(told))
