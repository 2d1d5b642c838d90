"""The page /dashboard: what became of the advice, as charts, for those who hold its password."""

import hmac
import time
from collections.abc import Callable
from datetime import date, timedelta
from threading import Lock

from flask import Blueprint, Response, abort, render_template, request
from markupsafe import Markup
from werkzeug.datastructures import WWWAuthenticate

from cds_service.decision.topic import Topics
from cds_service.fhir.addresses import LOOPBACK_NAMES
from cds_service.fhir.unmapped import CONDITION, ORDER, REASON
from cds_service.language import N_, Language
from cds_service.report.figures import Period
from cds_service.report.overview import Overview, Panel, headline, overview_of
from cds_service.store.database import StoreDown
from cds_service.store.store import Store
from cds_service.web.languages import spoken

PERIODS = (7, 30, 90, 365)  # days
USUAL = 30
FRESH_SECONDS = 60
OTHER_REASONS = {
    "unreadable": N_("Order not readable"),
    "not-checked": N_("Reason and conditions"),
    "contrast-not-stated": N_("Contrast of the study"),
}
BUTTONS = {"replace": N_("change to"), "create": N_("add"), "delete": N_("remove the order")}
ABOUT = {ORDER: N_("order"), REASON: N_("reason"), CONDITION: N_("problem list")}
PASSWORD = WWWAuthenticate("basic", {"realm": "dashboard", "charset": "UTF-8"})
# Headers of a proxy: with one of them the address of the caller is that of the proxy.
FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Real-IP")


def dashboard(
    store: Store, topics: Topics, token: str, is_open: bool, today: Callable[[], date]
) -> Blueprint:
    """`/dashboard?days=30`, for those who hold the token; without one, in open mode, for those
    on this machine.
    """
    blueprint = Blueprint("dashboard", __name__)
    overviews = Overviews(store, topics)

    @blueprint.get("/dashboard")
    def show() -> str | tuple[str, int] | Response:
        _refuse_strangers(token, is_open)
        days = request.args.get("days", USUAL, type=int)
        days = days if days in PERIODS else USUAL
        until = today()
        words = {"days": days, "periods": PERIODS, "about": ABOUT}
        try:
            overview = overviews.of(Period(until - timedelta(days=days - 1), until), spoken())
        except StoreDown:
            return render_template("dashboard.html", overview=None, **words), 503
        numbers = headline(overview.total, spoken().number)
        return render_template(
            "dashboard.html", overview=overview, numbers=numbers, drawn=_drawn, **words
        )

    return blueprint


class Overviews:
    """A cache of overviews, each for FRESH_SECONDS. One at a time is computed."""

    def __init__(self, store: Store, topics: Topics):
        self._store, self._topics = store, topics
        self._lock = Lock()
        self._made: dict[tuple[Period, str], tuple[float, Overview]] = {}

    def of(self, period: Period, language: Language) -> Overview:
        """The overview of a period, with its words in the language. Raises StoreDown."""
        key = (period, language.code)
        with self._lock:
            at, overview = self._made.get(key, (0.0, None))
            if overview is None or time.monotonic() - at > FRESH_SECONDS:
                words = _words(self._topics, language)
                overview = self._store.query(lambda c: overview_of(c, period, words))
                self._made = {k: m for k, m in self._made.items() if k[0].until == period.until}
                self._made[key] = (time.monotonic(), overview)
        return overview


def _drawn(panel: Panel) -> Markup:
    # Imported here, since most workers never need the library.
    from cds_service.web.charts import drawn

    return drawn(panel, spoken())


def _words(topics: Topics, language: Language) -> dict[str, str]:
    """How facts, procedures, override reasons, what a button does and what a Condition sounds like
    are called, and what else kept from rating.
    """
    facts = {fact.name: fact.label for topic in topics.values() for fact in topic.facts}
    procedures = {p.id: p.short for topic in topics.values() for p in topic.guideline.procedures}
    sounds = {
        name: s.label for topic in topics.values() for name, s in topic.condition_words.items()
    }
    reasons = {r.code: r.display for topic in topics.values() for r in topic.override_reasons}
    named = sounds | facts | procedures | reasons | BUTTONS | OTHER_REASONS
    return {name: language.say(words) for name, words in named.items()}


def _refuse_strangers(token: str, is_open: bool) -> None:
    """Raises NotFound, or Unauthorized where the password is missing or wrong."""
    if not token:
        if not (is_open and is_on_this_machine()):
            abort(404)
        return
    basic = request.authorization
    given = basic.password or basic.token or "" if basic else ""
    if not hmac.compare_digest(given.encode(), token.encode()):
        abort(401, www_authenticate=PASSWORD)


def is_on_this_machine() -> bool:
    """By the address of the caller, and by the host name, which protects from DNS rebinding."""
    name = request.host.rsplit(":", 1)[0].strip("[]")
    direct = not any(header in request.headers for header in FORWARDED)
    return direct and request.remote_addr in LOOPBACK_NAMES and name in LOOPBACK_NAMES
