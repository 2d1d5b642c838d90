"""Values of a client's table on which other parts act."""

# How answers are written; see `cards/dialects.py`.
HL7, EPIC, SANDBOX, CRD_INFERNO = DIALECTS = ("hl7", "epic", "sandbox", "crd-inferno")

# What is done on order-sign with an order that has no coded reason, without the conditions.
SILENCE, CARD, PRECONDITION_FAILED = ON_TOO_LITTLE = ("silence", "card", "412")


def listed(words: tuple[str, ...]) -> str:
    """The words as documents name them: `a`, `b` or `c`."""
    *first, last = (f"`{word}`" for word in words)
    return f"{', '.join(first)} or {last}"
