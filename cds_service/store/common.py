"""Codes and words that came from so many patients that they are of nobody in particular.

Until then a keyed digest of them is kept, with one of each patient that is salted by the code.
"""

import time

from sqlalchemy import delete, func, literal, select
from sqlalchemy.engine import Connection

from cds_service.store.database import Database, insert_new
from cds_service.store.retention import day_of
from cds_service.store.tables import common_codes, seen_codes

ENOUGH_PATIENTS = 5
FORGET_DAYS = 30
REFRESH_SECONDS = 60.0


class CommonCodes:
    """The digests of common codes and words, as the database had them a moment ago."""

    def __init__(self, database: Database):
        self._database = database
        self._keys: frozenset[str] = frozenset()
        self._refreshed = float("-inf")

    def __contains__(self, key: str) -> bool:
        return key in self._keys

    def refresh(self) -> None:
        """Counts patients, forgets their digests, and reads what is common. Raises StoreDown."""
        now = time.monotonic()
        if now - self._refreshed < REFRESH_SECONDS:
            return
        today = day_of(time.time())
        with self._database.begin() as connection:
            connection.execute(delete(seen_codes).where(seen_codes.c.day < today - FORGET_DAYS))
            _count(connection, today)
            self._keys = frozenset(connection.scalars(select(common_codes.c.code_key)))
        self._refreshed = now


def _count(connection: Connection, today: int) -> None:
    """Moves the codes that enough patients had from one table to the other."""
    key, known = seen_codes.c.code_key, select(common_codes.c.code_key)
    enough = (
        select(key, literal(today))
        .where(key.not_in(known))
        .group_by(key)
        .having(func.count() >= ENOUGH_PATIENTS)
    )
    add = insert_new(connection, common_codes)
    connection.execute(add.from_select(["code_key", "day"], enough))
    connection.execute(delete(seen_codes).where(key.in_(known)))
