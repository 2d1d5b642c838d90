"""How much of a request is read: what would be dear is counted before it is read."""

from collections.abc import Collection

from msgspec import Raw

BEFORE_A_VALUE = (b",", b"[", b"{")
MOST_VALUES = 700_000  # in 1.4 MB there cannot be more
MOST_BESIDE_THE_PREFETCH = 30_000
MOST_BYTES_BESIDE_THE_PREFETCH = 1_000_000
MOST_KEYS = 1_000
MOST_RESOURCES = 20_000
MOST_CODES = 50_000
MOST_WORDS = 300_000
MOST_READ_WHOLE = 60_000
MOST_COMPARED = 20_000


class TooMuch(Exception):
    """A request beyond a limit; the text says which, and holds nothing of the request."""


def values_in(text: bytes | bytearray | Raw) -> int:
    """How many values a JSON text holds, at most: each is the first one in its list or object, or
    stands behind a comma.
    """
    content = bytes(text) if isinstance(text, Raw) else text
    return sum(map(content.count, BEFORE_A_VALUE)) + 1


def check(number: int, most: int, what: str) -> None:
    """Raises TooMuch."""
    if number > most:
        raise TooMuch(f"The request holds more than {most} {what}.")


def check_values(texts: Collection[bytes | bytearray | Raw], most: int, what: str) -> None:
    """Raises TooMuch. A value takes two bytes, with what parts it from the next: short texts are
    not counted.
    """
    if sum(len(memoryview(text)) for text in texts) > 2 * most:
        check(sum(map(values_in, texts)), most, what)
