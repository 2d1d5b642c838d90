"""The public keys of the clients: those in their tables, and those fetched from a `jku`."""

from collections.abc import Callable, Iterable
from threading import BoundedSemaphore, Event, Lock, Thread
from time import monotonic
from typing import Any

from cds_service.access.clients import Client
from cds_service.access.jwk import Key, keys_in

FRESH_SECONDS = 600
UNKNOWN_KEY_PAUSE_SECONDS = 30
RETRY_SECONDS = 5
FETCH_SECONDS = 3  # for a fetch from beginning to end, and for those who wait for it
MOST_WAITING = 8  # of the threads of a worker, for each address

Fetch = Callable[[str], Any]


class KeysUnreachable(Exception):
    """No key set could be had from a `jku`, now or before."""


def _download(url: str) -> Any:
    from cds_service.access.download import download

    return download(url)


class RemoteKeys:
    """The key set at one address. It is fetched in a thread of its own, by one fetch at a time for
    all who wait; what was fetched is kept where a later fetch fails.
    """

    def __init__(self, address: str, fetch: Fetch):
        self._address, self._fetch = address, fetch
        self._keys: dict[str, Key] = {}
        self._asked = float("-inf")
        self._ended = Event()
        self._ended.set()
        self._lock = Lock()
        self._room = BoundedSemaphore(MOST_WAITING)

    def find(self, kid: str) -> Key | None:
        """Waits only for a key that is not there, and only for a fetch under way. Raises
        KeysUnreachable where there is no key set at all.
        """
        if kid not in self._keys:
            self.refresh(UNKNOWN_KEY_PAUSE_SECONDS if self._keys else RETRY_SECONDS)
            self._wait()
        else:
            self.refresh(FRESH_SECONDS)
        if not self._keys:
            raise KeysUnreachable
        return self._keys.get(kid)

    def refresh(self, pause: float = 0) -> None:
        """Begins to fetch, unless that is under way or began less than `pause` seconds ago."""
        with self._lock:
            if not self._ended.is_set() or monotonic() - self._asked < pause:
                return
            self._asked = monotonic()
            self._ended.clear()
        Thread(target=self._refresh, daemon=True).start()

    def _refresh(self) -> None:
        try:
            self._keys = keys_in(self._fetch(self._address))
        except (ValueError, OSError):
            return
        finally:
            self._ended.set()

    def _wait(self) -> None:
        """Where too many wait already, not at all: they would keep others out."""
        if self._room.acquire(blocking=False):
            try:
                self._ended.wait(FETCH_SECONDS)
            finally:
                self._room.release()


class Keys:
    """All key sets of this process."""

    def __init__(self, fetch: Fetch | None = None):
        self._fetch = fetch or _download
        self._remote: dict[str, RemoteKeys] = {}
        self._lock = Lock()

    @staticmethod
    def expect(clients: Iterable[Client]) -> None:
        """Imports what fetching needs, if it will be: before the fork, so that workers share it."""
        if any(client.jku for client in clients):
            import cds_service.access.download  # noqa: F401

    def begin(self, clients: Iterable[Client]) -> None:
        """Begins to fetch all key sets, so that the first tokens need not wait for them."""
        for address in {address for client in clients for address in client.jku}:
            self._at(address).refresh()

    def find(self, client: Client, jku: str, kid: str) -> Key | None:
        """The key of a client, or None. A `jku` counts only if it is exactly one of the client's.
        Raises KeysUnreachable.
        """
        if client.jwks and jku not in client.jku:
            return client.jwks.get(kid)
        return self._at(jku if jku in client.jku else min(client.jku)).find(kid)

    def _at(self, address: str) -> RemoteKeys:
        with self._lock:
            if address not in self._remote:
                self._remote[address] = RemoteKeys(address, self._fetch)
            return self._remote[address]
