"""Buckets of patients: the unit of work, of progress, and of what a killed run need not repeat.

A patient is in the bucket that a checksum of the id says. What is found of a bucket becomes one
file, which gets its name when it is whole; so whoever writes it, and however often, it is the same.
"""

import os
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

from msgspec.json import encode

from cds_service.decision.terminology import Terminology
from cds_service.fhir.prefetch import READ
from cds_service.fhir.reading import Resource
from cds_service.retrospective.job import ENCOUNTER as BY_ENCOUNTER
from cds_service.retrospective.job import Export, Job, topics_of
from cds_service.retrospective.lines import (
    ENCOUNTER,
    ORDER,
    PATIENT,
    UNREADABLE,
    Line,
    line,
    lines_of,
)
from cds_service.retrospective.rows import Answers, answers_for
from cds_service.store.files import open_private
from cds_service.store.rows import kept_code, printable
from cds_service.store.secret import pseudonym

BYTES_OF_A_BUCKET = 16 * 1024 * 1024  # of the input
FEWEST, MOST = 8, 4096
# Of these types every resource is needed, of the others those with a code that a map knows.
WHOLE = frozenset({PATIENT, ORDER, ENCOUNTER, "Condition"})
# What is written of a bucket, each on a line of its own.
ROW, UNMAPPED, PROBLEM = "row", "unmapped", "problem"

# A patient, the number of a file, the number of a line in it, and the line.
Needed = tuple[str, int, int, bytes]


@dataclass(frozen=True)
class Buckets:
    """`number` buckets, whose files are in `folder`."""

    folder: Path
    number: int

    def of(self, patient: str) -> int:
        return zlib.crc32(patient.encode("utf-8", "backslashreplace")) % self.number

    def file(self, bucket: int) -> Path:
        return self.folder / f"{bucket:04}.ndjson"

    @property
    def left(self) -> list[int]:
        """Those that are not finished."""
        return [bucket for bucket in range(self.number) if not self.file(bucket).exists()]

    def finish(self, bucket: int, needed: Iterable[Needed], export: Export, job: Job) -> None:
        """Decides on all orders of a bucket; `needed` are its lines, by patient and place."""
        file = self.file(bucket)
        being_written = file.with_name(f".{file.name}-{os.uname().nodename}-{os.getpid()}")
        with open(being_written, "wb", opener=open_private) as out:
            for record in _found(needed, export, job):
                out.write(encode(record) + b"\n")
            out.flush()
            os.fsync(out.fileno())
        being_written.replace(file)


def number_for(size: int) -> int:
    """How many buckets an export of so many bytes is cut into."""
    return max(FEWEST, min(MOST, size // BYTES_OF_A_BUCKET))


def needed_of(
    file: Path, number: int, patients: Iterable[str] | None, job: Job
) -> Iterator[Needed]:
    """The lines of a file on which a decision may depend, of these patients, or of all."""
    wanted = None if patients is None else frozenset(patients)
    try:
        for each, _ in lines_of(file):
            is_wanted = each.patient and (wanted is None or each.patient in wanted)
            if is_wanted and not each.problem and _may_matter(each, job):
                yield each.patient, number, each.number, each.text
    except UNREADABLE:
        return  # the scan has told it


def _may_matter(each: Line, job: Job) -> bool:
    if each.kind == ENCOUNTER:
        return job.department == BY_ENCOUNTER
    if each.kind in WHOLE:
        return True
    return each.kind in READ and _says_something(each, job)


def _says_something(each: Line, job: Job) -> bool:
    resource = Resource(each.text)
    terminologies: Iterator[Terminology] = (topic.terminology for topic in topics_of(job))
    return any(resource.may_say_something(terminology) for terminology in terminologies)


def _found(needed: Iterable[Needed], export: Export, job: Job) -> Iterator[dict[str, Any]]:
    """Rows, codes in no map and problems of a bucket, patient by patient."""
    for patient, lines in groupby(needed, key=itemgetter(0)):
        placed = [(number, line(row, text)) for _, number, row, text in lines]
        try:
            answers = answers_for(patient, [each for _, each in placed], export, job)
        except Exception as error:  # a patient who cannot be evaluated spoils no other
            number, each = next(place for place in placed if place[1].kind == ORDER)
            said = f"the orders of this patient cannot be evaluated: {type(error).__name__}"
            yield {"is": PROBLEM, "file": number, "line": each.number, "problem": said}
        else:
            yield from ({"is": ROW, **row} for row in answers.rows)
            yield from _codes(answers, pseudonym(job.secret, "patient", patient))


def _codes(answers: Answers, patient: str) -> Iterator[dict[str, Any]]:
    for found, number in answers.unmapped.items():
        system, code = kept_code(found.system, found.code)
        told = {"about": found.about, "system": system, "code": code, "number": number}
        words = {"display": printable(found.display), "sounds_like": found.sounds_like}
        yield {"is": UNMAPPED, "patient": patient, **told, **words}
