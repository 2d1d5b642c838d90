"""Deletes what was kept for long enough."""

import time

from sqlalchemy import delete

from cds_service.store.database import Database
from cds_service.store.tables import DAY_SECONDS, KEPT, used_tokens
from cds_service.store.tokens import CLOCKS_DIFFER_SECONDS


def day_of(seconds: float) -> int:
    """The UTC day of a time, counted from 1970."""
    return int(seconds // DAY_SECONDS)


def purge(database: Database, keep_days: int, now: float | None = None) -> dict[str, int]:
    """Deletes rows older than `keep_days`, and expired tokens; returns the number by table.

    `now` is in seconds since 1970. Raises StoreDown.
    """
    now = time.time() if now is None else now
    oldest, expired = day_of(now) - keep_days, now - CLOCKS_DIFFER_SECONDS
    deleted = {}
    with database.begin() as connection:
        for name, table in KEPT.items():
            done = connection.execute(delete(table).where(table.c.day < oldest))
            deleted[name] = done.rowcount
        done = connection.execute(delete(used_tokens).where(used_tokens.c.forget_at < expired))
        deleted[used_tokens.name] = done.rowcount
    return deleted
