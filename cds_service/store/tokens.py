"""The tokens that were used: one table for all workers, and on PostgreSQL for all hosts."""

import hashlib
import re
import time

from sqlalchemy import delete

from cds_service.store.database import Database, insert_new
from cds_service.store.tables import used_tokens

PURGE_EVERY_SECONDS = 300
# A host whose clock is ahead by less forgets no token that others still accept.
CLOCKS_DIFFER_SECONDS = 3_600


class UsedTokens:
    """Remembers token ids until they expire."""

    def __init__(self, database: Database):
        self._database = database
        self._insert = ""
        self._purged = 0.0

    def remember(self, client: str, token_id: str, forget_at: float) -> bool:
        """Whether the token is new; it is remembered until `forget_at`, in seconds since 1970.

        Raises StoreDown.
        """
        digest = hashlib.sha256(f"{client}\x1f{token_id}".encode("utf-8", "replace")).hexdigest()
        self._purge()
        self._insert = self._insert or self._written()
        with self._database.statement() as cursor:
            cursor.execute(self._insert, (digest, forget_at))
            return cursor.rowcount == 1

    def _written(self) -> str:
        """The insert in the words of the database, its values marked as the driver marks them."""
        with self._database.begin() as connection:
            insert = insert_new(connection, used_tokens)
            compiled = str(insert.compile(dialect=connection.dialect))
        return re.sub(r"%\(\w+\)s(::[A-Z ]+)?", "%s", compiled)

    def _purge(self) -> None:
        now = time.time()
        if now - self._purged < PURGE_EVERY_SECONDS:
            return
        self._purged = now
        with self._database.begin() as connection:
            connection.execute(
                delete(used_tokens).where(used_tokens.c.forget_at < now - CLOCKS_DIFFER_SECONDS)
            )
