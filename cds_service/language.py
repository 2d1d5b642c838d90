"""The languages in which cards and pages are written, each with its catalogue (gettext).

The catalogues are the `.po` files of `translations/` and of each topic; the texts themselves are
the English ones.
"""

from dataclasses import dataclass
from functools import cache
from gettext import NullTranslations
from io import BytesIO
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import PoFileError, read_po
from babel.numbers import format_decimal
from babel.support import Translations

from cds_service.configuration import ConfigurationError, Unusable, text_of

FOLDER = Path(__file__).parent / "translations"
LANGUAGES = ("en", "de", "es")


def N_(text: str) -> str:  # noqa: N802  the usual name, by which texts are collected
    """Marks a text to be collected; it is translated later, by `Language.say`."""
    return text


@dataclass(frozen=True)
class Language:
    """One of LANGUAGES with its catalogue. A text that is not in the catalogue stays English."""

    code: str
    catalogue: NullTranslations

    def say(self, text: str, **values: object) -> str:
        """The translation of a text, with the values for its %(names)s."""
        said = self.catalogue.gettext(text) if text else ""
        return said % values if values else said

    def count(self, one: str, many: str, number: int) -> str:
        """The translation of the singular or the plural, with the number for %(number)d."""
        return self.catalogue.ngettext(one, many, number) % {"number": number}

    def number(self, value: float) -> str:
        """A number as people write it: 1,234.5 or 1.234,5."""
        return format_decimal(value, locale=self.code)


ENGLISH = Language(LANGUAGES[0], NullTranslations())


@cache
def language(code: str, mappings: Path) -> Language:
    """One of LANGUAGES, read once in a process: the texts of the package, and those of the topics
    of a mappings folder. Raises ConfigurationError.
    """
    if code == ENGLISH.code:
        return ENGLISH
    catalogue = _compiled(FOLDER / code / "LC_MESSAGES" / "messages.po", code)
    for file in sorted(mappings.glob(f"topics/*/translations/{code}.po")):
        catalogue.add_fallback(_compiled(file, code))
    return Language(code, catalogue)


def _compiled(file: Path, code: str) -> Translations:
    """The catalogue of a `.po` file. Compiled when read: no `.mo` file can be outdated."""
    compiled = BytesIO()
    try:
        content = BytesIO(text_of(file, "list").encode())
        write_mo(compiled, read_po(content, locale=code, abort_invalid=True))
    except (Unusable, PoFileError) as error:
        raise ConfigurationError(f"{file}: {error}") from error
    compiled.seek(0)
    return Translations(compiled)
