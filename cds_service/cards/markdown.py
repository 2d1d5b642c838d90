"""Text of the client made safe in GitHub-flavoured Markdown, also where HTML is rendered; and our
Markdown as plain text.
"""

import html
import re

LONGEST = 200
_SPECIAL = re.compile(r"([\\`*_\[\]|~])")
_ESCAPED, _EMPHASIS = re.compile(r"\\([\\`*_\[\]|~])"), re.compile(r"(?<!\\)\*+")
# What GitHub-flavoured Markdown makes a link of: https://…, www.…, mailto:…
_ADDRESS = re.compile(r":(?=//)|(?i:(?<=www)\.)|(?i:(?<=mailto):|(?<=xmpp):)")
# Control characters, and what is not seen or turns text round.
_UNSEEN = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff]+"
)


def escape(text: str) -> str:
    """One line that renders as the text itself: no markup, no HTML, no table cell, no link. An `@`
    gets blanks around it, since no escape keeps an address of mail from becoming a link.
    """
    line = " ".join(_UNSEEN.sub(" ", text).replace("@", " @ ").split())
    if len(line) > LONGEST:
        line = line[: LONGEST - 1] + "…"
    return _ADDRESS.sub(_entity, _SPECIAL.sub(r"\\\1", html.escape(line)))


def _entity(sign: re.Match[str]) -> str:
    return f"&#{ord(sign[0])};"


def as_plain_text(markdown: str) -> str:
    """Our own Markdown (emphasis, lists, escaped text) for a screen that shows it as it is."""
    return html.unescape(_ESCAPED.sub(r"\1", _EMPHASIS.sub("", markdown)))
