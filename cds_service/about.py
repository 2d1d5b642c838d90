"""What a user can know of the service: source attributes, limits, review date.

The attributes are those of 45 CFR 170.315(b)(11)(iv)(A), evidence-based decision support.
"""

from dataclasses import dataclass
from datetime import date

from cds_service.decision.knowledge import Knowledge

RELEASED = "2026-11-21"
VERSION = "0.1.0"

LIMITS = (
    "Not for emergencies: an acute neurologic deficit or an unstable spine is treated, not "
    "discussed with a decision-support service.",
    "Not a qualified decision-support mechanism of CMS. The PAMA program for appropriate use "
    "criteria has been paused since 2024 and its regulation rescinded; the rating extensions are "
    "sent because ordering systems show them.",
    "Reads codes, never free text and never images. A code that is in no map is not guessed.",
    "Does not cover high-energy trauma, suspected infection and other diseases. Coagulopathy and "
    "frailty before augmentation are not coded well enough for a rule.",
    "Supports and does not replace clinical judgement: every card can be overridden, and the "
    "referring physician and the radiologist decide.",
)


@dataclass(frozen=True)
class Attribute:
    """One source attribute and its value."""

    name: str
    value: str


def source_attributes(knowledge: Knowledge) -> tuple[Attribute, ...]:
    """The 13 source attributes."""
    pairs = (
        ("Bibliographic citation", knowledge.guideline.citation),
        ("Developer", "The maintainers of vcf-appropriateness"),
        ("Funding source of the technical implementation", "None declared"),
        (
            "Release and revision dates",
            f"Version {VERSION}, released {RELEASED}; rules version {knowledge.version}",
        ),
        ("Use of race", "Not used"),
        ("Use of ethnicity", "Not used"),
        ("Use of language", "Not used"),
        ("Use of sexual orientation", "Not used"),
        ("Use of gender identity", "Not used"),
        ("Use of sex", "Used: presumed osteoporosis from 50 in women; the pregnancy rule"),
        ("Use of date of birth", "Used: presumed osteoporosis, trauma in the young, children"),
        ("Use of social determinants of health data", "Not used"),
        ("Use of health status assessment data", "Not used"),
    )
    return tuple(Attribute(name, value) for name, value in pairs)


def is_review_due(knowledge: Knowledge, today: date) -> bool:
    return today > date.fromisoformat(knowledge.guideline.review_due)
