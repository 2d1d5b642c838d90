"""CDS Hooks service: is an order for a vertebral compression fracture well chosen?"""

from collections.abc import Callable
from datetime import UTC, date, datetime

from flask import Flask, request

from cds_service.config import Settings, settings_from
from cds_service.decision.knowledge import Knowledge
from cds_service.expansion.lookup import SECONDS, TerminologyLookup
from cds_service.expansion.server import TerminologyServer
from cds_service.extras import check_extras
from cds_service.fhir.validation import warm_up
from cds_service.mappings import load
from cds_service.mappings.hierarchies import hierarchies_of
from cds_service.store.store import Store, StoreLocation
from cds_service.web import errors, record
from cds_service.web.callers import Callers, NoClients
from cds_service.web.concurrency import ConcurrencyLimit
from cds_service.web.dashboard import dashboard
from cds_service.web.headers import add_headers
from cds_service.web.json import Json
from cds_service.web.keeping import Keeping
from cds_service.web.languages import add_languages
from cds_service.web.limits import RateLimits
from cds_service.web.log import log_of_store
from cds_service.web.metrics import count_lookup, metrics_page
from cds_service.web.pages import pages
from cds_service.web.paths import plain_paths
from cds_service.web.routes import Site, hooks


def current_day() -> date:
    """The current UTC date, which counts as today for orders without a date of their own."""
    return datetime.now(UTC).date()


def create_app(settings: Settings | None = None, today: Callable[[], date] = current_day) -> Flask:
    """The WSGI application.

    Raises ConfigError, MissingExtra, MappingsError or ClientsError where it cannot be right.
    """
    settings = settings or settings_from()
    check_extras(settings)
    knowledge = load(settings.mappings)
    warm_up()
    app = Flask(__name__, template_folder="web/templates", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body_bytes
    app.json = Json(app)
    store = Store(_place(settings), log_of_store)
    callers = Callers(settings, store.remember_token, knowledge)
    if settings.store or not settings.open:
        store.prepare()
    lookup = _lookup(settings, knowledge)
    app.extensions["in_worker"] = _in_worker(settings, store, callers, lookup)
    app.extensions["store"] = store
    rates = RateLimits(settings.rate_store)
    kept = store if settings.store else None
    keeping = Keeping(kept, settings.keep_comments)
    wonder = lookup.take if lookup else None
    site = Site(
        knowledge, settings.public_url, callers, rates, today, keeping, ConcurrencyLimit(), wonder
    )
    app.register_blueprint(hooks(site))
    app.register_blueprint(pages(knowledge, today, lambda: callers.local_codes))
    app.register_blueprint(metrics_page(settings.metrics_token))
    if settings.store:
        shown = dashboard(
            store, knowledge.guideline, settings.dashboard_token, settings.open, today
        )
        app.register_blueprint(shown)
    errors.register(app)
    record.keep(app)
    app.before_request(_nobody_but_health(callers))
    add_languages(app)
    add_headers(app, settings.cors_origins)
    app.wsgi_app = plain_paths(app.wsgi_app)
    return app


def _place(settings: Settings) -> StoreLocation:
    hours = settings.repeat_hours if settings.store else 0
    return StoreLocation(settings.database_url, settings.data, settings.secret, hours)


def _lookup(settings: Settings, knowledge: Knowledge) -> TerminologyLookup | None:
    """The way to the terminology server, where one is set."""
    if not settings.tx:
        return None
    server = TerminologyServer(settings.tx, settings.tx_token, SECONDS)
    hierarchies = hierarchies_of(settings.mappings)
    return TerminologyLookup(server, hierarchies, knowledge.terminology.looked_up, count_lookup)


def _in_worker(
    settings: Settings, store: Store, callers: Callers, lookup: TerminologyLookup | None
) -> Callable[[], None]:
    """What a new worker does first; see gunicorn.conf.py."""

    def begin() -> None:
        store.after_fork()
        callers.after_fork()
        if settings.store:
            store.start()
        if lookup:
            lookup.start()

    return begin


def _nobody_but_health(callers: Callers) -> Callable[[], None]:
    """Without a client, only the question whether the process is up is answered."""

    def check() -> None:
        if callers.answers_nobody and request.path != "/health" and request.method != "OPTIONS":
            raise NoClients

    return check
