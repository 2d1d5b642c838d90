"""The pages of a guideline and of its variants, as HTML or JSON."""

from collections.abc import Callable

from flask import Blueprint, Response, abort, jsonify, render_template

from cds_service.decision.guideline import Variant
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
        return render_template("guideline.html", topic=topic)

    @blueprint.get("/guidelines/<topic_id>/<variant_id>")
    def show_variant(topic_id: str, variant_id: str) -> str | Response:
        topic = by_id.get(topic_id) or abort(404)
        found = (v for v in topic.guideline.variants if v.id == variant_id)
        variant = next(found, None) or abort(404)
        if wants_json():
            return jsonify(variant_as_json(variant, topic, spoken()))
        words = criteria_in_words(variant, topic)
        return render_template("variant.html", topic=topic, variant=variant, criteria=words)

    return blueprint


def criteria_in_words(variant: Variant, topic: Topic) -> list[str]:
    """The criteria of a variant in the words of the facts, in English."""
    facts = topic.fact
    return [facts[f].true if wanted else facts[f].false for f, wanted in variant.criteria.items()]


def variant_as_json(variant: Variant, topic: Topic, language: Language) -> dict:
    """The content of the page of a variant."""
    say, source = language.say, topic.about.source
    return {
        "id": variant.id,
        "number": variant.number,
        "kind": variant.kind,
        "title": say(variant.title),
        "criteria": dict(variant.criteria),
        "ratings": [_rating(p, category, topic, say) for p, category in variant.ratings.items()],
        "next": say(variant.next),
        "beware": say(variant.beware),
        "think_of": say(variant.think_of),
        "note": say(variant.note),
        "citation": say(source.citation),
        "copyright": say(source.copyright),
    }


def _rating(procedure_id: str, category_id: str, topic: Topic, say: Callable[[str], str]) -> dict:
    procedure = topic.guideline.procedure[procedure_id]
    category = topic.guideline.category[category_id]
    return {
        "procedure": procedure.id,
        "label": say(procedure.label),
        "category": category.id,
        "category_label": say(category.label),
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
