"""Identifiers that are the same for the same request, so that an answer can be replayed."""

from functools import cache
from uuid import NAMESPACE_URL, UUID, uuid5


@cache
def _namespace(base: str) -> UUID:
    return uuid5(NAMESPACE_URL, base)


def identifier(base: str, *parts: object) -> UUID:
    """A UUID made of the parts, of a namespace of its own for each base URN."""
    name = "\x1f".join(str(part) for part in parts)
    # JSON may hold half a surrogate pair, which has no UTF-8.
    return uuid5(_namespace(base), name.encode("utf-8", "backslashreplace").decode())
