"""CDS Hooks service: is an order well chosen, by a published guideline?"""

from collections.abc import Callable
from datetime import UTC, date, datetime

from flask import Flask, request

from cds_service.expansion.lookup import SECONDS, TerminologyLookup
from cds_service.expansion.server import TerminologyServer
from cds_service.extras import check_extras
from cds_service.fhir.validation import warm_up
from cds_service.mappings import load
from cds_service.mappings.hierarchies import hierarchies_of
from cds_service.memory import Memory
from cds_service.settings import Settings, settings_from
from cds_service.store.store import Store, StoreLocation
from cds_service.web import errors
from cds_service.web.callers import Callers, NoClients
from cds_service.web.dashboard import dashboard
from cds_service.web.dispatch import hooks_first
from cds_service.web.find import by_hand
from cds_service.web.guidelines import guidelines
from cds_service.web.headers import add_headers
from cds_service.web.languages import add_languages
from cds_service.web.limits import RateLimits
from cds_service.web.log import log_store_problem
from cds_service.web.metrics import IN_MEMORY, count_lookup, metrics_page
from cds_service.web.navigation import add_navigation
from cds_service.web.openapi import openapi
from cds_service.web.pages import pages
from cds_service.web.paths import plain_paths
from cds_service.web.request_log import logged, name_route
from cds_service.web.routes import Site, hooks
from cds_service.web.rules import rules
from cds_service.web.trial import Bench, trial


def current_day() -> date:
    """The current UTC date, which counts as today for orders without a date of their own."""
    return datetime.now(UTC).date()


def create_app(settings: Settings | None = None, today: Callable[[], date] = current_day) -> Flask:
    """The WSGI application. `today` gives the day for orders without a date.

    Raises ConfigError, MissingExtra, MappingsError or ClientsError where settings, libraries,
    mappings or clients are wrong.
    """
    settings = settings or settings_from()
    check_extras(settings)
    topics = load(settings.mappings)
    warm_up()
    store = Store(_store_location(settings), log_store_problem, IN_MEMORY.set)
    callers = Callers(settings, store.remember_token, topics)
    app = _flask(settings)
    kept = store if settings.store else None
    rates, memory = RateLimits(settings.rate_store), Memory(settings.remember_seconds)
    site = Site(topics, settings, callers, today, kept, _lookup(settings), rates, memory)
    app.extensions["in_worker"] = _in_worker(settings, store, callers, site.lookup)
    app.extensions["make_tables"] = store.prepare if settings.uses_database else None
    app.extensions["store"] = store
    _add_routes(app, site, store)
    errors.register(app)
    app.before_request(name_route)
    app.before_request(_nobody_but_health(callers))
    add_languages(app, topics, settings.mappings)
    add_navigation(app, settings)
    add_headers(app, settings.allowed_origins)
    app.wsgi_app = plain_paths(logged(app.wsgi_app))
    return app


def _flask(settings: Settings) -> Flask:
    app = Flask(__name__, template_folder="web/templates", static_folder="web/static")
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body_bytes
    app.json.sort_keys, app.json.ensure_ascii = False, False
    return app


def _add_routes(app: Flask, site: Site, store: Store) -> None:
    settings, topics, today = site.settings, site.topics, site.today
    app.register_blueprint(hooks(site))
    app.wsgi_app = hooks_first(app, site)
    state = store.state if settings.store else lambda: "off"
    bench = Bench(topics, settings, today)
    app.register_blueprint(pages(bench, lambda: site.callers.local_codes, state))
    app.register_blueprint(guidelines(topics))
    app.register_blueprint(by_hand(topics))
    app.register_blueprint(rules(topics, settings.mappings))
    if settings.shows_trial:
        app.register_blueprint(trial(bench, site.concurrency))
    app.register_blueprint(metrics_page(settings.metrics_token))
    app.register_blueprint(openapi(topics, settings))
    if settings.store:
        shown = dashboard(store, topics, settings.dashboard_token, settings.open, today)
        app.register_blueprint(shown)


def _store_location(settings: Settings) -> StoreLocation:
    hours = settings.repeat_hours if settings.store else 0
    return StoreLocation(settings.database_url, settings.data, settings.secret, hours)


def _lookup(settings: Settings) -> TerminologyLookup | None:
    """The background lookup at the terminology server of CDS_TX, None without one."""
    if not settings.tx:
        return None
    server = TerminologyServer(settings.tx, settings.tx_token, SECONDS)
    hierarchies = hierarchies_of(settings.mappings)
    return TerminologyLookup(server, hierarchies, count_lookup)


def _in_worker(
    settings: Settings, store: Store, callers: Callers, lookup: TerminologyLookup | None
) -> Callable[[], None]:
    """What a new worker does first; see gunicorn.conf.py."""

    def begin() -> None:
        callers.after_fork()
        if settings.uses_database:
            store.prepare()
        if settings.store:
            store.start()
        if lookup:
            lookup.start()

    return begin


def _nobody_but_health(callers: Callers) -> Callable[[], None]:
    """A check before each request: without a client only /health, and preflight, is answered."""

    def check() -> None:
        if callers.answers_nobody and request.path != "/health" and request.method != "OPTIONS":
            raise NoClients

    return check
