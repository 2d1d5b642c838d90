"""What is said of an order: the types of verdict, and which of them the guideline gives.

A verdict is made once. `subject` is the word for it in the log, the metrics and the store.
"""

from dataclasses import dataclass
from typing import ClassVar

from cds_service.decision.guideline import USUALLY_APPROPRIATE, USUALLY_NOT_APPROPRIATE
from cds_service.decision.question import question_for
from cds_service.decision.safety import Alert, SafetyRule, speaking
from cds_service.decision.situation import Situation
from cds_service.decision.topic import Question, Topic

# The ratings of the Argonaut guide "CDS Hooks for PAMA".
APPROPRIATE = "appropriate"
NOT_APPROPRIATE = "not-appropriate"
NO_CRITERIA_APPLY = "no-criteria-apply"

# Why an order is not rated, or not checked.
NO_CRITERIA = "no-criteria"
CONTRAST_NOT_STATED = "contrast-not-stated"
UNRESOLVED = "unresolved"
OUTSIDE_SCOPE = "outside-scope"
WELCOME = "welcome"
UNREADABLE = "unreadable"
NOT_CHECKED = "not-checked"


@dataclass(frozen=True)
class Silent:
    """The order is not about what the topic is about; `reason` is the word for why."""

    reason: str
    subject: ClassVar[str] = "not-relevant"
    rating: ClassVar[str | None] = None


@dataclass(frozen=True)
class Rated:
    """All possible variants agree on a category. `rating` is None where perhaps none applies."""

    category: str
    rating: str | None
    subject: ClassVar[str] = "rated"


@dataclass(frozen=True)
class Asks:
    """The possible variants disagree, and the answer to the question changes that."""

    question: Question
    subject: ClassVar[str] = "question"
    rating: ClassVar[str | None] = None


@dataclass(frozen=True)
class NotRated:
    """Not rated: `subject` says why; `rules` are the safety rules that say so, if any."""

    subject: str
    rating: str | None = None
    rules: tuple[SafetyRule, ...] = ()


@dataclass(frozen=True)
class NotChecked:
    """Too little is known of the order, or it cannot be read; `problem` names the field then."""

    subject: str
    problem: str = ""
    rating: ClassVar[str | None] = None


Verdict = Silent | Rated | Asks | NotRated | NotChecked


def verdict_on(situation: Situation, alerts: tuple[Alert, ...], topic: Topic) -> Verdict:
    """The verdict of the guideline, unless a safety rule replaces it (outside-scope, quiet)."""
    outside = _rules(alerts, "outside-scope")
    if outside:
        return NotRated(OUTSIDE_SCOPE, NO_CRITERIA_APPLY, outside)
    verdict = _by_the_guideline(situation, topic)
    quiet = _rules(alerts, "quiet")
    return NotRated(WELCOME, rules=quiet) if quiet and verdict.rating != APPROPRIATE else verdict


def _rules(alerts: tuple[Alert, ...], kind: str) -> tuple[SafetyRule, ...]:
    return tuple(alert.rule for alert in speaking(alerts, kind))


def _by_the_guideline(situation: Situation, topic: Topic) -> Verdict:
    """The category that the outcomes agree on, or why there is none."""
    procedure, outcomes = situation.case.order.procedure, situation.outcomes
    is_listed = bool(outcomes.categories(procedure.id) - {None})
    if not outcomes.variants or not (is_listed or procedure.contrast_not_stated):
        return NotRated(NO_CRITERIA, NO_CRITERIA_APPLY)
    if procedure.contrast_not_stated:
        return NotRated(CONTRAST_NOT_STATED)
    category = outcomes.category(procedure.id)
    if category is None or (outcomes.none_possible and _needs_a_variant(situation)):
        question = question_for(situation, topic.questions)
        return Asks(question) if question else NotRated(UNRESOLVED)
    return Rated(category, None if outcomes.none_possible else pama_rating(category))


def _needs_a_variant(situation: Situation) -> bool:
    """A treatment, other than a consultation, is not rated while no variant may apply."""
    procedure = situation.case.order.procedure
    return not procedure.is_imaging and not procedure.is_consultation


def urgency(verdict: Verdict, situation: Situation) -> str | None:
    """How urgent the verdict itself is, as an indicator; None shows no card."""
    if not isinstance(verdict, Rated):
        return None if verdict.subject in (Silent.subject, WELCOME) else "info"
    if verdict.category == USUALLY_APPROPRIATE:
        return None
    if verdict.category == USUALLY_NOT_APPROPRIATE:
        return "warning"
    return None if "passes-when-may-be" in situation.case.order.procedure.traits else "info"


def pama_rating(category: str | None) -> str:
    """An ACR category in the three words of the Argonaut PAMA guide."""
    return NOT_APPROPRIATE if category == USUALLY_NOT_APPROPRIATE else APPROPRIATE
