"""What is to be kept, on disk before the answer goes out, and from there into the database.

Each process appends lines to a file of its own, which it holds locked. A file that nobody holds,
be it closed or left by a process that was killed, is taken in by whoever comes first, and deleted
after that: a line may be taken in twice, which its key makes once, and never not at all.
A reserve on disk, given up when the disk is full, leaves room for some thousand lines.
"""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock
from uuid import uuid4

LINES = "*.jsonl"
RESERVE_BYTES = 4_000_000
MOST_IN_MEMORY = 10_000
LARGE_BYTES = 8_000_000


class NotForUs(Exception):
    """A later version wrote these lines; they stay until one takes them in."""


# Takes lines in. Raises what keeps it from doing so; then they stay.
TakeIn = Callable[[list[bytes]], None]


class Spool:
    """The files of one folder, shared by all processes of this machine."""

    def __init__(self, folder: Path):
        self._folder = folder
        self._begin_anew()

    def _begin_anew(self) -> None:
        self._lock = Lock()
        self._process = os.getpid()
        self._file: int | None = None
        self._in_memory: list[bytes] = []

    @contextmanager
    def _own(self) -> Iterator[None]:
        """One thread at a time; a forked process has files of its own."""
        if self._process != os.getpid():
            self._begin_anew()
        with self._lock:
            yield

    def append(self, lines: list[bytes]) -> bool:
        """Whether the lines are on disk; else they are held in memory, as long as there is room.

        A line ends with a line feed, and has no other.
        """
        with self._own():
            waiting = [*self._in_memory, *lines]
            on_disk = self._write(b"".join(waiting))
            self._in_memory = [] if on_disk else waiting[-MOST_IN_MEMORY:]
        return on_disk

    def append_or_fail(self, lines: list[bytes]) -> bool:
        """Whether the lines are on disk; else they are not kept at all."""
        with self._own():
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
        """A new file, held. Until it is held another process may take it for one to take in."""
        self._folder.mkdir(parents=True, exist_ok=True)
        while True:
            path = self._folder / f"{uuid4()}.jsonl"
            file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL, 0o600)
            fcntl.flock(file, fcntl.LOCK_EX)
            if os.fstat(file).st_nlink:
                return file
            os.close(file)

    def drain(self, take_in: TakeIn) -> None:
        """Hands every line to `take_in`, those that waited longest first."""
        self._drain_closed(take_in)
        self._drain_memory(take_in)
        with self._own():
            if self._file is None:
                return
            os.close(self._file)
            self._file = None
        self._drain_closed(take_in)

    def _drain_memory(self, take_in: TakeIn) -> None:
        """What the disk did not take may go straight in."""
        with self._own():
            waiting, self._in_memory = self._in_memory, []
        try:
            take_in(waiting)
        except BaseException:
            with self._own():
                self._in_memory = [*waiting, *self._in_memory]
            raise

    def _drain_closed(self, take_in: TakeIn) -> None:
        for path in sorted(self._folder.glob(LINES), key=_age):
            with suppress(FileNotFoundError, BlockingIOError, NotForUs), path.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if os.fstat(file.fileno()).st_nlink:
                    take_in(file.readlines())
                    path.unlink()

    def put_aside(self, line: bytes) -> None:
        """A line that cannot be taken in is kept for a person to look at."""
        with suppress(OSError), (self._folder / "refused").open("ab") as file:
            file.write(line)

    def keep_reserve(self) -> bool:
        """Whether the reserve is there, or could be set aside again."""
        if self._reserve.exists():
            return True
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            disk = os.statvfs(self._folder)
            self._reserve.write_bytes(
                b"\0" * min(RESERVE_BYTES, disk.f_blocks * disk.f_frsize // 8)
            )
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


def _age(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
