"""What is made of a finished run for people: the report, a summary, and a sample for review."""

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from cds_service.language import ENGLISH
from cds_service.retrospective.figures import Figures, figures_of
from cds_service.retrospective.folder import Folder
from cds_service.retrospective.job import Job, Wanted
from cds_service.retrospective.manifest import Manifest
from cds_service.retrospective.page import headline, told_in, write_report
from cds_service.retrospective.progress import IN_BYTES, Progress
from cds_service.retrospective.references import references, write_ids
from cds_service.retrospective.reviewed import reviewed
from cds_service.retrospective.run import Scanned
from cds_service.retrospective.sample import write_sample

MOST_CODES = 3


def write_outcome(
    folder: Folder,
    manifest: Manifest,
    scanned: Scanned,
    job: Job,
    wanted: Wanted,
    progress: Progress,
) -> None:
    """Writes what is wanted, and prints a summary. Raises RunError."""
    reviews = reviewed(wanted.reviewed, folder) if wanted.reviewed else None
    if wanted.ids:
        _write_data_of_patients(folder, scanned, job, wanted, progress)
    figures = figures_of(folder, manifest)
    write_report(folder, figures, reviews, job, wanted.language)
    _print_summary(figures, job, folder)


def _write_data_of_patients(
    folder: Folder, scanned: Scanned, job: Job, wanted: Wanted, progress: Progress
) -> None:
    size = sum(found.size for found in scanned.scans)
    with progress.stage("Finding ids", size, IN_BYTES) as told:
        found = references(folder, scanned.files, job, told)
    write_ids(folder, found)
    if wanted.sample:
        write_sample(folder, scanned, found, job, wanted)


def _print_summary(figures: Figures, job: Job, folder: Folder) -> None:
    """The numbers that the report begins with; small ones are hidden as they are there."""
    told = told_in(ENGLISH, figures, job)
    table = Table(show_header=False, box=SIMPLE_HEAD)
    for name, value in headline(told).items():
        table.add_row(name, value)
    for code in figures.unmapped[:MOST_CODES]:
        table.add_row("in no map", f"{code['code']} {code['display'] or ''}".strip())
    table.add_row("problems", str(figures.manifest.counts["problems"]))
    console = Console()
    console.print(table)
    console.print(f"{folder.report}", soft_wrap=True)
