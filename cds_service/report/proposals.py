"""What an order's words clearly name: a row of a site's map, for a person to confirm.

Nothing is proposed where a word may mean something else, or where one that decides is missing.
"""

import re
from collections.abc import Iterable, Mapping
from typing import TypeVar

from cds_service.decision.topic import OrderWords

Name = TypeVar("Name")


def proposal(said: str, topics: Iterable[OrderWords]) -> tuple[str, str]:
    """Procedure and region of an order in words; empty where they do not name them clearly."""
    found = {named for words in topics if (named := _in_topic(said, words))[0]}
    return found.pop() if len(found) == 1 else ("", "")


def _in_topic(said: str, words: OrderWords) -> tuple[str, str]:
    text = " ".join(said.lower().split())
    other = _only(words.other_studies, text)
    if other:
        return other, ""
    named = {number: study.words for number, study in enumerate(words.studies)}
    study, region = _only(named, text), _only(words.regions, text)
    contrast = next((name for name, e in words.contrast.items() if re.search(e, text)), None)
    if study is None or not region or contrast is None or re.search(words.never, text):
        return "", ""
    return words.studies[study].procedures.get(contrast, ""), region


def _only(choices: Mapping[Name, str], text: str) -> Name | None:
    """The one choice whose words are there."""
    found = [name for name, words in choices.items() if re.search(rf"\b({words})\b", text)]
    return found[0] if len(found) == 1 else None
