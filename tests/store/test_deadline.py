"""A database that is locked or gone is waited for by one request, not by all that come after."""

import time

import pytest

from cds_service.store import deadline
from cds_service.store.database import StoreDown
from cds_service.store.deadline import QueryDeadline
from tests.test_concurrency import in_threads


class TestQueryDeadline:
    def test_an_answer_is_an_answer(self):
        assert QueryDeadline().run(int, "7") == 7

    def test_who_queues_behind_a_lock_is_told_as_soon_as_it_is_known(self, monkeypatch):
        monkeypatch.setattr(deadline, "SECONDS", 0.1)
        asked, refused = [], []

        def locked():
            asked.append(1)
            time.sleep(0.3)
            raise StoreDown("database is locked")

        queries = QueryDeadline()

        def ask():
            with pytest.raises(StoreDown):
                queries.run(locked)
            refused.append(1)

        started = time.monotonic()
        for thread in in_threads(20, ask):
            thread.join()
        assert len(refused) == 20
        assert time.monotonic() - started < 1
        time.sleep(0.6)
        assert len(asked) <= deadline.THREADS  # nor later, when nobody waits for it

    def test_a_quick_no_is_no_reason_for_a_pause(self):
        def down():
            raise StoreDown("no such table")

        queries = QueryDeadline()
        with pytest.raises(StoreDown):
            queries.run(down)
        assert queries.run(lambda: True)
