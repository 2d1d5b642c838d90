"""The database: PostgreSQL where an address is given, else a SQLite file on this machine."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from importlib import import_module
from pathlib import Path
from threading import Lock

from sqlalchemy import Insert, Table, create_engine, event
from sqlalchemy.engine import URL, Connection, Engine, make_url
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.exc import ArgumentError, DataError, IntegrityError, SQLAlchemyError

from cds_service.store.files import make_folder
from cds_service.store.schema import bring_up_to_date

FILE = "service.db"
BUSY_SECONDS = 2.0  # for how long SQLite waits for another writer
# For libpq: seconds to connect, and milliseconds that a lost connection is waited for.
TIME_LIMITS = {"connect_timeout": "3", "tcp_user_timeout": "5000"}


class StoreDown(Exception):
    """The database cannot be used now; the text says why, without statement and parameters."""


class RowRefused(StoreDown):
    """The database is there, and does not take a row as it is; `kind` is that of the error."""

    def __init__(self, error: Exception):
        super().__init__(words_of(error))
        self.kind = type(error).__name__


def engine_for(url: str, folder: Path) -> Engine:
    """The database at a URL, else a SQLite file in the folder (which is made). Raises StoreDown."""
    try:
        if url:
            return create_engine(_with_time_limits(make_url(url)), pool_pre_ping=True)
        make_folder(folder)
        (folder / FILE).touch(0o600)
    except (ArgumentError, ValueError):
        raise StoreDown("it is no address of a database") from None
    except (SQLAlchemyError, ImportError, OSError) as error:
        raise StoreDown(words_of(error)) from error
    engine = create_engine(f"sqlite:///{folder / FILE}", connect_args={"timeout": BUSY_SECONDS})
    event.listen(engine, "connect", _set_pragmas)
    return engine


def _with_time_limits(url: URL) -> URL:
    """So that a server that does not answer is not waited for without end."""
    if url.get_backend_name() != "postgresql":
        return url
    return url.set(query={**TIME_LIMITS, **url.query})


def _set_pragmas(connection: sqlite3.Connection, _: object) -> None:
    """Write-ahead logging, so that readers and a writer do not wait for each other; what is deleted
    is overwritten; and a transaction survives a loss of power, since its lines leave the spool.
    """
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA secure_delete=ON")
    connection.execute("PRAGMA synchronous=FULL")


def words_of(error: Exception) -> str:
    """The first line of what the database said, without statement and parameters."""
    lines = str(getattr(error, "orig", None) or error).splitlines()
    return lines[0] if lines else type(error).__name__


class Database:
    """One database, opened at first use; its tables are then made or brought up to date.

    It is not to be used before a fork: SQLite loses its locks by it.
    """

    def __init__(self, url: str, folder: Path):
        self._url, self._folder = url, folder
        self._engine: Engine | None = None
        self._is_ready = False
        self._lock = Lock()

    @property
    def is_here(self) -> bool:
        """Whether it lies on the disk of this machine."""
        return not self._url

    def prepare(self) -> Engine:
        """The engine, after its tables are made. Raises StoreDown."""
        with self._lock, translated_errors():
            engine = self.engine()
            if not self._is_ready:
                bring_up_to_date(engine)
                self._is_ready = True
        return engine

    def engine(self) -> Engine:
        """The engine, with whatever tables are there. Raises StoreDown."""
        if self._engine is None:
            self._engine = engine_for(self._url, self._folder)
        return self._engine

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """A transaction. Raises StoreDown, also where the work in it fails."""
        with translated_errors(), self.prepare().begin() as connection:
            yield connection

    @contextmanager
    def statement(self) -> Iterator[DBAPICursor]:
        """A transaction of the driver itself, for the one statement that a clinician waits for. It
        costs a quarter of `begin`. Raises StoreDown.
        """
        engine = self._engine if self._is_ready else self.prepare()
        try:
            with closing(engine.raw_connection()) as connection:
                yield connection.cursor()
                connection.commit()
        except (engine.dialect.loaded_dbapi.Error, SQLAlchemyError, OSError) as error:
            raise StoreDown(words_of(error)) from error

    def close(self) -> None:
        if self._engine is not None:
            self._engine.dispose()


def insert_new(connection: Connection, table: Table) -> Insert:
    """The statement that adds rows; one that is there already stays as it is."""
    dialect = import_module(f"sqlalchemy.dialects.{connection.dialect.name}")
    return dialect.insert(table).on_conflict_do_nothing()


@contextmanager
def translated_errors() -> Iterator[None]:
    """Raises StoreDown or RowRefused for what goes wrong with a database in the block."""
    try:
        yield
    except (DataError, IntegrityError, UnicodeError) as error:
        raise RowRefused(error) from error
    except (SQLAlchemyError, OSError) as error:
        raise StoreDown(words_of(error)) from error
