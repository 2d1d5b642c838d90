"""Files on disk that hold what is to be kept until the database has it.

Each process appends lines to a file of its own, which it holds locked. A file that nobody holds,
closed or left by a process that was killed, is loaded by the first process that finds it, and
deleted after that. A line may so be loaded twice, which its primary key makes once, but is never
lost. What is written survives the end of the process; what is synced, too, a loss of power.
A reserve on disk is given up when the disk is full: it has room for some thousand lines.
"""

import fcntl
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Lock
from uuid import uuid4

from cds_service.store.files import make_folder, open_private, sync_folder

LINES = "*.jsonl"
RESERVE_BYTES = 4_000_000
MOST_IN_MEMORY = 10_000
LARGE_BYTES = 8_000_000


class LaterVersion(Exception):
    """A later version wrote these lines; they stay until one loads them."""


# Loads lines. Raises what keeps it from doing so; then they stay.
Load = Callable[[list[bytes]], None]


class Spool:
    """The files of one folder, shared by all processes of this machine."""

    def __init__(self, folder: Path):
        self._folder = folder
        self._lock = Lock()
        self._file: int | None = None
        self._in_memory: list[bytes] = []
        self._is_full = False
        # Files to be closed with the next sync; whether one was made since the last; how many
        # changes there were, and how many of them are synced.
        self._to_close: list[int] = []
        self._has_new_file = False
        self._changes = self._synced = 0
        self._syncing = Lock()

    @property
    def in_memory(self) -> int:
        """How many lines are held in memory, since the disk is full."""
        return len(self._in_memory)

    @property
    def is_full(self) -> bool:
        """Whether the disk had no room when it was last tried."""
        return self._is_full or bool(self._in_memory)

    def append(self, lines: list[bytes]) -> bool:
        """Whether the lines are written; else the last `MOST_IN_MEMORY` are held in memory.

        A line ends with a line feed, and has no other.
        """
        with self._lock:
            waiting = [*self._in_memory, *lines]
            is_written = self._write(b"".join(waiting))
            self._in_memory = [] if is_written else waiting[-MOST_IN_MEMORY:]
        return is_written

    def append_synced(self, lines: list[bytes]) -> bool:
        """Whether the lines are written and synced; else they are to be sent again."""
        with self._lock:
            is_written = self._write(b"".join(lines))
        with suppress(OSError):
            if is_written:
                self.sync()
                return True
        return False

    def sync(self) -> None:
        """Returns when all that was written before survives a loss of power. Raises OSError.

        Threads that wait for each other here are served by one sync.
        """
        with self._lock:
            wanted = self._changes
        with self._syncing:
            if self._synced < wanted:
                self._sync()

    def _sync(self) -> None:
        with self._lock:
            changes, has_new_file = self._changes, self._has_new_file
            closing, self._to_close, self._has_new_file = self._to_close, [], False
            files = closing if self._file is None else [*closing, self._file]
        try:
            for file in files:
                os.fdatasync(file)
            if has_new_file:
                sync_folder(self._folder)
            self._synced = changes
        finally:
            for file in closing:
                os.close(file)

    def _write(self, data: bytes) -> bool:
        with suppress(OSError):
            self._write_whole(data)
            return True
        self._is_full = True
        with suppress(OSError):
            self._reserve.unlink()
            self._write_whole(data)
            return True
        return False

    def _write_whole(self, data: bytes) -> None:
        """All of it or nothing."""
        if self._file is None:
            self._file = self._open()
        before = os.fstat(self._file).st_size
        if before > LARGE_BYTES:
            following = self._open()
            self._to_close.append(self._file)
            self._file, before = following, 0
        try:
            if os.write(self._file, data) != len(data):
                raise OSError("the disk is full")
        except OSError:
            os.ftruncate(self._file, before)
            raise
        self._changes += 1

    def _open(self) -> int:
        """A new file, locked. Before it is locked another process may load and delete it."""
        make_folder(self._folder)
        while True:
            path = self._folder / f"{uuid4()}.jsonl"
            file = open_private(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL)
            fcntl.flock(file, fcntl.LOCK_EX)
            if os.fstat(file).st_nlink:
                self._has_new_file = True
                return file
            os.close(file)

    def empty(self, load: Load) -> None:
        """Hands every line to `load`, those that waited longest first."""
        self._load_closed_files(load)
        self._load_memory(load)
        if self._close():
            self._load_closed_files(load)

    def _close(self) -> bool:
        """Whether there was a file to be closed. It is synced, since threads may wait for that."""
        with self._lock:
            if self._file is None:
                return False
            self._to_close.append(self._file)
            self._file = None
            self._changes += 1
        with suppress(OSError):
            self.sync()
        return True

    def _load_memory(self, load: Load) -> None:
        """What the disk did not take may go straight into the database."""
        with self._lock:
            waiting, self._in_memory = self._in_memory, []
        try:
            load(waiting)
        except BaseException:
            with self._lock:
                self._in_memory = [*waiting, *self._in_memory]
            raise

    def _load_closed_files(self, load: Load) -> None:
        for path in sorted(self._folder.glob(LINES), key=_modified):
            with suppress(FileNotFoundError, BlockingIOError, LaterVersion), path.open("rb") as f:
                fcntl.flock(f, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if os.fstat(f.fileno()).st_nlink:
                    load(f.readlines())
                    path.unlink()

    def put_aside(self, line: bytes) -> None:
        """Keeps a line that cannot be loaded, for a person to look at."""
        with suppress(OSError), open(self._aside, "ab", opener=open_private) as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.write(line)

    def clean_aside(self, cleaned: Callable[[bytes], bytes]) -> None:
        """Makes of each line that was put aside what is `cleaned` of it."""
        with suppress(OSError), open(self._aside, "r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            lines = file.readlines()
            kept = [cleaned(line) for line in lines]
            if kept != lines:
                file.seek(0)
                file.truncate()
                file.writelines(kept)

    def make_reserve(self) -> bool:
        """Whether the reserve is there, or could be made again."""
        if not self._reserve.exists():
            try:
                self._write_reserve()
            except OSError:
                with suppress(OSError):
                    self._reserve.unlink()
                self._is_full = True
                return False
        self._is_full = False
        return True

    def _write_reserve(self) -> None:
        make_folder(self._folder)
        disk = os.statvfs(self._folder)
        size = min(RESERVE_BYTES, disk.f_blocks * disk.f_frsize // 8)
        with open(self._reserve, "wb", opener=open_private) as file:
            file.write(b"\0" * size)

    @property
    def _aside(self) -> Path:
        return self._folder / "refused"

    @property
    def _reserve(self) -> Path:
        return self._folder / "reserve"


def _modified(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
