"""The secret of the installation, and the keyed digests that stand for what is not kept."""

import hmac
import os
import secrets
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from cds_service.store.files import make_folder, open_private, sync_folder

LENGTH = 32  # hexadecimal digits: 128 bits


def secret_of(setting: str, folder: Path) -> bytes:
    """The secret that is set, else that in the folder, which is made at the first start.

    Where the folder cannot be written it lives as long as the process.
    """
    if setting:
        return setting.encode()
    file = folder / "secret"
    made = secrets.token_hex()
    with suppress(OSError):
        make_folder(folder)
        _write_once(file, made)
    with suppress(OSError):
        return file.read_bytes() or made.encode()
    return made.encode()


def _write_once(file: Path, text: str) -> None:
    """The first process makes it; no other ever reads a part of it."""
    if file.exists():
        return
    own = file.with_name(f"secret-{os.getpid()}")
    with open(own, "w", opener=open_private) as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    with suppress(FileExistsError):
        os.link(own, file)
    own.unlink()
    sync_folder(file.parent)


def pseudonym(secret: bytes, *parts: object) -> str:
    """HMAC-SHA256 of the parts, its first 128 bits in hexadecimal."""
    made = _keyed(secret).copy()
    made.update("\x1f".join(str(part) for part in parts).encode("utf-8", "backslashreplace"))
    return made.hexdigest()[:LENGTH]


@lru_cache(1)
def _keyed(secret: bytes) -> hmac.HMAC:
    return hmac.new(secret, digestmod="sha256")
