"""The Markdown of a card's detail as HTML."""

from functools import cache
from typing import TYPE_CHECKING

from markupsafe import Markup

if TYPE_CHECKING:
    from markdown_it import MarkdownIt


def markdown(text: str) -> Markup:
    """GitHub-flavoured Markdown as HTML. HTML in it stays text, and links lead to the web only."""
    # The renderer escapes what it is given, and HTML is switched off.
    return Markup(_renderer().render(text))  # noqa: S704


@cache
def _renderer() -> "MarkdownIt":
    # Imported here, since a worker that only answers hooks never needs the library.
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")
