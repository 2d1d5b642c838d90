"""How what a row holds as a word of ours is called for readers, in their language."""

from collections.abc import Iterable

from cds_service.cards.card import TOPIC_DISPLAYS
from cds_service.cards.evidence import KINDS_IN_WORDS
from cds_service.decision.topic import Topic
from cds_service.language import N_, Language
from cds_service.report.unmapped import ABOUT

VARIANT = "variant"
NOT_RELEVANT = N_("Not relevant")
NO_CARD, NO_DEPARTMENT = N_("No card"), N_("No department named")
INDICATORS = {"critical": N_("critical"), "warning": N_("warning"), "info": N_("info")}
DECISIONS = {
    "rated": N_("Rated"),
    "question": N_("A question is asked"),
    "unresolved": N_("Not resolved"),
    "contrast-not-stated": N_("Contrast of the study not stated"),
    "no-criteria": N_("No variant applies"),
    "outside-scope": N_("Outside of the guideline"),
    "welcome": N_("Not rated; nothing speaks against it"),
    "unreadable": N_("Order not readable"),
    "not-checked": N_("Reason and conditions not known"),
    "not-relevant": NOT_RELEVANT,
}


class Names:
    """The names in one language. What has none is shown as it is."""

    def __init__(self, language: Language, topics: Iterable[Topic]):
        self.say = language.say
        self._topics = {topic.id: topic for topic in topics}
        found = dict(DECISIONS | KINDS_IN_WORDS | INDICATORS | ABOUT)
        for topic in self._topics.values():
            found |= {fact.name: fact.label for fact in topic.facts}
            found |= {name: sound.label for name, sound in topic.condition_words.items()}
            found |= {p.id: p.short for p in topic.guideline.procedures}
        self._found = found

    def of(self, word: str) -> str:
        """A procedure, fact, kind of data, indicator, decision, or what a Condition sounds like."""
        return self.say(self._found[word]) if word in self._found else word

    def topic(self, guideline: str, code: str) -> str:
        """The topic of a card; with its guideline where there are several."""
        said = self.say(TOPIC_DISPLAYS.get(code, NOT_RELEVANT))
        if code.startswith(VARIANT):
            said = self.say("Variant %(number)s", number=code.removeprefix(VARIANT))
        return said if len(self._topics) == 1 else f"{guideline}: {said}"

    @property
    def guidelines(self) -> list[str]:
        sources = [topic.about.source for topic in self._topics.values()]
        return [f"{self.say(source.title)}, {self.say(source.edition)}" for source in sources]
