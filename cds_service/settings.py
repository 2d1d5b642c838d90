"""The settings: environment variables, each one row of `Settings`, read once at the start."""

import os
from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from marshmallow import ValidationError, fields, validate

from cds_service.access.clients import Client, ClientsError, client_in, problem_of
from cds_service.configuration import ConfigurationError
from cds_service.declared import (
    choice,
    declarations,
    declared,
    is_expression,
    schema_of,
    whole,
)
from cds_service.shipped import MAPPINGS as SHIPPED_MAPPINGS

OPEN = "open"  # the name of the client of open mode
# What holds for the service where nothing is set is said here, if `Settings()` means another thing.
REQUIRED_OR_OPEN = choice({"required": False, "open": True}, load_default=False)
ON_OR_OFF = choice({"on": True, "off": False}, load_default=True)
ONE_OR_OTHER = choice({"on": True, "off": False})
PASS_OR_REFUSE = choice({"pass": False, "refuse": True})
NO_OR_YES = choice({"no": False, "yes": True})
TEXT, PATH = fields.Str(), fields.Str(post_load=Path)
SECRET = fields.Str(validate=validate.Length(min=16, error="must have at least {min} characters"))
HTTP = validate.Regexp(r"https?://", error="must start with https:// or http://")
ADDRESS = fields.Str(validate=HTTP, post_load=lambda value: value.rstrip("/"))
ORIGINS = fields.Str(
    validate=is_expression, post_load=lambda value: tuple(filter(None, value.split(",")))
)
CLIENT_KEYS = {key.name: key for key in declarations(Client)}

T = TypeVar("T")


class ConfigError(ConfigurationError):
    """Settings that are missing or wrong; a line for each names it and says what is allowed."""


def setting(name: str, kind: fields.Field, default: Any, meaning: str, otherwise: str = "") -> Any:
    """One row: the environment variable, its check, its default, what it means, and the default in
    words, for the documents.
    """
    return declared(_named(name, kind), default, meaning, otherwise)


def client_key(name: str, key: str, kind: fields.Field | None = None) -> Any:
    """A setting that is a key of the client table `open`. Meaning, default and check are those of
    `Client`; where a file is meant, `kind` is PATH, since files are read with the table.
    """
    data = CLIENT_KEYS[key].metadata
    named = {"kind": _named(name, kind or data["kind"])}
    meaning = {"meaning": f"in open mode: {data['meaning']}"}
    return field(default=None if kind else CLIENT_KEYS[key].default, metadata=named | meaning)


def _named(name: str, kind: fields.Field) -> fields.Field:
    named = copy(kind)
    named.data_key = name
    return named


