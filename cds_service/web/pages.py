"""The pages about the service itself, as HTML or JSON, and the health checks."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import date

from flask import Blueprint, Response, jsonify, render_template

from cds_service.about import is_review_due, source_attributes
from cds_service.decision.topic import Topic, Topics
from cds_service.language import Language
from cds_service.services import prefetch_templates
from cds_service.web.languages import spoken
from cds_service.web.trial import Bench, pictured
from cds_service.web.wishes import wants_json


def pages(
    bench: Bench, local_codes: Callable[[], int], store_state: Callable[[], str]
) -> Blueprint:
    """The front page, /connect, /about, /health and /ready.

    `local_codes` gives the number of codes that the sites have mapped, `store_state` whether what
    is decided is kept: `up`, `full` (the disk is) or `off`.
    """
    blueprint, topics = Blueprint("pages", __name__), bench.topics
    _add_states(blueprint, topics, local_codes, store_state)

    @blueprint.get("/")
    def index() -> str:
        return render_template("index.html", pictured=pictured(bench))

    @blueprint.get("/connect")
    def connect() -> str:
        told = {"base": bench.base_url, "is_open": bench.settings.open}
        prefetch = [prefetch_templates(topic) for topic in topics.values()]
        return render_template("connect.html", prefetch=prefetch, **told)

    @blueprint.get("/about")
    def about() -> str | Response:
        told = [_about(topic, bench.today(), spoken()) for topic in topics.values()]
        if wants_json():
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


def _about(topic: Topic, today: date, language: Language) -> dict:
    """Source attributes and limits of a topic, and whether its review is due."""
    source = topic.about.source
    return {
        "attributes": [asdict(a) for a in source_attributes(topic, language)],
        "guideline": {"edition": source.edition, "review_due": source.review_due.isoformat()},
        "review_is_due": is_review_due(topic, today),
        "limits": [language.say(limit) for limit in topic.about.limits],
    }
