"""Commands for those who run the service, and who keep the mappings and the fixtures."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from cds_service.about import VERSION
from cds_service.choices import DIALECTS, HL7
from cds_service.doctor.command import doctor
from cds_service.expansion.command import add_command as add_expand
from cds_service.mappings import MappingsError, load
from cds_service.mappings.local import with_local_codes
from cds_service.replay.command import replay
from cds_service.report.command import add_commands
from cds_service.serve import serve
from cds_service.settings import SHIPPED_MAPPINGS
from cds_service.shipped import FIXTURES

DONE, PROBLEMS = 0, 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command and returns its exit status."""
    options = _parser().parse_args(arguments)
    return options.run(options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="cds-service", description=__doc__)
    parser.add_argument("--version", action="version", version=VERSION)
    commands = parser.add_subparsers(required=True, metavar="command")
    serving = commands.add_parser("serve", help="start the service, by gunicorn")
    serving.set_defaults(run=lambda _: serve())
    lint = commands.add_parser("lint", help="check a mappings folder")
    lint.add_argument("folder", nargs="?", type=Path, default=SHIPPED_MAPPINGS)
    lint.add_argument("--codes", type=Path, metavar="FOLDER", help="a site's own codes, too")
    lint.set_defaults(run=_lint)
    replaying = commands.add_parser("replay", help="compare the answers with recorded fixtures")
    replaying.add_argument("folders", nargs="*", type=Path, default=[FIXTURES])
    replaying.add_argument("--url", help="address of a running service; default: in this process")
    replaying.add_argument("--junit", type=Path, metavar="FILE", help="write a JUnit report")
    replaying.add_argument("--record", action="store_true", help="write the answers as expected")
    replaying.add_argument("--mappings", type=Path, metavar="FOLDER", default=SHIPPED_MAPPINGS)
    replaying.add_argument("--dialect", choices=DIALECTS, default=HL7)
    replaying.set_defaults(run=lambda options: replay(**_without_run(options)))
    _add_doctor(commands.add_parser("doctor", help="check the configuration, or explain a token"))
    add_commands(commands)
    add_expand(commands)
    return parser


def _add_doctor(parser: argparse.ArgumentParser) -> None:
    parser.description = "Checks the configuration; with --token, says why a token is refused."
    parser.add_argument("--token", type=Path, metavar="FILE", help="file with the token")
    parser.add_argument("--endpoint", metavar="URL", help="address that is called with the token")

    def run(options: argparse.Namespace) -> int:
        if bool(options.token) != bool(options.endpoint):
            parser.error("--token and --endpoint go together")
        return doctor(options.token, options.endpoint)

    parser.set_defaults(run=run)


def _without_run(options: argparse.Namespace) -> dict:
    return {name: value for name, value in vars(options).items() if name != "run"}


def _lint(options: argparse.Namespace) -> int:
    """Every problem with its file and row; exit status 1 where there is one."""
    try:
        topics = load(options.folder)
        for topic in topics.values():
            codes, version = topic.terminology.size, topic.version
            print(f"{topic.id}: no problem found; {codes} codes, version {version}")
        if options.codes:
            _, number = with_local_codes(topics, options.codes)
            print(f"{options.codes}: no problem found; {number} codes of the site")
    except MappingsError as error:
        print("\n".join(error.problems))
        return PROBLEMS
    return DONE
