"""The first reading of a file: what is in it, what is wrong in it, and whose charts are needed."""

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from cds_service.decision.topic import Topic
from cds_service.fhir.plain import Json, as_dict, as_text, codings, dicts
from cds_service.fhir.prefetch import KEYS
from cds_service.fhir.reading import whole
from cds_service.fhir.selected import ORDER_SIGN, SelectedOrders, select_orders
from cds_service.retrospective.as_of import draft_of
from cds_service.retrospective.job import Export, Job, topics_of
from cds_service.retrospective.lines import NAMED, ORDER, UNREADABLE, Line, lines_of
from cds_service.retrospective.moment import moment
from cds_service.retrospective.processes import Tell

MOST_PROBLEMS = 1_000  # named of each file; the others are counted
LONGEST_NAME = 80
TOLD_EVERY = 2_000  # lines


@dataclass
class Scan:
    """`digest` is the SHA-256 of the file; `kinds` counts its resources by type; `problems` are
    the number of a line (0 for the whole file) and what is wrong with it. `patients` are those with
    an order that is ours, or may be; `undated` counts orders of ours without a day.
    """

    file: Path
    size: int = 0
    digest: str = ""
    kinds: Counter[str] = field(default_factory=Counter)
    problems: list[tuple[int, str]] = field(default_factory=list)
    unnamed_problems: int = 0
    patients: set[str] = field(default_factory=set)
    names: dict[str, str] = field(default_factory=dict)
    orders: int = 0
    undated: int = 0

    def add_problem(self, number: int, problem: str) -> None:
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append((number, problem))
        else:
            self.unnamed_problems += 1


def scan(file: Path, job: Job, tell: Tell) -> Scan:
    """Reads a file. What cannot be read is told in the result, and spoils nothing else."""
    found = Scan(file)
    line = None
    try:
        found.size = file.stat().st_size
        with file.open("rb") as opened:
            found.digest = hashlib.file_digest(opened, "sha256").hexdigest()
        for line in _told(file, tell):
            _take(line, found, job)
    except UNREADABLE as error:
        number = line.number if line else 0
        found.add_problem(number, f"cannot be read on from here: {type(error).__name__}")
    return found


def export_of(scans: list[Scan]) -> Export:
    """What holds for all files together."""
    names: dict[str, str] = {}
    for found in scans:
        names.update(found.names)
    kinds = {KEYS[kind] for found in scans for kind in found.kinds if kind in KEYS}
    return Export(frozenset(kinds), names)


def selected_of(orders: list[Json], patient: str, topic: Topic) -> SelectedOrders:
    """The orders as one hook selects them, as if they were drafts."""
    return select_orders(ORDER_SIGN, context_of(orders, patient), topic)


def context_of(orders: list[Json], patient: str) -> Json:
    """The context of the hook at which the orders would have been signed."""
    entries = [{"resource": draft_of(order)} for order in orders]
    return {"patientId": patient, "draftOrders": {"resourceType": "Bundle", "entry": entries}}


def _told(file: Path, tell: Tell) -> Iterator[Line]:
    """The lines, with progress told every now and then."""
    told = 0
    for count, (line, read) in enumerate(lines_of(file), 1):
        if count % TOLD_EVERY == 0:
            tell(read - told)
            told = read
        yield line
    tell(file.stat().st_size - told)


def _take(line: Line, found: Scan, job: Job) -> None:
    if line.problem:
        found.add_problem(line.number, line.problem)
        return
    found.kinds[line.kind] += 1
    if line.kind == ORDER:
        _take_order(line, found, job)
    elif line.kind in NAMED:
        name = _name(as_dict(whole(line.text)))
        if name:
            found.names[f"{line.kind}/{line.id}"] = name[:LONGEST_NAME]


def _take_order(line: Line, found: Scan, job: Job) -> None:
    order = as_dict(whole(line.text))
    ordered = moment(order.get("authoredOn"))
    if ordered and not job.asks_for(ordered):
        return
    found.orders += 1
    selected = [selected_of([order], line.patient, topic) for topic in topics_of(job)]
    if any(each.ours for each in selected) and not (ordered and ordered.is_a_day):
        found.undated += 1
    elif any(each.ours or each.similar for each in selected):
        found.patients.add(line.patient)


def _name(resource: Json) -> str:
    """The name of an organization or location; of a role that of its organization, or else what
    it is a specialist in.
    """
    organization = as_dict(resource.get("organization"))
    said = (
        as_text(resource.get("name")),
        as_text(organization.get("display")),
        as_text(organization.get("reference")),
        *(words_of(concept) for concept in dicts(resource.get("specialty"))),
    )
    return next(filter(None, said), "")


def words_of(concept: Json) -> str:
    """What a CodeableConcept says in words, else its code."""
    said = [as_text(concept.get("text")), *(words or code for _, code, words in codings(concept))]
    return next(filter(None, said), "")
