"""What an entry sounds like whose codes are in no map: words withhold a conclusion, and prove none.

Source: the decision rules, section 2, "A problem that we cannot read".
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class Words:
    """An entry with one of the `stems` counts to the value set `name`, which no code is in.

    A stem is not heard where a word of `silenced_before` stands before it, or one of
    `silenced_behind` behind it, with at most `reach` words between and no `separators`; nor in one
    of the `look_alikes`. All are compared without case and accents. `look_alikes` and the
    exceptions are words or beginnings of words.
    """

    name: str
    stems: tuple[str, ...]
    look_alikes: tuple[str, ...]
    silenced_before: tuple[str, ...]
    silenced_behind: tuple[str, ...]
    separators: tuple[str, ...]
    reach: int

    def hears(self, text: str) -> bool:
        """Whether a stem stands in the text that nothing silences."""
        plain = plain_words(text)
        if not self._stem.search(plain):
            return False
        left = self._look_alike.sub(" ", plain)
        return any(self._hears_in(clause) for clause in self._separator.split(left))

    def _hears_in(self, clause: str) -> bool:
        return any(
            not self._before.search(clause[: found.start()])
            and not self._behind.match(clause[found.end() :])
            for found in self._stem.finditer(clause)
        )

    @cached_property
    def _stem(self) -> re.Pattern[str]:
        return re.compile(rf"\w*(?:{_either(self.stems)})\w*")

    @cached_property
    def _look_alike(self) -> re.Pattern[str]:
        return re.compile(rf"\b(?:{_either(self.look_alikes)})\w*")

    @cached_property
    def _separator(self) -> re.Pattern[str]:
        words = [word for word in self.separators if word.isalpha()]
        signs = [sign for sign in self.separators if not sign.isalpha()]
        return re.compile(rf"[{re.escape(''.join(signs))}]|\b(?:{_either(words)})\b")

    @cached_property
    def _before(self) -> re.Pattern[str]:
        """An exception that ends the text but for some words."""
        return re.compile(rf"\b(?:{_either(self.silenced_before)})\s+(?:\w+\s+){{0,{self.reach}}}$")

    @cached_property
    def _behind(self) -> re.Pattern[str]:
        return re.compile(rf"\s+(?:\w+\s+){{0,{self.reach}}}(?:{_either(self.silenced_behind)})\b")


def _either(words: tuple[str, ...] | list[str]) -> str:
    return "|".join(re.escape(plain_words(word)) for word in words) or r"(?!)"


def plain_words(text: str) -> str:
    """Lower case, without accents; a hyphen, underscore or slash is a blank."""
    if not text.isascii():
        split = unicodedata.normalize("NFKD", text.casefold())
        text = "".join(c for c in split if not unicodedata.combining(c))
    return re.sub(r"[-_/]+", " ", text.lower())


def is_latin(text: str) -> bool:
    """Whether there is a letter in it that the stems could be written with."""
    return re.search("[a-z]", plain_words(text)) is not None
