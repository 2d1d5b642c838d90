"""Work beside the requests: soon after it is asked for, together, and again where it failed."""

import time

import pytest

from cds_service.store import background
from cds_service.store.background import Background
from cds_service.store.database import StoreDown
from tests import REAL_PROCESSES
from tests.test_concurrency import until

pytestmark = REAL_PROCESSES


@pytest.fixture
def started(monkeypatch):
    """Begins some work; how often it was done, and what was told of it, are in its lists."""
    monkeypatch.setattr(background, "IDLE_SECONDS", 60)
    begun = []

    def start(work=lambda: None, seconds=0.0):
        def counted():
            done.append(1)
            work()

        done, told = [], []
        made = Background(counted, "work", seconds, lambda *problem: told.append(problem))
        begun.append(made)
        return made, done, told

    yield start
    for each in begun:
        each.stop()


def test_no_thread_before_it_is_asked(started):
    _, done, _ = started()
    time.sleep(0.05)
    assert done == []


def test_it_is_done_soon_after_it_is_asked_for(started):
    work, done, _ = started()
    work.wake()
    until(lambda: len(done) >= 1)
    before = len(done)
    work.wake()
    until(lambda: len(done) > before)


def test_what_is_asked_for_within_the_seconds_is_done_together(started):
    work, done, _ = started(seconds=0.5)
    work.wake()
    until(lambda: len(done) >= 1)
    for _ in range(10):
        work.wake()
        time.sleep(0.01)
    assert len(done) <= 2
    work.wake(at_once=True)
    until(lambda: len(done) >= 2)


@pytest.mark.parametrize(
    ("error", "problem"),
    [(StoreDown("gone"), ("store-down", "gone")), (ValueError("x"), ("store-fault", "ValueError"))],
)
def test_where_it_fails_that_is_told_and_it_is_tried_again(started, error, problem):
    def fail_once():
        if len(done) == 1:
            raise error

    work, done, told = started(fail_once)
    work.wake()
    until(lambda: len(done) >= 2)
    assert told == [problem]


def test_it_is_done_once_more_before_it_ends(started):
    work, done, _ = started(seconds=60)
    work.wake()
    until(lambda: len(done) >= 1)
    before = len(done)
    work.stop()
    assert len(done) > before
