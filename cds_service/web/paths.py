"""Paths made plain before routing: clients join addresses with one slash too many."""

import re
from collections.abc import Callable, Iterable
from typing import Any

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def plain_paths(application: Wsgi) -> Wsgi:
    """The application, for which //cds-services/ is /cds-services.

    A redirect would not do: browsers do not follow one after a CORS preflight.
    """

    def wrapped(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = re.sub(r"/{2,}", "/", environ.get("PATH_INFO", ""))
        environ["PATH_INFO"] = path.rstrip("/") or "/"
        return application(environ, start_response)

    return wrapped
