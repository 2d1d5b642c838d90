"""The spool: on disk before the answer goes out, loaded once, never lost."""

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from cds_service.store import spool as spools
from cds_service.store.database import Database, StoreDown
from cds_service.store.loader import FORMAT, SpoolLoader, line
from cds_service.store.spool import Spool
from tests.small_world import ROOT
from tests.store.disks import fill
from tests.store.rows import decision_row, feedback_row, kept


@pytest.fixture
def spool(tmp_path):
    return Spool(tmp_path / "spool")


def files(spool_folder):
    return sorted(spool_folder.glob("*.jsonl"))


def emptied(spool):
    taken = []
    spool.empty(taken.extend)
    return taken


class Down:
    """Loads nothing."""

    def __call__(self, lines):
        raise StoreDown("down")


class TestLines:
    def test_what_was_appended_is_loaded_once(self, spool):
        assert spool.append([b"1\n", b"2\n"])
        assert spool.append([b"3\n"])
        assert emptied(spool) == [b"1\n", b"2\n", b"3\n"]
        assert emptied(spool) == []

    def test_what_cannot_be_loaded_stays(self, spool):
        spool.append([b"1\n"])
        for _ in range(5):
            with pytest.raises(StoreDown):
                spool.empty(Down())
        spool.append([b"2\n"])
        assert emptied(spool) == [b"1\n", b"2\n"]

    def test_while_the_store_is_down_few_files_are_made(self, spool, tmp_path):
        for number in range(50):
            spool.append([b"%d\n" % number])
            with pytest.raises(StoreDown):
                spool.empty(Down())
        assert len(files(tmp_path / "spool")) <= 2
        assert len(emptied(spool)) == 50

    def test_a_large_file_is_followed_by_another(self, spool, tmp_path, monkeypatch):
        monkeypatch.setattr(spools, "LARGE_BYTES", 100)
        for number in range(100):
            spool.append([b"%d\n" % number])
        assert len(files(tmp_path / "spool")) > 2
        assert sorted(map(int, emptied(spool))) == list(range(100))

    def test_a_file_that_another_process_holds_is_left_to_it(self, spool, tmp_path):
        spool.append([b"mine\n"])
        assert emptied(Spool(tmp_path / "spool")) == []
        assert emptied(spool) == [b"mine\n"]


@pytest.fixture
def syncs(monkeypatch):
    """The files that were synced so far; each takes a while."""
    real, found = os.fdatasync, []

    def sync(file):
        time.sleep(0.05)
        found.append(file)
        real(file)

    monkeypatch.setattr(spools.os, "fdatasync", sync)
    return found


class TestSync:
    def test_what_is_to_be_sent_again_otherwise_is_synced_first(self, spool, syncs):
        spool.append([b"1\n"])
        assert syncs == []
        assert spool.append_synced([b"2\n"])
        assert len(syncs) == 1
        spool.sync()
        assert len(syncs) == 1  # nothing was written since

    def test_one_sync_serves_all_who_wait(self, spool, syncs):
        with ThreadPoolExecutor(20) as pool:
            done = [pool.submit(spool.append_synced, [b"%d\n" % n]) for n in range(20)]
        assert all(each.result() for each in done)
        assert len(syncs) <= 4
        assert len(emptied(spool)) == 20

    def test_a_file_is_synced_before_it_is_closed(self, spool, syncs):
        """Somebody may wait for lines that the loader takes meanwhile."""
        spool.append([b"1\n"])
        emptied(spool)
        assert len(syncs) == 1

    def test_the_name_of_a_new_file_is_synced_too(self, spool, monkeypatch):
        folders = []
        monkeypatch.setattr(spools, "sync_folder", folders.append)
        for _ in range(3):
            spool.append_synced([b"1\n"])
        assert len(folders) == 1
        emptied(spool)
        spool.append_synced([b"1\n"])
        assert len(folders) == 2

    def test_where_it_fails_the_sender_is_told(self, spool, monkeypatch):
        def fail(_):
            raise OSError(5, "Input/output error")

        with monkeypatch.context() as patched:
            patched.setattr(spools.os, "fdatasync", fail)
            assert not spool.append_synced([b"1\n"])
            assert emptied(spool) == [b"1\n"]  # the database may keep it all the same
        assert spool.append_synced([b"2\n"])
        assert emptied(spool) == [b"2\n"]


