"""A worker answers one hook at a time; hooks that are too many are refused at once.

Threads share one processor: more hooks at once would only delay each other. A hook that waits for
something else (its body, keys, a database, a fetch) holds no slot.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

MOST_WAITING = 16  # of the 64 threads of a worker: the others read bodies, and refuse
LONGEST_WAIT_SECONDS = 1.0


class Overloaded(Exception):
    """Too many hooks are waiting, or this one waited too long."""


class ConcurrencyLimit:
    """The limit of one worker: one hook in the slot, and MOST_WAITING that wait for it."""

    def __init__(self) -> None:
        self._place = Lock()
        self._lock = Lock()
        self._waiting = 0

    @property
    def is_full(self) -> bool:
        return self._waiting >= MOST_WAITING

    def refuse_if_full(self) -> None:
        """Called before anything is done for a hook. Raises Overloaded."""
        if self.is_full:
            raise Overloaded

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Holds the slot, after a wait of LONGEST_WAIT_SECONDS at most. Raises Overloaded."""
        if not self._enter():
            raise Overloaded
        try:
            yield
        finally:
            self._place.release()

    @contextmanager
    def slot_given_up(self) -> Iterator[None]:
        """Frees the slot during the block, and then waits for it without a limit."""
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
