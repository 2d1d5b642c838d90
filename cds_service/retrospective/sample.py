"""`sample.html`: some orders of each kind of answer, as they would have been answered, for review.

It holds data of patients. What is reviewed is the lenient answer, made anew from the export.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby, zip_longest
from operator import itemgetter
from pathlib import Path

import duckdb

from cds_service.cards.actions import offers
from cds_service.cards.detail import detail
from cds_service.cards.evaluated import EvaluatedOrder
from cds_service.cards.markdown import as_plain_text
from cds_service.cards.summary import summary
from cds_service.decision.verdict import Silent
from cds_service.language import Language, language
from cds_service.retrospective.as_of import LENIENT
from cds_service.retrospective.buckets import needed_of
from cds_service.retrospective.folder import Folder, whole_file
from cds_service.retrospective.job import Job, Wanted, topics_of
from cds_service.retrospective.lines import Line, line
from cds_service.retrospective.page import TEMPLATES
from cds_service.retrospective.results import ALONE
from cds_service.retrospective.rows import Patient, decided, order_digest, patient_in
from cds_service.retrospective.run import Scanned

# Orders that are about something else have nothing to review.
CHOICES = """
    SELECT coalesce(topic, ''), indicator IS NOT NULL, "order" FROM rows
    WHERE mode = 'lenient' AND relevance = 'relevant' ORDER BY ALL
"""


@dataclass(frozen=True)
class Answered:
    """An order as it is shown to a reviewer, with the facts, also where no card would be shown."""

    order: str
    reference: str
    patient: str
    day: str
    summary: str
    detail: str
    buttons: tuple[str, ...]
    indicator: str


def write_sample(
    folder: Folder, scanned: Scanned, found: dict[str, Line], job: Job, wanted: Wanted
) -> None:
    """Writes as many answers as are wanted; `found` are the orders by their digest."""
    spoken = language(wanted.language, job.mappings)
    digests = choose(folder, wanted.sample)
    chosen = {digest: found[digest] for digest in digests if digest in found}
    answers = sorted(_answers(scanned, chosen, job, spoken), key=lambda a: a.order)
    page = TEMPLATES.get_template("sample.html")
    made = page.render(answers=answers, language=spoken.code, say=spoken.say)
    with whole_file(folder.sample) as part:
        part.write_text(made, "utf-8")


def choose(folder: Folder, number: int) -> list[str]:
    """Digests of orders, one of each stratum in turn. A digest is as good as a random number."""
    with duckdb.connect(config=ALONE) as rows:
        rows.read_parquet(str(folder.orders)).create_view("rows")
        found = rows.execute(CHOICES).fetchall()
    strata = [[row[2] for row in group] for _, group in groupby(found, key=itemgetter(0, 1))]
    in_turn = (order for turn in zip_longest(*strata) for order in turn if order)
    return list(dict.fromkeys(in_turn))[:number]


def _answers(
    scanned: Scanned, chosen: dict[str, Line], job: Job, spoken: Language
) -> Iterator[Answered]:
    for patient in _patients(scanned.files, {each.patient for each in chosen.values()}, job):
        for topic in topics_of(job):
            for one in decided(patient, topic, scanned.export, job, spoken):
                digest = order_digest(job, patient.id, one.evaluated.decision.case.order.id)
                if one.mode == LENIENT and digest in chosen:
                    yield _answered(digest, patient.id, one.evaluated)


def _patients(files: list[Path], wanted: set[str], job: Job) -> Iterator[Patient]:
    needed = [
        each for number, file in enumerate(files) for each in needed_of(file, number, wanted, job)
    ]
    for patient_id, lines in groupby(sorted(needed), key=itemgetter(0)):
        yield patient_in(patient_id, [line(row, text) for *_, row, text in lines], job)


def _answered(digest: str, patient: str, evaluated: EvaluatedOrder) -> Answered:
    decision = evaluated.decision
    is_silent = isinstance(decision.verdict, Silent)
    return Answered(
        digest,
        f"ServiceRequest/{decision.case.order.id}",
        f"Patient/{patient}",
        decision.case.today.isoformat(),
        "" if is_silent else summary(evaluated),
        "" if is_silent else as_plain_text(detail(evaluated, "", takes_answers=True)),
        tuple(offer.body["label"] for offer in offers(evaluated)),
        decision.indicator if evaluated.shows_card else "",
    )
