"""One order, the chart of the patient, and their parts, as plain dataclasses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property

from cds_service.decision.guideline import Procedure
from cds_service.decision.terminology import Place

# The kinds of data that a client can supply.
KINDS = ("patient", "conditions", "procedures", "observations", "devices", "allergies")

NEW_FOR = timedelta(days=90)
SUBSEQUENT_ENCOUNTER = frozenset("DGKP")
SEQUELA = "S"
AGENT_NOT_STATED, SITE_AMONG_OTHERS, YEARS = "agent-not-stated", "site-among-others", "years"
# What a card adds in words to a finding of these value sets.
REMARKS = {
    "contrast-allergy-agent-not-stated": AGENT_NOT_STATED,
    "site-among-others": SITE_AMONG_OTHERS,
}


@dataclass(frozen=True)
class Evidence:
    """One line of proof: what was seen, in which resource, when.

    `remark` says what is to be added in words: one of REMARKS, or YEARS to an age.
    """

    display: str
    source: str
    when: date | None = None
    remark: str = ""


@dataclass(frozen=True)
class Finding:
    """A coded statement on the patient: a reason of the order or a resource of the chart.

    `certain` is False for provisional, differential and unconfirmed Conditions: those count for
    the safety rules only. `encounter` is the 7th character of an ICD-10-CM code of an injury.
    `answer` is set where the code is one of our own answers.
    """

    source: str
    sets: frozenset[str]
    display: str
    place: Place | None = None
    when: date | None = None
    current: bool = True
    certain: bool = True
    encounter: str = ""
    answer: tuple[str, bool] | None = None
    value: float | None = None

    @property
    def is_reason(self) -> bool:
        return self.source == "reason"

    @property
    def parts(self) -> frozenset[str]:
        return self.place.parts if self.place else frozenset()

    def is_new(self, today: date) -> bool:
        """Current, and undated or at most 90 days old. With an ICD-10-CM 7th character, a sequela
        is never new, and a subsequent encounter needs a date.
        """
        if not self.current or self.encounter == SEQUELA:
            return False
        if self.when is None:
            return self.encounter not in SUBSEQUENT_ENCOUNTER
        return today - min(self.when, today) <= NEW_FOR

    def seen_within(self, days: int, today: date) -> bool:
        """At most so many days old. Undated counts: a missing date must not hide a caution."""
        return self.when is None or today - min(self.when, today) <= timedelta(days=days)

    @cached_property
    def evidence(self) -> Evidence:
        remark = next((REMARKS[name] for name in REMARKS if name in self.sets), "")
        return Evidence(self.display, self.source, self.when, remark)


@dataclass(frozen=True)
class Chart:
    """The data of the patient that were sent or fetched.

    `supplied` names the kinds of data that came in full; `counts` says how many resources came of
    each; `unread` names the resources that could not be read, each with the reason.
    """

    findings: tuple[Finding, ...] = ()
    birth_date: date | None = None
    sex: str = ""
    supplied: frozenset[str] = frozenset()
    counts: Mapping[str, int] = field(default_factory=dict)
    unread: tuple[str, ...] = ()

    def age(self, today: date) -> int | None:
        """Completed years, or None where the birth date is not known."""
        if self.birth_date is None or self.birth_date > today:
            return None
        had_birthday = (today.month, today.day) >= (self.birth_date.month, self.birth_date.day)
        return today.year - self.birth_date.year - (not had_birthday)

    def has(self, *kinds: str) -> bool:
        return self.supplied.issuperset(kinds)

    @property
    def missing(self) -> list[str]:
        """The kinds of data that were not supplied, or only in part."""
        return [kind for kind in KINDS if kind not in self.supplied]


@dataclass(frozen=True)
class Order:
    """One draft order that asks for a procedure of the guideline.

    `is_specific` says whether procedure or region name the body part that the topic is about; other
    studies (a whole-body scan) may be about anything. `has_coded_reasons` is False where
    no reason is coded in a system that the maps know. `rated_as` says how the code and the
    procedure differ, where they do. `problem` names the field that makes the order unreadable.
    `drafted` are the ids of all procedures among the draft orders.
    """

    id: str
    procedure: Procedure
    place: Place | None
    is_specific: bool
    display: str
    reasons: tuple[Finding, ...] = ()
    has_coded_reasons: bool = False
    questions_asked: int = 0
    rated_as: str = ""
    problem: str = ""
    drafted: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Case:
    """An order, the patient's chart, and the day that counts as today.

    `tells_not_checked` says whether an order of which too little is known gets a card.
    """

    order: Order
    chart: Chart
    today: date
    tells_not_checked: bool = False

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        return self.order.reasons + self.chart.findings

    def coded(self, name: str) -> Sequence[Finding]:
        """The findings in a value set."""
        return self._by_set.get(name, ())

    def in_sets(self, names: frozenset[str]) -> Sequence[Finding]:
        """The findings in any of the value sets, in their order."""
        if len(names) == 1:
            return self.coded(*names)
        return [f for f in self.findings if not names.isdisjoint(f.sets)]

    @cached_property
    def sets(self) -> frozenset[str]:
        """Every value set that a finding is in."""
        return frozenset(self._by_set)

    @cached_property
    def _by_set(self) -> Mapping[str, list[Finding]]:
        found: dict[str, list[Finding]] = {}
        for finding in self.findings:
            for name in finding.sets:
                found.setdefault(name, []).append(finding)
        return found

    @cached_property
    def age(self) -> int | None:
        return self.chart.age(self.today)

    def recent(self, finding: Finding) -> bool:
        """Whether the finding is a reason of the order, or a new Condition."""
        return finding.is_reason or (finding.source == "Condition" and finding.is_new(self.today))
