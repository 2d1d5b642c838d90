"""The PAMA rating on an order, after the Argonaut guide "CDS Hooks for PAMA".

Source: https://github.com/argonautproject/cds-hooks-for-pama
"""

from dataclasses import dataclass
from typing import Any

from cds_service.decision.guideline import DISAGREEMENT, MAY_BE_APPROPRIATE, Category
from cds_service.decision.topic import Topic
from cds_service.decision.verdict import APPROPRIATE

ARGONAUT = "http://fhir.org/argonaut/"
RATING = ARGONAUT + "Extension/pama-rating"
CONSULTED = ARGONAUT + "Extension/pama-rating-qcdsm-consulted"
CONSULT_ID = ARGONAUT + "Extension/pama-rating-consult-id"
AUC_APPLIED = ARGONAUT + "Extension/pama-rating-auc-applied"
EXTENSIONS = (RATING, CONSULTED, CONSULT_ID, AUC_APPLIED)

# The guide wants the CMS code of a qualified mechanism. This service is none and says so; behind it
# stands the id of the CDS service that rated.
NOT_QUALIFIED = "not-a-qcdsm:"


@dataclass(frozen=True)
class Rating:
    """A rating by a topic. `code` is the PAMA rating, `category` that of the ACR, if there is one;
    `auc` is the address of the criteria that were applied, if any.
    """

    topic: Topic
    code: str
    category: Category | None
    consult_id: str
    auc: str | None

    def extensions(self) -> list[dict]:
        found = [
            {"url": RATING, "valueCodeableConcept": {"coding": self._codings()}},
            {"url": CONSULTED, "valueString": _name(self.topic)},
            {"url": CONSULT_ID, "valueUri": f"urn:uuid:{self.consult_id}"},
        ]
        return [*found, {"url": AUC_APPLIED, "valueUri": self.auc}] if self.auc else found

    def _codings(self) -> list[dict]:
        codings = [{"system": ARGONAUT + "CodeSystem/pama-rating", "code": self.code}]
        category = self.category
        if self.code == APPROPRIATE and category and category.id in MAY_BE:
            system = self.topic.about.urn + ":category"
            codings.append({"system": system, "code": category.id, "display": category.label})
        return codings


MAY_BE = (MAY_BE_APPROPRIATE, DISAGREEMENT)


def with_rating(resource: dict, rating: Rating) -> dict:
    """The order with this rating. It replaces an earlier one of the same topic, and those of other
    services; ratings of other topics of this service stay.
    """
    kept = [
        group for group in _groups(resource) if _is_ours(group) and not _is_of(group, rating.topic)
    ]
    return _with_extensions(resource, [*sum(kept, []), *rating.extensions()])


def without_rating_of(topic: Topic, resource: dict) -> dict:
    """The order without the rating of the topic; all other ratings stay."""
    kept = [group for group in _groups(resource) if not _is_of(group, topic)]
    return _with_extensions(resource, sum(kept, []))


def without_ratings(resource: dict) -> dict:
    """The order without any rating: on a changed code it would be that of another study."""
    return _with_extensions(resource, [])


def has_rating_of(topic: Topic, resource: dict) -> bool:
    """Whether an earlier evaluation of the topic left a rating."""
    return any(_is_of(group, topic) for group in _groups(resource))


def _with_extensions(resource: dict, ratings: list[dict]) -> dict:
    others = [e for e in resource.get("extension", []) if e.get("url") not in EXTENSIONS]
    rest = {name: value for name, value in resource.items() if name != "extension"}
    extensions = others + ratings
    return {**rest, "extension": extensions} if extensions else rest


def _groups(resource: dict) -> list[list[dict]]:
    """The Argonaut extensions of an order, a group for each rating. A group begins with RATING."""
    extensions: Any = resource.get("extension")
    listed = extensions if isinstance(extensions, list) else []
    found = [e for e in listed if isinstance(e, dict) and e.get("url") in EXTENSIONS]
    starts = [i for i, e in enumerate(found) if e["url"] == RATING][1:]
    ends = zip([0, *starts], [*starts, len(found)], strict=True)
    return [found[start:end] for start, end in ends if start < end]


def _is_of(group: list[dict], topic: Topic) -> bool:
    return any(e["url"] == CONSULTED and e.get("valueString") == _name(topic) for e in group)


def _name(topic: Topic) -> str:
    return NOT_QUALIFIED + topic.service_id


def _is_ours(group: list[dict]) -> bool:
    """Whether the group is a rating by a topic of this service."""
    named = (e.get("valueString") for e in group if e["url"] == CONSULTED)
    return any(isinstance(name, str) and name.startswith(NOT_QUALIFIED) for name in named)
