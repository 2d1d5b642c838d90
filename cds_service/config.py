"""Settings: read once from the environment, each with a default and a line of help."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

HELP = {
    "CDS_AUTH": "who may call; `open` (anyone) is the only mode so far and must be set",
    "CDS_PUBLIC_URL": "address of the service as clients see it, for links and ratings; "
    "default: the address of the request",
    "CDS_MAX_BODY_BYTES": "largest request body in bytes; default 10000000",
    "CDS_FHIR_SERVERS": "base addresses of the FHIR servers that may be called, separated by "
    "commas; default: none but those on this machine",
    "CDS_FHIR_PRIVATE": "`yes` if those servers are in the private network; default: no",
    "CDS_FETCH_MILLISECONDS": "time for all fetches of a hook together; 0 fetches nothing; "
    "default 400",
    "CDS_ON_TOO_LITTLE": "what to do on order-sign with an order of ours that has no coded reason "
    "while the conditions are not supplied: `silence`, `card` or `412`; default silence",
    "CDS_MAPPINGS": "folder of the mappings; default: `mappings/` beside the package",
}
SHIPPED_MAPPINGS = Path(__file__).parent.parent / "mappings"


class ConfigError(Exception):
    """A setting that is missing or wrong; the text says which, and what to do."""


@dataclass(frozen=True)
class Settings:
    """`public_url` is empty, or has no slash at its end, as the `fhir_servers`; sizes are in
    bytes, times in milliseconds.
    """

    public_url: str = ""
    max_body_bytes: int = 10_000_000
    fhir_servers: frozenset[str] = frozenset()
    fhir_private: bool = False
    fetch_milliseconds: int = 400
    on_too_little: str = "silence"
    mappings: Path = SHIPPED_MAPPINGS


def settings_from(environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings of an environment. Raises ConfigError."""
    if environment.get("CDS_AUTH") != "open":
        raise ConfigError(
            "CDS_AUTH is not set to `open`. Callers are not checked yet, so the service starts "
            "only where that is said: CDS_AUTH=open (`make run` does so)."
        )
    return Settings(
        public_url=_url(environment.get("CDS_PUBLIC_URL", "")),
        max_body_bytes=_whole(environment, "CDS_MAX_BODY_BYTES", Settings.max_body_bytes, 1),
        fhir_servers=_servers(environment.get("CDS_FHIR_SERVERS", "")),
        fhir_private=_one_of(environment, "CDS_FHIR_PRIVATE", ("no", "yes")) == "yes",
        fetch_milliseconds=_whole(
            environment, "CDS_FETCH_MILLISECONDS", Settings.fetch_milliseconds, 0
        ),
        on_too_little=_one_of(environment, "CDS_ON_TOO_LITTLE", ("silence", "card", "412")),
        mappings=Path(environment.get("CDS_MAPPINGS") or SHIPPED_MAPPINGS),
    )


def _url(value: str) -> str:
    if value and not value.startswith(("https://", "http://")):
        raise ConfigError("CDS_PUBLIC_URL must start with https:// or http://")
    return value.rstrip("/")


def _servers(value: str) -> frozenset[str]:
    servers = frozenset(part.strip().rstrip("/") for part in value.split(",") if part.strip())
    if not all(server.startswith("https://") for server in servers):
        raise ConfigError("CDS_FHIR_SERVERS: each address must start with https://")
    return servers


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
