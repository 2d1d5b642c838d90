"""Which tokens were used: one table, shared by all workers, and by all hosts on PostgreSQL."""

import hashlib
import time

from sqlalchemy import Insert, delete

from cds_service.store.database import Database, insert_new
from cds_service.store.tables import used_tokens

PURGE_EVERY_SECONDS = 300


class UsedTokens:
    """Remembers token ids until they expire."""

    def __init__(self, database: Database):
        self._database = database
        self._adding: Insert | None = None
        self._purged = 0.0

    def remember(self, client: str, token_id: str, forget_at: float) -> bool:
        """Whether the token is new. Raises StoreDown where the database does not answer."""
        digest = hashlib.sha256(f"{client}\x1f{token_id}".encode("utf-8", "replace")).hexdigest()
        self._purge()
        row = {"digest": digest, "forget_at": forget_at}
        with self._database.begin() as connection:
            if self._adding is None:
                adding = insert_new(connection, used_tokens)
                self._adding = adding.returning(used_tokens.c.digest)
            return connection.execute(self._adding, row).first() is not None

    def _purge(self) -> None:
        now = time.time()
        if now - self._purged < PURGE_EVERY_SECONDS:
            return
        self._purged = now
        with self._database.begin() as connection:
            connection.execute(delete(used_tokens).where(used_tokens.c.forget_at < now))
