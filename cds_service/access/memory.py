"""Which tokens were used: one table, shared by all workers, and by all hosts on PostgreSQL."""

import hashlib
import time
from pathlib import Path

from sqlalchemy import Column, Float, MetaData, String, Table, create_engine, delete, event, insert
from sqlalchemy.engine import Engine
from sqlalchemy.exc import IntegrityError

PURGE_EVERY_SECONDS = 300
BUSY_SECONDS = 2

metadata = MetaData()
# The digest of client and token id, never the id itself; when it may be forgotten.
used_tokens = Table(
    "used_tokens",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("forget_at", Float, nullable=False, index=True),
)


def engine_for(url: str, folder: Path) -> Engine:
    """The database at a URL, else a SQLite file in the folder (which is made)."""
    if url:
        return create_engine(url, pool_pre_ping=True)
    folder.mkdir(parents=True, exist_ok=True)
    engine = create_engine(
        f"sqlite:///{folder / 'service.db'}", connect_args={"timeout": BUSY_SECONDS}
    )
    event.listen(engine, "connect", _write_ahead)
    return engine


def _write_ahead(connection: object, _: object) -> None:
    """Readers and a writer do not wait for each other."""
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")


class UsedTokens:
    """Remembers token ids until they expire."""

    def __init__(self, engine: Engine):
        self._engine = engine
        self._purged = 0.0
        self._has_table = False

    def prepare(self) -> None:
        """Makes the table where there is none. Raises SQLAlchemyError."""
        if not self._has_table:
            metadata.create_all(self._engine)
            self._has_table = True

    def remember(self, client: str, token_id: str, forget_at: float) -> bool:
        """Whether the token is new. Raises SQLAlchemyError where the database does not answer."""
        digest = hashlib.sha256(f"{client}\x1f{token_id}".encode("utf-8", "replace")).hexdigest()
        self.prepare()
        self._purge()
        try:
            with self._engine.begin() as connection:
                connection.execute(insert(used_tokens).values(digest=digest, forget_at=forget_at))
        except IntegrityError:
            return False
        return True

    def _purge(self) -> None:
        now = time.time()
        if now - self._purged < PURGE_EVERY_SECONDS:
            return
        self._purged = now
        with self._engine.begin() as connection:
            connection.execute(delete(used_tokens).where(used_tokens.c.forget_at < now))

    def after_fork(self) -> None:
        """A worker opens its own connections."""
        self._engine.dispose(close=False)
