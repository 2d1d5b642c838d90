"""Loads the spool into the database, in a thread beside the requests."""

import json
from collections import defaultdict
from collections.abc import Callable
from threading import Event, Lock, Thread

from cds_service.store.database import Database, RowRefused, StoreDown, insert_new
from cds_service.store.rows import Row
from cds_service.store.spool import LaterVersion, Spool
from cds_service.store.tables import KEPT

# The version of the lines: one more with each column, so that an earlier version of the service,
# which would drop that column, leaves the lines to this one.
FORMAT = 5
ROWS_AT_ONCE = 500
GATHER_SECONDS = 2.0
IDLE_SECONDS = 2.0
LONGEST_PAUSE_SECONDS = 20

# Takes what is wrong (a name of ours) and what is said of it.
TellProblem = Callable[[str, str], None]


def line(table: str, row: dict) -> bytes:
    """A row as a line of the spool."""
    made = {"format": FORMAT, "table": table, "row": row}
    return json.dumps(made, separators=(",", ":")).encode() + b"\n"


class SpoolLoader:
    """Loads what the spool holds: soon after it is written, and every `IDLE_SECONDS`.

    `tell_problem` hears of rows that were refused and of a database that is down; `then` is called
    after each time.
    """

    def __init__(
        self,
        database: Database,
        spool: Spool,
        tell_problem: TellProblem,
        then: Callable[[], None] = lambda: None,
    ):
        self._database, self._spool = database, spool
        self._tell_problem, self._then = tell_problem, then
        self._thread: Thread | None = None
        self._starting = Lock()
        self._written, self._at_once, self._ended = Event(), Event(), Event()

    def wake(self, at_once: bool = False) -> None:
        """Something was written. Starts the thread if there is none."""
        with self._starting:
            if self._thread is None:
                self._thread = Thread(target=self._run, name="spool loader", daemon=True)
                self._thread.start()
        self._written.set()
        if at_once:
            self._at_once.set()

    def stop(self) -> None:
        """Ends the thread, if there is one."""
        if self._thread is not None:
            self._ended.set()
            self.wake(at_once=True)
            self._thread.join()
            self._thread = None
            self._ended.clear()

    def load(self) -> None:
        """Loads all there is. Raises StoreDown.

        On a full disk the room that is left is for the spool: a database there has to wait.
        """
        if not self._spool.make_reserve() and self._database.is_here:
            raise StoreDown("the disk is full")
        self._spool.empty(self._load)

    def _run(self) -> None:
        pause = 0.0
        while True:
            self._written.clear()
            self._at_once.clear()
            pause = 0.0 if self._load_and_tell() else min(LONGEST_PAUSE_SECONDS, 2 * pause or 0.5)
            if self._ended.is_set():
                return
            if pause:
                self._at_once.wait(pause)
            elif self._written.wait(IDLE_SECONDS):
                self._at_once.wait(GATHER_SECONDS)

    def _load_and_tell(self) -> bool:
        """Whether all went well. The thread goes on, whatever is wrong."""
        try:
            self.load()
            self._then()
        except StoreDown as error:
            self._tell_problem("store-down", str(error))
        except Exception as error:
            self._tell_problem("store-fault", type(error).__name__)
        else:
            return True
        return False

    def _load(self, lines: list[bytes]) -> None:
        for start in range(0, len(lines), ROWS_AT_ONCE):
            self._load_some(lines[start : start + ROWS_AT_ONCE])

    def _load_some(self, lines: list[bytes]) -> None:
        read = [(text, _read(text)) for text in lines]
        for text, row in read:
            if row is None:
                self._refuse(text, "not readable")
        good = [(text, row) for text, row in read if row]
        try:
            self._insert([row for _, row in good])
        except RowRefused:
            for text, row in good:
                self._insert_one(text, row)

    def _insert_one(self, text: bytes, row: Row) -> None:
        """The fault of one never spoils the others."""
        try:
            self._insert([row])
        except RowRefused as error:
            self._refuse(text, error.kind)

    def _insert(self, rows: list[Row]) -> None:
        """All or none. A row that is there already stays as it is."""
        by_table = defaultdict(list)
        for table, row in rows:
            by_table[table].append(row)
        with self._database.begin() as connection:
            for table, some in by_table.items():
                connection.execute(insert_new(connection, KEPT[table]), some)

    def _refuse(self, text: bytes, kind: str) -> None:
        self._tell_problem("row-refused", kind)
        self._spool.put_aside(text)


def _read(text: bytes) -> Row | None:
    """A line's table and row; None where it is damaged. Raises LaterVersion."""
    try:
        made = json.loads(text)
        if made["format"] > FORMAT:
            raise LaterVersion
        columns = KEPT[made["table"]].columns
        return made["table"], {column.name: made["row"].get(column.name) for column in columns}
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
