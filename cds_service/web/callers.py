"""Who is calling: in open mode anyone, else the client whose token passes."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from flask import Request

from cds_service.access.clients import (
    Client,
    ClientsError,
    read_clients,
    read_preference_list,
)
from cds_service.access.keys import Keys
from cds_service.access.tokens import Refused, Verifier
from cds_service.cards.dialect import Manner, Wishes
from cds_service.cards.dialects import DIALECTS
from cds_service.config import Settings
from cds_service.fhir.addresses import AllowedServers
from cds_service.fhir.fetch import Fetcher
from cds_service.silence import Silence
from cds_service.web.log import log

# Whether a client's token id is new; it is kept until a time, in seconds since 1970.
Remember = Callable[[str, str, float], bool]


class NoClients(Exception):
    """Callers are to be checked, and none is configured."""


@dataclass(frozen=True)
class Caller:
    """A client, the way to its FHIR servers, if it has one, what it wants not shown, and
    how it is answered.
    """

    client: Client
    fetcher: Fetcher | None
    silence: Silence
    manner: Manner


class Callers:
    """All callers of this process. Raises ClientsError where the clients file is wrong.

    `remember` says whether a token is new (see `Store`); `silenceable` are the names of variants
    and rules that a client may silence.
    """

    def __init__(
        self,
        settings: Settings,
        remember: Remember,
        silenceable: frozenset[str],
        now: Callable[[], float] = time.time,
    ):
        self._settings = settings
        self._remember = remember
        self._silenceable = silenceable
        self._now = now
        self._keys = Keys()
        self._verifier: Verifier | None = None
        self._callers: dict[str, Caller] = {}
        if settings.open:
            self._open = _caller(_anyone(settings), loopback=True)
        else:
            self._take_clients()

    def identify(self, request: Request) -> Caller:
        """Raises Refused or NoClients."""
        if self._settings.open:
            return self._open
        if not self._callers:
            raise NoClients
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Refused("missing")
        client = self._verifier.verify(token.strip(), self._endpoint(request))
        return self._callers[client.name]

    @property
    def answers_nobody(self) -> bool:
        return not self._settings.open and not self._callers

    def after_fork(self) -> None:
        """In a new worker: the clients file as it is now."""
        if self._settings.open:
            return
        try:
            self._take_clients()
        except ClientsError as error:
            log("clients-file-not-taken", problem=str(error))

    def _take_clients(self) -> None:
        file = self._settings.clients
        clients = read_clients(file, self._silenceable) if file else ()
        seconds = self._settings.token_seconds
        self._verifier = Verifier(clients, self._keys, self._remember, self._now, seconds)
        self._callers = {client.name: _caller(client) for client in clients}

    def _endpoint(self, request: Request) -> str:
        """The address that was called, as the client sees it."""
        base = self._settings.public_url or request.url_root.rstrip("/")
        return base + request.path


def _anyone(settings: Settings) -> Client:
    return Client(
        name="open",
        iss=frozenset(),
        fetch_milliseconds=settings.fetch_milliseconds,
        on_too_little=settings.on_too_little,
        dialect=settings.dialect,
        preference_list=read_preference_list(file) if (file := settings.preference_list) else {},
    )


def _caller(client: Client, loopback: bool = False) -> Caller:
    """FHIR servers on this machine may be called in open mode only."""
    silence = Silence(client.silent, client.silent_for, client.silent_ratings)
    wishes = Wishes(client.preference_list, client.links, client.ratings)
    manner = Manner(DIALECTS[client.dialect], wishes)
    if not client.fetch_milliseconds:
        return Caller(client, None, silence, manner)
    allowed = AllowedServers(client.fhir_servers, loopback, client.fhir_private)
    fetcher = Fetcher(allowed, client.fetch_milliseconds / 1000)
    return Caller(client, fetcher, silence, manner)
