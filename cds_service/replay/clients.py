"""Ways to post a fixture: in this process, or to a running service."""

from collections.abc import Callable
from contextlib import redirect_stderr
from copy import deepcopy
from datetime import date
from io import StringIO
from pathlib import Path
from typing import Any

import requests

from cds_service import create_app
from cds_service.fixtures import Fixture
from cds_service.settings import SHIPPED_MAPPINGS, Settings
from cds_service.shipped import FIXTURES

PUBLIC_URL = "https://cds.example.org"
DISCOVERY = "/cds-services"
TIMEOUT_SECONDS = 30
PREFERENCE_LIST = FIXTURES / "preference-list.csv"

Post = Callable[[Fixture], tuple[int, Any]]


def in_process(dialect: str, mappings: Path = SHIPPED_MAPPINGS) -> Post:
    """Posts to the application itself, with the fixture's day as today; nothing is fetched."""
    day: list[date] = []
    settings = Settings(
        public_url=PUBLIC_URL,
        fetch_milliseconds=0,
        dialect=dialect,
        preference_list=PREFERENCE_LIST,
        mappings=mappings,
    )
    app = create_app(settings, lambda: day[-1])
    client = app.test_client()
    with redirect_stderr(StringIO()):  # the log is for operators
        first = _first_service(client.get(DISCOVERY).get_json())

    def post(fixture: Fixture) -> tuple[int, Any]:
        day[:] = [fixture.today]
        with redirect_stderr(StringIO()):
            response = client.post(_path(fixture, first), json=fixture.request)
        return response.status_code, response.get_json()

    return post


def to_url(url: str) -> Post:
    """Posts to a running service. The day that counts as today is sent as date of the orders; the
    FHIR server of the fixture, which does not exist, is left out.
    """
    base = url.rstrip("/")
    session = requests.Session()
    first = _first_service(session.get(base + DISCOVERY, timeout=TIMEOUT_SECONDS).json())

    def post(fixture: Fixture) -> tuple[int, Any]:
        request = _without_server(_dated(fixture.request, fixture))
        url = base + _path(fixture, first)
        body = session.post(url, json=request, timeout=TIMEOUT_SECONDS)
        return body.status_code, _undated(_at_public_url(body.json(), base), fixture)

    return post


def _first_service(discovery: Any) -> str:
    return discovery["services"][0]["id"]


def _path(fixture: Fixture, first: str) -> str:
    return f"{DISCOVERY}/{fixture.service or first}"


def _without_server(request: Any) -> Any:
    return {k: v for k, v in request.items() if k != "fhirServer"}


def _orders(request: Any) -> list[dict]:
    try:
        entries = request["context"]["draftOrders"]["entry"]
        return [e["resource"] for e in entries if "authoredOn" not in e["resource"]]
    except (KeyError, TypeError):
        return []


def _dated(request: Any, fixture: Fixture) -> Any:
    """A copy of the request with a date on each order that has none."""
    dated = deepcopy(request)
    for order in _orders(dated):
        if order.get("resourceType") == "ServiceRequest":
            order["authoredOn"] = fixture.today.isoformat()
    return dated


def _undated(response: Any, fixture: Fixture) -> Any:
    """The response without the dates that `_dated` added."""
    added = {order.get("id") for order in _orders(fixture.request)}
    if isinstance(response, dict):
        dropped = "authoredOn" if response.get("id") in added else None
        return {k: _undated(v, fixture) for k, v in response.items() if k != dropped}
    return (
        [_undated(item, fixture) for item in response] if isinstance(response, list) else response
    )


def _at_public_url(response: Any, base: str) -> Any:
    """The response with the base address of the recorded ones."""
    if isinstance(response, dict):
        return {key: _at_public_url(value, base) for key, value in response.items()}
    if isinstance(response, list):
        return [_at_public_url(item, base) for item in response]
    if isinstance(response, str) and response.startswith(base):
        return PUBLIC_URL + response.removeprefix(base)
    return response
