"""From the spool into the database, behind the back of the requests."""

import json
import os
from collections import defaultdict
from collections.abc import Callable
from threading import Event, Lock, Thread

from cds_service.store.database import Database, RowRefused, StoreDown, insert_new
from cds_service.store.spool import NotForUs, Spool
from cds_service.store.tables import KEPT

FORMAT = 3  # one more with each column, so that a version before it leaves the lines alone
AT_ONCE = 500
GATHER_SECONDS = 2.0
LOOK_AROUND_SECONDS = 2.0
LONGEST_PAUSE_SECONDS = 20

TellProblem = Callable[[str, str], None]
Row = tuple[str, dict]


def line(table: str, row: dict) -> bytes:
    """A row on its way to a table."""
    made = {"format": FORMAT, "table": table, "row": row}
    return json.dumps(made, separators=(",", ":")).encode() + b"\n"


class Intake:
    """Takes in what the spool holds: soon after it is written, and at least now and then.

    `report` is told of what was refused, in words of ours: what, and of which kind the fault is;
    `then` is called after each time.
    """

    def __init__(
        self,
        database: Database,
        spool: Spool,
        report: TellProblem,
        then: Callable[[], None] = lambda: None,
    ):
        self._database, self._spool, self._report, self._then = database, spool, report, then
        self._process = 0
        self._starting = Lock()
        self._work = Event()
        self._soon = Event()

    def wake(self, at_once: bool = False) -> None:
        """Something was written; starts the thread of this process where there is none."""
        self.start()
        self._work.set()
        if at_once:
            self._soon.set()

    def start(self) -> None:
        if self._process == os.getpid():
            return
        with self._starting:
            if self._process != os.getpid():
                self._work, self._soon, self._ended = Event(), Event(), False
                self._thread = Thread(target=self._run, name="intake", daemon=True)
                self._process = os.getpid()
                self._thread.start()

    def stop(self) -> None:
        """Ends the thread of this process, if there is one."""
        if self._process == os.getpid():
            self._ended = True
            self.wake(at_once=True)
            self._thread.join()
            self._process = 0

    def drain(self) -> None:
        """Takes in all there is. Raises StoreDown.

        What room is left on a full disk is for the lines: a database there has to wait.
        """
        if not self._spool.keep_reserve() and self._database.is_here:
            raise StoreDown("the disk is full")
        self._spool.drain(self._take_in)

    def _run(self) -> None:
        pause = 0.0
        while True:
            self._work.clear()
            self._soon.clear()
            try:
                self.drain()
                self._then()
                pause = 0.0
            except StoreDown as error:
                self._report("store-down", str(error))
                pause = min(LONGEST_PAUSE_SECONDS, 2 * pause or 0.5)
            except Exception as error:  # the thread goes on, whatever it met
                self._report("store-fault", type(error).__name__)
                pause = LONGEST_PAUSE_SECONDS
            if self._ended:
                return
            if pause:
                self._soon.wait(pause)
            elif self._work.wait(LOOK_AROUND_SECONDS):
                self._soon.wait(GATHER_SECONDS)

    def _take_in(self, lines: list[bytes]) -> None:
        for start in range(0, len(lines), AT_ONCE):
            self._take_in_some(lines[start : start + AT_ONCE])

    def _take_in_some(self, lines: list[bytes]) -> None:
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
        self._report("row-refused", kind)
        self._spool.put_aside(text)


def _read(text: bytes) -> Row | None:
    """A line's table and row; None where it is damaged. Raises NotForUs for a later version's."""
    try:
        made = json.loads(text)
        if made["format"] > FORMAT:
            raise NotForUs
        columns = KEPT[made["table"]].columns
        return made["table"], {column.name: made["row"].get(column.name) for column in columns}
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
