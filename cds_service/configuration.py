"""Reads the files of the configuration: regular files only, and no more of them than a limit."""

import json
import os
import tomllib
from pathlib import Path
from stat import S_ISREG
from typing import Any

BYTES = {"table": 1_000_000, "list": 20_000_000, "mappings": 100_000_000}
DEEPEST = 100


class ConfigurationError(RuntimeError):
    """What keeps the service from starting, a line for each thing that is wrong; gunicorn prints
    no more than these. A running service goes on as it was.
    """


class Unusable(ValueError):
    """Why a file cannot be used, in one line that does not name it."""


def bytes_of(file: Path, kind: str) -> bytes:
    """The content; `kind` says how much there may be. Raises Unusable."""
    most = BYTES[kind]
    try:
        content = _read(file, most + 1)
    except OSError as error:
        raise Unusable(f"cannot be read: {error.strerror}") from error
    except ValueError:
        raise Unusable("is no name of a file") from None
    if content is None:
        raise Unusable("is no regular file")
    if len(content) > most:
        raise Unusable(f"has more than {most} bytes")
    return content


def _read(file: Path, most: int) -> bytes | None:
    """So much of a regular file at most, or None. To open a FIFO may not wait for who writes it."""
    descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK)
    try:
        if not S_ISREG(os.fstat(descriptor).st_mode):
            return None
        with open(descriptor, "rb", closefd=False) as opened:
            return opened.read(most)
    finally:
        os.close(descriptor)


def text_of(file: Path, kind: str) -> str:
    """The text, without a byte order mark. Raises Unusable."""
    content = bytes_of(file, kind)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = len(content[: error.start].split(b"\n"))
        raise Unusable(f"line {line}: is not UTF-8") from error


def json_of(file: Path, kind: str) -> Any:
    """The value of a JSON file. Raises Unusable."""
    return _parsed(json.loads, text_of(file, kind), "not JSON: ")


def toml_in(text: str) -> dict[str, Any]:
    """Raises Unusable."""
    return _parsed(tomllib.loads, text, "")


def _parsed(parse: Any, text: str, problem: str) -> Any:
    try:
        value = parse(text)
    except RecursionError:
        raise Unusable("is nested too deeply") from None
    except ValueError as error:
        raise Unusable(f"{problem}{error}") from error
    if _is_deep(value):
        raise Unusable("is nested too deeply")
    return value


def _is_deep(value: Any) -> bool:
    """Whether it goes deeper than what reads it can go."""
    level = [value]
    for _ in range(DEEPEST):
        level = [inner for one in level for inner in _inside(one)]
        if not level:
            return False
    return True


def _inside(value: Any) -> Any:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()
