"""Queries of a database server that a request waits for: answered in time, or given up."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooLate
from typing import TypeVar

from cds_service.store.database import StoreDown

SECONDS = 0.15
PAUSE_SECONDS = 5.0
THREADS = 8

T = TypeVar("T")


class QueryDeadline:
    """Runs queries within `SECONDS`; after one that was too late, none for `PAUSE_SECONDS`.

    They run in threads, since a lost connection may block for minutes.
    """

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(THREADS, "store")
        self._paused_until = 0.0

    def run(self, query: Callable[..., T], *given: object) -> T:
        """What the query returns. Raises StoreDown."""
        if time.monotonic() < self._paused_until:
            raise StoreDown("it was too slow a moment ago")
        started, waiting = time.monotonic(), self._threads.submit(query, *given)
        try:
            return waiting.result(SECONDS)
        except (TooLate, StoreDown) as error:
            if time.monotonic() - started >= SECONDS:
                self._paused_until = time.monotonic() + PAUSE_SECONDS
            raise StoreDown(str(error) or "it is too slow") from None
        finally:
            waiting.cancel()  # where it is still queued, nobody waits for it any more
