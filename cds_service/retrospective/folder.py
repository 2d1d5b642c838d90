"""The folder of a run: what is in it, for how long, and that one run at a time works in it."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from cds_service.commandline import Told
from cds_service.store.files import make_folder, open_private


class RunError(Told):
    """Why a run cannot be made."""


@dataclass(frozen=True)
class Folder:
    """`spill` holds plain data of patients while a run lasts, and `buckets` what is finished of
    one that is not; both are gone at the end. The others stay.
    """

    path: Path

    @property
    def spill(self) -> Path:
        return self.path / "spill"

    @property
    def buckets(self) -> Path:
        return self.path / "buckets"

    @property
    def orders(self) -> Path:
        return self.path / "orders.parquet"

    @property
    def unmapped(self) -> Path:
        return self.path / "unmapped.csv"

    @property
    def problems(self) -> Path:
        return self.path / "problems.csv"

    @property
    def manifest(self) -> Path:
        return self.path / "manifest.json"

    @property
    def report(self) -> Path:
        return self.path / "report.html"

    @property
    def sample(self) -> Path:
        return self.path / "sample.html"

    @property
    def ids(self) -> Path:
        return self.path / "ids.csv"

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Makes the folder, and takes it; what a killed run left of plain data is removed. Raises
        RunError, also for a file or disk that fails meanwhile.
        """
        try:
            make_folder(self.path)
            with open(self.path / "lock", "w", opener=open_private) as lock:
                self._lock(lock)
                self.remove(self.spill)
                yield
        except OSError as error:
            raise RunError(f"{error.filename or self.path}: {error.strerror}") from None

    def _lock(self, file: IO[str]) -> None:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RunError(f"another run is at work in {self.path}") from None

    @contextmanager
    def spilling(self) -> Iterator[Path]:
        """The folder for plain data, for as long as it is needed."""
        make_folder(self.spill)
        try:
            yield self.spill
        finally:
            self.remove(self.spill)

    def begin_anew(self) -> None:
        """Removes all but the salt, so that digests stay what they were."""
        self.remove(self.buckets)
        results = (self.manifest, self.orders, self.unmapped, self.problems, self.report)
        for file in (*results, self.sample, self.ids):
            file.unlink(missing_ok=True)

    def remove(self, folder: Path) -> None:
        if folder.exists():
            shutil.rmtree(folder)


@contextmanager
def whole_file(file: Path) -> Iterator[Path]:
    """A private file to write to, which gets the name when it is whole."""
    part = file.with_name(f".{file.name}.part")
    os.close(open_private(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC))
    yield part
    part.replace(file)
