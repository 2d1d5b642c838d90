"""Processes of this machine that work is shared out to, and how far they are."""

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context, parent_process
from multiprocessing.sharedctypes import Synchronized
from typing import Any, TypeVar

from cds_service.retrospective.folder import RunError

T = TypeVar("T")
# Takes how much more is done.
Tell = Callable[[int], None]

SECONDS_BETWEEN = 0.2
# Processes that begin empty, and inherit neither threads nor open files.
CONTEXT = get_context("spawn")
_done: Synchronized | None = None


class Processes:
    """As many as the machine has cores; to be used by `with`."""

    def __init__(self) -> None:
        self._done = CONTEXT.Value("Q", 0)
        self._pool = ProcessPoolExecutor(os.cpu_count(), CONTEXT, _begin, (self._done,))

    def __enter__(self) -> "Processes":
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def each(
        self, work: Callable[..., T], arguments: Sequence[tuple[Any, ...]], told: Tell
    ) -> Iterator[T]:
        """The results of a function for each tuple of arguments, as they are ready. What it says by
        `tell` in its process reaches `told` in this one.
        """
        left: set[Future[T]] = {self._pool.submit(work, *each) for each in arguments}
        before = self._done.value
        while left:
            done, left = wait(left, SECONDS_BETWEEN, FIRST_COMPLETED)
            now = self._done.value
            told(now - before)
            before = now
            yield from map(_result, done)


def _result(future: Future[T]) -> T:
    try:
        return future.result()
    except BrokenProcessPool:
        raise RunError("a process was ended from outside: start again, and it goes on") from None


def tell(number: int) -> None:
    """Says, in a process, how much more is done."""
    if _done is not None:
        with _done.get_lock():
            _done.value += number


def _begin(done: Synchronized) -> None:
    """In a new process: it ends with the one that began it, also when that one is killed."""
    global _done
    _done = done
    parent = parent_process()

    def end_with_parent() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=end_with_parent, daemon=True).start()
