"""What an order's words clearly name: a row of a site's map, for a person to confirm.

Nothing is proposed where a word may mean something else, or where one that decides is missing. So
every word has to be understood: one that is left over may make another order of it.
"""

import re
from collections.abc import Iterable, Mapping
from typing import TypeVar

from cds_service.decision.topic import OrderWords

Name = TypeVar("Name")
NOTHING = ("", "")
# What stands between words. A hyphen, a slash and a plus may be part of a word, as in W/O.
BETWEEN_WORDS = re.compile(r"[\s_,;:.()\[\]*]+")


def proposal(said: str, topics: Iterable[OrderWords]) -> tuple[str, str]:
    """Procedure and region of an order in words; empty where they do not name them clearly."""
    text = BETWEEN_WORDS.sub(" ", said.lower()).strip()
    found = {named for words in topics if (named := _in_topic(text, words))[0]}
    return found.pop() if len(found) == 1 else NOTHING


def _in_topic(text: str, words: OrderWords) -> tuple[str, str]:
    other = _only(words.other_studies, text)
    return _other_study(other, text, words) if other else _study(text, words)


def _other_study(procedure: str, text: str, words: OrderWords) -> tuple[str, str]:
    """A study whose contrast is not asked for; only those that are `regional` have a region."""
    region = _only(words.regions, text) if procedure in words.regional else None
    named = [_whole(words.other_studies[procedure])]
    if region:
        named.insert(0, _whole(words.regions[region]))
    return NOTHING if _says_more(text, named, words) else (procedure, region or "")


def _study(text: str, words: OrderWords) -> tuple[str, str]:
    """A study by its words, its region and its contrast, all of which are needed."""
    study = _only({number: s.words for number, s in enumerate(words.studies)}, text)
    region = _only(words.regions, text)
    contrast = next((name for name, e in words.contrast.items() if re.search(e, text)), None)
    if study is None or region is None or contrast is None:
        return NOTHING
    meant = words.studies[study]
    named = [words.contrast[contrast], _whole(words.regions[region]), _whole(meant.words)]
    return NOTHING if _says_more(text, named, words) else (meant.procedures[contrast], region)


def _only(choices: Mapping[Name, str], text: str) -> Name | None:
    """The one choice whose words are there."""
    found = [name for name, words in choices.items() if re.search(_whole(words), text)]
    return found[0] if len(found) == 1 else None


def _says_more(text: str, named: list[str], words: OrderWords) -> bool:
    """Whether anything is left of a text without the words that are understood."""
    for expression in (*named, _whole(words.neutral)):
        text = re.sub(expression, " ", text)
    return re.search(r"\w", text) is not None


def _whole(words: str) -> str:
    """The words, but no parts of longer ones."""
    return rf"\b({words})\b"
