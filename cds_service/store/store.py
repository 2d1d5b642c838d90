"""What the service keeps, as the rest of it sees it: nothing here makes an answer late."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from cds_service.store.database import Database, StoreDown
from cds_service.store.intake import Intake, Report, Row, line
from cds_service.store.prompt import Prompt
from cds_service.store.repeats import was_overridden
from cds_service.store.secret import pseudonym, secret_of
from cds_service.store.spool import Spool
from cds_service.store.tokens import UsedTokens


@dataclass(frozen=True)
class Place:
    """Where the store is: a database address or none, a folder, and the secret or none."""

    url: str
    folder: Path
    secret: str = ""

    def database(self) -> Database:
        return Database(self.url, self.folder)

    def spool(self) -> Spool:
        return Spool(self.folder / "spool")


def take_in_what_is_left(place: Place, database: Database) -> None:
    """What a stopped service left in the spool, for commands. Raises StoreDown."""
    Intake(database, place.spool(), lambda *_: None).drain()


class Store:
    """The store of this process and its children. `report` is told of what went wrong.

    Nothing is made on disk before it is needed.
    """

    def __init__(self, place: Place, report: Report):
        self._report, self._place = report, place
        self._database = place.database()
        self._spool = place.spool()
        self._intake = Intake(self._database, self._spool, report)
        self._used = UsedTokens(self._database)
        self._prompt = Prompt()

    def prepare(self) -> None:
        """Makes the tables; a database that is down now is tried again later."""
        try:
            self._database.prepare()
        except StoreDown as error:
            self._report("store-down", str(error))

    def after_fork(self) -> None:
        """In a new worker."""
        self._database.after_fork()

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

    def remember_token(self, client: str, token_id: str, forget_at: float) -> bool:
        """Whether the token is new; a database that does not answer costs this check."""
        return self._ask(lambda: self._used.remember(client, token_id, forget_at), True)

    def was_overridden(self, client: str, advice_key: str, hours: float) -> bool:
        """Whether this advice was overridden within the hours; where that is not known, no."""

        def look() -> bool:
            with self._database.begin() as connection:
                since = time.time() - hours * 3600
                return was_overridden(connection, client, advice_key, since)

        return self._ask(look, False)

    def pseudonym(self, *parts: object) -> str:
        """See `secret.pseudonym`."""
        return pseudonym(self._secret, *parts)

    @cached_property
    def _secret(self) -> bytes:
        return secret_of(self._place.secret, self._place.folder)

    def _ask(self, question: Callable[[], bool], otherwise: bool) -> bool:
        try:
            return self._prompt.ask(question)
        except StoreDown as error:
            self._report("store-down", str(error))
            return otherwise
