"""Text of the client made safe in GitHub-flavoured Markdown, also where HTML is rendered."""

import html
import re

LONGEST = 200
_SPECIAL = re.compile(r"([\\`*_\[\]|~])")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")


def escape(text: str) -> str:
    """One line that renders as the text itself: no markup, no HTML, no table cell, no link."""
    line = " ".join(_CONTROL.sub(" ", text).split())
    if len(line) > LONGEST:
        line = line[: LONGEST - 1] + "…"
    return _SPECIAL.sub(r"\\\1", html.escape(line))


def table(header: list[str], rows: list[list[str]]) -> str:
    """A GFM table of cells that are already safe."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)
