"""Files on disk that hold what is to be kept until the database has it.

Each process appends lines to a file of its own, which it holds locked. A file that nobody holds,
closed or left by a process that was killed, is loaded by the first process that finds it, and
deleted after that. A line may so be loaded twice, which its primary key makes once, but is never
lost. A reserve on disk is given up when the disk is full: it has room for some thousand lines.
"""

import fcntl
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Lock
from uuid import uuid4

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

    def append(self, lines: list[bytes]) -> bool:
        """Whether the lines are on disk; else the last `MOST_IN_MEMORY` are held in memory.

        A line ends with a line feed, and has no other.
        """
        with self._lock:
            waiting = [*self._in_memory, *lines]
            on_disk = self._write(b"".join(waiting))
            self._in_memory = [] if on_disk else waiting[-MOST_IN_MEMORY:]
        return on_disk

    def append_or_refuse(self, lines: list[bytes]) -> bool:
        """Whether the lines are on disk; else they are not kept."""
        with self._lock:
            return self._write(b"".join(lines))

    def _write(self, data: bytes) -> bool:
        try:
            self._write_whole(data)
        except OSError:
            if not self._give_up_reserve():
                return False
            try:
                self._write_whole(data)
            except OSError:
                return False
        return True

    def _write_whole(self, data: bytes) -> None:
        """All of it or nothing."""
        if self._file is None:
            self._file = self._open()
        before = os.fstat(self._file).st_size
        if before > LARGE_BYTES:
            os.close(self._file)
            self._file, before = self._open(), 0
        try:
            if os.write(self._file, data) != len(data):
                raise OSError("the disk is full")
        except OSError:
            os.ftruncate(self._file, before)
            raise

    def _open(self) -> int:
        """A new file, locked. Before it is locked another process may load and delete it."""
        self._folder.mkdir(parents=True, exist_ok=True)
        while True:
            path = self._folder / f"{uuid4()}.jsonl"
            file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL, 0o600)
            fcntl.flock(file, fcntl.LOCK_EX)
            if os.fstat(file).st_nlink:
                return file
            os.close(file)

    def empty(self, load: Load) -> None:
        """Hands every line to `load`, those that waited longest first."""
        self._load_closed_files(load)
        self._load_memory(load)
        with self._lock:
            if self._file is None:
                return
            os.close(self._file)
            self._file = None
        self._load_closed_files(load)

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
        with suppress(OSError), (self._folder / "refused").open("ab") as file:
            file.write(line)

    def make_reserve(self) -> bool:
        """Whether the reserve is there, or could be made again."""
        if self._reserve.exists():
            return True
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            disk = os.statvfs(self._folder)
            size = min(RESERVE_BYTES, disk.f_blocks * disk.f_frsize // 8)
            self._reserve.write_bytes(b"\0" * size)
        except OSError:
            self._give_up_reserve()
            return False
        return True

    def _give_up_reserve(self) -> bool:
        try:
            self._reserve.unlink()
        except OSError:
            return False
        return True

    @property
    def _reserve(self) -> Path:
        return self._folder / "reserve"


def _modified(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
