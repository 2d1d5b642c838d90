"""The page `/openapi.json`."""

from functools import cache

from flask import Blueprint, Response, jsonify

from cds_service.decision.topic import Topics
from cds_service.settings import Settings


def openapi(topics: Topics, settings: Settings) -> Blueprint:
    """The document is made, and what makes it is loaded, when it is first asked for."""
    blueprint = Blueprint("openapi", __name__)

    @cache
    def made() -> dict:
        from cds_service.web.description import description

        return description(topics, settings)

    @blueprint.get("/openapi.json")
    def show() -> Response:
        return jsonify(made())

    return blueprint