@dataclass(frozen=True)
class Settings:
    """Made by hand, as tests and the replay do it, anyone may call and nothing is kept."""

    # fmt: off
    open: bool = setting("CDS_AUTH", REQUIRED_OR_OPEN, True,
        "who may call: `required` (the clients of the clients file, by signed token) or `open` "
        "(anyone; `make run` sets it)", "required")
    clients: Path | None = setting("CDS_CLIENTS", PATH, None,
        "the clients file (TOML)", "none, so that nobody may call")
    token_seconds: int = setting("CDS_TOKEN_SECONDS", whole(1), 900,
        "longest lifetime of a token in seconds")
    refuse_unchecked: bool = setting("CDS_REPLAY_UNCHECKED", PASS_OR_REFUSE, False,
        "what happens to a token where the database does not answer, or the disk is full, so that "
        "it is not known whether it was used before: `pass` or `refuse`", "pass")
    data: Path = setting("CDS_DATA", PATH, Path("data"),
        "folder for what is kept on this machine")
    store: bool = setting("CDS_STORE", ON_OR_OFF, False,
        "`on` keeps decisions and feedback, without patient data; `off` does not", "on")
    secret: str = setting("CDS_SECRET", SECRET, "",
        "secret of the installation, the same on all hosts, from which the names of orders are "
        "made that are kept", "made at the first start, in `CDS_DATA`")
    keep_days: int = setting("CDS_KEEP_DAYS", whole(1), 730,
        "days for which decisions and feedback are kept")
    keep_comments: bool = setting("CDS_KEEP_COMMENTS", NO_OR_YES, False,
        "`yes` keeps what users write as a comment, which may hold patient data", "no")
    repeat_hours: int = setting("CDS_REPEAT_HOURS", whole(0), 24,
        "hours for which a card that was overridden is not shown again for the same order and "
        "advice; 0 always shows it")
    dashboard_token: str = setting("CDS_DASHBOARD_TOKEN", TEXT, "",
        "password for /dashboard, or bearer token that a proxy adds",
        "none, and /dashboard is there in open mode only, for this machine only")
    tries: bool | None = setting("CDS_TRY", ONE_OR_OTHER, None,
        "whether there is the page /try, on which anybody tries orders of made-up patients: `on` "
        "or `off`", "on in open mode only")
    database_url: str = setting("DATABASE_URL", TEXT, "",
        "database that all hosts share, as `postgresql+psycopg://…`",
        "a SQLite file in `CDS_DATA`")
    public_url: str = setting("CDS_PUBLIC_URL", ADDRESS, "",
        "address of the service as clients see it, for links, ratings and the audience of tokens",
        "none, and it has to be set; in open mode the address of the request")
    max_body_bytes: int = setting("CDS_MAX_BODY_BYTES", whole(1), 10_000_000,
        "largest request body in bytes")
    max_orders: int = setting("CDS_MAX_ORDERS", whole(1), 200,
        "most draft orders of a hook")
    max_resources: int = setting("CDS_MAX_RESOURCES", whole(1, 20_000), 20_000,
        "most resources that a hook brings or that are fetched for it, together")
    max_answer_bytes: int = setting("CDS_MAX_ANSWER_BYTES", whole(1), 2_000_000,
        "largest answer to a hook in bytes")
    remember_seconds: int = setting("CDS_REMEMBER_SECONDS", whole(0), 300,
        "seconds for which a worker remembers, in memory, what it read of a chart and said of an "
        "order, for the next hooks of the session; 0 remembers nothing")
    cors_origins: tuple[str, ...] | None = setting("CDS_CORS_ORIGINS", ORIGINS, None,
        "origins whose pages may call the service, separated by commas", "none, in open mode any")
    metrics_token: str = setting("CDS_METRICS_TOKEN", TEXT, "",
        "bearer token for /metrics", "none, and /metrics is not there")
    rate_store: str = setting("CDS_RATE_STORE", TEXT, "memory://",
        "where requests of clients are counted, as an address of the limits library (`redis://…` "
        "counts for all hosts)", "`memory://`, per worker")
    fetch_milliseconds: int = client_key("CDS_FETCH_MILLISECONDS", "fetch_milliseconds")
    on_too_little: str = client_key("CDS_ON_TOO_LITTLE", "on_too_little")
    dialect: str = client_key("CDS_DIALECT", "dialect")
    language: str = client_key("CDS_LANGUAGE", "language")
    preference_list: Path | None = client_key("CDS_PREFERENCE_LIST", "preference_list", PATH)
    codes: Path | None = client_key("CDS_CODES", "codes", PATH)
    mappings: Path = setting("CDS_MAPPINGS", PATH, SHIPPED_MAPPINGS,
        "folder of the mappings", "`mappings/` beside the package")
    tx: str = setting("CDS_TX", ADDRESS, "",
        "base address of a FHIR terminology server, which is asked in the background about SNOMED "
        "CT codes of problem lists that are in no map", "none, and nothing is asked")
    tx_token: str = setting("CDS_TX_TOKEN", TEXT, "",
        "bearer token for the terminology server, of `expand`, too")
    # fmt: on

    @property
    def allowed_origins(self) -> tuple[str, ...]:
        """The origins whose pages may call; ("*",) stands for any."""
        if self.cors_origins is not None:
            return self.cors_origins
        return ("*",) if self.open else ()

    @property
    def shows_trial(self) -> bool:
        """Whether there is the page /try."""
        return self.open if self.tries is None else self.tries

    @property
    def uses_database(self) -> bool:
        """Whether evaluations are kept, or used tokens in a database that hosts share."""
        return self.store or bool(self.database_url and not self.open)


ROWS = {row.metadata["kind"].data_key: row.name for row in declarations(Settings)}
OPEN_KEYS = {key: name for name, key in ROWS.items() if key in CLIENT_KEYS}


def settings_from(environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings of an environment; an empty one counts as not set. Raises ConfigError."""
    given = {name: environment[name] for name in ROWS if environment.get(name)}
    odd = [name for name, value in given.items() if not value.isprintable()]
    if odd:
        raise ConfigError("\n".join(f"{name} holds what is no text" for name in odd))
    try:
        return Settings(**schema_of(Settings)().load(given))
    except ValidationError as error:
        told = error.normalized_messages().items()
        raise ConfigError("\n".join(f"{name} {texts[0]}" for name, texts in told)) from None


def read_open_client(settings: Settings, make: Callable[[Client], T] = lambda client: client) -> T:
    """What `make` makes of the client of open mode, whose table is made of settings. As with
    `read_clients` it may raise ValidationError. Raises ClientsError, which names the setting.
    """
    given = {key: getattr(settings, key) for key in OPEN_KEYS}
    table = {key: value for key, value in given.items() if value is not None}
    try:
        return make(client_in(table, OPEN, Path(), frozenset(), by_token=False))
    except ValidationError as error:
        key, problem = problem_of(error)
        raise ClientsError(f"{OPEN_KEYS[key]}: {problem}") from error
