"""Connections to FHIR servers, to permitted addresses only. Imported where something is fetched."""

import socket
from time import monotonic

import requests
from circuitbreaker import CircuitBreaker
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import NewConnectionError
from urllib3.util.connection import create_connection

from cds_service.fhir.addresses import AllowedServers, FhirServer, addresses_of
from cds_service.fhir.client import SERVER_FAULTS, FetchError, read, search
from cds_service.fhir.plain import Json

FAULTS_BEFORE_A_PAUSE = 5
PAUSE_SECONDS = 15
LONGEST_PAUSE_SECONDS = 300


class Remote:
    """The state of one FHIR server in this process: its connections, its circuit breaker, and how
    long its `Retry-After` asks for a pause.
    """

    def __init__(self, allowed: AllowedServers, connections: int):
        self.session = requests.Session()
        self.session.trust_env = False
        adapter = CheckedAdapter(allowed, connections)
        self.session.mount("https://", adapter)
        self.session.mount("http://", adapter)
        self.breaker = CircuitBreaker(
            FAULTS_BEFORE_A_PAUSE, PAUSE_SECONDS, expected_exception=_is_fault
        )
        self.paused_until = 0.0

    @property
    def is_left_alone(self) -> bool:
        return self.breaker.opened or monotonic() < self.paused_until

    def call(self, server: FhirServer, path: str, deadline: float) -> list[Json]:
        """The pages of one fetch. Raises FetchError. A `Retry-After` is honoured."""
        how = search if "?" in path else read
        try:
            with self.breaker:
                return how(self.session, server, path, deadline)
        except FetchError as error:
            pause = min(error.retry_after, LONGEST_PAUSE_SECONDS)
            self.paused_until = max(self.paused_until, monotonic() + pause if pause else 0.0)
            raise


def _is_fault(kind: type[BaseException], error: BaseException) -> bool:
    return not isinstance(error, FetchError) or error.kind in SERVER_FAULTS


class CheckedAdapter(HTTPAdapter):
    """Lets a requests session connect to permitted addresses only."""

    def __init__(self, allowed: AllowedServers, connections: int):
        self.allowed = allowed
        super().__init__(pool_connections=1, pool_maxsize=connections, max_retries=0)

    def init_poolmanager(self, *arguments: object, **options: object) -> None:
        super().init_poolmanager(*arguments, **options)
        self.poolmanager.pool_classes_by_scheme = pool_classes(self.allowed)


def pool_classes(allowed: AllowedServers) -> dict[str, type[HTTPConnectionPool]]:
    """Connection pools of urllib3 that connect to permitted addresses only."""
    http = type("CheckedHTTPConnection", (_Checked, HTTPConnection), {"allowed": allowed})
    https = type("CheckedHTTPSConnection", (_Checked, HTTPSConnection), {"allowed": allowed})
    return {
        "http": type("CheckedHTTPPool", (HTTPConnectionPool,), {"ConnectionCls": http}),
        "https": type("CheckedHTTPSPool", (HTTPSConnectionPool,), {"ConnectionCls": https}),
    }


class _Checked:
    """A connection that looks at the address before it opens a socket to it."""

    allowed: AllowedServers

    def _new_conn(self) -> socket.socket:
        try:
            addresses = addresses_of(self._dns_host, self.port)
        except OSError as error:
            raise NewConnectionError(self, "the name has no address") from error
        if not all(self.allowed.permits_address(address) for address in addresses):
            raise NewConnectionError(self, "the address is not permitted")
        try:
            target = (addresses[0], self.port)
            return create_connection(target, self.timeout, socket_options=self.socket_options)
        except OSError as error:
            raise NewConnectionError(self, "no connection") from error
