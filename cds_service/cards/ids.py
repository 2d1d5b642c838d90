"""Identifiers that are the same for the same request, so that an answer can be replayed."""

from uuid import NAMESPACE_URL, UUID, uuid5

NAMESPACE = uuid5(NAMESPACE_URL, "urn:vcf-appropriateness")


def identifier(*parts: object) -> UUID:
    """A UUID made of the parts."""
    name = "\x1f".join(str(part) for part in parts)
    # JSON may hold half a surrogate pair, which has no UTF-8.
    return uuid5(NAMESPACE, name.encode("utf-8", "backslashreplace").decode())
