"""The tokens that were used: in a database that hosts share, else in files of this host."""

import hashlib
import os
import re
import time
from contextlib import suppress
from pathlib import Path
from threading import Lock

from sqlalchemy import delete, select

from cds_service.store.database import Database, insert_new
from cds_service.store.files import make_folder, open_private
from cds_service.store.tables import used_tokens

PURGE_EVERY_SECONDS = 300
# Where a clock is ahead by less, no token is forgotten that others, or it later, still accept.
CLOCKS_DIFFER_SECONDS = 3_600
PERIOD_SECONDS = 600
DIGITS = 32  # of the digest in files, which each worker has in memory, too
OF_EARLIER_VERSIONS = "tokens.db*"


class TokenTable:
    """Remembers token ids until `forget_at`, in seconds since 1970. Raises StoreDown."""

    def __init__(self, database: Database):
        self._database = database
        self._insert = ""
        self._purged = 0.0

    def remember(self, client: str, token_id: str, forget_at: float) -> bool:
        """Whether the token is new; it is remembered from now on."""
        self._purge()
        self._insert = self._insert or self._written()
        with self._database.statement() as cursor:
            cursor.execute(self._insert, (_digest(client, token_id), forget_at))
            return cursor.rowcount == 1

    def knows(self, client: str, token_id: str, _: float) -> bool:
        """Whether the token is remembered."""
        known = select(used_tokens).where(used_tokens.c.digest == _digest(client, token_id))
        with self._database.begin() as connection:
            return connection.execute(known).first() is not None

    def _written(self) -> str:
        """The insert in the words of the database, its values marked as the driver marks them."""
        with self._database.begin() as connection:
            insert = insert_new(connection, used_tokens)
            compiled = str(insert.compile(dialect=connection.dialect))
        return re.sub(r"%\(\w+\)s(::[A-Z ]+)?", "%s", compiled)

    def _purge(self) -> None:
        now = time.time()
        if now - self._purged < PURGE_EVERY_SECONDS:
            return
        self._purged = now
        past = used_tokens.c.forget_at < now - CLOCKS_DIFFER_SECONDS
        with self._database.begin() as connection:
            connection.execute(delete(used_tokens).where(past))


class TokenFiles:
    """The same in files, one for each period in which tokens may be forgotten. Raises OSError."""

    def __init__(self, folder: Path):
        self._folder = folder
        self._files: dict[int, TokenFile] = {}
        self._lock = Lock()

    def remember(self, client: str, token_id: str, forget_at: float) -> bool:
        period = int(forget_at // PERIOD_SECONDS)
        with self._lock:
            file = self._files.get(period) or self._open(period)
            return file.add(_digest(client, token_id)[:DIGITS].encode())

    def knows(self, client: str, token_id: str, forget_at: float) -> bool:
        """Makes no file: whoever asks may be another user than that of the service."""
        path = self._folder / str(int(forget_at // PERIOD_SECONDS))
        with suppress(FileNotFoundError):
            return _digest(client, token_id)[:DIGITS].encode() in path.read_bytes()
        return False

    def _open(self, period: int) -> "TokenFile":
        """A file that this process needs now. Those of the past are deleted some time later."""
        make_folder(self._folder)
        now = time.time() // PERIOD_SECONDS
        self._files = {known: file for known, file in self._files.items() if known >= now}
        oldest = now - CLOCKS_DIFFER_SECONDS // PERIOD_SECONDS
        past = [p for p in self._folder.iterdir() if p.name.isdecimal() and int(p.name) < oldest]
        for path in [*past, *self._folder.parent.glob(OF_EARLIER_VERSIONS)]:
            path.unlink(missing_ok=True)
        file = self._files[period] = TokenFile(self._folder / str(period))
        return file


class TokenFile:
    """Digests in the order in which the workers appended them; each worker knows those it has read.
    Nobody waits for a lock, since the first of two that are the same was first.
    """

    def __init__(self, path: Path):
        self._file = open_private(path, os.O_RDWR | os.O_APPEND | os.O_CREAT)
        self._known: set[bytes] = set()
        self._read = 0

    def __del__(self) -> None:
        os.close(self._file)

    def add(self, digest: bytes) -> bool:
        """Whether it is new. One that a full disk cut off ends where the next one begins."""
        if digest in self._known:
            return False
        if os.write(self._file, b"\n" + digest) <= len(digest):
            raise OSError("the disk is full")
        end = os.lseek(self._file, 0, os.SEEK_CUR)
        *others, _ = os.pread(self._file, max(end - self._read, 0), self._read).split(b"\n")
        self._read = end
        self._known.update(others)
        is_new = digest not in self._known
        self._known.add(digest)
        return is_new


def _digest(client: str, token_id: str) -> str:
    """What is kept instead of the id."""
    return hashlib.sha256(f"{client}\x1f{token_id}".encode("utf-8", "replace")).hexdigest()
