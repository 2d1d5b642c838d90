"""The clients file: one TOML table per client, checked, with line and key where it is wrong."""

import csv
import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from cds_service.language import LANGUAGES

FETCH_MILLISECONDS = 400
ON_TOO_LITTLE = ("silence", "card", "412")
DIALECTS = ("hl7", "epic", "sandbox", "crd-inferno")  # how answers are written
PREFERENCE_COLUMNS = ["procedure", "region", "key"]
HTTPS = validate.Regexp(r"https://", error="must start with https://")


class ClientsError(Exception):
    """A clients file that cannot be used; the text names the file, the line and the key."""


@dataclass(frozen=True)
class Client:
    """A caller: how it is known, which FHIR servers may be called for it, and its options.

    Keys come from one of the `jku` addresses or from `jwks`; `sub` is empty where any is taken.
    `tenant` is a name for the log, where one EHR calls for several hospitals. `silent` shows
    nothing, `silent_for` nothing of these variants and rules; `silent_ratings` rates all the same.
    `links` and `ratings` say whether they are sent, None as the dialect does it;
    `preference_list` has the site's keys of orders by procedure and region, `codes` is the folder
    of its own codes.
    """

    name: str
    iss: frozenset[str]
    jku: frozenset[str] = frozenset()
    jwks: dict[str, Any] = field(default_factory=dict)
    sub: str = ""
    tenant: str = ""
    dialect: str = DIALECTS[0]
    language: str = LANGUAGES[0]
    fhir_servers: frozenset[str] = frozenset()
    fhir_private: bool = False
    fetch_milliseconds: int = FETCH_MILLISECONDS
    on_too_little: str = ON_TOO_LITTLE[0]
    requests_per_minute: int = 0
    silent: bool = False
    silent_for: frozenset[str] = frozenset()
    silent_ratings: bool = False
    links: bool | None = None
    ratings: bool | None = None
    preference_list: Mapping[tuple[str, str], str] = field(default_factory=dict)
    codes: Path | None = None


class ClientSchema(Schema):
    """One table of the file."""

    iss = fields.List(fields.Str(), required=True, validate=validate.Length(min=1))
    jku = fields.List(fields.Str(validate=HTTPS), load_default=list)
    jwks = fields.Raw(load_default=dict)
    sub = fields.Str(load_default="")
    tenant = fields.Str(load_default="")
    dialect = fields.Str(load_default=DIALECTS[0], validate=validate.OneOf(DIALECTS))
    language = fields.Str(load_default=LANGUAGES[0], validate=validate.OneOf(LANGUAGES))
    fhir_servers = fields.List(fields.Str(validate=HTTPS), load_default=list)
    fhir_private = fields.Bool(load_default=False)
    fetch_milliseconds = fields.Int(
        strict=True, load_default=FETCH_MILLISECONDS, validate=validate.Range(min=0, max=10_000)
    )
    on_too_little = fields.Str(
        load_default=ON_TOO_LITTLE[0], validate=validate.OneOf(ON_TOO_LITTLE)
    )

    requests_per_minute = fields.Int(strict=True, load_default=0, validate=validate.Range(min=0))
    silent = fields.Bool(load_default=False)
    silent_for = fields.List(fields.Str(), load_default=list)
    silent_ratings = fields.Bool(load_default=False)
    links = fields.Bool(load_default=None)
    ratings = fields.Bool(load_default=None)
    preference_list = fields.Str(load_default="")
    codes = fields.Str(load_default="")

    @validates_schema
    def has_keys(self, data: dict, **_: Any) -> None:
        if not data["jku"] and not data["jwks"]:
            raise ValidationError("a client needs jku or jwks", "jku")


def read_clients(file: Path, silenceable: frozenset[str]) -> tuple[Client, ...]:
    """The clients of a file. `silenceable` are the names that `silent_for` may hold.

    Raises ClientsError.
    """
    try:
        text = file.read_text("utf-8")
        tables = tomllib.loads(text)
    except OSError as error:
        raise ClientsError(f"{file}: {error.strerror}") from error
    except ValueError as error:
        raise ClientsError(f"{file}: {error}") from error
    clients = tuple(_client(file, text, name, table, silenceable) for name, table in tables.items())
    _refuse_shared_issuers(file, text, clients)
    return clients


def _client(file: Path, text: str, name: str, table: Any, silenceable: frozenset[str]) -> Client:
    if not isinstance(table, dict):
        raise ClientsError(f"{file}, line {_line(text, '', name)}: {name}: a table is expected")
    try:
        data = ClientSchema().load(table)
        data["jwks"] = _key_set(file, data["jwks"])
        _check_silenced(data["silent_for"], silenceable)
        data["codes"] = file.parent / data["codes"] if data["codes"] else None
        named = data["preference_list"]
        data["preference_list"] = read_preference_list(file.parent / named) if named else {}
    except ValidationError as error:
        key, messages = next(iter(error.normalized_messages().items()))
        where = f"{file}, line {_line(text, name, key)}: {name}.{key}"
        raise ClientsError(f"{where}: {_first(messages)}") from error
    lists = {key: frozenset(data[key]) for key in ("iss", "jku", "silent_for")}
    servers = frozenset(server.rstrip("/") for server in data["fhir_servers"])
    return Client(**{**data, **lists, "name": name, "fhir_servers": servers})


def read_preference_list(file: Path) -> dict[tuple[str, str], str]:
    """The keys of a CSV file by procedure and region (may be empty). Raises ClientsError."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            rows = csv.DictReader(lines)
            if rows.fieldnames != PREFERENCE_COLUMNS:
                raise ClientsError(f"{file}: the columns must be {', '.join(PREFERENCE_COLUMNS)}")
            return {(row["procedure"], row["region"]): row["key"] for row in rows}
    except (OSError, ValueError, csv.Error) as error:
        raise ClientsError(f"{file}: {error}") from error


def _check_silenced(names: list[str], silenceable: frozenset[str]) -> None:
    """A misspelled name would show what is to be silent."""
    unknown = sorted(set(names) - silenceable)
    if unknown:
        known = ", ".join(sorted(silenceable))
        raise ValidationError(f"{unknown[0]} is no variant or rule; known: {known}", "silent_for")


def _key_set(file: Path, value: Any) -> dict[str, Any]:
    """A JWK set, written in the file or named as a file beside it."""
    if isinstance(value, str):
        try:
            value = json.loads((file.parent / value).read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise ValidationError(f"no JWK set in that file: {error}", "jwks") from error
    if value and (not isinstance(value, dict) or not isinstance(value.get("keys"), list)):
        raise ValidationError("a JWK set has a list of keys", "jwks")
    return value


def _refuse_shared_issuers(file: Path, text: str, clients: tuple[Client, ...]) -> None:
    """An issuer belongs to one client, unless `sub` tells them apart."""
    seen: dict[tuple[str, str], str] = {}
    for client in clients:
        for issuer in sorted(client.iss):
            other = seen.setdefault((issuer, client.sub), client.name)
            if other != client.name:
                where = f"{file}, line {_line(text, client.name, 'iss')}: {client.name}.iss"
                raise ClientsError(f"{where}: {issuer} is also an issuer of {other}")


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


def _first(messages: Any) -> str:
    while isinstance(messages, dict):
        messages = next(iter(messages.values()))
    return str(messages[0])
