"""Fixture cases on disk: FOLDER/<hook>/<case-as-a-phrase>/{case,request,response}.json."""

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any


class BrokenFixture(Exception):
    """A case that cannot be run; the text names the file and what is wrong with it."""


@dataclass(frozen=True)
class Case:
    """`today` counts as today for orders without a date; `status` is the expected HTTP status.

    `expected` is the text of response.json, or None where nothing is recorded yet.
    """

    folder: Path
    about: str
    today: date
    status: int
    request: Any
    expected: str | None

    @property
    def name(self) -> str:
        return f"{self.folder.parent.name}/{self.folder.name}"

    def record(self, response: Any) -> None:
        (self.folder / "response.json").write_text(as_text(response), "utf-8")


def as_text(response: Any) -> str:
    """A response as it stands in response.json."""
    return json.dumps(response, indent=2, ensure_ascii=False) + "\n"


def find_cases(folders: list[Path]) -> list[Path]:
    """The folders of all cases at or below the given ones. Raises BrokenFixture on none."""
    found = []
    for folder in folders:
        here = sorted(path.parent for path in folder.rglob("request.json"))
        if not here:
            raise BrokenFixture(f"{folder}: no case found (a case is a folder with a request.json)")
        found += here
    return found


def read_case(folder: Path) -> Case:
    """One case. Raises BrokenFixture."""
    notes = _json(folder / "case.json")
    response = folder / "response.json"
    try:
        return Case(
            folder=folder,
            about=str(notes["about"]),
            today=date.fromisoformat(notes["today"]),
            status=int(notes.get("status", 200)),
            request=_json(folder / "request.json"),
            expected=response.read_text("utf-8") if response.exists() else None,
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
