"""The words in the files of `mappings/` that people read, to be collected for the catalogues."""

import json
from collections.abc import Iterator
from typing import Any, BinaryIO

# The elements with words, by the type of the resource; our own files have none.
WORDS = {
    None: frozenset(
        {"label", "in_text", "short", "text", "order_text", "true", "false", "title", "edition"}
        | {"citation", "copyright", "next", "beware", "think_of", "note", "adult", "child"}
        | {"heading", "not_rated", "state", "imaging", "treatment", "scope", "deletes", "removable"}
        | {"about_variants", "variants_link", "limits", "attribute", "use", "developer"}
        | {"presumed", "none_found"}
    ),
    "CodeSystem": frozenset({"display"}),
    "ConceptMap": frozenset({"comment"}),
}
# What discovery says is for the makers of EHRs, and in English.
NOT_TRANSLATED = frozenset({"service"})


def collect(file: BinaryIO, *_: Any, **__: Any) -> Iterator[tuple[int, str, str, list[str]]]:
    """Line, function, text and comments of each, as Babel wants them from an extractor."""
    document = json.load(file)
    names = WORDS[document.get("resourceType")]
    inner = document.get("concept") or document.get("group") or document
    for text in dict.fromkeys(_words(inner, names)):
        yield 1, "", text, []


def _words(value: Any, names: frozenset[str], is_text: bool = False) -> Iterator[str]:
    if isinstance(value, str):
        yield from [value] if value and is_text else []
    elif isinstance(value, list):
        for item in value:
            yield from _words(item, names, is_text)
    elif isinstance(value, dict):
        for name, inner in value.items():
            if name not in NOT_TRANSLATED:
                yield from _words(inner, names, name in names)
