"""Advice that users overrode lately, as the database had it a moment ago."""

import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select

from cds_service.evaluation import Evaluation
from cds_service.store.database import Database
from cds_service.store.rows import Pseudonym, advice_key
from cds_service.store.tables import OF_THE_CARD, OVERRIDDEN, decisions, feedback

REFRESH_SECONDS = 2.0
RELOAD_SECONDS = 300.0
# Feedback is in the database at most so much later than it was received, as a rule.
OVERLAP_SECONDS = 60.0


@dataclass(frozen=True)
class Overridden:
    """What one client's users overrode: when, in seconds since 1970, by `advice_key`.

    `since` is the oldest time that still counts. Only the patient's own keys can match.
    """

    at: Mapping[str, float]
    since: float
    client: str
    patient_id: str
    pseudonym: Pseudonym

    def __bool__(self) -> bool:
        return bool(self.at)

    def __contains__(self, evaluation: Evaluation) -> bool:
        """Whether the same advice on the same order was overridden; that of a safety rule never."""
        if evaluation.is_safety_card:
            return False
        key = advice_key(evaluation, self.client, self.patient_id, self.pseudonym)
        return key is not None and self.at.get(key, 0.0) > self.since


class OverriddenAdvice:
    """The overridden advice of all clients within some hours; 0 hours know none."""

    def __init__(self, database: Database, hours: float, pseudonym: Pseudonym):
        self._database, self._seconds, self._pseudonym = database, hours * 3600, pseudonym
        self._known: dict[str, dict[str, float]] = {}
        self._refreshed = self._reloaded = float("-inf")

    def of(self, client: str, patient_id: str) -> Overridden:
        """What is known now, for one patient of a client."""
        known, since = self._known.get(client, {}), time.time() - self._seconds
        return Overridden(known, since, client, patient_id, self._pseudonym)

    def refresh(self) -> None:
        """Reads what is new, every few minutes all. Raises StoreDown."""
        now = time.monotonic()
        if not self._seconds or now - self._refreshed < REFRESH_SECONDS:
            return
        reloads = now - self._reloaded > RELOAD_SECONDS
        found = self._read(self._seconds if reloads else now - self._refreshed + OVERLAP_SECONDS)
        merged = {client: {**self._known.get(client, {}), **found[client]} for client in found}
        self._known = found if reloads else {**self._known, **merged}
        self._refreshed, self._reloaded = now, now if reloads else self._reloaded

    def _read(self, seconds: float) -> dict[str, dict[str, float]]:
        """What was overridden in the last seconds, by client and advice key."""
        d, f = decisions.c, feedback.c
        query = (
            select(d.client, d.advice_key, f.received_at)
            .select_from(feedback)
            .join(decisions, OF_THE_CARD)
            .where(
                f.received_at >= time.time() - seconds,
                f.outcome == OVERRIDDEN,
                d.advice_key.is_not(None),
            )
            .order_by(f.received_at)
        )
        found: defaultdict[str, dict[str, float]] = defaultdict(dict)
        with self._database.begin() as connection:
            for client, key, at in connection.execute(query):
                found[client][key] = at
        return dict(found)
