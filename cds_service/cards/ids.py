"""Identifiers made of the request: the same request gets the same response."""

from functools import cache
from uuid import NAMESPACE_URL, UUID, uuid5


@cache
def _namespace(base: str) -> UUID:
    return uuid5(NAMESPACE_URL, base)


def identifier(base: str, *parts: object) -> UUID:
    """The UUID (version 5) of the parts, in the namespace of a base URN."""
    name = "\x1f".join(str(part) for part in parts)
    # JSON may hold half a surrogate pair, which has no UTF-8.
    return uuid5(_namespace(base), name.encode("utf-8", "backslashreplace").decode())
