"""Loads the spool into the database."""

import json
import re
from collections import defaultdict

from msgspec.json import encode

from cds_service.store.background import TellProblem
from cds_service.store.cleaning import without_persons
from cds_service.store.database import Database, RowRefused, StoreDown, insert_new
from cds_service.store.rows import Row
from cds_service.store.spool import LaterVersion, Spool
from cds_service.store.tables import KEPT

# The version of the lines: one more with each column, so that an earlier version of the service,
# which would drop that column, leaves the lines to this one. Those before CLEAN may name a person.
FORMAT = CLEAN = 6
VERSION = re.compile(rb'\{"format":(\d+),')
ROWS_AT_ONCE = 500


def line(table: str, row: dict) -> bytes:
    """A row as a line of the spool. msgspec does not know the type of SQLAlchemy's names."""
    return encode({"format": FORMAT, "table": str(table), "row": row}) + b"\n"


class SpoolLoader:
    """Loads what the spool holds. `tell_problem` hears of rows that were refused."""

    def __init__(self, database: Database, spool: Spool, tell_problem: TellProblem):
        self._database, self._spool, self._tell_problem = database, spool, tell_problem
        self._has_cleaned = False

    def load(self) -> None:
        """Loads all there is. Raises StoreDown.

        On a full disk the room that is left is for the spool: a database there has to wait.
        """
        if not self._has_cleaned:
            self._spool.clean_aside(_without_persons)
            self._has_cleaned = True
        if not self._spool.make_reserve() and self._database.is_here:
            raise StoreDown("the disk is full")
        self._spool.empty(self._load)

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


def _without_persons(text: bytes) -> bytes:
    """A line that an earlier version put aside, without what may name a person; nothing of one of
    which that cannot be told.
    """
    version = VERSION.match(text)
    if version and int(version[1]) >= CLEAN:
        return text
    try:
        made = json.loads(text)
        return line(made["table"], without_persons(made["table"], made["row"]))
    except (ValueError, KeyError, TypeError, AttributeError):
        return b""


def _read(text: bytes) -> Row | None:
    """A line's table and row; None where it is damaged. Raises LaterVersion."""
    try:
        made = json.loads(text)
        if made["format"] > FORMAT:
            raise LaterVersion
        table, row = made["table"], made["row"]
        row = row if made["format"] >= CLEAN else without_persons(table, row)
        return table, {column.name: row.get(column.name) for column in KEPT[table].columns}
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
