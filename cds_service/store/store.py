"""What the service keeps, as the rest of it sees it: nothing here makes an answer late."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from sqlalchemy.engine import Connection

from cds_service.store.database import FILE, TOKENS_FILE, Database, StoreDown
from cds_service.store.intake import Intake, Row, TellProblem, line
from cds_service.store.overridden import OverriddenCards
from cds_service.store.prompt import Prompt
from cds_service.store.secret import pseudonym, secret_of
from cds_service.store.spool import Spool
from cds_service.store.tokens import UsedTokens

T = TypeVar("T")


@dataclass(frozen=True)
class StoreLocation:
    """Where the store is: a database address or none, a folder, and the secret or none; and for
    how many hours what was overridden is looked for.
    """

    url: str
    folder: Path
    secret: str = ""
    repeat_hours: float = 0

    def database(self, file: str = FILE) -> Database:
        return Database(self.url, self.folder, file)

    def spool(self) -> Spool:
        return Spool(self.folder / "spool")


def take_in_what_is_left(location: StoreLocation, database: Database) -> None:
    """What a stopped service left in the spool, for commands. Raises StoreDown."""
    Intake(database, location.spool(), lambda *_: None).drain()


class Store:
    """The store of this process and its children. `report` is told of what went wrong.

    Nothing is made on disk before it is needed.
    """

    def __init__(self, location: StoreLocation, report: TellProblem):
        self._report, self._location = report, location
        self._database = location.database()
        self._spool = location.spool()
        self._overridden = OverriddenCards(self._database, location.repeat_hours)
        self._intake = Intake(self._database, self._spool, report, self._overridden.refresh)
        self._tokens = self._database if self.asks_a_server else location.database(TOKENS_FILE)
        self._used = UsedTokens(self._tokens)
        self._prompt = Prompt(in_thread=self.asks_a_server)

    @property
    def asks_a_server(self) -> bool:
        """Whether the database is not on the disk of this machine."""
        return not self._database.is_here

    def prepare(self) -> None:
        """Makes the tables; a database that is down now is tried again later."""
        try:
            self._database.prepare()
            self._tokens.prepare()
        except StoreDown as error:
            self._report("store-down", str(error))

    def after_fork(self) -> None:
        """In a new worker."""
        self._database.after_fork()
        self._tokens.after_fork()

    def start(self) -> None:
        """Begins to take in, also what a killed worker left behind."""
        self._intake.wake()

    def finish(self) -> None:
        """Before a worker ends: takes in what there is, if it can, and lets go of the database."""
        self._intake.stop()
        try:
            self._intake.drain()
        except StoreDown as error:
            self._report("store-down", str(error))
        self._database.close()
        self._tokens.close()

    def keep(self, rows: list[Row]) -> None:
        """Keeps rows; where the disk is full, in memory until there is room."""
        if rows and not self._spool.append([line(*row) for row in rows]):
            self._report("store-full", "what was decided is held in memory")
        self._intake.wake()

    def keep_or_fail(self, rows: list[Row]) -> bool:
        """Whether the rows are kept: for those who can send them again."""
        kept = not rows or self._spool.append_or_fail([line(*row) for row in rows])
        self._intake.wake(at_once=True)
        return kept

    def remember_token(self, client: str, token_id: str, forget_at: float) -> bool | None:
        """Whether the token is new; None where the database does not answer."""
        try:
            return self._prompt.ask(lambda: self._used.remember(client, token_id, forget_at))
        except StoreDown as error:
            self._report("store-down", str(error))
            return None

    def was_overridden(self, client: str, advice_key: str) -> bool:
        """Whether this advice was overridden within the hours, as far as this process knows."""
        return self._overridden.has(client, advice_key)

    def look(self, question: Callable[[Connection], T]) -> T:
        """What a reader who can wait asks. Raises StoreDown."""
        with self._database.begin() as connection:
            return question(connection)

    def pseudonym(self, *parts: object) -> str:
        """See `secret.pseudonym`."""
        return pseudonym(self._secret, *parts)

    @cached_property
    def _secret(self) -> bytes:
        return secret_of(self._location.secret, self._location.folder)
