"""The page `/guidelines/TOPIC/find`: the variant by hand. Its state is the address."""

from dataclasses import dataclass
from urllib.parse import urlencode

from flask import Blueprint, abort, render_template, request

from cds_service.decision.by_hand import FoundByHand, find_by_hand, premises
from cds_service.decision.guideline import Category, Kind, Procedure, Variant
from cds_service.decision.topic import Topic, Topics
from cds_service.language import N_
from cds_service.web.languages import CHOSEN

YES, NO, UNKNOWN = "yes", "no", "unknown"
STATED = {YES: True, NO: False}
ANSWERS = {YES: N_("yes"), NO: N_("no"), UNKNOWN: N_("not known")}


@dataclass(frozen=True)
class RatedByHand:
    """What the variants that are left say of a procedure: the variants by category, which is None
    where they do not rate it.
    """

    procedure: Procedure
    said: list[tuple[Category | None, list[Variant]]]


def by_hand(topics: Topics) -> Blueprint:
    """`?kind=KIND`, and for each fact `FACT=yes`, `no` or `unknown`."""
    blueprint = Blueprint("find", __name__)
    by_id = {topic.id: topic for topic in topics.values()}

    @blueprint.get("/guidelines/<topic_id>/find")
    def find(topic_id: str) -> str:
        topic = by_id.get(topic_id) or abort(404)
        kind, stated = _asked(topic)
        found = find_by_hand(kind, stated, topic)
        return render_template(
            "find.html",
            topic=topic,
            kind=kind,
            stated=stated,
            found=found,
            rated=_rated(found, topic),
            answers=ANSWERS,
            words_of={True: YES, False: NO, None: UNKNOWN},
            answer=lambda fact, said: _address(kind, stated, fact, said),
        )

    return blueprint


def _asked(topic: Topic) -> tuple[Kind, dict[str, bool]]:
    """The kind of order and the facts of the address; without any fact, what the guideline is
    about is true.
    """
    kinds = [variant.kind for variant in topic.guideline.variants]
    kind = request.args.get("kind")
    given = {f.name: request.args[f.name] for f in topic.facts if f.name in request.args}
    given = given or dict.fromkeys(sorted(premises(topic)), YES)
    stated = {name: STATED[said] for name, said in given.items() if said in STATED}
    return next((k for k in kinds if k == kind), kinds[0]), stated


def _rated(found: FoundByHand, topic: Topic) -> list[RatedByHand]:
    return [RatedByHand(p, _said_of(p, found, topic)) for p in found.procedures]


def _said_of(
    procedure: Procedure, found: FoundByHand, topic: Topic
) -> list[tuple[Category | None, list[Variant]]]:
    by_category: dict[str | None, list[Variant]] = {}
    for variant in found.outcomes.variants:
        by_category.setdefault(variant.category_of(procedure.id), []).append(variant)
    return [(topic.guideline.category.get(c), variants) for c, variants in by_category.items()]


def _address(kind: Kind, stated: dict[str, bool], fact: str, said: str) -> str:
    """The address of this page with one fact more."""
    facts = {name: YES if value else NO for name, value in stated.items()}
    asked = {"kind": kind, **facts, fact: said}
    language = request.args.get(CHOSEN)
    return "?" + urlencode(asked | ({CHOSEN: language} if language else {}))
