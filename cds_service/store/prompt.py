"""Questions to the database while a clinician waits: answered soon, or not at all."""

import os
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


class Prompt:
    """A database that was too late once is left alone for a while.

    One on this disk is asked by one thread after the other, since it has one writer at a time, and
    sets an end to its waiting itself; a server in a thread, since a lost connection knows no end.
    """

    def __init__(self, in_thread: bool) -> None:
        self._in_thread = in_thread
        self._process = 0
        self._lock = Lock()
        self._until = 0.0

    def ask(self, question: Callable[[], T]) -> T:
        """The answer. Raises StoreDown, after `SECONDS` at the latest."""
        self._refuse_in_a_pause()
        started = time.monotonic()
        try:
            return self._in_time(question)
        except (TooLate, StoreDown) as error:
            if time.monotonic() - started >= SECONDS:
                self._until = time.monotonic() + PAUSE_SECONDS
            raise StoreDown(str(error) or "it is too slow") from None

    def _in_time(self, question: Callable[[], T]) -> T:
        if self._in_thread:
            return self._answer_of(self._threads().submit(question))
        with self._lock:
            self._refuse_in_a_pause()
            return question()

    @staticmethod
    def _answer_of(asked: Future[T]) -> T:
        """A question that still queues when nobody waits for it is not asked any more."""
        try:
            return asked.result(SECONDS)
        finally:
            asked.cancel()

    def _refuse_in_a_pause(self) -> None:
        if time.monotonic() < self._until:
            raise StoreDown("it was too slow a moment ago")

    def _threads(self) -> ThreadPoolExecutor:
        """Those of this process, since threads do not survive a fork."""
        if self._process != os.getpid():
            with self._lock:
                if self._process != os.getpid():
                    self._pool = ThreadPoolExecutor(THREADS, "store")
                    self._process = os.getpid()
        return self._pool
