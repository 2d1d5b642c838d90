"""The clients: a TOML file with a table for each, checked, with line and key where it is wrong."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from marshmallow import ValidationError, fields, validate

from cds_service.access.jwk import Key
from cds_service.access.table import Beside, KeySet, Silenced, Table, json_in, read_preference_list
from cds_service.choices import DIALECTS, HL7, ON_TOO_LITTLE, SILENCE, listed
from cds_service.configuration import ConfigurationError, Unusable, text_of, toml_in
from cds_service.declared import choice, declared, schema_of, whole
from cds_service.language import LANGUAGES

HTTPS = validate.Regexp(r"https://", error="must start with https://")

T = TypeVar("T")


class ClientsError(ConfigurationError):
    """Clients that cannot be used; the text names the file, the line and the key."""


TEXT, FLAG = fields.Str(), fields.Bool()
ISSUERS = fields.List(TEXT, required=True, validate=validate.Length(min=1), post_load=frozenset)
ADDRESSES = fields.List(fields.Str(validate=HTTPS), post_load=frozenset)
SERVER = fields.Str(validate=HTTPS, post_load=lambda value: value.rstrip("/"))
SERVERS = fields.List(SERVER, post_load=frozenset)
NONE = frozenset()
BY_DIALECT = "as the dialect does it"


@dataclass(frozen=True)
class Client:
    """A caller: how it is known, which FHIR servers may be called for it, and how it is answered.
    Each field but `name` is a key of its table.
    """

    # fmt: off
    name: str
    iss: frozenset[str] = declared(ISSUERS, NONE, "issuers of its tokens")
    jku: frozenset[str] = declared(ADDRESSES, NONE,
        "where its key sets are; a client needs `jku` or `jwks`")
    jwks: Mapping[str, Key] = declared(KeySet(json_in), dict,
        "its key set, or the name of a file with it")
    sub: str = declared(TEXT, "", "subject of its tokens", "any")
    tenant: str = declared(TEXT, "", "name for the log, where one EHR calls for several hospitals")
    dialect: str = declared(choice(DIALECTS), HL7,
        f"how answers are written: {listed(DIALECTS)}")
    language: str = declared(choice(LANGUAGES), LANGUAGES[0],
        f"language of the cards: {listed(LANGUAGES)}")
    preference_list: Mapping[tuple[str, str], str] = declared(Beside(read_preference_list), dict,
        "CSV file of the site's keys of orders, for Epic")
    codes: Path | None = declared(Beside(Path), None, "folder of the site's own codes")
    links: bool | None = declared(FLAG, None, "whether links are sent", BY_DIALECT)
    plain_text: bool = declared(FLAG, False,
        "whether the detail of a card is plain text instead of Markdown")
    ratings: bool | None = declared(FLAG, None, "whether ratings are sent", BY_DIALECT)
    fhir_servers: frozenset[str] = declared(SERVERS, NONE,
        "FHIR servers that may be called back, by base address")
    fhir_private: bool = declared(FLAG, False, "whether they may be in the private network")
    fetch_milliseconds: int = declared(whole(0, 10_000), 400,
        "time for all fetches of a hook together; 0 fetches nothing")
    on_too_little: str = declared(choice(ON_TOO_LITTLE), SILENCE,
        "what to do on order-sign with an order of ours that has no coded reason while the "
        f"conditions are not supplied: {listed(ON_TOO_LITTLE)}")
    requests_per_minute: int = declared(whole(0), 0, "most requests in a minute; 0 sets no limit")
    silent: bool = declared(FLAG, False, "whether all is evaluated and kept, and nothing shown")
    silent_for: frozenset[str] = declared(Silenced(TEXT), NONE,
        "variants and safety rules of which no card is shown")
    silent_ratings: bool = declared(FLAG, False, "whether silent orders are rated all the same")
    # fmt: on


CLIENT = schema_of(Client, Table)


def read_clients(
    file: Path, silenceable: frozenset[str], make: Callable[[Client], T] = lambda client: client
) -> tuple[T, ...]:
    """What `make` makes of each client of a file; it may raise ValidationError for a key.
    `silenceable` are the names that `silent_for` may hold. Raises ClientsError.
    """
    try:
        text = text_of(file, "table")
        tables = toml_in(text)
    except Unusable as error:
        raise ClientsError(f"{file}: {error}") from error
    known: dict[tuple[str, str], str] = {}
    made = []
    for name, table in tables.items():
        try:
            client = client_in(table, name, file.parent, silenceable)
            _refuse_shared_issuers(client, known)
            made.append(make(client))
        except ValidationError as error:
            raise ClientsError(f"{file}, {_told(text, name, *problem_of(error))}") from error
    return tuple(made)


def client_in(
    table: Any, name: str, folder: Path, silenceable: frozenset[str], by_token: bool = True
) -> Client:
    """The client of a table; without a token, issuer and keys are not needed. Raises
    ValidationError.
    """
    if not isinstance(table, dict):
        raise ValidationError("a table is expected", "")
    written = {key: value for key, value in table.items() if value != ""}
    schema = CLIENT(folder, silenceable)
    return Client(name, **schema.load(written, partial=not by_token))


def problem_of(error: ValidationError) -> tuple[str, str]:
    """The first key that is wrong, and why."""
    key, told = next(iter(error.normalized_messages().items()))
    while isinstance(told, dict):
        told = next(iter(told.values()))
    return key, told[0]


def _told(text: str, table: str, key: str, problem: str) -> str:
    """A problem of a key, or of the table where the key is empty, with its line."""
    if not key:
        return f"line {_line(text, '', table)}: {table}: {problem}"
    return f"line {_line(text, table, key)}: {table}.{key}: {problem}"


def _refuse_shared_issuers(client: Client, known: dict[tuple[str, str], str]) -> None:
    """An issuer belongs to one client, unless `sub` tells them apart."""
    for issuer in sorted(client.iss):
        other = known.setdefault((issuer, client.sub), client.name)
        if other != client.name:
            raise ValidationError(f"{issuer} is also an issuer of {other}", "iss")


def _line(text: str, table: str, key: str) -> int:
    """The line of a key in a table, else that of the table, else the first."""
    found, inside = 1, not table
    for number, line in enumerate(text.splitlines(), 1):
        header = re.fullmatch(r'\s*\["?([^]"]+)"?\]\s*(#.*)?', line)
        if header:
            inside = header[1].split(".")[0] == table
            found = number if inside else found
        elif inside and re.match(rf"\s*{re.escape(key)}\s*=", line):
            return number
    return found
