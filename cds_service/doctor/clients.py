"""The clients: their file, their keys, and the way to their FHIR servers."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from cds_service.access import download
from cds_service.access.clients import Client, ClientsError, read_clients
from cds_service.access.jwk import Key, keys_in
from cds_service.cards.epic import wrong_keys
from cds_service.decision.topic import Topics
from cds_service.doctor.lines import Line, ok, problem, warning
from cds_service.fhir.addresses import AllowedServers, addresses_of
from cds_service.mappings import MappingsError, load
from cds_service.mappings.local import with_local_codes
from cds_service.settings import Settings, read_open_client
from cds_service.silence import what_can_be_silenced

FILE = "clients file"
NO_START = "the service does not start with it: correct it"


def check_clients(settings: Settings) -> Iterator[Line]:
    """The file, then each client in it. In open mode it is looked at only if there is one; the
    client of open mode is made of settings.
    """
    if settings.open:
        yield from _check_open_client(settings)
    if settings.open and not settings.clients:
        return
    clients, line = clients_in(settings)
    yield line
    topics = load(settings.mappings) if clients else {}
    for client in clients:
        yield from check_codes(client, topics)
        yield from check_keys(client)
        yield from check_fhir_servers(client)


def _check_open_client(settings: Settings) -> Iterator[Line]:
    try:
        yield from check_codes(read_open_client(settings), load(settings.mappings))
    except ClientsError as error:
        yield problem("open mode", f"{error}; {NO_START}")
    except MappingsError:
        return  # a line of its own tells that the mappings do not load


def clients_in(settings: Settings) -> tuple[tuple[Client, ...], Line]:
    """The clients, and what is to be said of their file."""
    if not settings.clients:
        return (), problem(
            FILE, "there is none, so nobody may call with a token: set CDS_CLIENTS to one"
        )
    try:
        known = what_can_be_silenced(load(settings.mappings).values())
        clients = read_clients(settings.clients, known)
    except MappingsError:
        return (), problem(FILE, "not checked, since the mappings do not load: correct those first")
    except ClientsError as error:
        return (), problem(FILE, f"{error}; {NO_START}")
    if not clients:
        text = f"{settings.clients} names no client, so nobody may call: add one"
        return (), problem(FILE, text)
    return clients, ok(FILE, f"{settings.clients}: {', '.join(c.name for c in clients)}")


def check_codes(client: Client, topics: Topics) -> Iterator[Line]:
    """A line for a client that has codes or a preference list of its own."""
    for name in wrong_keys(client.preference_list, topics.values()):
        text = f"{name} is no procedure or region of ours: correct it"
        yield problem(f"{client.name}: preference list", text)
    if client.codes is None:
        return
    about = f"{client.name}: codes"
    try:
        _, number = with_local_codes(topics, client.codes)
        yield ok(about, f"{number} mapped in {client.codes}")
    except MappingsError as error:
        for text in error.problems:
            yield problem(about, f"{text}; {NO_START}")


def check_keys(client: Client) -> Iterator[Line]:
    """A line for each key set of a client."""
    about = f"{client.name}: keys"
    if client.jwks:
        yield _given_keys(about, client)
    for address in sorted(client.jku):
        yield _fetched_keys(about, address)


def _given_keys(about: str, client: Client) -> Line:
    return ok(about, f"{len(usable(client.jwks))} usable in jwks")


def _fetched_keys(about: str, address: str) -> Line:
    try:
        document = fetch(address)
    except ValueError as error:
        text = f"{address} cannot be had ({error}): check the address, proxy and firewall"
        return problem(about, text)
    try:
        found = keys_in(document)
    except ValueError as error:
        return warning(about, f"{address}: {error}: ask the client to publish one")
    refused = "; ".join(f"{kid} {key.problem}" for kid, key in found.items() if key.problem)
    text = f"{len(usable(found))} usable at {address}"
    return warning(about, f"{text}; not used: {refused}") if refused else ok(about, text)


def fetch(address: str) -> Any:
    """The document at an address. Raises ValueError, which says in a few words why not."""
    try:
        return download.download(address)
    except Exception as error:
        # Whatever a strange server provokes is to be told, not to end the report.
        words = str(error) if type(error) is ValueError else type(error).__name__
        raise ValueError(words) from error


def usable(found: Mapping[str, Key]) -> list[str]:
    """The names of the keys that may check a signature."""
    return [kid for kid, key in found.items() if not key.problem]


def check_fhir_servers(client: Client) -> Iterator[Line]:
    """Only the way there is looked at: no connection is made and nothing is sent."""
    about = f"{client.name}: FHIR server"
    if not client.fhir_servers or not client.fetch_milliseconds:
        missing = "fhir_servers" if client.fetch_milliseconds else "fetch_milliseconds above 0"
        yield ok(about, f"none is called; to have missing data fetched, set {missing}")
        return
    allowed = AllowedServers(client.fhir_servers, private=client.fhir_private)
    for server in sorted(client.fhir_servers):
        yield _fhir_server(about, server, allowed)


def _fhir_server(about: str, server: str, allowed: AllowedServers) -> Line:
    if not allowed.permits(server):
        text = f"{server} must be an https address without user, query and fragment"
        return problem(about, text)
    try:
        addresses = _addresses(server)
    except (OSError, UnicodeError):
        return problem(about, f"{server}: the name has no address; check it and the DNS here")
    for address in addresses:
        if not allowed.permits_address(address):
            return problem(about, f"{server} leads to {address}: {_way_out(address)}")
    return ok(about, f"{server} leads to {', '.join(addresses)}")


def _addresses(server: str) -> list[str]:
    """As the service finds them when it connects."""
    parts = urlsplit(server)
    return sorted(set(addresses_of(parts.hostname, parts.port or 443)))


def _way_out(address: str) -> str:
    if AllowedServers(private=True).permits_address(address):
        return "set fhir_private = true if it is in your own network"
    return "such an address is never connected to; name the server by another one"
