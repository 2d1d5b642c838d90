"""`python -m cds_service doctor`: checks the configuration, or explains a token."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from rich.console import Console

from cds_service import current_day
from cds_service.config import ConfigError, Settings, settings_from
from cds_service.doctor.clients import check_clients
from cds_service.doctor.configuration import check_mappings, check_mode, check_public_url
from cds_service.doctor.lines import Line, ok, problem, show
from cds_service.doctor.store import check_database, check_folder, check_secret
from cds_service.doctor.token import explain_file


def doctor(
    token: Path | None = None,
    endpoint: str | None = None,
    environment: Mapping[str, str] = os.environ,
) -> int:
    """Exit status 0 without a problem (there may be warnings), else 1."""
    console = Console()
    try:
        settings = settings_from(environment)
    except ConfigError as error:
        return show([problem("settings", f"{error}; correct it")], console)
    if token and endpoint:
        return show(explain_file(token, endpoint, settings), console)
    return show(_configuration(settings), console)


def _configuration(settings: Settings) -> Iterator[Line]:
    yield ok("settings", "can be read")
    yield check_mode(settings)
    yield check_public_url(settings)
    yield from check_mappings(settings, current_day())
    yield from check_clients(settings)
    yield check_folder(settings.data)
    if settings.store:
        yield check_secret(settings)
    yield check_database(settings)
