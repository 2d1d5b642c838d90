"""What was made of the same bytes a moment ago, remembered for an ordering session.

An EHR sends the whole chart of a patient with every hook of a session. What was read of it, decided
and written is remembered under a keyed digest of all that it was made of, so that nothing else can
get it. It is in the memory of one process only, for a time, and bounded in number and bytes.
Measured: `docs/performance.md`; what never gets it: `tests/test_memory.py`.
"""

import secrets
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from threading import Lock
from typing import Any, TypeVar

from blake3 import blake3
from msgspec import Raw

MOST_ENTRIES, MOST_BYTES = 2_000, 6_000_000

T = TypeVar("T")


@dataclass(frozen=True)
class Remembered:
    """What was made, of how many bytes about, and until when it counts. `given` keeps the objects
    of its key alive, so that no others can have their identities.
    """

    value: Any
    size: int
    until: float
    given: tuple[object, ...]


class Memory:
    """Of one process. It remembers for `seconds`, with 0 nothing; `now` is a clock in seconds."""

    def __init__(self, seconds: float, now: Callable[[], float] = time.monotonic):
        self._seconds, self._now = seconds, now
        self._secret = secrets.token_bytes(32)
        self._entries: dict[tuple[Any, ...], Remembered] = {}
        self._bytes = 0
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._entries)

    def recall(
        self,
        parts: Iterable[str | bytes | Raw],
        given: tuple[object, ...],
        make: Callable[[], T],
        size: Callable[[T], int],
    ) -> tuple[bytes, T]:
        """A digest of the parts, and what `make` makes, or made of the same parts and objects. The
        digest is empty where nothing is remembered.

        `parts` are all the text that it depends on, `given` all the objects; `size` says how many
        bytes it takes. With it nothing is ever changed: it is shared by all who recall it.
        """
        if not self._seconds:
            return b"", make()
        digest = self._digest(parts)
        key = (digest, *map(id, given))
        known = self._entries.get(key)
        if known is not None and known.until > self._now():
            return digest, known.value
        made = make()
        self._remember(key, Remembered(made, size(made), self._now() + self._seconds, given))
        return digest, made

    def _digest(self, parts: Iterable[str | bytes | Raw]) -> bytes:
        """BLAKE3 with the key of this process. Each part counts with its length."""
        found = blake3(key=self._secret)
        for part in parts:
            text = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
            found.update(len(memoryview(text)).to_bytes(8)).update(text)
        return found.digest()

    def _remember(self, key: tuple[Any, ...], made: Remembered) -> None:
        with self._lock:
            self._drop(key)
            self._entries[key] = made
            self._bytes += made.size
            while self._is_beyond_a_bound():
                self._drop(next(iter(self._entries)))

    def _is_beyond_a_bound(self) -> bool:
        """Whether the oldest has to go."""
        if len(self._entries) > MOST_ENTRIES or self._bytes > MOST_BYTES:
            return True
        return bool(self._entries) and next(iter(self._entries.values())).until <= self._now()

    def _drop(self, key: tuple[Any, ...]) -> None:
        dropped = self._entries.pop(key, None)
        self._bytes -= dropped.size if dropped else 0


NOTHING_REMEMBERED = Memory(0)
