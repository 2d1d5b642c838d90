"""Version, source attributes and review date, for the page /about.

The attributes are those of 45 CFR 170.315(b)(11)(iv)(A), evidence-based decision support.
"""

from dataclasses import dataclass
from datetime import date

from cds_service.decision.topic import Topic
from cds_service.language import Language

RELEASED = "2026-11-28"
VERSION = "1.0.0"


@dataclass(frozen=True)
class Attribute:
    """One source attribute and its value."""

    name: str
    value: str


def source_attributes(topic: Topic, language: Language) -> tuple[Attribute, ...]:
    """The 13 source attributes of a topic, in a language."""
    say, about = language.say, topic.about
    released = say(
        "Version %(version)s, released %(released)s; rules version %(rules)s",
        version=VERSION,
        released=RELEASED,
        rules=topic.version,
    )
    return (
        Attribute(say("Bibliographic citation"), say(about.source.citation)),
        Attribute(say("Developer"), say(about.developer)),
        Attribute(say("Funding source of the technical implementation"), say("None declared")),
        Attribute(say("Release and revision dates"), released),
        *(Attribute(say(use.attribute), say(use.use)) for use in about.uses),
    )


def is_review_due(topic: Topic, today: date) -> bool:
    return today > topic.about.source.review_due
