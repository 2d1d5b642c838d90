"""What was made of the same bytes a moment ago, remembered for an ordering session.

An EHR sends the whole chart of a patient with every hook of a session. What was read of it, decided
and written is remembered under a keyed digest of all that it was made of, so that nothing else can
get it. It is in the memory of one process only, for a time, and bounded in number and bytes.
Measured: `docs/performance.md`; what never gets it: `tests/test_memory.py`.
"""

import secrets
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from threading import Lock
from typing import TypeVar

from blake3 import blake3
from cachetools import TTLCache
from msgspec import Raw

MOST_ENTRIES, MOST_BYTES = 2_000, 4_000_000
LEAST = MOST_BYTES // MOST_ENTRIES  # bytes that an entry counts for, so that they are few

T = TypeVar("T")


class Memory:
    """Of one process. It remembers for `seconds`, with 0 nothing; `now` is a clock in seconds."""

    def __init__(self, seconds: float, now: Callable[[], float] = time.monotonic):
        self._secret = secrets.token_bytes(32)
        self.entries = TTLCache(MOST_BYTES, seconds, now, lambda kept: max(kept[0].size, LEAST))
        self._lock = Lock()

    def recall(
        self,
        parts: Iterable[str | bytes | Raw],
        given: tuple[object, ...],
        make: Callable[[], T],
    ) -> tuple[bytes, T]:
        """A digest of the parts, and what `make` makes, or made of the same parts and objects. The
        digest is empty where nothing is remembered.

        `parts` are all the text that it depends on, `given` all the objects; its `size` is about
        how many bytes it takes. It is never changed: it is shared by all who recall it.
        """
        if not self.entries.ttl:
            return b"", make()
        digest = self._digest(parts)
        key = (digest, *map(id, given))
        with self._lock:
            known = self.entries.get(key)
        if known is None:
            # With the objects of its key, so that no others can have their identities.
            known = (make(), given)
            with self._lock, suppress(ValueError):  # it is larger than all that may be kept
                self.entries[key] = known
        return digest, known[0]

    def _digest(self, parts: Iterable[str | bytes | Raw]) -> bytes:
        """BLAKE3 with the key of this process. Each part counts with its length."""
        found = blake3(key=self._secret)
        for part in parts:
            text = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
            found.update(len(memoryview(text)).to_bytes(8)).update(text)
        return found.digest()


NOTHING_REMEMBERED = Memory(0)
