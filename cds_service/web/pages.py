"""Pages for people, and the same as JSON for programs."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import date

from flask import Blueprint, Response, abort, jsonify, render_template, request

from cds_service.about import LIMITS, is_review_due, source_attributes
from cds_service.decision.knowledge import Guideline, Knowledge, Variant
from cds_service.language import Language
from cds_service.web.languages import spoken


def pages(
    knowledge: Knowledge,
    today: Callable[[], date],
    local_codes: Callable[[], int],
    store_state: Callable[[], str],
) -> Blueprint:
    """The front page, the guideline and its variants, and what there is to know of the service.

    `local_codes` says how many codes the sites have mapped, `store_state` whether what is decided
    is kept: `up`, `full` (the disk is) or `off`.
    """
    blueprint = Blueprint("pages", __name__)
    guideline = knowledge.guideline

    @blueprint.get("/")
    def index() -> str:
        return render_template("index.html", guideline=guideline)

    @blueprint.get("/health")
    def health() -> Response:
        return jsonify(status="up")

    @blueprint.get("/ready")
    def ready() -> Response:
        return jsonify(
            status="ready",
            rules_version=knowledge.version,
            codes=knowledge.terminology.size,
            local_codes=local_codes(),
            store=store_state(),
        )

    @blueprint.get(f"/guidelines/{guideline.id}")
    def show_guideline() -> str | Response:
        if _wants_json():
            return jsonify(_guideline_as_json(guideline, spoken()))
        return render_template("guideline.html", guideline=guideline)

    @blueprint.get(f"/guidelines/{guideline.id}/<variant_id>")
    def show_variant(variant_id: str) -> str | Response:
        variant = next((v for v in guideline.variants if v.id == variant_id), None) or abort(404)
        if _wants_json():
            return jsonify(variant_as_json(variant, guideline, spoken()))
        words = criteria_in_words(variant, guideline)
        return render_template("variant.html", guideline=guideline, variant=variant, criteria=words)

    @blueprint.get("/about")
    def about() -> str | Response:
        attributes = source_attributes(knowledge, spoken())
        due = is_review_due(knowledge, today())
        if _wants_json():
            return jsonify(
                attributes=[asdict(a) for a in attributes],
                guideline={"edition": guideline.edition, "review_due": guideline.review_due},
                review_is_due=due,
                limits=[spoken().say(limit) for limit in LIMITS],
            )
        return render_template(
            "about.html", guideline=guideline, attributes=attributes, limits=LIMITS, due=due
        )

    return blueprint


def criteria_in_words(variant: Variant, guideline: Guideline) -> list[str]:
    """The criteria of a variant as a person would say them."""
    words = guideline.facts
    return [words[f].true if wanted else words[f].false for f, wanted in variant.criteria]


def variant_as_json(variant: Variant, guideline: Guideline, language: Language) -> dict:
    """All that the page shows."""
    say = language.say
    return {
        "id": variant.id,
        "number": variant.number,
        "kind": variant.kind,
        "title": say(variant.title),
        "criteria": dict(variant.criteria),
        "ratings": [_rating(p, category, guideline, language) for p, category in variant.ratings],
        "next": say(variant.next),
        "beware": say(variant.beware),
        "think_of": say(variant.think_of),
        "note": say(variant.note),
        "citation": say(guideline.citation),
        "copyright": say(guideline.copyright),
    }


def _rating(procedure_id: str, category_id: str, guideline: Guideline, language: Language) -> dict:
    procedure, category = guideline.procedures[procedure_id], guideline.categories[category_id]
    return {
        "procedure": procedure.id,
        "label": language.say(procedure.label),
        "category": category.id,
        "category_label": language.say(category.label),
        "radiation": {
            "adult": language.say(procedure.adult_radiation),
            "child": language.say(procedure.child_radiation),
        },
    }


def _guideline_as_json(guideline: Guideline, language: Language) -> dict:
    say = language.say
    return {
        "id": guideline.id,
        "title": say(guideline.title),
        "edition": say(guideline.edition),
        "review_due": guideline.review_due,
        "citation": say(guideline.citation),
        "copyright": say(guideline.copyright),
        "variants": [variant_as_json(v, guideline, language) for v in guideline.variants],
    }


def _wants_json() -> bool:
    accepted = request.accept_mimetypes
    best = accepted.best_match(["text/html", "application/json"], default="text/html")
    return best == "application/json"
