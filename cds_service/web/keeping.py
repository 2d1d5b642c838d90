"""Keeping what was decided, and what became of it."""

import time
from typing import Any

from flask import Response

from cds_service.access.clients import Client
from cds_service.cards.evaluated import REPEAT, EvaluatedOrder
from cds_service.fhir.plain import Json
from cds_service.history import Visit, advice_key, is_safety_card, rows_of
from cds_service.hook import Hide, HookCall, HookOutcome, nothing_hidden
from cds_service.store.store import Store
from cds_service.web.errors import NotKept, issue, outcome
from cds_service.web.feedback import Sender, read_feedback
from cds_service.web.record import current


class Keeping:
    """The store as the routes use it; without one nothing is kept."""

    def __init__(self, store: Store | None, keeps_comments: bool):
        self._store = store
        self._keeps_comments = keeps_comments

    def hide(self, body: Json, client: Client) -> Hide:
        """Whether a card was overridden before; those of safety rules always return."""
        store = self._store
        if store is None:
            return nothing_hidden
        visit = self._visit(store, client, body["hookInstance"], body["context"]["patientId"])

        def why(evaluated: EvaluatedOrder) -> str:
            key = None if is_safety_card(evaluated.decision) else advice_key(visit, evaluated)
            if key and store.was_overridden(client.name, key):
                return REPEAT
            return ""

        return why

    def keep(self, call: HookCall, client: Client, answer: HookOutcome) -> None:
        """Before the answer goes out."""
        if self._store is None or not (answer.evaluated or answer.selected.similar):
            return
        visit = self._visit(self._store, client, call.hook_instance, call.patient_id)
        rows = rows_of(visit, answer.evaluated, answer.offered, answer.selected.similar)
        self._store.keep(rows)

    def _visit(self, store: Store, client: Client, instance: str, patient_id: str) -> Visit:
        record = current()
        return Visit(
            client=client.name,
            tenant=client.tenant,
            hook=record.hook,
            hook_instance=instance,
            patient_id=patient_id,
            at=time.time(),
            milliseconds=round(record.spent, 2),
            criteria=record.criteria,
            pseudonym=store.pseudonym,
        )

    def keep_feedback(self, items: list[Any], client: Client) -> Response:
        """An OperationOutcome: how many were taken, and what is wrong with the others.

        Raises NotKept, so that the client sends them again.
        """
        sender = Sender(client.name, client.tenant, time.time(), self._keeps_comments)
        taken = read_feedback(items, sender)
        current().feedback.update(row["outcome"] for _, row in taken.rows)
        problems = [issue("invalid", f"{path}: {text}", path) for path, text in taken.problems]
        if problems and not taken.rows:
            return outcome(400, problems)
        if self._store and not self._store.keep_or_fail(taken.rows):
            raise NotKept
        said = _said(len(taken.rows), len(items), kept=self._store is not None)
        return outcome(200, [said, *map(_warning, problems)])


def _said(taken: int, sent: int, kept: bool) -> Json:
    text = f"{taken} of {sent} items were {'taken' if kept else 'read; none is kept here'}."
    return {"severity": "information", "code": "informational", "diagnostics": text}


def _warning(problem: Json) -> Json:
    return {**problem, "severity": "warning"}
