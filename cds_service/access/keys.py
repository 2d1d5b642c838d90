"""The public keys of the clients: given, or fetched from their `jku` and kept fresh."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock, Thread
from time import monotonic
from typing import Any

import requests
from jwt import PyJWK, PyJWKSet
from jwt.exceptions import PyJWTError
from urllib3.exceptions import HTTPError

from cds_service.access.clients import Client

FRESH_SECONDS = 600
UNKNOWN_KEY_PAUSE_SECONDS = 30
MOST_BYTES = 200_000
TIMEOUT_SECONDS = 3


class KeysUnreachable(Exception):
    """No key set could be had from a `jku`, now or before."""


@dataclass
class KeySet:
    """The keys of one address by `kid`, and when they were asked for last."""

    keys: dict[str, PyJWK] = field(default_factory=dict)
    asked: float = float("-inf")
    lock: Lock = field(default_factory=Lock)


def keys_in(document: Any) -> dict[str, PyJWK]:
    """The usable keys of a JWK set. Raises ValueError where there is none."""
    try:
        found = PyJWKSet.from_dict(document)
    except (PyJWTError, TypeError, AttributeError, KeyError) as error:
        raise ValueError("no usable JWK set") from error
    return {key.key_id: key for key in found.keys if key.key_id}


def download(url: str) -> Any:
    """A JWK set from its address; no redirect is followed."""
    with requests.get(url, timeout=TIMEOUT_SECONDS, allow_redirects=False, stream=True) as answer:
        if answer.status_code != requests.codes.ok:
            raise ValueError(f"status {answer.status_code}")
        body = answer.raw.read(MOST_BYTES + 1, decode_content=True)
    if len(body) > MOST_BYTES:
        raise ValueError("the key set is too large")
    return json.loads(body)


class Keys:
    """All key sets of this process."""

    def __init__(self, fetch: Callable[[str], Any] | None = None):
        self._fetch = fetch or (lambda url: download(url))
        self._sets: dict[str, KeySet] = {}
        self._given: dict[str, tuple[Any, dict[str, PyJWK]]] = {}
        self._lock = Lock()

    def find(self, client: Client, jku: str, kid: str) -> PyJWK | None:
        """The key of a client, or None. Raises KeysUnreachable.

        A `jku` counts only if it is exactly one of the client's. An old set is refreshed behind
        the back of the request; an unknown `kid` asks once more, not too often.
        """
        if client.jwks and (not jku or jku not in client.jku):
            return self._keys_given(client).get(kid)
        address = jku if jku in client.jku else next(iter(sorted(client.jku)))
        known = self._set(address)
        age = monotonic() - known.asked
        if not known.keys or kid not in known.keys and age > UNKNOWN_KEY_PAUSE_SECONDS:
            self._refresh(address, known)
        elif age > FRESH_SECONDS:
            Thread(target=self._refresh, args=(address, known), daemon=True).start()
        if not known.keys:
            raise KeysUnreachable
        return known.keys.get(kid)

    def _keys_given(self, client: Client) -> dict[str, PyJWK]:
        """Those of the clients file, made once for each reading of it."""
        document, keys = self._given.get(client.name, (None, {}))
        if document is not client.jwks:
            keys = keys_in(client.jwks)
            self._given[client.name] = (client.jwks, keys)
        return keys

    def _set(self, address: str) -> KeySet:
        with self._lock:
            return self._sets.setdefault(address, KeySet())

    def _refresh(self, address: str, known: KeySet) -> None:
        """Keeps what it has where the address does not answer."""
        if not known.lock.acquire(blocking=not known.keys):
            return
        try:
            if known.keys and monotonic() - known.asked < UNKNOWN_KEY_PAUSE_SECONDS:
                return
            known.asked = monotonic()
            known.keys = keys_in(self._fetch(address)) or known.keys
        except (requests.RequestException, HTTPError, ValueError, OSError):
            return
        finally:
            known.lock.release()