FULL = OSError(28, "No space left on device")


@contextmanager
def full_disk(monkeypatch, room=0):
    """Whatever is written, only the first `room` bytes of it find a place."""
    real = os.write

    def write(file, data):
        if not room:
            raise FULL
        return real(file, data[:room])

    with monkeypatch.context() as patched:
        patched.setattr(spools.os, "write", write)
        yield


class TestFullDisk:
    def test_lines_are_held_in_memory_and_written_when_there_is_room(self, spool, monkeypatch):
        spool.append([b"1\n"])
        with full_disk(monkeypatch):
            assert not spool.append([b"2\n"])
            assert not spool.append([b"3\n"])
        assert spool.append([b"4\n"])
        assert emptied(spool) == [b"1\n", b"2\n", b"3\n", b"4\n"]

    def test_they_are_written_with_the_next_load_too(self, spool, monkeypatch):
        with full_disk(monkeypatch):
            spool.append([b"1\n"])
        assert emptied(spool) == [b"1\n"]

    def test_half_a_line_is_taken_back(self, spool, monkeypatch):
        with full_disk(monkeypatch, room=3):
            assert not spool.append_synced([b"a long line\n"])
        spool.append([b"whole\n"])
        assert emptied(spool) == [b"whole\n"]

    def test_what_can_be_sent_again_is_not_held(self, spool, monkeypatch):
        with full_disk(monkeypatch):
            assert not spool.append_synced([b"1\n"])
        assert emptied(spool) == []

    def test_memory_is_limited(self, spool, monkeypatch):
        monkeypatch.setattr(spools, "MOST_IN_MEMORY", 3)
        with full_disk(monkeypatch):
            for number in range(9):
                spool.append([b"%d\n" % number])
        assert emptied(spool) == [b"6\n", b"7\n", b"8\n"]

    def test_the_reserve_is_set_aside_again(self, spool, tmp_path):
        spool.make_reserve()
        reserve = tmp_path / "spool" / "reserve"
        assert reserve.stat().st_size == spools.RESERVE_BYTES
        reserve.unlink()
        spool.make_reserve()
        assert reserve.exists()


class TestRealFullDisk:
    def test_the_reserve_keeps_lines_and_the_store_loads_them_later(self, tmpfs):
        database = Database("", tmpfs)
        database.prepare()
        spool = Spool(tmpfs / "spool")
        loader = SpoolLoader(database, spool, lambda *_: None)
        loader.load()
        hog = fill(tmpfs)
        sent = [f"c-{number}" for number in range(200)]
        for name in sent:
            assert spool.append([line("decisions", decision_row(card=name))])
            with pytest.raises(StoreDown, match="full"):
                loader.load()
        hog.unlink()
        loader.load()
        assert sorted(row["card"] for row in kept(database, "decisions")) == sorted(sent)
        database.close()

    def test_with_the_reserve_used_up_nothing_is_lost_either(self, tmpfs):
        database = Database("", tmpfs)
        database.prepare()
        spool = Spool(tmpfs / "spool")
        hog = fill(tmpfs)
        sent = [f"c-{number}" for number in range(40)]
        on_disk = [spool.append([line("decisions", decision_row(card=name))]) for name in sent]
        assert not all(on_disk)
        hog.unlink()
        SpoolLoader(database, spool, lambda *_: None).load()
        assert sorted(row["card"] for row in kept(database, "decisions")) == sorted(sent)
        database.close()


WRITER = """
import sys, pathlib
from cds_service.store.spool import Spool
spool, number = Spool(pathlib.Path(sys.argv[1])), 0
while True:
    spool.append([b"%s %d\\n" % (sys.argv[2].encode(), number)])
    print(number, flush=True)
    number += 1
"""


