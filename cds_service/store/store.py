"""The store, as the rest of the service sees it. No method makes an answer late."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from sqlalchemy.engine import Connection

from cds_service.evaluation import Evaluation
from cds_service.fhir.unmapped import Unmapped
from cds_service.store.background import Background, TellProblem
from cds_service.store.common import CommonCodes
from cds_service.store.database import Database, StoreDown
from cds_service.store.deadline import QueryDeadline
from cds_service.store.files import make_private
from cds_service.store.loader import SpoolLoader, line
from cds_service.store.overridden import Overridden, OverriddenAdvice
from cds_service.store.retention import day_of
from cds_service.store.rows import HookRequest, Row, rows_of
from cds_service.store.secret import pseudonym, secret_of
from cds_service.store.spool import Spool
from cds_service.store.tables import seen_codes
from cds_service.store.tokens import TokenFiles, TokenTable

# How long what is decided waits to be synced, and to be loaded.
SYNC_SECONDS, LOAD_SECONDS = 0.5, 2.0
MOST_CHARTS = 2_000  # of which it is remembered that their codes were added

T = TypeVar("T")


@dataclass(frozen=True)
class StoreLocation:
    """Where the store is: a database address or none, a folder, and the secret or none; and for
    how many hours overridden advice is remembered.
    """

    url: str
    folder: Path
    secret: str = ""
    repeat_hours: float = 0

    def database(self) -> Database:
        return Database(self.url, self.folder)

    def used_tokens(self, database: Database) -> TokenTable | TokenFiles:
        return TokenTable(database) if self.url else TokenFiles(self.folder / "tokens")

    def spool(self) -> Spool:
        return Spool(self.folder / "spool")


def load_spool(location: StoreLocation, database: Database) -> None:
    """Loads what a stopped service left in the spool, for commands. Raises StoreDown."""
    SpoolLoader(database, location.spool(), lambda *_: None).load()


class Store:
    """The store of one process. `tell_problem` hears of what went wrong, and `tell_in_memory` of
    the number of rows that are in memory only, since the disk is full.

    Threads, locks, files and connections do not survive a fork. So nothing is opened before the
    first use, and a process that forks does not use it: under gunicorn only the workers do.
    """

    def __init__(
        self,
        location: StoreLocation,
        tell_problem: TellProblem,
        tell_in_memory: Callable[[int], None] = lambda _: None,
    ):
        self._location = location
        self._tell_problem, self._tell_in_memory = tell_problem, tell_in_memory
        self._database = location.database()
        self._spool = location.spool()
        hours = location.repeat_hours
        self._overridden = OverriddenAdvice(self._database, hours, self.pseudonym)
        self._common = CommonCodes(self._database)
        self._loader = SpoolLoader(self._database, self._spool, tell_problem)
        self._loading = Background(self._load, "spool loader", LOAD_SECONDS, tell_problem)
        self._syncing = Background(self._spool.sync, "spool sync", SYNC_SECONDS, tell_problem)
        self._used_tokens = location.used_tokens(self._database)
        self._deadline = QueryDeadline()
        self._added: set[tuple] = set()

    def prepare(self) -> None:
        """Makes the tables; a database that is down now is tried again later."""
        make_private(self._location.folder)
        try:
            self._database.prepare()
        except StoreDown as error:
            self._tell_problem("store-down", str(error))

    def start(self) -> None:
        """Begins to load the spool, also what a killed worker left there."""
        self._loading.wake()

    def finish(self) -> None:
        """Before a worker ends: loads what there is, if it can, and closes the database."""
        self._syncing.stop()
        self._loading.stop()
        try:
            self._loader.load()
        except StoreDown as error:
            self._tell_problem("store-down", str(error))
        self._database.close()

    def add_evaluations(
        self,
        request: HookRequest,
        evaluations: Iterable[Evaluation],
        similar: Iterable[Unmapped] = (),
        conditions: tuple[Unmapped, ...] = (),
    ) -> None:
        """Keeps what was decided, on the disk within a second; where that is full, in memory.

        `similar` are codes of orders in no map, `conditions` those of the chart: these come again
        with each hook of an ordering session, and are added once.
        """
        day = day_of(request.at)
        chart = (request.client, request.patient_id, day, conditions) if conditions else None
        unmapped = [*similar, *(() if chart in self._added else conditions)]
        rows = rows_of(request, evaluations, unmapped, self.pseudonym, self._common)
        is_written = not rows or self._spool.append([line(*row) for row in rows])
        if not is_written:
            self._tell_problem("store-full", "what was decided is held in memory")
            self._tell_in_memory(self._spool.in_memory)
        elif chart and not any(table == seen_codes.name for table, _ in rows):
            # A code that is not common yet may be with the next hook.
            if len(self._added) >= MOST_CHARTS:
                self._added.clear()
            self._added.add(chart)
        if rows:
            self._syncing.wake()
            self._loading.wake()

    def add_feedback(self, rows: list[Row]) -> bool:
        """Whether the rows are on the disk; else their sender is to send them again."""
        kept = not rows or self._spool.append_synced([line(*row) for row in rows])
        self._loading.wake(at_once=True)
        return kept

    def state(self) -> str:
        """`full` while what is decided is in a reserve or in memory only, else `up`."""
        return "full" if self._spool.is_full else "up"

    def overridden(self, client: str, patient_id: str) -> Overridden:
        """The advice that the client's users overrode, as far as this process knows."""
        return self._overridden.of(client, patient_id)

    def remember_token(self, client: str, token_id: str, forget_at: float) -> bool | None:
        """Whether the token is new; None where that cannot be told or kept now."""
        try:
            if self._database.is_here:
                return self._used_tokens.remember(client, token_id, forget_at)
            return self._deadline.run(self._used_tokens.remember, client, token_id, forget_at)
        except (StoreDown, OSError) as error:
            self._tell_problem("store-down", str(error))
            return None

    def query(self, query: Callable[[Connection], T]) -> T:
        """For a reader who can wait. Raises StoreDown."""
        with self._database.begin() as connection:
            return query(connection)

    def pseudonym(self, *parts: object) -> str:
        """See `secret.pseudonym`."""
        return pseudonym(self._secret, *parts)

    def _load(self) -> None:
        try:
            self._loader.load()
        finally:
            self._tell_in_memory(self._spool.in_memory)
        self._overridden.refresh()
        self._common.refresh()

    @cached_property
    def _secret(self) -> bytes:
        return secret_of(self._location.secret, self._location.folder)
