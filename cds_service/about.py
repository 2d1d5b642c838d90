"""What a user can know of the service: source attributes, limits, review date.

The attributes are those of 45 CFR 170.315(b)(11)(iv)(A), evidence-based decision support.
"""

from dataclasses import dataclass
from datetime import date

from cds_service.decision.knowledge import Knowledge
from cds_service.language import N_, Language

RELEASED = "2026-11-21"
VERSION = "0.1.0"

LIMITS = (
    N_(
        "Not for emergencies: an acute neurologic deficit or an unstable spine is treated, not "
        "discussed with a decision-support service."
    ),
    N_(
        "Not a qualified decision-support mechanism of CMS. The PAMA program for appropriate use "
        "criteria has been paused since 2024 and its regulation rescinded; the rating extensions "
        "are sent because ordering systems show them."
    ),
    N_("Reads codes, never free text and never images. A code that is in no map is not guessed."),
    N_(
        "Does not cover high-energy trauma, suspected infection and other diseases. Coagulopathy "
        "and frailty before augmentation are not coded well enough for a rule."
    ),
    N_(
        "Supports and does not replace clinical judgement: every card can be overridden, and the "
        "referring physician and the radiologist decide."
    ),
)


@dataclass(frozen=True)
class Attribute:
    """One source attribute and its value."""

    name: str
    value: str


def source_attributes(knowledge: Knowledge, language: Language) -> tuple[Attribute, ...]:
    """The 13 source attributes, in a language."""
    say = language.say
    released = say(
        "Version %(version)s, released %(released)s; rules version %(rules)s",
        version=VERSION,
        released=RELEASED,
        rules=knowledge.version,
    )
    return (
        Attribute(say("Bibliographic citation"), say(knowledge.guideline.citation)),
        Attribute(say("Developer"), say("The maintainers of vcf-appropriateness")),
        Attribute(say("Funding source of the technical implementation"), say("None declared")),
        Attribute(say("Release and revision dates"), released),
        *(Attribute(say(name), say(use)) for name, use in USES),
    )


USES = (
    (N_("Use of race"), N_("Not used")),
    (N_("Use of ethnicity"), N_("Not used")),
    (N_("Use of language"), N_("Not used")),
    (N_("Use of sexual orientation"), N_("Not used")),
    (N_("Use of gender identity"), N_("Not used")),
    (
        N_("Use of sex"),
        N_("Used: presumed osteoporosis from 50 in women; the pregnancy rule"),
    ),
    (
        N_("Use of date of birth"),
        N_("Used: presumed osteoporosis, trauma in the young, children"),
    ),
    (N_("Use of social determinants of health data"), N_("Not used")),
    (N_("Use of health status assessment data"), N_("Not used")),
)


def is_review_due(knowledge: Knowledge, today: date) -> bool:
    return today > date.fromisoformat(knowledge.guideline.review_due)
