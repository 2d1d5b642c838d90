"""What the service knows before it sees a patient: frozen shapes, filled from `mappings/`."""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from cds_service.decision.terminology import Terminology

USUALLY_APPROPRIATE = "usually-appropriate"
MAY_BE_APPROPRIATE = "may-be-appropriate"
DISAGREEMENT = "may-be-appropriate-disagreement"
USUALLY_NOT_APPROPRIATE = "usually-not-appropriate"


@dataclass(frozen=True)
class Category:
    """An appropriateness category of the ACR; `range` is its span of panel ratings, `in_text` its
    label within a sentence.
    """

    id: str
    label: str
    in_text: str
    range: str
    note: str = ""


@dataclass(frozen=True)
class Procedure:
    """A study or treatment that the guideline rates, or such a one with its contrast not stated."""

    id: str
    label: str
    short: str
    order_text: str
    kind: str
    modality: str
    traits: frozenset[str]
    adult_radiation: str
    child_radiation: str

    @property
    def is_imaging(self) -> bool:
        return self.kind == "imaging"

    @property
    def is_consultation(self) -> bool:
        return self.modality == "consultation"

    @property
    def contrast_not_stated(self) -> bool:
        return "contrast-not-stated" in self.traits

    def answers_to(self, selectors: frozenset[str]) -> bool:
        """Whether a rule that names ids, kinds, modalities or traits means this procedure."""
        return not selectors.isdisjoint({self.id, self.kind, self.modality, *self.traits})


@dataclass(frozen=True)
class Variant:
    """A clinical scenario of the guideline: when it applies, and how it rates each procedure."""

    id: str
    number: int
    kind: str
    title: str
    criteria: tuple[tuple[str, bool], ...]
    ratings: tuple[tuple[str, str], ...]
    next: str
    beware: str
    think_of: str
    note: str = ""

    def category_of(self, procedure_id: str) -> str | None:
        """The category, or None where this variant does not rate the procedure."""
        return dict(self.ratings).get(procedure_id)

    @property
    def usually_appropriate(self) -> tuple[str, ...]:
        return tuple(p for p, category in self.ratings if category == USUALLY_APPROPRIATE)


@dataclass(frozen=True)
class Answer:
    """One of the two answers to a question: a button's label, and the coding that it adds."""

    label: str
    system: str
    code: str
    display: str


@dataclass(frozen=True)
class Question:
    """What we ask about a fact that the chart leaves unknown."""

    fact: str
    short: str
    text: str
    yes: Answer
    no: Answer


@dataclass(frozen=True)
class FactWords:
    """A fact in the words of cards and pages; `in_text` is its label within a sentence."""

    label: str
    in_text: str
    true: str
    false: str


@dataclass(frozen=True)
class Guideline:
    """A published guideline as data, with its citation."""

    id: str
    title: str
    edition: str
    review_due: str
    url: str
    citation: str
    copyright: str
    categories: MappingProxyType[str, Category]
    facts: MappingProxyType[str, FactWords]
    questions: tuple[Question, ...]
    procedures: MappingProxyType[str, Procedure]
    variants: tuple[Variant, ...]

    def variants_for(self, procedure: Procedure) -> tuple[Variant, ...]:
        return tuple(v for v in self.variants if v.kind == procedure.kind)

    def variant(self, variant_id: str) -> Variant:
        return next(v for v in self.variants if v.id == variant_id)


@dataclass(frozen=True)
class Selection:
    """The procedures that a rule means: those that answer to `named`, less those to `but_not`."""

    named: frozenset[str] = frozenset()
    but_not: frozenset[str] = frozenset()

    def __contains__(self, procedure: Procedure) -> bool:
        return procedure.answers_to(self.named) and not procedure.answers_to(self.but_not)


@dataclass(frozen=True)
class SafetyRule:
    """A rule on top of the rating. `kind` names the function of `safety.py` that reads it.

    `when` is a trigger (see `triggers.py`); `orders` are the orders it speaks about; `avoid` is
    kept out of the suggestions whenever the trigger holds; `first` comes first among them;
    `allow` lifts what the rule `instead_of` avoids; `add` is a procedure to order besides.
    """

    id: str
    kind: str
    title: str
    text: str
    citation: str
    when: dict[str, Any] | None
    orders: Selection
    indicator: str | None
    avoid: Selection
    first: Selection
    allow: tuple[str, ...]
    instead_of: str | None
    add: str | None


@dataclass(frozen=True)
class Knowledge:
    """Everything that is read from `mappings/`."""

    guideline: Guideline
    rules: tuple[SafetyRule, ...]
    terminology: Terminology
    version: str
