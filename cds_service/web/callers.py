"""Which client is calling: in open mode always the same one, else that of the token."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from flask import Request
from marshmallow import ValidationError

from cds_service.access.clients import Client, read_clients
from cds_service.access.keys import Keys
from cds_service.access.tokens import TokenRefused, Verifier
from cds_service.cards.dialect import ResponseOptions, ResponseStyle
from cds_service.cards.dialects import DIALECTS
from cds_service.cards.epic import wrong_keys
from cds_service.configuration import ConfigurationError
from cds_service.decision.topic import Topics
from cds_service.fhir.addresses import AllowedServers
from cds_service.fhir.fetch import Fetcher
from cds_service.language import language
from cds_service.mappings.local import MappingsError, with_local_codes
from cds_service.services import prefetch_templates
from cds_service.settings import OPEN, ConfigError, Settings, read_open_client
from cds_service.silence import Silence, what_can_be_silenced
from cds_service.web.log import log
from cds_service.web.metrics import count_replay_unchecked

# Whether a client's token id is new, or None where that is not known; it is kept until a time, in
# seconds since 1970.
Remember = Callable[[str, str, float], bool | None]


class NoClients(Exception):
    """Tokens are required, and no client is configured."""


@dataclass(frozen=True)
class Caller:
    """A client with what is made of its table. `fetcher` is None where nothing is to be fetched;
    `templates` are then the prefetch templates of each service by key. `topics` include its own
    codes, which are `local_codes` in number.
    """

    client: Client
    fetcher: Fetcher | None
    templates: Mapping[str, Mapping[str, str]]
    silence: Silence
    style: ResponseStyle
    topics: Topics
    local_codes: int


class Callers:
    """All callers of this process. Raises ClientsError where a client cannot be used, ConfigError
    where tokens would have to be made for whatever address the caller names as its host.

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
        self._take_clients()
        if not settings.open and not settings.public_url:
            raise ConfigError("CDS_PUBLIC_URL must be set where CDS_AUTH is required")

    def identify(self, request: Request) -> Caller:
        """Raises TokenRefused or NoClients."""
        if self.answers_nobody:
            raise NoClients
        if self._settings.open:
            return self._callers[OPEN]
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise TokenRefused("missing")
        client = self._verifier.verify(token.strip(), self._settings.public_url + request.path)
        return self._callers[client.name]

    @property
    def known(self) -> Mapping[str, Caller]:
        """The callers by name."""
        return self._callers

    @property
    def local_codes(self) -> int:
        """How many codes the sites have mapped, all together."""
        return sum(caller.local_codes for caller in self._callers.values())

    @property
    def answers_nobody(self) -> bool:
        return not self._callers

    def after_fork(self) -> None:
        """In a new worker: takes the clients, with the files that they name, as they are now, and
        begins to fetch their keys.
        """
        try:
            self._take_clients()
        except ConfigurationError as error:
            log("clients-file-not-taken", problem=str(error))
        self._keys.begin(caller.client for caller in self._callers.values())

    def _take_clients(self) -> None:
        callers = self._read_callers()
        clients = tuple(caller.client for caller in callers)
        self._keys.expect(clients)
        seconds = self._settings.token_seconds
        self._verifier = Verifier(clients, self._keys, self._is_new, self._now, seconds)
        self._callers = {caller.client.name: caller for caller in callers}

    def _read_callers(self) -> tuple[Caller, ...]:
        """Raises ClientsError."""
        settings = self._settings
        if settings.open:
            return (read_open_client(settings, self._caller),)
        if settings.clients is None:
            return ()
        silenceable = what_can_be_silenced(self._topics.values())
        return read_clients(settings.clients, silenceable, self._caller)

    def _caller(self, client: Client) -> Caller:
        """Raises ValidationError."""
        return _caller(client, self._topics, self._settings)

    def _is_new(self, client: str, token_id: str, forget_at: float) -> bool:
        """Whether a token was not used before, as far as that is known. Raises TokenRefused where
        it is not known and has to be.
        """
        new = self._remember(client, token_id, forget_at)
        if new is None:
            count_replay_unchecked()
            if self._settings.refuse_unchecked:
                raise TokenRefused("replay-unchecked")
        return new is not False


def _caller(client: Client, topics: Topics, settings: Settings) -> Caller:
    """FHIR servers on this machine may be called in open mode only. Raises ValidationError."""
    for name in wrong_keys(client.preference_list, topics.values()):
        raise ValidationError(f"{name} is no procedure or region", "preference_list")
    known, number = _with_local_codes(client, topics)
    silence = Silence(client.silent, client.silent_for, client.silent_ratings)
    options = ResponseOptions(
        client.preference_list, client.links, client.ratings, client.plain_text
    )
    said_in = language(client.language, settings.mappings)
    style = ResponseStyle(DIALECTS[client.dialect], options, said_in)
    if not client.fetch_milliseconds:
        return Caller(client, None, {}, silence, style, known, number)
    allowed = AllowedServers(client.fhir_servers, settings.open, client.fhir_private)
    fetcher = Fetcher(allowed, client.fetch_milliseconds / 1000)
    templates = {service: prefetch_templates(topic) for service, topic in known.items()}
    return Caller(client, fetcher, templates, silence, style, known, number)


def _with_local_codes(client: Client, topics: Topics) -> tuple[Topics, int]:
    """Raises ValidationError."""
    if client.codes is None:
        return topics, 0
    try:
        return with_local_codes(topics, client.codes)
    except MappingsError as error:
        raise ValidationError(str(error), "codes") from error
