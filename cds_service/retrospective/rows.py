"""From the resources of a patient to rows: what the service would have said of each order.

It reads and decides by the same functions as a hook. Data goes in and comes out; the same
resources give the same rows, in any order and on any machine.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from cds_service.cards.actions import does
from cds_service.cards.dialect import ResponseStyle
from cds_service.cards.evaluated import EvaluatedOrder
from cds_service.decision.topic import Topic
from cds_service.evaluation import evaluation_of
from cds_service.fhir.chart import read_chart
from cds_service.fhir.plain import Json, as_dict, as_text
from cds_service.fhir.prefetch import READ, Prefetched
from cds_service.fhir.reading import Resource, whole
from cds_service.fhir.selected import ORDER_SIGN
from cds_service.fhir.unmapped import Unmapped, unmapped_conditions
from cds_service.hook import decide
from cds_service.hook_call import HookCall
from cds_service.language import ENGLISH, Language
from cds_service.retrospective.as_of import MODES, as_known
from cds_service.retrospective.department import department_of, last_of
from cds_service.retrospective.job import Export, Job, topics_of
from cds_service.retrospective.lines import ENCOUNTER, ORDER, Line
from cds_service.retrospective.moment import Moment, moment
from cds_service.retrospective.scan import context_of, selected_of
from cds_service.store.secret import pseudonym

# Fields of an Evaluation that are columns under the same name, and those with several words.
SINGLE = ("guideline", "procedure", "region", "relevance", "category", "rating", "topic",
          "question")  # fmt: skip
SEVERAL = ("variants", "rules", "unknown", "missing")
Row = dict[str, Any]


@dataclass(frozen=True)
class Session:
    """Orders of a patient that were written at the same time: they are decided together."""

    patient: str
    ordered: Moment
    orders: list[Json]

    def call(self, job: Job, spoken: Language) -> HookCall:
        """The hook at which they would have been signed."""
        return HookCall(
            hook=ORDER_SIGN,
            hook_instance="",
            context=context_of(self.orders, self.patient),
            prefetch={},
            today=self.ordered.first,
            base_url="",
            on_too_little=job.on_too_little,
            silence=job.silence,
            style=ResponseStyle(language=spoken),
        )


@dataclass(frozen=True)
class Patient:
    """What the lines of a patient hold."""

    id: str
    chart: list[Resource]
    sessions: list[Session]
    encounters: dict[str, Json]


@dataclass
class Answers:
    """`unmapped` counts each code in no map, by orders or, of Conditions, by patients."""

    rows: list[Row] = field(default_factory=list)
    unmapped: Counter[Unmapped] = field(default_factory=Counter)


@dataclass(frozen=True)
class Decided:
    """An order of a session, decided in one of MODES."""

    session: Session
    mode: str
    evaluated: EvaluatedOrder


def answers_for(patient_id: str, lines: list[Line], export: Export, job: Job) -> Answers:
    """A row for each order of ours and mode. Raises TooMuch."""
    patient = patient_in(patient_id, lines, job)
    answers = Answers()
    found: set[tuple[object, Unmapped]] = set()
    for topic in topics_of(job):
        rows = [row_of(one, patient, export, job) for one in decided(patient, topic, export, job)]
        answers.rows += rows
        found |= set(_unmapped(patient, topic, bool(rows)))
    answers.unmapped = Counter(code for _, code in found)
    return answers


def patient_in(patient_id: str, lines: list[Line], job: Job) -> Patient:
    """The chart, and the orders of the period by their time; each resource counts once."""
    chart = [Resource(line.text) for line in lines if line.kind in READ]
    encounters = {f"{ENCOUNTER}/{e.id}": _content(e) for e in lines if e.kind == ENCOUNTER}
    orders = {line.id: _content(line) for line in reversed(lines) if line.kind == ORDER}
    return Patient(patient_id, chart, _sessions(patient_id, orders, job), encounters)


def decided(
    patient: Patient, topic: Topic, export: Export, job: Job, spoken: Language = ENGLISH
) -> Iterator[Decided]:
    """Each order of the topic in each mode, to be told in a language. Raises TooMuch."""
    for session in patient.sessions:
        selected = selected_of(session.orders, patient.id, topic)
        for mode in MODES if selected.ours else ():
            chart = Prefetched(sent=set(export.kinds))
            chart.add_resources(as_known(patient.chart, session.orders, session.ordered, mode))
            call, known = (
                session.call(job, spoken),
                read_chart(chart, patient.id, topic.terminology),
            )
            for evaluated in decide(call, selected, known, lambda c=chart: c, topic):
                yield Decided(session, mode, evaluated)


def row_of(one: Decided, patient: Patient, export: Export, job: Job) -> Row:
    """The columns, and `day`, which is for counting only. What is not there is None."""
    seen = evaluation_of(one.evaluated)
    order, day = one.evaluated.resource, one.session.ordered.first
    requester = last_of(order.get("requester"))
    department = department_of(order, patient.encounters, export, job.department)
    return {
        "order": order_digest(job, patient.id, seen.order_id),
        "patient": pseudonym(job.secret, "patient", patient.id),
        "day": day.isoformat(),
        "month": f"{day:%Y-%m}",
        "week": f"{day:%G-W%V}",
        "clinician": pseudonym(job.secret, "clinician", requester) if requester else None,
        "department": department or None,
        "mode": one.mode,
        "decision": seen.subject,
        "indicator": seen.shown_indicator or None,
        "suggested": [does(s) for s in one.evaluated.decision.suggestions] or None,
        **{name: getattr(seen, name) or None for name in SINGLE},
        **{name: list(getattr(seen, name)) or None for name in SEVERAL},
    }


def order_digest(job: Job, patient_id: str, order_id: str) -> str:
    """What stands for an order in all that is written."""
    return pseudonym(job.secret, "order", patient_id, order_id)


def _sessions(patient_id: str, orders: dict[str, Json], job: Job) -> list[Session]:
    found: dict[object, Session] = {}
    for order_id in sorted(orders):
        ordered = moment(orders[order_id].get("authoredOn"))
        if ordered and ordered.is_a_day and job.asks_for(ordered):
            key = ordered.at or ordered.first
            session = found.setdefault(key, Session(patient_id, ordered, []))
            session.orders.append(orders[order_id])
    return sorted(found.values(), key=lambda s: (s.ordered.first, as_text(s.orders[0].get("id"))))


def _unmapped(
    patient: Patient, topic: Topic, is_decided: bool
) -> Iterator[tuple[object, Unmapped]]:
    """Codes in no map, each with what it counts once for: of orders of ours and those worded like
    them; and of Conditions, where an order is ours.
    """
    for session in patient.sessions:
        selected = selected_of(session.orders, patient.id, topic)
        for our in selected.ours:
            yield from ((our.resource.get("id"), code) for code in our.unmapped)
        yield from ((session.ordered, code) for code in selected.similar)
    if is_decided:
        codes = unmapped_conditions(patient.chart, topic.terminology, topic.condition_words)
        yield from ((None, code) for code in codes)


def _content(line: Line) -> Json:
    return as_dict(whole(line.text))
