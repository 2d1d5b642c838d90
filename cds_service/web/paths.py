"""Normalises addresses before routing: clients join them with one slash too many, and some send
queries that are not ASCII.
"""

import re
from collections.abc import Callable, Iterable
from typing import Any

NOT_ASCII = re.compile(r"[^\x00-\x7f]")
Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def plain_paths(application: Wsgi) -> Wsgi:
    """The application, to which //cds-services/ is /cds-services.

    Not by a redirect, which browsers do not follow after a CORS preflight.
    """

    def wrapped(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = re.sub(r"/{2,}", "/", environ.get("PATH_INFO", ""))
        environ["PATH_INFO"] = path.rstrip("/") or "/"
        environ["QUERY_STRING"] = NOT_ASCII.sub(_quoted, environ.get("QUERY_STRING", ""))
        return application(environ, start_response)

    return wrapped


def _quoted(sign: re.Match[str]) -> str:
    """A byte of a query, which WSGI gives as a Latin-1 character, percent-encoded."""
    return f"%{ord(sign[0]):02X}"
