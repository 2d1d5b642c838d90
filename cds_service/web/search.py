"""Search in the maps of a topic: codes of orders, and codes of reasons."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from cds_service.decision.terminology import OrderMeaning
from cds_service.decision.topic import Topic
from cds_service.decision.words import plain_words
from cds_service.language import Language

ORDER, REASON = "order", "reason"
MOST_FOUND = 12
LONGEST_QUERY = 100


@dataclass(frozen=True)
class Hit:
    """A code that was found; `means` is what an order of it asks for, in our words."""

    system: str
    code: str
    display: str
    means: str = ""

    @cached_property
    def text(self) -> str:
        return plain_words(f"{self.display} {self.code} {self.means}")


def every_code(topic: Topic, kind: str, language: Language) -> list[Hit]:
    """All codes of orders, or of reasons, that the maps know."""
    return list(_orders(topic, language) if kind == ORDER else _reasons(topic, language))


def found_codes(every: list[Hit], query: str) -> list[Hit]:
    """The codes with all words of the query in their display, code or meaning, those that begin
    with it and the shortest first.
    """
    asked = plain_words(query[:LONGEST_QUERY]).strip()
    if not asked:
        return []
    hits = [hit for hit in every if all(word in hit.text for word in asked.split())]
    hits.sort(key=lambda hit: (not hit.text.startswith(asked), len(hit.display), hit.code))
    return hits[:MOST_FOUND]


def _orders(topic: Topic, language: Language) -> Iterator[Hit]:
    for key, meaning in topic.terminology.orders.items():
        yield Hit(*key, topic.terminology.display(key), _meant(topic, meaning, language))


def _meant(topic: Topic, meaning: OrderMeaning, language: Language) -> str:
    procedure = topic.guideline.procedure[meaning.procedure]
    places = " / ".join(language.say(place.display) for place in meaning.places)
    short = language.say(procedure.short)
    return f"{short}, {places}" if places else short


def _reasons(topic: Topic, language: Language) -> Iterator[Hit]:
    """Codes of findings, and the answers to our questions, which are said in the language."""
    for question in topic.questions:
        for said, answer in question.answers.items():
            label = language.say(answer.label)
            yield Hit(topic.terminology.answers, question.code_of(said), label)
    for key in topic.terminology.meanings:
        if key not in topic.terminology.orders:
            yield Hit(*key, topic.terminology.display(key))
