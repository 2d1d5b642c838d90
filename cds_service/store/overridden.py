"""Was the same advice on the same order overridden before? Known without asking the database."""

import time

from sqlalchemy import select

from cds_service.store.database import Database
from cds_service.store.tables import OF_THE_CARD, OVERRIDDEN, decisions, feedback

REFRESH_SECONDS = 2.0
ANEW_SECONDS = 300.0
# How much later than it was received feedback comes in as a rule.
OVERLAP_SECONDS = 60.0


class OverriddenCards:
    """The advice that was overridden within the hours, as the store had it a moment ago."""

    def __init__(self, database: Database, hours: float):
        self._database, self._seconds = database, hours * 3600
        self._known: dict[tuple[str, str], float] = {}
        self._asked = self._asked_anew = float("-inf")

    def has(self, client: str, advice_key: str) -> bool:
        """Whether a card with this advice was overridden by the client's user."""
        return self._known.get((client, advice_key), 0.0) > time.time() - self._seconds

    def refresh(self) -> None:
        """Asks for what is new, and now and then for all. Raises StoreDown."""
        now = time.monotonic()
        if not self._seconds or now - self._asked < REFRESH_SECONDS:
            return
        anew = now - self._asked_anew > ANEW_SECONDS
        found = self._overridden(self._seconds if anew else now - self._asked + OVERLAP_SECONDS)
        self._known = found if anew else {**self._known, **found}
        self._asked, self._asked_anew = now, now if anew else self._asked_anew

    def _overridden(self, seconds: float) -> dict[tuple[str, str], float]:
        d, f = decisions.c, feedback.c
        since = time.time() - seconds
        asked = (
            select(d.client, d.advice_key, f.received_at)
            .select_from(feedback)
            .join(decisions, OF_THE_CARD)
            .where(f.received_at >= since, f.outcome == OVERRIDDEN, d.advice_key.is_not(None))
            .order_by(f.received_at)
        )
        with self._database.begin() as connection:
            return {(client, key): at for client, key, at in connection.execute(asked)}
