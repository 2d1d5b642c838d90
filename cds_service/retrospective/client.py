"""The client for whom a run is made: its own codes, its silence, its language."""

from cds_service.access.clients import Client, read_clients
from cds_service.mappings import load
from cds_service.retrospective.folder import RunError
from cds_service.settings import OPEN, Settings, read_open_client
from cds_service.silence import Silence, what_can_be_silenced


def client_named(name: str, settings: Settings) -> Client:
    """The client of that name in the clients file; without a name that of open mode, which the
    settings make. Raises RunError, ClientsError and MappingsError.
    """
    if name in ("", OPEN):
        return read_open_client(settings)
    if settings.clients is None:
        raise RunError("--client needs a clients file: set CDS_CLIENTS")
    silenceable = what_can_be_silenced(load(settings.mappings).values())
    clients = {c.name: c for c in read_clients(settings.clients, silenceable)}
    if name not in clients:
        raise RunError(f"{settings.clients} has no client {name}: {', '.join(clients)}")
    return clients[name]


def silence_of(client: Client) -> Silence:
    """The cards that it is not to be shown. That all of its cards are silent now says nothing of
    what it would be shown.
    """
    return Silence(of=client.silent_for, ratings=client.silent_ratings)
