"""A worker works on one hook at a time; what is too much is refused quickly.

Threads share one processor, so that more of them at once only make all of them late. What waits
for others (a body that comes in, keys, a database, a fetch) is not in the concurrency.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

MOST_WAITING = 16  # of the 32 threads of a worker: the others read bodies, and refuse
LONGEST_WAIT_SECONDS = 1.0


class Overloaded(Exception):
    """More hooks than can be answered in time."""


class ConcurrencyLimit:
    """That of one worker."""

    def __init__(self) -> None:
        self._place = Lock()
        self._lock = Lock()
        self._waiting = 0

    @property
    def is_full(self) -> bool:
        return self._waiting >= MOST_WAITING

    def refuse_if_full(self) -> None:
        """Before anything is done for a hook. Raises Overloaded."""
        if self.is_full:
            raise Overloaded

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Waits for a place, not too long. Raises Overloaded."""
        if not self._enter():
            raise Overloaded
        try:
            yield
        finally:
            self._place.release()

    @contextmanager
    def slot_given_up(self) -> Iterator[None]:
        """Leaves the place to others meanwhile; who is at work already is never refused."""
        self._place.release()
        try:
            yield
        finally:
            self._place.acquire()

    def _enter(self) -> bool:
        if self._place.acquire(blocking=False):
            return True
        with self._lock:
            if self.is_full:
                return False
            self._waiting += 1
        try:
            return self._place.acquire(timeout=LONGEST_WAIT_SECONDS)
        finally:
            with self._lock:
                self._waiting -= 1
