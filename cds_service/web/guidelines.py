"""The pages of a guideline and of its variants, as HTML or JSON."""

from collections.abc import Callable
from dataclasses import dataclass

from flask import Blueprint, Response, abort, jsonify, render_template

from cds_service.decision.guideline import Category, Guideline, Kind, Procedure, Variant
from cds_service.decision.topic import Topic, Topics
from cds_service.language import Language
from cds_service.web.languages import spoken
from cds_service.web.wishes import wants_json


def guidelines(topics: Topics) -> Blueprint:
    """`/guidelines/TOPIC` and `/guidelines/TOPIC/VARIANT`."""
    blueprint = Blueprint("guidelines", __name__)
    by_id = {topic.id: topic for topic in topics.values()}

    @blueprint.get("/guidelines/<topic_id>")
    def show_guideline(topic_id: str) -> str | Response:
        topic = by_id.get(topic_id) or abort(404)
        if wants_json():
            return jsonify(_guideline_as_json(topic, spoken()))
        return render_template("guideline.html", topic=topic, matrices=matrices_of(topic.guideline))

    @blueprint.get("/guidelines/<topic_id>/<variant_id>")
    def show_variant(topic_id: str, variant_id: str) -> str | Response:
        topic = by_id.get(topic_id) or abort(404)
        found = (v for v in topic.guideline.variants if v.id == variant_id)
        variant = next(found, None) or abort(404)
        if wants_json():
            return jsonify(variant_as_json(variant, topic, spoken()))
        return render_template(
            "variant.html",
            topic=topic,
            variant=variant,
            ratings=ratings_of(variant, topic.guideline),
            **_beside(variant, topic.guideline),
        )

    return blueprint


@dataclass(frozen=True)
class Matrix:
    """The variants of one kind, and all procedures that one of them rates, in document order."""

    kind: Kind
    variants: tuple[Variant, ...]
    procedures: tuple[Procedure, ...]


@dataclass(frozen=True)
class Rating:
    """How a variant rates a procedure."""

    procedure: Procedure
    category: Category


def matrices_of(guideline: Guideline) -> list[Matrix]:
    """One for each kind of order, in the order of the variants."""
    kinds = dict.fromkeys(variant.kind for variant in guideline.variants)
    return [_matrix(kind, guideline) for kind in kinds]


def _matrix(kind: Kind, guideline: Guideline) -> Matrix:
    variants = tuple(v for v in guideline.variants if v.kind == kind)
    rated = {p for variant in variants for p in variant.ratings}
    return Matrix(kind, variants, tuple(p for p in guideline.procedures if p.id in rated))


def ratings_of(variant: Variant, guideline: Guideline) -> list[Rating]:
    """In the order of the document."""
    return [
        Rating(guideline.procedure[procedure], guideline.category[category])
        for procedure, category in variant.ratings.items()
    ]


def _beside(variant: Variant, guideline: Guideline) -> dict[str, Variant | None]:
    """The variants before and after it, if any."""
    place = guideline.variants.index(variant)
    return {
        "before": guideline.variants[place - 1] if place else None,
        "after": next(iter(guideline.variants[place + 1 :]), None),
    }


def variant_as_json(variant: Variant, topic: Topic, language: Language) -> dict:
    """The content of the page of a variant."""
    say, source = language.say, topic.about.source
    return {
        "id": variant.id,
        "number": variant.number,
        "kind": variant.kind,
        "title": say(variant.title),
        "criteria": dict(variant.criteria),
        "ratings": [_rating(p, variant, topic, say) for p in variant.ratings],
        "next": say(variant.next),
        "beware": say(variant.beware),
        "think_of": say(variant.think_of),
        "note": say(variant.note),
        "citation": say(source.citation),
        "copyright": say(source.copyright),
    }


def _rating(procedure_id: str, variant: Variant, topic: Topic, say: Callable[[str], str]) -> dict:
    procedure = topic.guideline.procedure[procedure_id]
    category = topic.guideline.category[variant.ratings[procedure_id]]
    return {
        "procedure": procedure.id,
        "label": say(procedure.label),
        "category": category.id,
        "category_label": say(category.label),
        "why": say(topic.why(variant.id, procedure.id)),
        "radiation": {
            "adult": say(procedure.radiation.adult),
            "child": say(procedure.radiation.child),
        },
    }


def _guideline_as_json(topic: Topic, language: Language) -> dict:
    say, source = language.say, topic.about.source
    return {
        "id": topic.id,
        "title": say(source.title),
        "edition": say(source.edition),
        "review_due": source.review_due.isoformat(),
        "citation": say(source.citation),
        "copyright": say(source.copyright),
        "variants": [variant_as_json(v, topic, language) for v in topic.guideline.variants],
    }
