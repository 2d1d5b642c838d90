"""Questions to the database while a clinician waits: answered soon, or not at all."""

import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooLate
from threading import Lock
from typing import TypeVar

from cds_service.store.database import StoreDown

SECONDS = 0.15
PAUSE_SECONDS = 5.0
THREADS = 4

T = TypeVar("T")


class Prompt:
    """Asks in a thread. A database that was too late once is left alone for a while."""

    def __init__(self) -> None:
        self._process = 0
        self._lock = Lock()
        self._until = 0.0

    def ask(self, question: Callable[[], T]) -> T:
        """The answer. Raises StoreDown, after `SECONDS` at the latest."""
        if time.monotonic() < self._until:
            raise StoreDown("it was too slow a moment ago")
        try:
            return self._threads().submit(question).result(SECONDS)
        except TooLate:
            self._until = time.monotonic() + PAUSE_SECONDS
            raise StoreDown("it is too slow") from None

    def _threads(self) -> ThreadPoolExecutor:
        """Those of this process, since threads do not survive a fork."""
        if self._process != os.getpid():
            with self._lock:
                if self._process != os.getpid():
                    self._pool = ThreadPoolExecutor(THREADS, "store")
                    self._process = os.getpid()
        return self._pool
