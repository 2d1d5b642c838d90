"""The tokens that were used: one table for all workers, and on PostgreSQL for all hosts."""

import hashlib
import time

from sqlalchemy import Insert, delete

from cds_service.store.database import Database, insert_new
from cds_service.store.tables import used_tokens

PURGE_EVERY_SECONDS = 300
# A host whose clock is ahead by less forgets no token that others still accept.
CLOCKS_DIFFER_SECONDS = 3_600


class UsedTokens:
    """Remembers token ids until they expire."""

    def __init__(self, database: Database):
        self._database = database
        self._insert: Insert | None = None
        self._purged = 0.0

    def remember(self, client: str, token_id: str, forget_at: float) -> bool:
        """Whether the token is new; it is remembered until `forget_at`, in seconds since 1970.

        Raises StoreDown.
        """
        digest = hashlib.sha256(f"{client}\x1f{token_id}".encode("utf-8", "replace")).hexdigest()
        self._purge()
        row = {"digest": digest, "forget_at": forget_at}
        with self._database.begin() as connection:
            if self._insert is None:
                insert = insert_new(connection, used_tokens)
                self._insert = insert.returning(used_tokens.c.digest)
            return connection.execute(self._insert, row).first() is not None

    def _purge(self) -> None:
        now = time.time()
        if now - self._purged < PURGE_EVERY_SECONDS:
            return
        self._purged = now
        with self._database.begin() as connection:
            connection.execute(
                delete(used_tokens).where(used_tokens.c.forget_at < now - CLOCKS_DIFFER_SECONDS)
            )
