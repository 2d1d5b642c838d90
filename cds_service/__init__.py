"""CDS Hooks service: is an order for a vertebral compression fracture well chosen?"""

from collections.abc import Callable
from datetime import UTC, date, datetime

from flask import Flask, request
from flask_cors import CORS

from cds_service.config import Settings, settings_from
from cds_service.fhir.validation import warm_up
from cds_service.mappings import load
from cds_service.web import errors
from cds_service.web.callers import Callers, NoClients
from cds_service.web.pages import pages
from cds_service.web.paths import plain_paths
from cds_service.web.routes import Site, hooks


def current_day() -> date:
    """The current UTC date, which counts as today for orders without a date of their own."""
    return datetime.now(UTC).date()


def create_app(settings: Settings | None = None, today: Callable[[], date] = current_day) -> Flask:
    """The WSGI application.

    Raises ConfigError, MappingsError or ClientsError where it cannot be right.
    """
    settings = settings or settings_from()
    knowledge = load(settings.mappings)
    warm_up()
    app = Flask(__name__, template_folder="web/templates", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body_bytes
    app.json.sort_keys = False
    callers = Callers(settings)
    app.extensions["callers"] = callers
    app.register_blueprint(hooks(Site(knowledge, settings.public_url, callers, today)))
    app.register_blueprint(pages(knowledge, today))
    errors.register(app)
    app.before_request(_nobody_but_health(callers))
    CORS(app)
    app.wsgi_app = plain_paths(app.wsgi_app)
    return app


def _nobody_but_health(callers: Callers) -> Callable[[], None]:
    """Without a client, only the question whether the process is up is answered."""

    def check() -> None:
        if callers.answers_nobody and request.path != "/health" and request.method != "OPTIONS":
            raise NoClients

    return check
