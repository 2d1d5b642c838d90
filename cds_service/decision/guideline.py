"""A published guideline as data: categories, procedures, and the variants that rate them."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

USUALLY_APPROPRIATE = "usually-appropriate"
MAY_BE_APPROPRIATE = "may-be-appropriate"
DISAGREEMENT = "may-be-appropriate-disagreement"
USUALLY_NOT_APPROPRIATE = "usually-not-appropriate"

Kind = Literal["imaging", "treatment"]


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
class RadiationLevel:
    """The ACR's relative radiation level; empty where none is known."""

    adult: str
    child: str


@dataclass(frozen=True)
class Procedure:
    """A study or treatment that the guideline rates, or such a one with its contrast not stated.

    Traits that the code knows:
        specific               of the body part that the topic is about
        no-region              its codes have no region
        contrast-not-stated    its contrast has to be stated before it can be rated
        no-order               it is rated, but nothing that is ordered (medical management)
        passes-when-may-be     no card where it may be appropriate (consultations)
        gadolinium, iodinated  it takes such a contrast agent
    Safety rules may name any other. `includes` are procedures that are coded along with this one
    and mean it (a CT after an injection).
    """

    id: str
    label: str
    short: str
    order_text: str
    kind: Kind
    modality: str
    traits: frozenset[str]
    radiation: RadiationLevel
    includes: frozenset[str] = frozenset()

    @property
    def is_imaging(self) -> bool:
        return self.kind == "imaging"

    @property
    def is_consultation(self) -> bool:
        return self.modality == "consultation"

    @property
    def contrast_not_stated(self) -> bool:
        return "contrast-not-stated" in self.traits

    @cached_property
    def selectors(self) -> frozenset[str]:
        """The names by which a rule may mean this procedure."""
        return frozenset({self.id, self.kind, self.modality, *self.traits})


@dataclass(frozen=True)
class Variant:
    """A clinical scenario of the guideline: when it applies, and how it rates each procedure.

    `criteria` are the facts and what each has to be; `ratings` the categories by procedure, in the
    order of the document. `in_text` is the title in few words of our own. The others are texts of
    the variant's page.
    """

    id: str
    number: int
    kind: Kind
    title: str
    in_text: str
    criteria: Mapping[str, bool]
    ratings: Mapping[str, str]
    next: str
    beware: str
    think_of: str
    note: str = ""

    def category_of(self, procedure_id: str) -> str | None:
        """The category, or None where this variant does not rate the procedure."""
        return self.ratings.get(procedure_id)

    @cached_property
    def usually_appropriate(self) -> tuple[str, ...]:
        return tuple(p for p, category in self.ratings.items() if category == USUALLY_APPROPRIATE)


@dataclass(frozen=True)
class Rationale:
    """Why a variant rates a procedure as it does, in our own words. `source` is what it was checked
    against, and is not shown.
    """

    variant: str
    procedure: str
    why: str
    source: str


@dataclass(frozen=True)
class Guideline:
    """The categories, procedures and variants of a guideline."""

    categories: tuple[Category, ...]
    procedures: tuple[Procedure, ...]
    variants: tuple[Variant, ...]

    @cached_property
    def category(self) -> Mapping[str, Category]:
        """The categories by id."""
        return {category.id: category for category in self.categories}

    @cached_property
    def procedure(self) -> Mapping[str, Procedure]:
        """The procedures by id."""
        return {procedure.id: procedure for procedure in self.procedures}

    def variants_for(self, procedure: Procedure) -> tuple[Variant, ...]:
        return tuple(v for v in self.variants if v.kind == procedure.kind)

    def variant(self, variant_id: str) -> Variant:
        return next(v for v in self.variants if v.id == variant_id)
