"""The lines of an export: NDJSON files of any name, also gzipped; each line tells its own type."""

import gzip
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from msgspec import Struct, ValidationError
from msgspec.json import Decoder

from cds_service.fhir.prefetch import READ
from cds_service.fhir.reading import HALF, NOT_JSON

PATIENT, ORDER, ENCOUNTER = "Patient", "ServiceRequest", "Encounter"
# What is read of a patient; the others only tell names.
OF_A_PATIENT = READ | {ORDER, ENCOUNTER}
NAMED = frozenset({"Organization", "Location", "PractitionerRole"})
# What reading a file raises: it is not there, no gzip, or cut off.
UNREADABLE = (OSError, EOFError, zlib.error)
# An id without what ends it in a reference, and without blanks and control characters.
ID = r"([^/|#?\s\x00-\x1f\x7f]+)"
OWNER = re.compile(rf"(?:^|/)Patient/{ID}(?:[/|#?]|$)|^urn:(?:uuid|oid):{ID}$")
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Pointer(Struct):
    reference: str = ""


class Head(Struct):
    """What every line is asked for, typed as in FHIR."""

    resourceType: str = ""
    id: str = ""
    subject: Pointer | None = None
    patient: Pointer | None = None


HEAD = Decoder(Head)


class Line(Struct, frozen=True):
    """A line of a file, counted from 1. `patient` is the id of whom it is about, if anyone;
    `problem` says why it cannot be used, without a word of what it holds.
    """

    number: int
    text: bytes
    kind: str = ""
    id: str = ""
    patient: str = ""
    problem: str = ""


def files_of(exports: list[Path]) -> list[Path]:
    """The files that are named, and all in the folders that are named but hidden ones."""
    found: dict[Path, None] = {}
    for export in exports:
        inside = sorted(path for path in export.rglob("*") if path.is_file())
        shown = (p for p in inside if not any(n[0] == "." for n in p.relative_to(export).parts))
        found.update(dict.fromkeys(shown if export.is_dir() else [export]))
    return list(found)


def lines_of(file: Path) -> Iterator[tuple[Line, int]]:
    """Each line that is not empty, and how many bytes of the file were read so far. Raises one of
    UNREADABLE, perhaps after some lines.
    """
    with file.open("rb") as raw, _unpacked(file, raw) as opened:
        for number, text in enumerate(opened, 1):
            text = text.removeprefix(BYTE_ORDER_MARK).strip()
            if text:
                yield line(number, text), raw.tell()


def line(number: int, text: bytes) -> Line:
    """The line with what its head tells."""
    try:
        text.decode()
        text = HALF.sub(rb"\\ufffd", text) if rb"\u" in text else text
        head = HEAD.decode(text)
    except ValidationError as error:
        return Line(number, text, problem=f"not as in FHIR: {error}")
    except (*NOT_JSON, RecursionError):
        return Line(number, text, problem="not JSON")
    if not head.resourceType:
        return Line(number, text, problem="no resourceType")
    if head.resourceType not in OF_A_PATIENT:
        return Line(number, text, head.resourceType, head.id)
    if head.resourceType == PATIENT:
        patient, missing = _id(head.id), "id"
    else:
        patient, missing = _owner(head), "subject that is a Patient"
    problem = "" if patient else f"{head.resourceType} without {missing}"
    return Line(number, text, head.resourceType, head.id, patient, problem)


def _id(text: str) -> str:
    return text if re.fullmatch(ID, text) else ""


def _owner(head: Head) -> str:
    pointers = (head.subject, head.patient)
    found = (OWNER.search(pointer.reference) for pointer in pointers if pointer)
    return next((owner[1] or owner[2] for owner in found if owner), "")


def _unpacked(file: Path, raw: IO[bytes]) -> IO[bytes]:
    is_packed = raw.peek(2)[:2] == b"\x1f\x8b"
    return gzip.open(raw) if is_packed else raw
