"""Files and folders that nobody but the user of the service can read, safe from a loss of power."""

import os
from contextlib import suppress
from pathlib import Path

# What the service makes in its data folder.
OURS = ("service.db*", "tokens*", "secret", "spool")


def make_folder(folder: Path) -> None:
    """Makes the folder, and what is missing above it, with mode 0700. Raises OSError."""
    for missing in reversed([p for p in (folder, *folder.parents) if not p.exists()]):
        missing.mkdir(0o700, exist_ok=True)
        sync_folder(missing.parent)


def open_private(path: str | Path, flags: int) -> int:
    """Opens a file, new ones with mode 0600; an `opener` for `open`."""
    return os.open(path, flags, 0o600)


def sync_folder(folder: Path) -> None:
    """What was made or named in the folder survives a loss of power. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def ours_in(folder: Path) -> set[Path]:
    """What the service made in its data folder; what else is there is not its own."""
    return {path for pattern in OURS for path in folder.glob(pattern)}


def make_private(folder: Path) -> None:
    """Takes away what earlier versions let others read; of the data folder itself only where it
    holds nothing but what is ours.
    """
    ours = ours_in(folder)
    for path in [*ours, *folder.glob("spool/*")]:
        with suppress(OSError):
            path.chmod(0o700 if path.is_dir() else 0o600)
    if ours and ours == set(folder.iterdir()):
        with suppress(OSError):
            folder.chmod(0o700)
