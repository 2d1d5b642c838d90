"""What an entry sounds like whose codes are in no map: words withhold a conclusion, and prove none.

Source: the decision rules, section 2, "A problem that we cannot read".
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

REST = re.compile(r"\w*")
FARTHEST = 500  # letters before a stem in which an exception is looked for


@dataclass(frozen=True)
class Words:
    """An entry with one of the `stems` counts to the value set `name`, which no code is in.

    A stem is a part of a word; `abbreviations` are heard only as words. One is not heard where a
    word of `silenced_before` stands before it, or one of `silenced_behind` behind it, with at most
    `reach` words between and none of them one of the `separators`, or before the stem of the
    `separators_before` (a sign separates, too); nor in one of the `look_alikes`, parts of words.
    With one of `never_silenced_with`, beginnings of words, no exception counts. All are compared
    without case and accents. `title` is for pages.
    """

    name: str
    stems: tuple[str, ...]
    abbreviations: tuple[str, ...]
    look_alikes: tuple[str, ...]
    silenced_before: tuple[str, ...]
    silenced_behind: tuple[str, ...]
    never_silenced_with: tuple[str, ...]
    separators: tuple[str, ...]
    separators_before: tuple[str, ...]
    reach: int
    title: str = ""

    def hears(self, text: str) -> bool:
        """Whether a stem stands in the text that nothing silences."""
        plain = plain_words(text)
        if not self._stem.search(plain):
            return False
        left = _without(plain, self._look_alike)
        found = list(_whole_words(left, self._stem))
        if self._never_silenced.search(left):
            return bool(found)
        return any(not self._is_silenced(left, *place) for place in found)

    def _is_silenced(self, text: str, start: int, end: int) -> bool:
        before = text[max(0, start - FARTHEST) : start]
        return bool(self._before.search(before) or self._behind.match(text, end))

    @cached_property
    def _stem(self) -> re.Pattern[str]:
        stems, words = _either(self.stems), _either(self.abbreviations)
        return re.compile(rf"(?:{stems})|\b(?:{words})\b")

    @cached_property
    def _look_alike(self) -> re.Pattern[str]:
        return re.compile(_either(self.look_alikes))

    @cached_property
    def _never_silenced(self) -> re.Pattern[str]:
        return re.compile(rf"\b(?:{_either(self.never_silenced_with)})")

    @cached_property
    def _before(self) -> re.Pattern[str]:
        """An exception, as a word or before a colon, that ends the text but for some words."""
        between = self._between(self.separators + self.separators_before)
        return re.compile(rf"\b(?:{_either(self.silenced_before)})(?: +|: *){between}$")

    @cached_property
    def _behind(self) -> re.Pattern[str]:
        between = self._between(self.separators)
        return re.compile(rf" +{between}(?:{_either(self.silenced_behind)})\b")

    def _between(self, separators: tuple[str, ...]) -> str:
        """The words that may stand between an exception and a stem."""
        return rf"(?:(?!(?:{_either(separators)})\b)\w+ +){{0,{self.reach}}}"


def _whole_words(text: str, part: re.Pattern[str]) -> Iterator[tuple[int, int]]:
    """Start and end of the words that hold a part. An expression for whole words would take the
    square of the time, of a word without end.
    """
    end = 0
    for found in part.finditer(text):
        if found.end() > end:
            start = max(end, found.start() - len(REST.match(text[end : found.start()][::-1])[0]))
            end = REST.match(text, found.end()).end()
            yield start, end


def _without(text: str, part: re.Pattern[str]) -> str:
    """The text with a semicolon for each word that holds a part."""
    left, end = [], 0
    for start, until in _whole_words(text, part):
        left += [text[end:start], ";"]
        end = until
    return "".join([*left, text[end:]])


def _either(words: tuple[str, ...] | list[str]) -> str:
    return "|".join(re.escape(plain_words(word)) for word in words) or r"(?!)"


def plain_words(text: str) -> str:
    """Lower case, without accents; a hyphen or underscore within a word is a blank."""
    if not text.isascii():
        split = unicodedata.normalize("NFKD", text.casefold())
        text = "".join(c for c in split if not unicodedata.combining(c))
    return re.sub(r"(?<=[^\W_])[-_\u2010\u2011]+(?=[^\W_])", " ", text.lower())


def is_latin(text: str) -> bool:
    """Whether at least half of its letters are ones that the stems could be written with."""
    letters = [c for c in plain_words(text) if c.isalpha()]
    return 0 < len(letters) <= 2 * sum(c.isascii() for c in letters)
