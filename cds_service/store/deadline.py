"""Queries of the database that a request waits for: answered within a deadline, or given up."""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooLate
from threading import Lock
from typing import TypeVar

from cds_service.store.database import StoreDown

SECONDS = 0.15
PAUSE_SECONDS = 5.0
THREADS = 8

T = TypeVar("T")


class QueryDeadline:
    """Runs queries within `SECONDS`; after one that was too late, none for `PAUSE_SECONDS`.

    A server is asked in a thread, since a lost connection may block for minutes. A file is asked
    by one request at a time, since SQLite has one writer, and has a time limit of its own.
    """

    def __init__(self, in_thread: bool) -> None:
        self._in_thread = in_thread
        self._threads = ThreadPoolExecutor(THREADS, "store")
        self._lock = Lock()
        self._paused_until = 0.0

    def run(self, query: Callable[[], T]) -> T:
        """What the query returns. Raises StoreDown."""
        self._refuse_in_a_pause()
        started = time.monotonic()
        try:
            return self._in_time(query)
        except (TooLate, StoreDown) as error:
            if time.monotonic() - started >= SECONDS:
                self._paused_until = time.monotonic() + PAUSE_SECONDS
            raise StoreDown(str(error) or "it is too slow") from None

    def _in_time(self, query: Callable[[], T]) -> T:
        if self._in_thread:
            return self._result_of(self._threads.submit(query))
        with self._lock:
            self._refuse_in_a_pause()
            return query()

    @staticmethod
    def _result_of(query: Future[T]) -> T:
        """A query that is still queued when nobody waits for it is not run any more."""
        try:
            return query.result(SECONDS)
        finally:
            query.cancel()

    def _refuse_in_a_pause(self) -> None:
        if time.monotonic() < self._paused_until:
            raise StoreDown("it was too slow a moment ago")
