"""`cds-service replay`: runs the fixtures, and shows which answers differ."""

import argparse
import difflib
import time
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import requests
from rich.console import Console
from rich.progress import track
from rich.table import Table

from cds_service.choices import DIALECTS, HL7
from cds_service.commandline import Told, command
from cds_service.fixtures import (
    BrokenFixture,
    Fixture,
    as_text,
    find_fixtures,
    read_fixture,
)
from cds_service.replay.clients import Post, in_process, to_url
from cds_service.settings import SHIPPED_MAPPINGS
from cds_service.shipped import FIXTURES

SAME, DIFFERENT, BROKEN = 0, 1, 2


@dataclass(frozen=True)
class Result:
    """The result of a fixture; `problem` is empty where the answer is the expected one."""

    fixture: Fixture
    problem: str
    seconds: float


def add_command(commands: argparse._SubParsersAction) -> None:
    """The parser."""
    parser = command(
        commands, "replay", _run_all, "compare the answers with recorded fixtures",
        "A fixture is a folder with request.json, case.json and response.json. The exit status is "
        "0 where all answers are as expected, 1 on a difference, 2 where a fixture is broken.",
        "replay",
        "replay our-fixtures --junit replay.xml",
        "replay our-fixtures/order-sign/a-new-situation --record",
        "replay our-fixtures --mappings changed-mappings",
    )  # fmt: skip
    folders = "folders of fixtures; default: those of the service"
    parser.add_argument("folders", nargs="*", type=Path, default=[FIXTURES], help=folders)
    parser.add_argument("--url", help="address of a running service; default: in this process")
    parser.add_argument("--junit", type=Path, metavar="FILE", help="write a JUnit report")
    parser.add_argument("--record", action="store_true", help="write the answers as expected")
    rules = "the rules to answer by; default: those of the service"
    parser.add_argument(
        "--mappings", type=Path, metavar="FOLDER", default=SHIPPED_MAPPINGS, help=rules
    )
    way = "how answers are written; default: hl7"
    parser.add_argument("--dialect", choices=DIALECTS, default=HL7, help=way)


def _run_all(options: argparse.Namespace) -> int:
    given = {k: v for k, v in vars(options).items() if k not in ("run", "command")}
    return replay(**given)


def replay(
    folders: list[Path],
    url: str | None,
    junit: Path | None,
    record: bool,
    dialect: str,
    mappings: Path,
) -> int:
    """Exit status 0 where all answers are as expected, 1 on a difference, 2 on a broken fixture.

    In another dialect than hl7 the fixtures count that have an answer in it.
    """
    console = Console()
    try:
        fixtures = [read_fixture(folder, dialect) for folder in find_fixtures(folders)]
        if dialect != HL7 and not record:
            fixtures = [fixture for fixture in fixtures if fixture.expected is not None]
        post = to_url(url) if url else in_process(dialect, mappings)
        shown = track(fixtures, "Replaying", console=console, disable=not console.is_terminal)
        results = [_run(fixture, post, record) for fixture in shown]
    except (BrokenFixture, requests.RequestException) as error:
        console.print(f"[red]{error}[/red]", soft_wrap=True)
        return BROKEN
    _show(results, console)
    if junit:
        _write_junit(results, junit)
    return DIFFERENT if any(r.problem for r in results) else SAME


def _run(fixture: Fixture, post: Post, record: bool) -> Result:
    started = time.perf_counter()
    status, response = post(fixture)
    seconds = time.perf_counter() - started
    if record:
        fixture.record(response)
        return Result(fixture, "", seconds)
    return Result(fixture, _difference(fixture, status, response), seconds)


def _difference(fixture: Fixture, status: int, response: object) -> str:
    if fixture.expected is None:
        raise BrokenFixture(f"{fixture.folder}: no response.json (record one with --record)")
    if status != fixture.status:
        return f"status {status} instead of {fixture.status}"
    expected, found = _lines(fixture.expected), _lines(as_text(response))
    return "\n".join(difflib.unified_diff(expected, found, "expected", "answered", "", "", 2, ""))


def _lines(response: str) -> list[str]:
    """The lines to compare; line breaks within a card's detail count, too."""
    return response.replace("\\n", "\n").splitlines()


def _show(results: list[Result], console: Console) -> None:
    different = [r for r in results if r.problem]
    if console.is_terminal:
        table = Table("Fixture", "Situation", "Result")
        for result in results:
            verdict = "[red]different[/red]" if result.problem else "[green]same[/green]"
            table.add_row(result.fixture.name, result.fixture.about, verdict)
        console.print(table)
    for result in different:
        console.rule(f"[red]{result.fixture.name}")
        console.print(result.problem, markup=False, highlight=False, soft_wrap=True)
    same = len(results) - len(different)
    console.print(f"{same} as expected, {len(different)} different")


def _write_junit(results: list[Result], file: Path) -> None:
    failures = str(sum(1 for r in results if r.problem))
    suite = ElementTree.Element("testsuite", name="replay", tests=str(len(results)))
    suite.set("failures", failures)
    for result in results:
        attributes = {
            "classname": result.fixture.folder.parent.name,
            "name": result.fixture.folder.name,
        }
        fixture = ElementTree.SubElement(
            suite, "testcase", time=f"{result.seconds:.3f}", **attributes
        )
        if result.problem:
            failure = ElementTree.SubElement(fixture, "failure", message="the answer is different")
            failure.text = result.problem
    try:
        ElementTree.ElementTree(suite).write(file, encoding="utf-8", xml_declaration=True)
    except OSError as error:
        raise Told(f"--junit: {file}: {error.strerror}") from None
