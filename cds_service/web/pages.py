"""Pages, as HTML or JSON, and the health checks."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import date

from flask import Blueprint, Response, abort, jsonify, render_template, request

from cds_service.about import is_review_due, source_attributes
from cds_service.decision.guideline import Variant
from cds_service.decision.topic import Topic, Topics
from cds_service.language import Language
from cds_service.web.languages import spoken


def pages(
    topics: Topics,
    today: Callable[[], date],
    local_codes: Callable[[], int],
    store_state: Callable[[], str],
) -> Blueprint:
    """The front page, guidelines, variants, /about, /health and /ready.

    `local_codes` gives the number of codes that the sites have mapped, `store_state` whether what
    is decided is kept: `up`, `full` (the disk is) or `off`.
    """
    blueprint = Blueprint("pages", __name__)
    _add_guidelines(blueprint, topics)
    _add_states(blueprint, topics, local_codes, store_state)

    @blueprint.get("/")
    def index() -> str:
        return render_template("index.html")

    @blueprint.get("/about")
    def about() -> str | Response:
        told = [_about(topic, today(), spoken()) for topic in topics.values()]
        if _wants_json():
            return jsonify(**told[0], others=told[1:]) if len(told) > 1 else jsonify(told[0])
        return render_template("about.html", told=told)

    return blueprint


def _add_states(
    blueprint: Blueprint,
    topics: Topics,
    local_codes: Callable[[], int],
    store_state: Callable[[], str],
) -> None:
    """For operators: is the process up, and can it answer hooks?"""

    @blueprint.get("/health")
    def health() -> Response:
        return jsonify(status="up")

    @blueprint.get("/ready")
    def ready() -> Response:
        return jsonify(
            status="ready",
            rules_version=next(iter(topics.values())).version,
            codes=sum(topic.terminology.size for topic in topics.values()),
            local_codes=local_codes(),
            store=store_state(),
        )


def _add_guidelines(blueprint: Blueprint, topics: Topics) -> None:
    by_id = {topic.id: topic for topic in topics.values()}

    @blueprint.get("/guidelines/<topic_id>")
    def show_guideline(topic_id: str) -> str | Response:
        topic = by_id.get(topic_id) or abort(404)
        if _wants_json():
            return jsonify(_guideline_as_json(topic, spoken()))
        return render_template("guideline.html", topic=topic)

    @blueprint.get("/guidelines/<topic_id>/<variant_id>")
    def show_variant(topic_id: str, variant_id: str) -> str | Response:
        topic = by_id.get(topic_id) or abort(404)
        found = (v for v in topic.guideline.variants if v.id == variant_id)
        variant = next(found, None) or abort(404)
        if _wants_json():
            return jsonify(variant_as_json(variant, topic, spoken()))
        words = criteria_in_words(variant, topic)
        return render_template("variant.html", topic=topic, variant=variant, criteria=words)


def _about(topic: Topic, today: date, language: Language) -> dict:
    """Source attributes and limits of a topic, and whether its review is due."""
    source = topic.about.source
    return {
        "attributes": [asdict(a) for a in source_attributes(topic, language)],
        "guideline": {"edition": source.edition, "review_due": source.review_due.isoformat()},
        "review_is_due": is_review_due(topic, today),
        "limits": [language.say(limit) for limit in topic.about.limits],
    }


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


def _wants_json() -> bool:
    accepted = request.accept_mimetypes
    best = accepted.best_match(["text/html", "application/json"], default="text/html")
    return best == "application/json"
