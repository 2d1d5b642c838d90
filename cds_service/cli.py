"""Commands for those who run the service, and who keep the mappings and the fixtures."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from cds_service import trial_token
from cds_service.about import VERSION
from cds_service.commandline import Told, command
from cds_service.configuration import ConfigurationError
from cds_service.doctor.command import add_command as add_doctor
from cds_service.expansion.command import add_command as add_expand
from cds_service.explain.command import add_command as add_explain
from cds_service.extras import MissingExtra
from cds_service.mappings import MappingsError, load
from cds_service.mappings.local import with_local_codes
from cds_service.replay.command import add_command as add_replay
from cds_service.report.command import add_commands as add_reports
from cds_service.retrospective.command import add_command as add_retrospective
from cds_service.serve import serve
from cds_service.settings import SHIPPED_MAPPINGS
from cds_service.store.database import StoreDown

DONE, PROBLEMS = 0, 1
# What was typed or configured wrong. All else is a fault of ours, and shows where it happened.
WRONG = (Told, ConfigurationError, MissingExtra, StoreDown)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command and returns its exit status."""
    options = _parser().parse_args(arguments)
    try:
        return options.run(options)
    except WRONG as error:
        print(error, file=sys.stderr)
        return PROBLEMS


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="cds-service", description=__doc__,
        epilog="`cds-service COMMAND --help` has examples. Settings are environment variables; "
        "docs/configuration.md lists them.",
    )  # fmt: skip
    parser.add_argument("--version", action="version", version=VERSION)
    commands = parser.add_subparsers(required=True, metavar="COMMAND", title="commands")
    about = "start the service, by gunicorn"
    more = "More options of gunicorn go into GUNICORN_CMD_ARGS."
    examples = ("serve", "serve    # with CDS_AUTH=open: for anyone, to try it")
    command(commands, "serve", lambda _: serve(), about, more, *examples)
    add_doctor(commands)
    add_explain(commands)
    trial_token.add_command(commands)
    add_replay(commands)
    _add_lint(commands)
    add_reports(commands)
    add_expand(commands)
    add_retrospective(commands)
    return parser


def _add_lint(commands: argparse._SubParsersAction) -> None:
    lint = command(
        commands, "lint", _lint, "check a mappings folder, and a site's own codes",
        "Each problem is a line with file and row; the exit status is 1 then.",
        "lint", "lint --codes codes", "lint my-mappings",
    )  # fmt: skip
    folder = "the mappings; default: those of the service"
    lint.add_argument("folder", nargs="?", type=Path, default=SHIPPED_MAPPINGS, help=folder)
    lint.add_argument("--codes", type=Path, metavar="FOLDER", help="a site's own codes, too")


def _lint(options: argparse.Namespace) -> int:
    """Prints every problem with its file and row; exit status 1 where there is one."""
    try:
        _check(options.folder, options.codes)
    except MappingsError as error:
        print(error)
        return PROBLEMS
    return DONE


def _check(folder: Path, codes: Path | None) -> None:
    """Raises MappingsError."""
    topics = load(folder)
    for topic in topics.values():
        size, version = topic.terminology.size, topic.version
        print(f"{topic.id}: no problem found; {size} codes, version {version}")
    if codes:
        _, number = with_local_codes(topics, codes)
        print(f"{codes}: no problem found; {number} codes of the site")
