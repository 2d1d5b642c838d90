"""`python -m cds_service replay`: runs the cases, shows what differs, and says so by its status."""

import difflib
import time
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import requests
from rich.console import Console
from rich.progress import track
from rich.table import Table

from cds_service.replay.cases import HL7, BrokenFixture, Case, as_text, find_cases, read_case
from cds_service.replay.clients import Post, in_process, to_url

FIXTURES = Path(__file__).parent.parent.parent / "fixtures"
SAME, DIFFERENT, BROKEN = 0, 1, 2


@dataclass(frozen=True)
class Result:
    """What came of a case; `problem` is empty where the answer is the expected one."""

    case: Case
    problem: str
    seconds: float


def replay(
    folders: list[Path], url: str | None, junit: Path | None, record: bool, dialect: str
) -> int:
    """Exit status 0 where all answers are as expected, 1 on a difference, 2 on a broken fixture.

    In another dialect than hl7 the cases count that have an answer in it.
    """
    console = Console()
    try:
        cases = [read_case(folder, dialect) for folder in find_cases(folders)]
        if dialect != HL7 and not record:
            cases = [case for case in cases if case.expected is not None]
        post = to_url(url) if url else in_process(dialect)
        shown = track(cases, "Replaying", console=console, disable=not console.is_terminal)
        results = [_run(case, post, record) for case in shown]
    except (BrokenFixture, requests.RequestException) as error:
        console.print(f"[red]{error}[/red]", soft_wrap=True)
        return BROKEN
    _show(results, console)
    if junit:
        _write_junit(results, junit)
    return DIFFERENT if any(r.problem for r in results) else SAME


def _run(case: Case, post: Post, record: bool) -> Result:
    started = time.perf_counter()
    status, response = post(case)
    seconds = time.perf_counter() - started
    if record:
        case.record(response)
        return Result(case, "", seconds)
    return Result(case, _difference(case, status, response), seconds)


def _difference(case: Case, status: int, response: object) -> str:
    if case.expected is None:
        raise BrokenFixture(f"{case.folder}: no response.json (record one with --record)")
    if status != case.status:
        return f"status {status} instead of {case.status}"
    expected, found = _lines(case.expected), _lines(as_text(response))
    return "\n".join(difflib.unified_diff(expected, found, "expected", "answered", "", "", 2, ""))


def _lines(response: str) -> list[str]:
    """The lines to compare; those within a card's detail stand by themselves."""
    return response.replace("\\n", "\n").splitlines()


def _show(results: list[Result], console: Console) -> None:
    different = [r for r in results if r.problem]
    if console.is_terminal:
        table = Table("Case", "Situation", "Result")
        for result in results:
            verdict = "[red]different[/red]" if result.problem else "[green]same[/green]"
            table.add_row(result.case.name, result.case.about, verdict)
        console.print(table)
    for result in different:
        console.rule(f"[red]{result.case.name}")
        console.print(result.problem, markup=False, highlight=False, soft_wrap=True)
    same = len(results) - len(different)
    console.print(f"{same} as expected, {len(different)} different")


def _write_junit(results: list[Result], file: Path) -> None:
    failures = str(sum(1 for r in results if r.problem))
    suite = ElementTree.Element("testsuite", name="replay", tests=str(len(results)))
    suite.set("failures", failures)
    for result in results:
        attributes = {"classname": result.case.folder.parent.name, "name": result.case.folder.name}
        case = ElementTree.SubElement(suite, "testcase", time=f"{result.seconds:.3f}", **attributes)
        if result.problem:
            failure = ElementTree.SubElement(case, "failure", message="the answer is different")
            failure.text = result.problem
    ElementTree.ElementTree(suite).write(file, encoding="utf-8", xml_declaration=True)
