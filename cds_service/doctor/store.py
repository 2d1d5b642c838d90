"""Whether the data folder and the database can be written."""

import secrets
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.engine import Connection
from sqlalchemy.engine.interfaces import DBAPIConnection, DBAPICursor

from cds_service.doctor.lines import Line, ok, problem, warning
from cds_service.settings import Settings
from cds_service.store.database import FILE, TOKENS_FILE, Database, StoreDown, translated_errors
from cds_service.store.files import make_folder
from cds_service.store.tokens import UsedTokens


class DryRun(Database):
    """A database whose transactions are rolled back. Tables are made all the same."""

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        with translated_errors(), self.prepare().connect() as connection:
            yield connection

    @contextmanager
    def statement(self) -> Iterator[DBAPICursor]:
        with super().statement() as cursor:
            cursor.execute("BEGIN")
            yield cursor

    def finish(self, connection: DBAPIConnection) -> None:
        connection.rollback()


@contextmanager
def dry_run(settings: Settings, file: str = TOKENS_FILE) -> Iterator[UsedTokens]:
    """The used tokens, to which nothing is added. Raises StoreDown."""
    database = DryRun(settings.database_url, settings.data, file)
    try:
        yield UsedTokens(database)
    finally:
        database.close()


def check_folder(folder: Path) -> Line:
    try:
        make_folder(folder)
        with tempfile.TemporaryFile(dir=folder):
            return ok("data folder", f"{folder.resolve()} can be written")
    except OSError as error:
        text = f"{folder.resolve()}: {error.strerror}; let the service write there, or set CDS_DATA"
        return problem("data folder", text)


def check_secret(settings: Settings) -> Line:
    """Hosts that share a database need the same secret, which digests are made with."""
    if settings.secret or not settings.database_url:
        whose = "that of CDS_SECRET" if settings.secret else "of this installation, in CDS_DATA"
        return ok("secret", whose)
    text = "of this host only; where hosts share DATABASE_URL, set the same CDS_SECRET on all"
    return warning("secret", text)


def check_database(settings: Settings) -> Line:
    """A random token id is written to each file of SQLite, and rolled back."""
    try:
        for file in (FILE, TOKENS_FILE):
            with dry_run(settings, file) as used:
                used.remember("doctor", secrets.token_hex(), time.time())
    except StoreDown as error:
        return problem("database", f"{error}; {_advice(settings)}")
    if settings.database_url:
        return ok("database", "that of DATABASE_URL can be written")
    return ok("database", "SQLite in CDS_DATA, for one host; set DATABASE_URL to share one")


def _advice(settings: Settings) -> str:
    if settings.database_url:
        return "check DATABASE_URL (postgresql+psycopg://…), the database and its permissions"
    return "a SQLite file in CDS_DATA cannot be used: check service.db, tokens.db and permissions"
