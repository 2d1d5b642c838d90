"""`cds-service retrospective`: what the service would have said of the orders of an export."""

import argparse
import os
import re
from contextlib import AbstractContextManager
from pathlib import Path

from rich.console import Console

from cds_service.access.clients import Client
from cds_service.commandline import command, day
from cds_service.extras import check_extra
from cds_service.retrospective.client import client_named, silence_of
from cds_service.retrospective.folder import Folder, RunError
from cds_service.retrospective.job import DEPARTMENTS, ENCOUNTER, Job, Wanted, topics_of
from cds_service.retrospective.progress import Progress
from cds_service.settings import Settings, settings_from
from cds_service.store.secret import secret_of

DUCKDB, SPARK = DRIVERS = ("duckdb", "spark")
EXTRAS = {DUCKDB: ("retrospective",), SPARK: ("spark", "retrospective")}
MEMORY = re.compile(r"[1-9]\d{0,5}(MB|GB)")
HERE = "local[*]"
DONE = 0


def add_command(commands: argparse._SubParsersAction) -> None:
    """The parser."""
    parser = command(
        commands, "retrospective", retrospective,
        "what the service would have said of the orders of a FHIR Bulk Data export",
        "Reads NDJSON files, also gzipped, and writes rows, counts and a report into a folder; a "
        "run that was stopped goes on where it was. docs/retrospective.md says how to read it.",
        "retrospective export --out results",
        "retrospective export --out results --client a --from 2025-01-01",
        "retrospective export --out results --with-ids --sample 60",
        "retrospective export --out results --reviewed reviews.csv",
    )  # fmt: skip
    told = "file or folder of a FHIR Bulk Data export"
    parser.add_argument("exports", nargs="+", type=Path, metavar="EXPORT", help=told)
    parser.add_argument("--out", required=True, type=Path, metavar="FOLDER", help="for the results")
    parser.add_argument("--topic", default="", help="id of the one topic; default: all")
    parser.add_argument(
        "--from", dest="since", type=day, metavar="DATE", help="first day of orders"
    )
    parser.add_argument("--to", dest="until", type=day, metavar="DATE", help="last day of orders")
    told = "whose codes, silence and language hold; default: open mode"
    parser.add_argument("--client", default="", metavar="NAME", help=told)
    told = f"which reference of an order tells its department; default: {ENCOUNTER}"
    parser.add_argument("--department", choices=DEPARTMENTS, default=ENCOUNTER, help=told)
    _add_driving(parser)
    _add_review(parser)


def _add_driving(parser: argparse.ArgumentParser) -> None:
    told = f"what drives the run; default: {DUCKDB}"
    parser.add_argument("--engine", choices=DRIVERS, default=DUCKDB, help=told)
    parser.add_argument("--master", default=HERE, metavar="URL", help="of Spark; default: here")
    told = "most for sorting (DuckDB, default 500MB), or of each executor (Spark, default 1GB)"
    parser.add_argument("--memory", type=_memory, metavar="SIZE", help=told)
    again = parser.add_mutually_exclusive_group()
    again.add_argument("--resume", action="store_true", help="go on where a run stopped (default)")
    again.add_argument("--anew", action="store_true", help="begin again")


def _add_review(parser: argparse.ArgumentParser) -> None:
    told = "write so many answers with the facts, for chart review (data of patients)"
    parser.add_argument("--sample", type=int, default=0, metavar="N", help=told)
    told = "write which order is which (data of patients)"
    parser.add_argument("--with-ids", action="store_true", help=told)
    told = "CSV of reviewed orders: the columns order and review (right or wrong)"
    parser.add_argument("--reviewed", type=Path, metavar="FILE", help=told)


def _memory(text: str) -> str:
    if not MEMORY.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text} is no size like 500MB or 2GB")
    return text


def retrospective(options: argparse.Namespace) -> int:
    """Makes the run, or what is left of it, and what is wanted of it. Raises RunError, MissingExtra
    and ConfigurationError.
    """
    for extra in EXTRAS[options.engine]:
        check_extra(extra, f"--engine {options.engine}")
    if options.sample and not options.with_ids:
        raise RunError("--sample shows data of patients, and needs --with-ids")
    # Imported here: they need the libraries of the extra.
    from cds_service.retrospective.outcome import write_outcome
    from cds_service.retrospective.run import run

    settings, folder = settings_from(), Folder(options.out)
    progress = Progress(Console(stderr=True))
    os.umask(0o077)
    with folder.taken():
        if options.anew:
            folder.begin_anew()
        client = client_named(options.client, settings)
        job = _job(options, settings, client, folder)
        with folder.spilling() as spill, _driver(options, spill) as driver:
            manifest, scanned = run(options.exports, folder, job, driver, progress)
        wanted = Wanted(options.sample, options.with_ids, options.reviewed, client.language)
        write_outcome(folder, manifest, scanned, job, wanted, progress)
    return DONE


def _job(options: argparse.Namespace, settings: Settings, client: Client, folder: Folder) -> Job:
    job = Job(
        mappings=settings.mappings,
        codes=client.codes,
        topic=options.topic,
        silence=silence_of(client),
        on_too_little=client.on_too_little,
        since=options.since,
        until=options.until,
        department=options.department,
        secret=secret_of("", folder.path),
    )
    if not topics_of(job):
        raise RunError(f"there is no topic {options.topic}")
    return job


def _driver(options: argparse.Namespace, spill: Path) -> AbstractContextManager:
    if options.engine == DUCKDB:
        from cds_service.retrospective.by_duckdb import on_duckdb

        return on_duckdb(spill, options.memory)
    from cds_service.retrospective.by_spark import on_spark

    return on_spark(spill, options.memory, options.master)
