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
    "CDS_MAPPINGS": "folder of the mappings; default: `mappings/` beside the package",
}
SHIPPED_MAPPINGS = Path(__file__).parent.parent / "mappings"


class ConfigError(Exception):
    """A setting that is missing or wrong; the text says which, and what to do."""


@dataclass(frozen=True)
class Settings:
    """`public_url` is empty, or has no slash at its end; sizes are in bytes."""

    public_url: str = ""
    max_body_bytes: int = 10_000_000
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
        max_body_bytes=_positive(environment, "CDS_MAX_BODY_BYTES", Settings.max_body_bytes),
        mappings=Path(environment.get("CDS_MAPPINGS") or SHIPPED_MAPPINGS),
    )


def _url(value: str) -> str:
    if value and not value.startswith(("https://", "http://")):
        raise ConfigError("CDS_PUBLIC_URL must start with https:// or http://")
    return value.rstrip("/")


def _positive(environment: Mapping[str, str], name: str, default: int) -> int:
    value = environment.get(name, str(default))
    if not value.isdecimal() or int(value) < 1:
        raise ConfigError(f"{name} must be a whole number above 0")
    return int(value)
