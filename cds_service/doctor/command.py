"""`cds-service doctor`: checks the configuration, or explains a token."""

import argparse
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from rich.console import Console

from cds_service import current_day
from cds_service.commandline import command
from cds_service.doctor.clients import check_clients
from cds_service.doctor.configuration import (
    check_hierarchies,
    check_mappings,
    check_mode,
    check_public_url,
    check_settings,
)
from cds_service.doctor.lines import Line, problem, show
from cds_service.doctor.store import check_database, check_folder, check_secret
from cds_service.doctor.terminology import check_terminology_server
from cds_service.doctor.token import explain_file
from cds_service.settings import ConfigError, Settings, settings_from


def add_command(commands: argparse._SubParsersAction) -> None:
    """The parser."""
    about = "check the configuration, or say why a token is refused"
    parser = command(
        commands, "doctor", lambda _: 0, about,
        "It reads the settings as the service does, and says for each thing whether it is right, "
        "and what to do where it is not. No token is sent and none is used up. The exit status "
        "is 1 where there is a problem.",
        "doctor",
        "doctor --token token \\\n      --endpoint https://cds.example.org/cds-services",
    )  # fmt: skip
    parser.add_argument("--token", type=Path, metavar="FILE", help="file with the token")
    parser.add_argument("--endpoint", metavar="URL", help="address that is called with the token")

    def run(options: argparse.Namespace) -> int:
        if bool(options.token) != bool(options.endpoint):
            parser.error("--token and --endpoint go together")
        return doctor(options.token, options.endpoint)

    parser.set_defaults(run=run)


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
        problems = str(error).splitlines()
        return show([problem("settings", f"{text}; correct it") for text in problems], console)
    if token and endpoint:
        return show(explain_file(token, endpoint, settings), console)
    return show(_configuration(settings, environment), console)


def _configuration(settings: Settings, environment: Mapping[str, str]) -> Iterator[Line]:
    yield from check_settings(environment)
    yield check_mode(settings)
    yield check_public_url(settings)
    yield from check_mappings(settings, current_day())
    yield check_hierarchies(settings)
    yield from check_terminology_server(settings)
    yield from check_clients(settings)
    yield check_folder(settings.data)
    if settings.store:
        yield check_secret(settings)
    yield check_database(settings)
