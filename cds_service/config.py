"""Settings: read once from the environment, each with a default and a line of help."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cds_service.language import LANGUAGES
from cds_service.shipped import MAPPINGS as SHIPPED_MAPPINGS

HELP = {
    "CDS_AUTH": "who may call: `required` (the clients of the clients file, by signed token) or "
    "`open` (anyone; `make run` sets it); default required",
    "CDS_CLIENTS": "the clients file (TOML); default: none, so that nobody may call",
    "CDS_TOKEN_SECONDS": "longest lifetime of a token; default 900",
    "CDS_DATA": "folder for what is kept on this machine; default `data`",
    "CDS_STORE": "`on` keeps decisions and feedback, without patient data; `off` does not; "
    "default on",
    "CDS_SECRET": "secret of the installation, the same on all hosts, from which the names of "
    "orders are made that are kept; default: made at the first start, in `CDS_DATA`",
    "CDS_KEEP_DAYS": "days for which decisions and feedback are kept; default 730",
    "CDS_KEEP_COMMENTS": "`yes` keeps what users write as a comment, which may hold patient data; "
    "default no",
    "CDS_REPEAT_HOURS": "hours for which a card that was overridden is not shown again for the "
    "same order and advice; 0 always shows it; default 24",
    "CDS_DASHBOARD_TOKEN": "password for /dashboard, or bearer token that a proxy adds; default: "
    "none, and /dashboard is there in open mode only, for this machine only",
    "DATABASE_URL": "database that all hosts share, as `postgresql+psycopg://…`; default: a SQLite "
    "file in `CDS_DATA`",
    "CDS_PUBLIC_URL": "address of the service as clients see it, for links and ratings; "
    "default: the address of the request",
    "CDS_MAX_BODY_BYTES": "largest request body in bytes; default 10000000",
    "CDS_CORS_ORIGINS": "origins whose pages may call the service, separated by commas; default: "
    "none, in open mode any",
    "CDS_METRICS_TOKEN": "bearer token for /metrics; default: none, and /metrics is not there",
    "CDS_RATE_STORE": "where requests of clients are counted, as an address of the limits library "
    "(`redis://…` counts for all hosts); default `memory://`, per worker",
    "CDS_FETCH_MILLISECONDS": "in open mode: time for all fetches of a hook together; 0 fetches "
    "nothing; default 400",
    "CDS_ON_TOO_LITTLE": "in open mode: what to do on order-sign with an order of ours that has no "
    "coded reason while the conditions are not supplied: `silence`, `card` or `412`; default "
    "silence",
    "CDS_DIALECT": "in open mode: how answers are written: `hl7`, `epic`, `sandbox` or "
    "`crd-inferno`; default hl7",
    "CDS_LANGUAGE": "in open mode: the language of cards: `en`, `de` or `es`; default en",
    "CDS_PREFERENCE_LIST": "in open mode: CSV file of the site's keys of orders for Epic; default: "
    "none",
    "CDS_CODES": "in open mode: folder of a site's own codes; default: none",
    "CDS_MAPPINGS": "folder of the mappings; default: `mappings/` beside the package",
    "CDS_TX": "base address of a FHIR terminology server, which is asked in the background about "
    "SNOMED CT codes of problem lists that are in no map; default: none, and nothing is asked",
    "CDS_TX_TOKEN": "bearer token for the terminology server, of `expand`, too; default: none",
}
SHORTEST_SECRET = 16


class ConfigError(Exception):
    """A setting that is missing or wrong; the text says which, and what to do."""


@dataclass(frozen=True)
class Settings:
    """`public_url` is empty, or has no slash at its end; sizes are in bytes.
    `open` lets anyone call, and without `store` nothing is kept; tests and the replay do so.
    """

    public_url: str = ""
    max_body_bytes: int = 10_000_000
    open: bool = True
    clients: Path | None = None
    token_seconds: int = 900
    data: Path = Path("data")
    database_url: str = ""
    store: bool = False
    secret: str = ""
    keep_days: int = 730
    keep_comments: bool = False
    repeat_hours: int = 24
    dashboard_token: str = ""
    cors_origins: tuple[str, ...] = ("*",)
    metrics_token: str = ""
    rate_store: str = "memory://"
    fetch_milliseconds: int = 400
    on_too_little: str = "silence"
    dialect: str = "hl7"
    language: str = LANGUAGES[0]
    preference_list: Path | None = None
    codes: Path | None = None
    mappings: Path = SHIPPED_MAPPINGS
    tx: str = ""
    tx_token: str = ""


def settings_from(environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings of an environment. Raises ConfigError."""
    is_open = _one_of(environment, "CDS_AUTH", ("required", "open")) == "open"
    origins = tuple(filter(None, environment.get("CDS_CORS_ORIGINS", "").split(",")))
    return Settings(
        open=is_open,
        cors_origins=origins or (("*",) if is_open else ()),
        metrics_token=environment.get("CDS_METRICS_TOKEN", ""),
        rate_store=environment.get("CDS_RATE_STORE") or Settings.rate_store,
        clients=_path(environment.get("CDS_CLIENTS", "")),
        token_seconds=_whole(environment, "CDS_TOKEN_SECONDS", Settings.token_seconds, 1),
        data=Path(environment.get("CDS_DATA") or Settings.data),
        database_url=environment.get("DATABASE_URL", ""),
        store=_one_of(environment, "CDS_STORE", ("on", "off")) == "on",
        secret=_secret(environment.get("CDS_SECRET", "")),
        keep_days=_whole(environment, "CDS_KEEP_DAYS", Settings.keep_days, 1),
        keep_comments=_one_of(environment, "CDS_KEEP_COMMENTS", ("no", "yes")) == "yes",
        repeat_hours=_whole(environment, "CDS_REPEAT_HOURS", Settings.repeat_hours, 0),
        dashboard_token=environment.get("CDS_DASHBOARD_TOKEN", ""),
        public_url=_url(environment, "CDS_PUBLIC_URL"),
        max_body_bytes=_whole(environment, "CDS_MAX_BODY_BYTES", Settings.max_body_bytes, 1),
        fetch_milliseconds=_whole(
            environment, "CDS_FETCH_MILLISECONDS", Settings.fetch_milliseconds, 0
        ),
        on_too_little=_one_of(environment, "CDS_ON_TOO_LITTLE", ("silence", "card", "412")),
        preference_list=_path(environment.get("CDS_PREFERENCE_LIST", "")),
        codes=_path(environment.get("CDS_CODES", "")),
        dialect=_one_of(environment, "CDS_DIALECT", ("hl7", "epic", "sandbox", "crd-inferno")),
        language=_one_of(environment, "CDS_LANGUAGE", LANGUAGES),
        mappings=Path(environment.get("CDS_MAPPINGS") or SHIPPED_MAPPINGS),
        tx=_url(environment, "CDS_TX"),
        tx_token=environment.get("CDS_TX_TOKEN", ""),
    )


def _path(value: str) -> Path | None:
    return Path(value) if value else None


def _url(environment: Mapping[str, str], name: str) -> str:
    value = environment.get(name, "")
    if value and not value.startswith(("https://", "http://")):
        raise ConfigError(f"{name} must start with https:// or http://")
    return value.rstrip("/")


def _secret(value: str) -> str:
    if value and len(value) < SHORTEST_SECRET:
        raise ConfigError(f"CDS_SECRET must have at least {SHORTEST_SECRET} characters")
    return value


def _one_of(environment: Mapping[str, str], name: str, values: tuple[str, ...]) -> str:
    """One of the values, of which the first is the default."""
    value = environment.get(name, values[0])
    if value not in values:
        raise ConfigError(f"{name} must be one of {', '.join(values)}")
    return value


def _whole(environment: Mapping[str, str], name: str, default: int, least: int) -> int:
    value = environment.get(name, str(default))
    if not value.isdecimal() or int(value) < least:
        raise ConfigError(f"{name} must be a whole number from {least}")
    return int(value)
