"""Libraries that only some installations need: a setting that asks for one that is not there."""

import os
from collections.abc import Mapping
from importlib.util import find_spec

from cds_service.configuration import ConfigurationError
from cds_service.settings import Settings
from cds_service.web.tracing import ENDPOINT

# The extras of the package, each with a library of it.
LIBRARIES = {
    "postgres": "psycopg",
    "redis": "redis",
    "otel": "opentelemetry",
    "retrospective": "duckdb",
    "spark": "pyspark",
}


class MissingExtra(ConfigurationError):
    """Told in one line that names the setting and the extra."""


def check_extras(settings: Settings, environment: Mapping[str, str] = os.environ) -> None:
    """Raises MissingExtra."""
    asked = {
        "postgres": ("DATABASE_URL", settings.database_url.startswith("postgres")),
        "redis": ("CDS_RATE_STORE", settings.rate_store.startswith("redis")),
        "otel": (ENDPOINT, bool(environment.get(ENDPOINT))),
    }
    for extra, (setting, is_asked) in asked.items():
        if is_asked:
            check_extra(extra, setting)


def check_extra(extra: str, setting: str) -> None:
    """Raises MissingExtra where the libraries are not there that a setting or option asks for."""
    if not find_spec(LIBRARIES[extra]):
        raise MissingExtra(
            f"{setting} needs libraries that are not installed: "
            f"pip install 'vcf-appropriateness[{extra}]'"
        )
