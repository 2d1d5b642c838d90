"""A run: scan the files, decide bucket by bucket, and write what was found."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from cds_service.retrospective.buckets import Buckets, number_for
from cds_service.retrospective.folder import Folder, RunError
from cds_service.retrospective.job import Export, Job
from cds_service.retrospective.lines import files_of
from cds_service.retrospective.manifest import (
    FINISHED,
    Manifest,
    check_same,
    earlier,
    manifest_for,
)
from cds_service.retrospective.processes import Tell
from cds_service.retrospective.progress import IN_BYTES, Progress
from cds_service.retrospective.results import write_results
from cds_service.retrospective.scan import Scan, export_of
from cds_service.store.files import make_folder


class Driver(Protocol):
    """What drives the same functions over all files: on one machine, or on many."""

    def scan(self, files: list[Path], job: Job, told: Tell) -> Iterator[Scan]: ...

    def finish(
        self, files: list[Path], patients: set[str], export: Export, job: Job, buckets: Buckets
    ) -> Iterator[int]: ...


@dataclass(frozen=True)
class Scanned:
    """The files in their order, and what was found in each."""

    files: list[Path]
    scans: list[Scan]

    @property
    def export(self) -> Export:
        return export_of(self.scans)

    @property
    def patients(self) -> set[str]:
        return set().union(*(found.patients for found in self.scans))


def run(
    exports: list[Path], folder: Folder, job: Job, driver: Driver, progress: Progress
) -> tuple[Manifest, Scanned]:
    """The manifest of the finished run, and what was scanned; one that is finished already is not
    made again. Raises RunError.
    """
    started = datetime.now(UTC)
    before = earlier(folder)
    scanned = _scanned(_files(exports), job, driver, progress)
    manifest = manifest_for(job, scanned.scans, started.isoformat(timespec="seconds"))
    if before:
        check_same(before, manifest)
        if before.state == FINISHED:
            folder.remove(folder.buckets)
            return before, scanned
    make_folder(folder.buckets)
    manifest.write(folder)
    _decide(scanned, folder, job, driver, progress)
    write_results(folder, scanned.scans, manifest)
    _end(manifest, started, folder)
    return manifest, scanned


def _files(exports: list[Path]) -> list[Path]:
    missing = [str(export) for export in exports if not export.exists()]
    if missing:
        raise RunError(f"there is no {', '.join(missing)}")
    files = files_of(exports)
    if not files:
        raise RunError("no file in the export")
    return files


def _scanned(files: list[Path], job: Job, driver: Driver, progress: Progress) -> Scanned:
    size = sum(file.stat().st_size for file in files)
    with progress.stage("Reading", size, IN_BYTES) as told:
        found = {each.file: each for each in driver.scan(files, job, told)}
    return Scanned(files, [found[file] for file in files])


def _decide(scanned: Scanned, folder: Folder, job: Job, driver: Driver, progress: Progress) -> None:
    """Finishes the buckets that no earlier run has finished."""
    buckets = Buckets(folder.buckets, number_for(sum(each.size for each in scanned.scans)))
    left = set(buckets.left)
    patients = {each for each in scanned.patients if buckets.of(each) in left}
    with progress.stage("Deciding", buckets.number) as told:
        told(buckets.number - len(left))
        for _ in driver.finish(scanned.files, patients, scanned.export, job, buckets):
            told(1)


def _end(manifest: Manifest, started: datetime, folder: Folder) -> None:
    ended = datetime.now(UTC)
    manifest.state = FINISHED
    manifest.times["finished"] = ended.isoformat(timespec="seconds")
    manifest.times["seconds"] = round((ended - started).total_seconds(), 1)
    manifest.write(folder)
    folder.remove(folder.buckets)
