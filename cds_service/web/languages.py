"""The language of a page: the one in its address, else the one that the browser prefers."""

from pathlib import Path
from urllib.parse import urlencode

from flask import Flask, Response, current_app, request

from cds_service.decision.topic import Topics
from cds_service.language import ENGLISH, LANGUAGES, Language, language

CHOSEN = "lang"
NAMES = {"en": "English", "de": "Deutsch", "es": "Español"}


def add_languages(app: Flask, topics: Topics, mappings: Path) -> None:
    """Gives every template `say` and the topics, and pages the headers Vary and Content-Language.
    `mappings` is the folder with the translations of the topics. Raises ConfigurationError.
    """
    app.extensions["mappings"] = mappings
    for code in LANGUAGES:
        language(code, mappings)
    app.context_processor(_words)
    app.context_processor(lambda: {"topics": list(topics.values())})
    app.after_request(_tell)


def spoken() -> Language:
    """The language of the requested page."""
    wanted = request.args.get(CHOSEN)
    if wanted not in LANGUAGES:
        wanted = request.accept_languages.best_match(LANGUAGES, default=ENGLISH.code)
    return language(wanted, current_app.extensions["mappings"])


def _words() -> dict:
    """The context of a template. `chosen` is the query of a link that keeps the language."""
    used = spoken()
    chosen = f"{CHOSEN}={used.code}" if request.args.get(CHOSEN) == used.code else ""
    return {
        "say": used.say,
        "count": used.count,
        "number": used.number,
        "language": used.code,
        "chosen": chosen,
        "languages": NAMES,
        "in_language": _address_in,
    }


def _address_in(code: str) -> str:
    """The address of this page, with all that it asks for, in another language."""
    asked = {**request.args.to_dict(flat=False), CHOSEN: [code]}
    return f"?{urlencode(asked, doseq=True)}"


def _tell(response: Response) -> Response:
    if response.mimetype == "text/html":
        response.vary.add("Accept-Language")
        response.content_language.add(spoken().code)
    return response
