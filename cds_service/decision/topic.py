"""A topic: one guideline with all that the service knows of it, filled from `mappings/`."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from typing import Any

from cds_service.decision.definitions import Definition, NamedCriterion
from cds_service.decision.facts import FactDefinition
from cds_service.decision.guideline import Guideline, Rationale
from cds_service.decision.relevance import Relevance
from cds_service.decision.safety import SafetyRule
from cds_service.decision.selection import Select
from cds_service.decision.terminology import BodySite, Coding, Meaning, Terminology


@dataclass(frozen=True)
class Answer:
    """One of the two answers to a question: a button's label, and the coding that it adds."""

    label: str
    coding: Coding


@dataclass(frozen=True)
class Question:
    """What we ask about a fact that the chart leaves unknown."""

    fact: str
    short: str
    text: str
    yes: Answer
    no: Answer

    @property
    def answers(self) -> dict[str, Answer]:
        return {"yes": self.yes, "no": self.no}

    def code_of(self, said: str) -> str:
        """Our own code of an answer: the fact, and yes or no."""
        return f"{self.fact.replace('_', '-')}-{said}"


@dataclass(frozen=True)
class Source:
    """The published document: how it is cited (`short` where the title stands beside it), and when
    its edition is to be reviewed.
    """

    title: str
    short: str
    edition: str
    url: str
    citation: str
    copyright: str
    review_due: date


@dataclass(frozen=True)
class Service:
    """The CDS service of the topic, as discovery describes it."""

    id: str
    title: str
    description: str
    usage_requirements: str


@dataclass(frozen=True)
class Texts:
    """What cards and pages say of the topic. `no_variant` says why an order of a kind is not rated
    where no variant applies, `not_rated` the same in short; `scope` is what the document leaves
    out; `deletes` names what is done instead of any order, for the button that drops the order, and
    `removable` is said where there is no such button; the others are texts of pages.
    """

    heading: str
    not_rated: str
    no_variant: Mapping[str, str]
    scope: str
    deletes: str
    removable: str
    about_variants: str
    variants_link: str
    about_kind: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Use:
    """Whether the topic uses an attribute of the patient, and for what."""

    attribute: str
    use: str


@dataclass(frozen=True)
class Study:
    """A study: the `words` for it, and its `procedures` by the contrast that is stated."""

    words: str
    procedures: Mapping[str, str]


@dataclass(frozen=True)
class OrderWords:
    """Words of orders as regular expressions, for those who map the codes of a hospital.

    An order in no map is listed where one of `similar` fits its words. `regions` and
    `other_studies` are by region and procedure; `regional` are those of the latter that are of a
    region. Of `contrast` the first that fits counts. `neutral` words change nothing.
    """

    similar: tuple[str, ...]
    regions: Mapping[str, str]
    studies: tuple[Study, ...]
    other_studies: Mapping[str, str]
    regional: frozenset[str]
    contrast: Mapping[str, str]
    neutral: str


@dataclass(frozen=True)
class Sound:
    """What a Condition whose code is in no map may be: the `words` of the name `heard_as` are heard
    in its text, or one of `words` is in it, in lower case and with a blank at both ends.
    """

    label: str
    words: tuple[str, ...]
    heard_as: str = ""


@dataclass(frozen=True)
class OverrideReason:
    """Why a clinician passes over a card, in such words; `standard_code` is the reason of HL7 that
    it maps to, empty where there is none.
    """

    system: str
    code: str
    display: str
    standard_code: str
    standard_display: str


@dataclass(frozen=True)
class About:
    """`topic.json`: what is to be said of the topic.

    `urn` is the base of its own code systems. `facts_without_variant` are shown where no variant
    applies. `safety_rules` are the rules that hold, shared ones and the topic's own;
    `site_value_sets` are value sets that only a hospital's own codes fill, by name, each with a
    title. `region` is the code for
    the body part where an order states no region; `example` is the fixture that pages show first.
    """

    id: str
    urn: str
    developer: str
    source: Source
    service: Service
    texts: Texts
    region: str
    safety_rules: tuple[str, ...]
    facts_without_variant: tuple[str, ...]
    limits: tuple[str, ...]
    uses: tuple[Use, ...]
    body_sites: tuple[BodySite, ...] = ()
    site_value_sets: Mapping[str, str] = field(default_factory=dict)
    example: str = ""


@dataclass(frozen=True)
class Topic:
    """`definitions` and `criteria` are those that criteria name; `findings` selects the findings
    that an order is about, as `findings_written` says in JSON; `condition_words` are what the words
    of a Condition may sound like by a name, the most serious first; `rationales` are by variant and
    procedure; `version` is a fingerprint of all files that the topic is made of.
    """

    about: About
    guideline: Guideline
    rationales: Mapping[tuple[str, str], Rationale]
    facts: tuple[FactDefinition, ...]
    questions: tuple[Question, ...]
    relevance: Relevance
    rules: tuple[SafetyRule, ...]
    findings: Select
    terminology: Terminology
    order_words: OrderWords
    condition_words: Mapping[str, Sound]
    override_reasons: tuple[OverrideReason, ...]
    version: str
    definitions: tuple[Definition, ...] = ()
    criteria: tuple[NamedCriterion, ...] = ()
    findings_written: Mapping[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return self.about.id

    @property
    def service_id(self) -> str:
        return self.about.service.id

    @cached_property
    def fact(self) -> Mapping[str, FactDefinition]:
        """The facts by name."""
        return {definition.name: definition for definition in self.facts}

    def why(self, variant_id: str, procedure_id: str) -> str:
        """The reason of a rating; empty where the variant does not rate the procedure."""
        rationale = self.rationales.get((variant_id, procedure_id))
        return rationale.why if rationale else ""

    def question(self, fact: str) -> Question:
        return next(q for q in self.questions if q.fact == fact)

    def with_meanings(self, looked_up: Mapping[tuple[str, str], Meaning]) -> "Topic":
        """The same with what a terminology server said of codes in no map."""
        if not looked_up:
            return self
        return replace(self, terminology=replace(self.terminology, looked_up=looked_up))


# By the id of the CDS service.
Topics = Mapping[str, Topic]
