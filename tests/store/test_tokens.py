"""The tokens that were used: in files, and in the table of a database that hosts share."""

import os
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context

import pytest

from cds_service.store import tokens
from cds_service.store.database import Database
from cds_service.store.tokens import PERIOD_SECONDS, TokenFiles, TokenTable


@pytest.fixture(params=["files", "table"])
def used(request, tmp_path):
    if request.param == "files":
        yield TokenFiles(tmp_path / "tokens")
    else:
        database = Database("", tmp_path)
        yield TokenTable(database)
        database.close()


HOURS = 7_200


def show(folder, expires):
    """How many of 200 tokens are new to this process."""
    used = TokenFiles(folder)
    return sum(used.remember("a", str(number), expires) for number in range(200))


class TestWhereTheyAreKept:
    def test_a_token_is_new_once(self, used):
        expires = time.time() + 100
        assert not used.knows("a", "1", expires)
        assert used.remember("a", "1", expires)
        assert used.knows("a", "1", expires)
        assert not used.remember("a", "1", expires)

    def test_clients_do_not_share_ids(self, used):
        assert used.remember("a", "1", time.time() + 100)
        assert used.remember("b", "1", time.time() + 100)

    def test_any_text_is_an_id(self, used):
        for name in ("", "/../..", "\0", "\ud800", "x" * 256):
            assert used.remember("a", name, time.time() + 100)
            assert not used.remember("a", name, time.time() + 100)

    def test_of_many_at_once_one_passes(self, used):
        expires = time.time() + 100
        with ThreadPoolExecutor(16) as pool:
            found = pool.map(lambda _: used.remember("a", "1", expires), range(64))
            assert Counter(found) == {True: 1, False: 63}

    def test_of_two_workers_one_knows_what_the_other_was_shown(self, tmp_path):
        ours, theirs = (TokenFiles(tmp_path / "tokens") for _ in range(2))
        expires = time.time() + 100
        for number in range(20):
            first, second = (ours, theirs) if number % 3 else (theirs, ours)
            assert first.remember("a", str(number), expires)
            assert not second.remember("a", str(number), expires)

    def test_what_others_appended_is_read_once(self, tmp_path, monkeypatch):
        ours, theirs = (TokenFiles(tmp_path / "tokens") for _ in range(2))
        read, asked, expires = os.pread, [], time.time() + 100
        monkeypatch.setattr(tokens.os, "pread", lambda *a: asked.append(a[1]) or read(*a))
        for number in range(20):
            for used in (ours, theirs):
                used.remember("a", f"{number}{used}", expires)
        (size,) = (path.stat().st_size for path in tmp_path.glob("tokens/*"))
        assert size <= sum(asked) <= 2 * size

    def test_of_many_processes_one_passes(self, tmp_path):
        """Each shows the same 200 tokens to a file of its own opening."""
        with ProcessPoolExecutor(4, get_context("spawn")) as pool:
            shown = [pool.submit(show, tmp_path / "tokens", time.time() + 100) for _ in range(4)]
            assert sum(future.result() for future in shown) == 200

    def test_after_a_restart_they_are_known(self, tmp_path):
        expires = time.time() + 100
        assert TokenFiles(tmp_path / "tokens").remember("a", "1", expires)
        assert not TokenFiles(tmp_path / "tokens").remember("a", "1", expires)

    def test_one_that_a_full_disk_cut_off_spoils_no_other(self, tmp_path, monkeypatch):
        used, expires, write = TokenFiles(tmp_path / "tokens"), time.time() + 100, os.write
        with monkeypatch.context() as full:
            full.setattr(tokens.os, "write", lambda file, text: write(file, text[:9]))
            with pytest.raises(OSError, match="the disk is full"):
                used.remember("a", "1", expires)
        for seen_by in (used, TokenFiles(tmp_path / "tokens")):
            assert seen_by.remember("a", "2", expires) == (seen_by is used)
        assert used.remember("a", "1", expires)

    def test_a_token_that_is_shown_again_and_again_fills_no_disk(self, tmp_path):
        used, expires = TokenFiles(tmp_path / "tokens"), time.time() + 100
        for _ in range(100):
            used.remember("a", "1", expires)
        assert sum(path.stat().st_size for path in tmp_path.glob("tokens/*")) < 40

    def test_asking_makes_nothing(self, tmp_path):
        assert not TokenFiles(tmp_path / "tokens").knows("a", "1", time.time())
        assert not list(tmp_path.iterdir())

    def test_files_of_the_past_are_deleted(self, tmp_path, monkeypatch):
        used, now = TokenFiles(tmp_path / "tokens"), time.time()
        assert used.remember("a", "1", now + 100)
        (tmp_path / "tokens.db").touch()  # of an earlier version
        (tmp_path / "tokens" / "of-somebody-else").touch()
        monkeypatch.setattr(tokens.time, "time", lambda: now + HOURS)
        assert used.remember("a", "2", now + HOURS + 100)
        assert len(list(tmp_path.glob("tokens/*"))) == 2
        assert not used.knows("a", "1", now + 100)
        assert used.knows("a", "2", now + HOURS + 100)
        assert [path.name for path in tmp_path.iterdir()] == ["tokens"]

    def test_a_clock_that_is_set_back_lets_nothing_pass_again(self, tmp_path, monkeypatch):
        used, now = TokenFiles(tmp_path / "tokens"), time.time()
        assert used.remember("a", "1", now + 100)
        with monkeypatch.context() as ahead:
            ahead.setattr(tokens.time, "time", lambda: now + 3_500)
            assert used.remember("a", "2", now + 3_600)
            assert list(used._files) == [int((now + 3_600) // PERIOD_SECONDS)]
        assert not used.remember("a", "1", now + 100)

    def test_rows_of_the_past_are_deleted(self, tmp_path):
        used = TokenTable(Database("", tmp_path))
        assert used.remember("a", "1", time.time() - 3_601)
        used._purged = 0.0
        assert used.remember("a", "1", time.time() + 100)

    def test_a_host_whose_clock_is_ahead_forgets_nothing_that_others_accept(
        self, tmp_path, monkeypatch
    ):
        ours, ahead = (TokenTable(Database("", tmp_path)) for _ in range(2))
        expires = time.time() + 100
        assert ours.remember("a", "1", expires)
        now = time.time()
        with monkeypatch.context() as there:
            there.setattr("cds_service.store.tokens.time.time", lambda: now + 400)
            assert ahead.remember("a", "2", expires)
        assert not ours.remember("a", "1", expires)

    @pytest.mark.skipif(
        "TEST_DATABASE_URL" not in os.environ, reason="no PostgreSQL: TEST_DATABASE_URL is not set"
    )
    def test_on_postgresql_hosts_share_them(self, tmp_path):
        hosts = [Database(os.environ["TEST_DATABASE_URL"], tmp_path) for _ in range(2)]
        first, second = (TokenTable(host) for host in hosts)
        name = f"client-{time.time()}"
        assert first.remember(name, "1", time.time() + 100)
        assert not second.remember(name, "1", time.time() + 100)
        for host in hosts:
            host.close()
