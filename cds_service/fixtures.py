"""Fixtures on disk: FOLDER/<hook>/<situation-as-a-phrase>/{case,request,response}.json.

The answer in another dialect than hl7 is response.<dialect>.json, in the fixtures where it
differs in a way worth reading.
"""

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from cds_service.choices import HL7


class BrokenFixture(Exception):
    """A fixture that cannot be run; the text names the file and what is wrong with it."""


@dataclass(frozen=True)
class Fixture:
    """`today` counts as today for orders without a date; `status` is the expected HTTP status.

    `expected` is the text of the response in a dialect, or None where nothing is recorded yet;
    `service` is the id of the CDS service, empty for the first one of discovery.
    """

    folder: Path
    dialect: str
    about: str
    today: date
    status: int
    request: Any
    expected: str | None
    service: str = ""

    @property
    def name(self) -> str:
        return f"{self.folder.parent.name}/{self.folder.name}"

    def record(self, response: Any) -> None:
        response_file(self.folder, self.dialect).write_text(as_text(response), "utf-8")


def response_file(folder: Path, dialect: str) -> Path:
    """Where the answer of a fixture is recorded."""
    return folder / ("response.json" if dialect == HL7 else f"response.{dialect}.json")


def as_text(response: Any) -> str:
    """A response as it stands in response.json."""
    return json.dumps(response, indent=2, ensure_ascii=False) + "\n"


def find_fixtures(folders: list[Path]) -> list[Path]:
    """The folders of all fixtures at or below the given ones. Raises BrokenFixture on none."""
    found = []
    for folder in folders:
        here = sorted(path.parent for path in folder.rglob("request.json"))
        if not here:
            raise BrokenFixture(
                f"{folder}: no fixture found (a fixture is a folder with a request.json)"
            )
        found += here
    return found


def read_fixture(folder: Path, dialect: str = HL7) -> Fixture:
    """One fixture. Raises BrokenFixture."""
    notes = _json(folder / "case.json")
    response = response_file(folder, dialect)
    try:
        return Fixture(
            folder=folder,
            dialect=dialect,
            about=str(notes["about"]),
            today=date.fromisoformat(notes["today"]),
            status=int(notes.get("status", 200)),
            request=_json(folder / "request.json"),
            expected=response.read_text("utf-8") if response.exists() else None,
            service=str(notes.get("service", "")),
        )
    except (KeyError, TypeError, ValueError) as error:
        wanted = 'must hold "about" (a phrase) and "today" (a date)'
        raise BrokenFixture(f"{folder / 'case.json'}: {wanted}: {error}") from error


def _json(file: Path) -> Any:
    try:
        return json.loads(file.read_text("utf-8"))
    except OSError as error:
        raise BrokenFixture(f"{file}: {error.strerror}") from error
    except ValueError as error:
        raise BrokenFixture(f"{file}: not JSON: {error}") from error
