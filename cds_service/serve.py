"""`cds-service serve`: gunicorn, with the settings that the service ships with."""

import os
import re
import sys
from typing import NoReturn

from cds_service.configuration import ConfigurationError
from cds_service.shipped import GUNICORN_SETTINGS

MOST_WORKERS = 256
# Of glibc, which gives threads heaps of their own, each of which keeps the largest body that it has
# seen; and which gives the pages of a large body back to the system, to ask for them again.
ALLOCATOR = {
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_TRIM_THRESHOLD_": "4000000",
    "MALLOC_MMAP_THRESHOLD_": "4000000",
}


def number(name: str, otherwise: int, most: int) -> int:
    """The whole number of an environment variable; an empty one counts as not set. Raises
    ConfigurationError, which names it.
    """
    text = os.environ.get(name) or str(otherwise)
    if not re.fullmatch("[0-9]{1,9}", text) or not 1 <= int(text) <= most:
        raise ConfigurationError(f"{name} must be a whole number from 1 to {most}")
    return int(text)


def workers() -> int:
    return number("WEB_CONCURRENCY", 2, MOST_WORKERS)


def address() -> str:
    """Where to listen: on all addresses of the machine where a port is given."""
    port = number("PORT", 8000, 65_535)
    return f"{'0.0.0.0' if os.environ.get('PORT') else '127.0.0.1'}:{port}"  # noqa: S104


def serve() -> NoReturn:
    """Takes the place of this process. GUNICORN_CMD_ARGS may hold more options of gunicorn.

    The numbers are looked at here since gunicorn fails on them before it reads our settings.
    """
    workers(), address()
    os.environ.update({**ALLOCATOR, **os.environ})
    options = ["--config", str(GUNICORN_SETTINGS), "cds_service:create_app()"]
    os.execv(sys.executable, [sys.executable, "-m", "gunicorn", *options])  # noqa: S606  no shell
