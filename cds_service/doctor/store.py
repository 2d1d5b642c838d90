"""What is kept on this machine and in the database: can it be written?"""

import secrets
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy.engine import Connection, Engine, make_url
from sqlalchemy.exc import SQLAlchemyError

from cds_service.access.memory import UsedTokens, engine_for
from cds_service.config import Settings
from cds_service.doctor.report import Line, ok, problem

CONNECT_SECONDS = 5


class StoreError(Exception):
    """The database cannot be used; the text says why, without the password."""


class Rehearsal:
    """An engine that undoes all that is written in its transactions; tables it does make."""

    def __init__(self, engine: Engine):
        self._engine = engine

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        with self._engine.connect() as connection:
            yield connection

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)


@contextmanager
def rehearsed(settings: Settings) -> Iterator[UsedTokens]:
    """The memory of used tokens, which keeps nothing of what is told it. Raises StoreError."""
    engine = None
    try:
        engine = engine_for(_soon(settings.database_url), settings.data)
        yield UsedTokens(Rehearsal(engine))
    except (SQLAlchemyError, ImportError, OSError) as error:
        raise StoreError(_words(error)) from error
    finally:
        if engine is not None:
            engine.dispose()


def _soon(url: str) -> str:
    """The address of the database, with an end to waiting for it."""
    try:
        parsed = make_url(url) if url else None
    except ValueError:
        raise StoreError("it is no address of a database") from None
    if parsed is None or parsed.get_backend_name() != "postgresql":
        return url
    query = {"connect_timeout": str(CONNECT_SECONDS), **parsed.query}
    return parsed.set(query=query).render_as_string(hide_password=False)


def _words(error: Exception) -> str:
    """The first line of what the database said, without statement and parameters."""
    lines = str(getattr(error, "orig", None) or error).splitlines()
    return lines[0] if lines else type(error).__name__


def check_folder(folder: Path) -> Line:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return ok("data folder", f"{folder.resolve()} can be written")
    except OSError as error:
        text = f"{folder.resolve()}: {error.strerror}; let the service write there, or set CDS_DATA"
        return problem("data folder", text)


def check_database(settings: Settings) -> Line:
    """A random id is remembered and taken back."""
    try:
        with rehearsed(settings) as used:
            used.remember("doctor", secrets.token_hex(), time.time())
    except StoreError as error:
        return problem("database", f"{error}; {_advice(settings)}")
    if settings.database_url:
        return ok("database", "that of DATABASE_URL can be written")
    return ok("database", "SQLite in CDS_DATA, for one host; set DATABASE_URL to share one")


def _advice(settings: Settings) -> str:
    if settings.database_url:
        return "check DATABASE_URL (postgresql+psycopg://…), the database and its permissions"
    return "the SQLite file service.db in CDS_DATA cannot be used: check it and its permissions"
