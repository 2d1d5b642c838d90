"""Extractor for Babel: the texts in JSON files of the mappings that people read."""

import json
from collections.abc import Iterator
from typing import Any, BinaryIO

# The elements that hold texts, by resource type; our own files have no resource type.
WORDS = {
    None: frozenset(
        {"label", "in_text", "short", "text", "order_text", "true", "false", "title", "edition"}
        | {"citation", "copyright", "next", "beware", "think_of", "note", "adult", "child"}
        | {"heading", "not_rated", "state", "imaging", "treatment", "scope", "deletes", "removable"}
        | {"about_variants", "variants_link", "limits", "attribute", "use", "developer"}
        | {"presumed", "none_found", "why", "site_value_sets", "about"}
    ),
    "ValueSet": frozenset({"title"}),
    "CodeSystem": frozenset({"display"}),
    "ConceptMap": frozenset({"comment"}),
}
# Discovery is read by integrators, and is in English.
NOT_TRANSLATED = frozenset({"service"})


def collect(file: BinaryIO, *_: Any, **__: Any) -> Iterator[tuple[int, str, str, list[str]]]:
    """Line, function, text and comments of each text, the form that Babel expects."""
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
                yield from _words(inner, names, is_text or name in names)
