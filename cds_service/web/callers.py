"""Who is calling: in open mode anyone, else the client whose token passes."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from flask import Request

from cds_service.access.clients import (
    Client,
    ClientsError,
    read_clients,
    read_preference_list,
)
from cds_service.access.keys import Keys
from cds_service.access.tokens import TokenRefused, Verifier
from cds_service.cards.dialect import ResponseOptions, ResponseStyle
from cds_service.cards.dialects import DIALECTS
from cds_service.cards.epic import wrong_keys
from cds_service.config import Settings
from cds_service.decision.topic import Topics
from cds_service.fhir.addresses import AllowedServers
from cds_service.fhir.fetch import Fetcher
from cds_service.language import language
from cds_service.mappings.local import MappingsError, with_local_codes
from cds_service.silence import Silence, what_can_be_silenced
from cds_service.web.log import log

# Whether a client's token id is new; it is kept until a time, in seconds since 1970.
Remember = Callable[[str, str, float], bool]


class NoClients(Exception):
    """Callers are to be checked, and none is configured."""


@dataclass(frozen=True)
class Caller:
    """A client, the way to its FHIR servers, if it has one, what it wants not shown, how
    it is answered, and the topics with its own codes, of which there are `local_codes`.
    """

    client: Client
    fetcher: Fetcher | None
    silence: Silence
    style: ResponseStyle
    topics: Topics
    local_codes: int


class Callers:
    """All callers of this process. Raises ClientsError where the clients file is wrong.

    `remember` says whether a token is new (see `Store`).
    """

    def __init__(
        self,
        settings: Settings,
        remember: Remember,
        topics: Topics,
        now: Callable[[], float] = time.time,
    ):
        self._settings = settings
        self._remember = remember
        self._topics = topics
        self._now = now
        self._keys = Keys()
        self._verifier: Verifier | None = None
        self._callers: dict[str, Caller] = {}
        if settings.open:
            self._open = _caller(_anyone(settings), topics, settings.mappings, loopback=True)
        else:
            self._take_clients()

    def identify(self, request: Request) -> Caller:
        """Raises TokenRefused or NoClients."""
        if self._settings.open:
            return self._open
        if not self._callers:
            raise NoClients
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise TokenRefused("missing")
        client = self._verifier.verify(token.strip(), self._endpoint(request))
        return self._callers[client.name]

    @property
    def local_codes(self) -> int:
        """How many codes the sites have mapped, all together."""
        callers = [self._open] if self._settings.open else self._callers.values()
        return sum(caller.local_codes for caller in callers)

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
        silenceable = what_can_be_silenced(self._topics.values())
        clients = read_clients(file, silenceable) if file else ()
        seconds = self._settings.token_seconds
        self._verifier = Verifier(clients, self._keys, self._remember, self._now, seconds)
        self._callers = {
            client.name: _caller(client, self._topics, self._settings.mappings)
            for client in clients
        }

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
        language=settings.language,
        codes=settings.codes,
        preference_list=read_preference_list(file) if (file := settings.preference_list) else {},
    )


def _caller(client: Client, topics: Topics, mappings: Path, loopback: bool = False) -> Caller:
    """FHIR servers on this machine may be called in open mode only."""
    wrong = wrong_keys(client.preference_list, topics.values())
    if wrong:
        raise ClientsError(f"{client.name}.preference_list: {wrong[0]} is no procedure or region")
    known, number = _with_local_codes(client, topics)
    silence = Silence(client.silent, client.silent_for, client.silent_ratings)
    options = ResponseOptions(client.preference_list, client.links, client.ratings)
    style = ResponseStyle(DIALECTS[client.dialect], options, language(client.language, mappings))
    if not client.fetch_milliseconds:
        return Caller(client, None, silence, style, known, number)
    allowed = AllowedServers(client.fhir_servers, loopback, client.fhir_private)
    fetcher = Fetcher(allowed, client.fetch_milliseconds / 1000)
    return Caller(client, fetcher, silence, style, known, number)


def _with_local_codes(client: Client, topics: Topics) -> tuple[Topics, int]:
    """Raises ClientsError."""
    if client.codes is None:
        return topics, 0
    try:
        return with_local_codes(topics, client.codes)
    except MappingsError as error:
        raise ClientsError(f"{client.name}.codes: {error}") from error
