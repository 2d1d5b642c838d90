"""Identifiers made of the request: the same request gets the same response."""

from functools import cache
from hashlib import sha1
from uuid import NAMESPACE_URL, uuid5


@cache
def _namespace(base: str) -> bytes:
    return uuid5(NAMESPACE_URL, base).bytes


def identifier(base: str, *parts: object) -> str:
    """The UUID (version 5) of the parts, in the namespace of a base URN. RFC 9562, section 5.5; the
    class of the standard library takes three times as long, and cards have many.
    """
    name = "\x1f".join([str(part) for part in parts])
    # JSON may hold half a surrogate pair, which has no UTF-8.
    digest = sha1(_namespace(base) + name.encode("utf-8", "backslashreplace")).digest()  # noqa: S324
    version, variant = digest[6] & 0x0F | 0x50, digest[8] & 0x3F | 0x80
    text = (digest[:6] + bytes((version, digest[7], variant)) + digest[9:16]).hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
