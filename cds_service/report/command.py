"""The commands on the database: report, feedback, unmapped, suggest, purge and migrate."""

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta

from rich.console import Console
from sqlalchemy.engine import Connection

from cds_service.decision.topic import OrderWords, Topics
from cds_service.fhir.unmapped import CONDITION, ORDER, REASON
from cds_service.mappings import load
from cds_service.mappings.local_rows import COLUMNS, COUNT, SOUNDS_LIKE
from cds_service.report import feedback
from cds_service.report.figures import BY, Period, Report
from cds_service.report.formats import as_csv, as_json, as_tables, csv_of
from cds_service.report.measure import as_measure_report
from cds_service.report.proposals import proposal
from cds_service.report.queries import make_report
from cds_service.report.reasons import reason_words
from cds_service.report.unmapped import unmapped_in
from cds_service.settings import ConfigError, Settings, settings_from
from cds_service.store.database import Database, StoreDown
from cds_service.store.retention import purge
from cds_service.store.schema import LATEST, migrate
from cds_service.store.store import StoreLocation, load_spool

UNMAPPED = {
    "unmapped": "list the codes that are in no map, as a CSV file to be filled in",
    "suggest": "the same, filled in where an order's words are clear; to be confirmed by a person",
}
DONE, FAILED = 0, 1
FHIR = "fhir"
FORMATS = ("table", "csv", "json", FHIR)
DAYS = 30
WIDEST = 180  # so many columns do not fit into less


def add_commands(commands: argparse._SubParsersAction) -> None:
    """The parsers; each sets `run`."""
    report = commands.add_parser("report", help="what became of the advice")
    _add_period(report)
    report.add_argument("--by", choices=BY, help="the parts of the report; default: in all")
    report.add_argument("--format", choices=FORMATS, default="table")
    report.set_defaults(run=_with_store(_report))
    export = commands.add_parser("feedback", help="export the feedback of users, one by one")
    _add_period(export)
    export.add_argument("--format", choices=("csv", "json"), default="csv")
    export.set_defaults(run=_with_store(_feedback))
    for name, about in UNMAPPED.items():
        finding = commands.add_parser(name, help=about)
        _add_period(finding)
        finding.add_argument("--about", choices=(ORDER, REASON, CONDITION), default=ORDER)
        finding.set_defaults(run=_with_store(_unmapped), command=name)
    cleaning = commands.add_parser("purge", help="delete what is older than CDS_KEEP_DAYS")
    cleaning.set_defaults(run=_with_store(_purge))
    moving = commands.add_parser("migrate", help="bring the tables to a version")
    moving.add_argument("to", nargs="?", default=LATEST, help="head (default), base or a version")
    moving.set_defaults(run=_with_store(_migrate))


def _add_period(parser: argparse.ArgumentParser) -> None:
    today = datetime.now(UTC).date()
    first = today - timedelta(days=DAYS)
    parser.add_argument("--since", type=_day, default=first, metavar="DATE", help="first day (UTC)")
    parser.add_argument("--until", type=_day, default=today, metavar="DATE", help="last day (UTC)")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is no date like 2026-10-01") from None


Work = Callable[[argparse.Namespace, Settings, Database], int]


def _with_store(work: Work) -> Callable[[argparse.Namespace], int]:
    """The command with the database of the settings; prints what is wrong with it."""

    def run(options: argparse.Namespace, environment: Mapping[str, str] = os.environ) -> int:
        try:
            settings = settings_from(environment)
            with _store(settings) as database:
                return work(options, settings, database)
        except (ConfigError, StoreDown) as error:
            print(error, file=sys.stderr)
            return FAILED

    return run


@contextmanager
def _store(settings: Settings) -> Iterator[Database]:
    database = StoreLocation(settings.database_url, settings.data).database()
    try:
        yield database
    finally:
        database.close()


@contextmanager
def _all_of(settings: Settings, database: Database) -> Iterator[Connection]:
    """A connection, after what a stopped service left in the spool is loaded."""
    load_spool(StoreLocation(settings.database_url, settings.data), database)
    with database.begin() as connection:
        yield connection


def _period(options: argparse.Namespace) -> Period:
    return Period(options.since, options.until)


def _report(options: argparse.Namespace, settings: Settings, database: Database) -> int:
    bys = [options.by] if options.by else []
    topics = load(settings.mappings)
    with _all_of(settings, database) as connection:
        report = make_report(connection, _period(options), *bys, reasons=reason_words(topics))
    if options.format == FHIR:
        _print_measure_report(report, topics)
    else:
        PRINT[options.format](report)
    return DONE


def _print_table(report: Report) -> None:
    console = Console()
    console.width = max(console.width, WIDEST)
    for table in as_tables(report):
        console.print(table)


PRINT: dict[str, Callable[[Report], None]] = {
    "table": _print_table,
    "csv": lambda report: print(as_csv(report), end=""),
    "json": lambda report: print(as_json(report)),
}


def _print_measure_report(report: Report, topics: Topics) -> None:
    (topic, *_) = topics.values()
    print(json.dumps(as_measure_report(report, datetime.now(UTC), topic.about), indent=2))


def _feedback(options: argparse.Namespace, settings: Settings, database: Database) -> int:
    with _all_of(settings, database) as connection:
        topics = load(settings.mappings)
        rows = list(feedback.feedback_in(connection, _period(options), topics))
    print(feedback.as_csv(rows) if options.format == "csv" else feedback.as_json(rows))
    return DONE


def _unmapped(options: argparse.Namespace, settings: Settings, database: Database) -> int:
    """Prints the columns of a site's map, how often each code came, and what it sounds like."""
    with _all_of(settings, database) as connection:
        found = [u for u in unmapped_in(connection, _period(options)) if u.about == options.about]
    column = "procedure" if options.about == ORDER else "finding"
    words = _order_words(options, settings)
    rows = [[u.code, u.display, u.system, *proposal(u.display, words), u.number] for u in found]
    header = [*COLUMNS[column], COUNT]
    if options.about == CONDITION:
        header.append(SOUNDS_LIKE)
        rows = [[*row, u.sounds_like] for row, u in zip(rows, found, strict=True)]
    print(csv_of(header, rows), end="")
    return DONE


def _order_words(options: argparse.Namespace, settings: Settings) -> list[OrderWords]:
    """The words by which `suggest` proposes procedure and region; none for `unmapped`."""
    topics = load(settings.mappings) if options.command == "suggest" else {}
    return [topic.order_words for topic in topics.values()]


def _purge(_: argparse.Namespace, settings: Settings, database: Database) -> int:
    for table, number in purge(database, settings.keep_days).items():
        print(f"{table}: {number} rows deleted")
    return DONE


def _migrate(options: argparse.Namespace, _: Settings, database: Database) -> int:
    try:
        version = migrate(database.engine(), options.to)
    except LookupError:
        print(f"There is no version {options.to}.", file=sys.stderr)
        return FAILED
    print(f"The tables are at version {version or 'none'}.")
    return DONE
