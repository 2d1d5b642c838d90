"""The page /dashboard: what became of the advice, as charts, for those who hold its password."""

import hmac
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from math import ceil
from threading import Lock

from cachetools import TTLCache
from flask import Blueprint, Response, abort, render_template, request
from markupsafe import Markup
from werkzeug.datastructures import WWWAuthenticate

from cds_service.decision.topic import Topics
from cds_service.fhir.addresses import LOOPBACK_NAMES
from cds_service.language import N_, Language
from cds_service.report.figures import Period
from cds_service.report.overview import Overview, Panel, as_csv, headline, overview_of, shares
from cds_service.report.unmapped import ABOUT
from cds_service.store.database import StoreDown
from cds_service.store.store import Store
from cds_service.web.colors import color
from cds_service.web.languages import spoken
from cds_service.web.limits import TooManyRequests
from cds_service.web.request_log import current

PERIODS = (7, 30, 90, 365)  # days
USUAL = 30
FRESH_SECONDS, MOST_KEPT = 60, 50
MOST_GUESSES, GUESSES_SECONDS = 10, 60
OTHER_REASONS = {
    "unreadable": N_("Order not readable"),
    "not-checked": N_("Reason and conditions"),
    "contrast-not-stated": N_("Contrast of the study"),
}
BUTTONS = {"replace": N_("change to"), "create": N_("add"), "delete": N_("remove the order")}
PASSWORD = WWWAuthenticate("basic", {"realm": "dashboard", "charset": "UTF-8"})
# Headers of a proxy: with one of them the address of the caller is that of the proxy.
FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Proto", "X-Real-IP", "Via")


def dashboard(
    store: Store, topics: Topics, token: str, is_open: bool, today: Callable[[], date]
) -> Blueprint:
    """`/dashboard?days=30&client=NAME`, and the same as CSV, for those who hold the token; without
    one, in open mode, for those on this machine.
    """
    blueprint = Blueprint("dashboard", __name__)
    overviews, guesses = Overviews(store, topics, today), Guesses()

    @blueprint.get("/dashboard")
    def show() -> str | tuple[str, int]:
        _refuse_strangers(token, is_open, guesses)
        chosen = _chosen()
        words = {"days": chosen.days, "periods": PERIODS, "about": ABOUT}
        try:
            overview = overviews.of(chosen, spoken())
        except StoreDown:
            return render_template("dashboard.html", overview=None, **words), 503
        words |= {"numbers": headline(overview.total, spoken().number), "color": color}
        words |= {"overview": overview, "drawn": _drawn, "shares": shares}
        return render_template("dashboard.html", **words)

    @blueprint.get("/dashboard.csv")
    def export() -> Response:
        _refuse_strangers(token, is_open, guesses)
        text = as_csv(overviews.of(_chosen(), spoken()), spoken().say)
        return Response(text, mimetype="text/csv")

    return blueprint


@dataclass(frozen=True)
class Chosen:
    """How many days, today among them, and which client; all where it is empty."""

    days: int
    client: str


def _chosen() -> Chosen:
    days = request.args.get("days", USUAL, type=int)
    return Chosen(days if days in PERIODS else USUAL, request.args.get("client", ""))


class Overviews:
    """A cache of overviews, each for FRESH_SECONDS. One at a time is computed."""

    def __init__(self, store: Store, topics: Topics, today: Callable[[], date]):
        self._store, self._topics, self._today = store, topics, today
        self._lock = Lock()
        self._made: TTLCache = TTLCache(MOST_KEPT, FRESH_SECONDS)

    def of(self, chosen: Chosen, language: Language) -> Overview:
        """The overview, with its words in the language. Raises StoreDown."""
        key = (self._today(), chosen, language.code)
        with self._lock:
            overview = self._made.get(key)
            if overview is None:
                overview = self._made[key] = self._read(chosen, _words(self._topics, language))
        return overview

    def _read(self, chosen: Chosen, words: Mapping[str, str]) -> Overview:
        until = self._today()
        period = Period(until - timedelta(days=chosen.days - 1), until)
        return self._store.query(lambda c: overview_of(c, period, words, chosen.client))


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


class Guesses:
    """How many wrong passwords came lately, from whomever; at MOST_GUESSES all have to wait."""

    def __init__(self) -> None:
        self._times: deque[float] = deque(maxlen=MOST_GUESSES)

    def add(self) -> None:
        self._times.append(time.monotonic())

    def check(self) -> None:
        """Raises TooManyRequests."""
        oldest = self._times[0] if len(self._times) == MOST_GUESSES else float("-inf")
        seconds = oldest + GUESSES_SECONDS - time.monotonic()
        if seconds > 0:
            raise TooManyRequests(ceil(seconds))


def _refuse_strangers(token: str, is_open: bool, guesses: Guesses) -> None:
    """Raises NotFound, Unauthorized where the password is missing or wrong, or TooManyRequests."""
    line = current()
    line.refused = "dashboard"
    if not token:
        if not (is_open and is_on_this_machine()):
            abort(404)
    else:
        guesses.check()
        _check_password(token, guesses)
    line.refused = ""


def _check_password(token: str, guesses: Guesses) -> None:
    basic = request.authorization
    given = basic.password or basic.token or "" if basic else ""
    if not hmac.compare_digest(given.encode(), token.encode()):
        if basic:
            guesses.add()
        abort(401, www_authenticate=PASSWORD)


def is_on_this_machine() -> bool:
    """By the address of the caller, and by the host name, which protects from DNS rebinding."""
    name = request.host.rsplit(":", 1)[0].strip("[]")
    direct = not any(header in request.headers for header in FORWARDED)
    return direct and request.remote_addr in LOOPBACK_NAMES and name in LOOPBACK_NAMES