def test_what_was_appended_outlives_kill_9(tmp_path):
    """Each round a writer is killed in full flight; what it said it kept is there, and once."""
    folder, said = tmp_path / "spool", set()
    for turn in range(5):
        command = [sys.executable, "-c", WRITER, str(folder), str(turn)]
        writer = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)  # noqa: S603
        writer.stdout.readline()
        time.sleep(0.02)
        writer.send_signal(signal.SIGKILL)
        rest = writer.stdout.read().splitlines(keepends=True)
        writer.stdout.close()
        writer.wait()
        numbers = [0, *(int(text) for text in rest if text.endswith(b"\n"))]
        said |= {b"%d %d\n" % (turn, number) for number in numbers}
    taken = emptied(Spool(folder))
    assert len(taken) == len(set(taken))
    assert said <= set(taken)
    assert len(taken) - len(said) <= 5  # at most the line that each had no time to tell of


class TestLoader:
    @pytest.fixture
    def database(self, database_url, tmp_path):
        made = Database(database_url, tmp_path)
        yield made
        made.close()

    def test_a_line_that_is_loaded_twice_is_kept_once(self, database, spool):
        told = []
        loader = SpoolLoader(database, spool, lambda *said: told.append(said))
        for _ in range(3):
            spool.append([line("decisions", decision_row()), line("feedback", feedback_row())])
            loader.load()
        assert told == []
        assert len(kept(database, "decisions")) == len(kept(database, "feedback")) == 1

    def test_a_line_that_the_store_refuses_spoils_no_other(self, database, spool, tmp_path):
        told = []
        bad = feedback_row(card="bad", client=None)
        rows = [feedback_row(card=str(n)) for n in range(5)]
        spool.append([line("feedback", row) for row in [*rows[:2], bad, *rows[2:]]])
        spool.append([b'{"format": 1, "table": "feedb\n', b'{"format":1,"table":"x","row":{}}\n'])
        SpoolLoader(database, spool, lambda *said: told.append(said)).load()
        assert {row["card"] for row in kept(database, "feedback")} == set("01234")
        assert [problem for problem, _ in told] == ["row-refused"] * 3
        assert b'"bad"' in (tmp_path / "spool" / "refused").read_bytes()

    def test_lines_of_a_later_version_wait_for_it(self, database, spool, tmp_path):
        later = line("feedback", feedback_row(card="later"))
        spool.append([later.replace(b'"format":%d' % FORMAT, b'"format":%d' % (FORMAT + 1))])
        loader = SpoolLoader(database, spool, lambda *_: None)
        loader.load()
        spool.append([line("feedback", feedback_row(card="now"))])
        loader.load()
        assert [row["card"] for row in kept(database, "feedback")] == ["now"]
        assert len(files(tmp_path / "spool")) == 1

    def test_a_line_of_the_version_before_is_loaded_without_the_column_it_lacks(
        self, database, spool
    ):
        row = decision_row()
        del row["guideline"]
        before = line("decisions", row).replace(b'"format":%d' % FORMAT, b'"format":3')
        spool.append([before, line("decisions", decision_row(card="now"))])
        SpoolLoader(database, spool, lambda *_: None).load()
        found = {row["card"]: row["guideline"] for row in kept(database, "decisions")}
        assert found == {"card-1": None, "now": "acr-vcf-2022"}


class TestWhatEarlierVersionsPutAside:
    """`refused` may hold lines of a version that kept words of persons."""

    def test_is_cleaned_at_the_start(self, tmp_path):
        row = {"client": "c", "consult": "1", "about": "order", "system": "", "code": "Zebediah",
               "day": 1, "display": "for Zebediah"}  # fmt: skip
        ours = b'{"format":6,"table":"decisions","row":{"odd": "and ours"}}\n'
        half = b'{"format":6,"table":"deci\n'
        old = json.dumps({"format": 5, "table": "unmapped_codes", "row": row}).encode() + b"\n"
        aside = tmp_path / "spool" / "refused"
        aside.parent.mkdir()
        aside.write_bytes(b"".join([old, b'{"format": 4, "Zebediah\n', ours, half]))
        SpoolLoader(Database("", tmp_path), Spool(tmp_path / "spool"), print).load()
        kept = aside.read_bytes()
        assert b"Zebediah" not in kept
        assert kept.count(b"unmapped_codes") == 1
        assert kept.endswith(ours + half)
