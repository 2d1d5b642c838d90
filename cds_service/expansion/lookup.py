"""Asks a terminology server, in a thread of its own, about codes that hooks found in no map."""

import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from queue import Full, Queue
from threading import Lock, Thread
from time import sleep

from stdnum import verhoeff

from cds_service.decision.code_systems import SNOMED_CT
from cds_service.decision.terminology import Meaning
from cds_service.expansion.server import TerminologyError, TerminologyServer
from cds_service.mappings.hierarchies import Hierarchy

SECONDS = 10
MOST_WAITING = 1000
MOST_REMEMBERED = 20_000
FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 300.0
# A concept of SNOMED CT: the third digit from the right says concept, the last one checks.
CONCEPT = re.compile(r"[1-9]\d{2,14}[01]0\d", re.ASCII)

MEMBER, NO_MEMBER, NOT_KNOWN, FAILED, NO_ROOM = "member", "no-member", "not-known", "failed", "full"


def is_concept(code: str) -> bool:
    """Whether a code is formed like a concept of SNOMED CT, so that nothing else is sent."""
    return CONCEPT.fullmatch(code) is not None and verhoeff.is_valid(code)


class TerminologyLookup:
    """Asks a terminology server about codes, one after the other. `meanings` are the answers so
    far, a mapping that is replaced and never changed. `count` is called with the end of each code.

    Each code is asked once, also if it is in no hierarchy, or unknown to the server.
    """

    def __init__(
        self,
        server: TerminologyServer,
        hierarchies: list[Hierarchy],
        count: Callable[[str], None],
    ):
        self._server = server
        self._hierarchies = hierarchies
        self.meanings: Mapping[tuple[str, str], Meaning] = {}
        self._count = count
        self._asked: dict[str, None] = {}
        self._lock = Lock()
        self._waiting: Queue[str] = Queue(MOST_WAITING)

    def start(self) -> None:
        """Starts the thread; called in a worker, after the fork."""
        Thread(target=self._run, name="terminology", daemon=True).start()

    def take(self, codes: Iterable[str]) -> None:
        """Queues SNOMED CT codes that a hook found in no map. Never waits and never raises: with a
        full queue a code is asked when it comes again.
        """
        for code in codes:
            if code not in self._asked and is_concept(code) and self._is_new(code):
                self._put(code)

    def _is_new(self, code: str) -> bool:
        """Remembers a code as asked; the oldest one is forgotten when they are too many."""
        with self._lock:
            if code in self._asked:
                return False
            self._asked[code] = None
            if len(self._asked) > MOST_REMEMBERED:
                oldest = next(iter(self._asked))
                del self._asked[oldest]
                self.meanings = {k: m for k, m in self.meanings.items() if k[1] != oldest}
            return True

    def _put(self, code: str) -> None:
        try:
            self._waiting.put_nowait(code)
        except Full:
            self._count(NO_ROOM)
            with self._lock:
                self._asked.pop(code, None)

    def _run(self) -> None:
        """Asks code after code. After a fault it pauses, each time for longer, and the code goes to
        the end of the queue.
        """
        pause = FIRST_PAUSE_SECONDS
        while True:
            code = self._waiting.get()
            end = self._look_up(code)
            self._count(end)
            if end != FAILED:
                pause = FIRST_PAUSE_SECONDS
                continue
            self._put(code)
            sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)

    def _look_up(self, code: str) -> str:
        try:
            sets = self._sets_of(code)
        except TerminologyError as error:
            return NOT_KNOWN if error.is_refusal else FAILED
        if not sets:
            return NO_MEMBER
        with self._lock:
            self.meanings = {**self.meanings, (SNOMED_CT, code): Meaning(sets)}
        return MEMBER

    def _sets_of(self, code: str) -> frozenset[str]:
        """The value sets that hold a code by their definitions. Raises TerminologyError."""

        @cache
        def is_a(root: str) -> bool:
            return self._server.subsumes(root, code)

        return frozenset(
            h.name
            for h in self._hierarchies
            if any(map(is_a, h.roots)) and not any(map(is_a, h.excluded_roots))
            if code not in h.excluded
        )
