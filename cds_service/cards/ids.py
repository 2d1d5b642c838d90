"""Identifiers that are the same for the same request, so that an answer can be replayed."""

from uuid import NAMESPACE_URL, UUID, uuid5

NAMESPACE = uuid5(NAMESPACE_URL, "urn:vcf-appropriateness")


def identifier(*parts: object) -> UUID:
    """A UUID made of the parts."""
    return uuid5(NAMESPACE, "\x1f".join(str(part) for part in parts))
