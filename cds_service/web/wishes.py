"""What form of an answer a caller wishes: people get pages, programs JSON."""

from flask import request


def wants_json() -> bool:
    """Of a page that is there in both forms; one who does not say gets the page."""
    return _best("text/html", "application/json") == "application/json"


def wants_page() -> bool:
    """Of an error, which one who does not say gets as JSON."""
    return _best("application/json", "text/html") == "text/html"


def _best(*kinds: str) -> str:
    """The form that is accepted most; of several the first, and where nothing is said."""
    return request.accept_mimetypes.best_match(kinds, default=kinds[0]) or kinds[0]
