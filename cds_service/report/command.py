"""The commands on the database: report, feedback, unmapped, suggest, purge and migrate."""

import argparse
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from rich.console import Console
from sqlalchemy.engine import Connection

from cds_service.commandline import Told, command, day
from cds_service.decision.topic import OrderWords, Topics
from cds_service.fhir.unmapped import CONDITION, ORDER, REASON
from cds_service.mappings import load
from cds_service.mappings.local_rows import COLUMNS, COUNT, SOUNDS_LIKE
from cds_service.report import feedback
from cds_service.report.figures import BY, Period, Report
from cds_service.report.formats import as_csv, as_json, csv_of
from cds_service.report.measure import as_measure_report
from cds_service.report.proposals import proposal
from cds_service.report.queries import make_report
from cds_service.report.reasons import reason_words
from cds_service.report.tables import as_tables
from cds_service.report.unmapped import unmapped_in
from cds_service.settings import Settings, settings_from
from cds_service.store.database import Database, translated_errors
from cds_service.store.files import make_folder
from cds_service.store.retention import purge
from cds_service.store.schema import LATEST, migrate
from cds_service.store.store import StoreLocation, load_spool

UNMAPPED = {
    "unmapped": "list the codes that are in no map, as CSV to be filled in",
    "suggest": "list them with procedure and region, where the words of an order are clear",
}
DONE = 0
FHIR = "fhir"
FORMATS = ("table", "csv", "json", FHIR)
DAYS = 30


def add_commands(commands: argparse._SubParsersAction) -> None:
    """The parsers."""
    _add_report(commands)
    _add_feedback(commands)
    for name, about in UNMAPPED.items():
        _add_unmapped(commands, name, about)
    command(
        commands, "purge", _with_store(_purge), "delete what is older than CDS_KEEP_DAYS",
        "To be run once a day. It says how many rows are gone.",
    )  # fmt: skip
    moving = command(
        commands, "migrate", _with_store(_migrate), "bring the tables to a version",
        "A start of the service does so by itself. An older version takes columns away.",
        "migrate", "migrate 0005",
    )  # fmt: skip
    version = "head (default), base or a version"
    moving.add_argument("to", nargs="?", default=LATEST, metavar="VERSION", help=version)


def _add_report(commands: argparse._SubParsersAction) -> None:
    report = command(
        commands, "report", _with_store(_report), "say what became of the advice",
        "Orders, cards, what was accepted and overridden, and what was missing.",
        "report", "report --since 2026-10-01 --by variant",
        "report --since 2026-10-01 --until 2026-10-31 --format fhir",
    )  # fmt: skip
    _add_period(report)
    report.add_argument("--by", choices=BY, help="the parts of the report; default: in all")
    form = "default: table"
    report.add_argument("--format", choices=FORMATS, default="table", help=form)


def _add_feedback(commands: argparse._SubParsersAction) -> None:
    export = command(
        commands, "feedback", _with_store(_feedback), "export the feedback of users, one by one",
        "It has the fields of 45 CFR 170.315(b)(11)(ii)(C).",
        "feedback --since 2026-10-01 > feedback.csv",
    )  # fmt: skip
    _add_period(export)
    form = "default: csv"
    export.add_argument("--format", choices=("csv", "json"), default="csv", help=form)


def _add_unmapped(commands: argparse._SubParsersAction, name: str, about: str) -> None:
    finding = command(
        commands, name, _with_store(_unmapped), about,
        "The most frequent come first. Fill the list in, and put it into the client's `codes`.",
        f"{name} --since 2026-10-01 > orders.csv", f"{name} --about condition > findings.csv",
    )  # fmt: skip
    _add_period(finding)
    which = f"codes of what; default: {ORDER}"
    finding.add_argument("--about", choices=(ORDER, REASON, CONDITION), default=ORDER, help=which)


def _add_period(parser: argparse.ArgumentParser) -> None:
    today = datetime.now(UTC).date()
    first = today - timedelta(days=DAYS - 1)
    since = f"first day (UTC); default: so that it is {DAYS} days"
    until = "last day (UTC); default: today"
    parser.add_argument("--since", type=day, default=first, metavar="DATE", help=since)
    parser.add_argument("--until", type=day, default=today, metavar="DATE", help=until)


Work = Callable[[argparse.Namespace, Settings, Database], int]


def _with_store(work: Work) -> Callable[[argparse.Namespace], int]:
    """The command with the database of the settings. Raises ConfigError and StoreDown."""

    def run(options: argparse.Namespace) -> int:
        settings = settings_from()
        with _store(settings) as database:
            return work(options, settings, database)

    return run


@contextmanager
def _store(settings: Settings) -> Iterator[Database]:
    try:
        make_folder(settings.data)
    except OSError as error:
        raise Told(f"CDS_DATA: {settings.data}: {error.strerror}") from None
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
        with translated_errors():
            version = migrate(database.engine(), options.to)
    except LookupError:
        raise Told(f"There is no version {options.to}.") from None
    print(f"The tables are at version {version or 'none'}.")
    return DONE
