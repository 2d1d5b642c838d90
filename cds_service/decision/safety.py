"""The safety rules: which of them hold for a patient, and what they do to the advice.

The kinds of rule:
    caution        the card is at least as urgent as the rule says
    soften         a warning about the rating becomes information
    quiet          no rating and no question, unless the order is rated appropriate
    outside-scope  the guideline does not cover this: information, no rating
    alternative    allows, and offers, studies that the rule `instead_of` keeps out
    line           one line in the detail
    wrong-region   a caution for an order of another region than the findings it is about
All rules that hold act together, and all screen the suggestions, whatever was ordered.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from cds_service.decision.chart import Evidence
from cds_service.decision.guideline import Procedure
from cds_service.decision.situation import FALSE, Criterion, Situation

INDICATORS = ("info", "warning", "critical")
Indicator = Literal["info", "warning", "critical"]
RuleKind = Literal[
    "caution", "soften", "quiet", "outside-scope", "alternative", "line", "wrong-region"
]


@dataclass(frozen=True)
class SafetyRule:
    """A rule on top of the rating, which holds where its criterion `when` is true.

    `orders`, less `orders_except`, are the orders that it is about. Whatever was ordered, `avoid`,
    less `avoid_except`, is kept out of the suggestions, and `first` comes first among them. `allow`
    are procedures that the rule `instead_of` avoids, and that are offered all the same. `add` is a
    procedure to order besides.
    `orders`, `avoid` and `first` name ids, kinds, modalities or traits of procedures. Of a rule
    `outside-scope`, `not_rated` is the sentence on the card and `state` its short form. With
    `no_change` the card offers neither a replacement nor a deletion; with `also_unrated` it offers
    what comes `first` for an order that is not rated, too.
    """

    id: str
    kind: RuleKind
    title: str
    text: str
    citation: str
    when: Criterion
    orders: frozenset[str]
    orders_except: frozenset[str] = frozenset()
    indicator: Indicator | None = None
    avoid: frozenset[str] = frozenset()
    avoid_except: frozenset[str] = frozenset()
    first: frozenset[str] = frozenset()
    allow: tuple[str, ...] = ()
    instead_of: str | None = None
    add: str | None = None
    not_rated: str = ""
    state: str = ""
    no_change: bool = False
    also_unrated: bool = False

    @property
    def selectors(self) -> frozenset[str]:
        """Every procedure, kind, modality or trait that the rule names."""
        added = {self.add} if self.add else set()
        named = self.orders | self.orders_except | self.avoid | self.avoid_except | self.first
        return named | added | set(self.allow)

    def speaks_of(self, procedure: Procedure) -> bool:
        return _selects(self.orders, self.orders_except, procedure)

    def avoids(self, procedure: Procedure) -> bool:
        return _selects(self.avoid, self.avoid_except, procedure)

    def wants_first(self, procedure: Procedure) -> bool:
        return not self.first.isdisjoint(procedure.selectors)


def _selects(named: frozenset[str], but_not: frozenset[str], procedure: Procedure) -> bool:
    selectors = procedure.selectors
    return not named.isdisjoint(selectors) and but_not.isdisjoint(selectors)


@dataclass(frozen=True)
class Alert:
    """A rule that holds for the patient; `speaks` says whether it is about this order."""

    rule: SafetyRule
    evidence: tuple[Evidence, ...]
    speaks: bool


def alerts_for(rules: Iterable[SafetyRule], situation: Situation) -> tuple[Alert, ...]:
    """Every rule whose criterion holds, in the order of the rules."""
    case, found = situation.case, []
    for rule in rules:
        truth = rule.when.truth(situation) if rule.when.may_hold(case) else FALSE
        if truth.value:
            found.append(Alert(rule, truth.evidence, rule.speaks_of(case.order.procedure)))
    return tuple(found)


def speaking(alerts: Iterable[Alert], *kinds: str) -> tuple[Alert, ...]:
    """The alerts of these kinds that are about the order."""
    return tuple(a for a in alerts if a.speaks and a.rule.kind in kinds)


def cautions(alerts: Iterable[Alert]) -> tuple[Alert, ...]:
    return speaking(alerts, "caution", "wrong-region")


def more_urgent(*indicators: str | None) -> str | None:
    """The most urgent of the indicators; None means no card."""
    given = [i for i in indicators if i is not None]
    return max(given, key=INDICATORS.index) if given else None


def is_avoided(procedure: Procedure, alerts: Iterable[Alert]) -> bool:
    """Whether a rule keeps the procedure out of the suggestions, and no `alternative` to that
    rule allows it back. What another rule keeps out stays out.
    """
    alerts = tuple(alerts)
    lifted = {a.rule.instead_of for a in alerts if procedure.id in a.rule.allow}
    return any(a.rule.avoids(procedure) and a.rule.id not in lifted for a in alerts)
