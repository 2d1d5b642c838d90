"""Read and search on a FHIR server, within a deadline."""

from time import monotonic
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
from msgspec import DecodeError
from urllib3.exceptions import HTTPError, ProtocolError

from cds_service.fhir.addresses import FhirServer
from cds_service.fhir.plain import Json, as_text, dicts
from cds_service.fhir.reading import decoded

MOST_PAGES = 10
MOST_BYTES = 5_000_000
PIECE = 65_536
CONNECT_SECONDS = 0.25

# The kind of error by HTTP status; a single digit stands for the other statuses beginning with it.
BY_STATUS = {
    401: "unauthorized",
    403: "unauthorized",
    404: "not-found",
    410: "not-found",
    429: "busy",
    3: "redirected",
    4: "refused",
    5: "server-error",
}
# Faults of the server itself; several in a row open the circuit breaker.
SERVER_FAULTS = frozenset({"server-error", "timeout", "unreachable", "garbage"})


class FetchError(Exception):
    """A fetch that failed. `kind` is a word of ours, without anything of the request or the answer.
    `retry_after` is in seconds.
    """

    def __init__(self, kind: str, retry_after: float = 0.0):
        super().__init__(kind)
        self.kind = kind
        self.retry_after = retry_after


def search(session: requests.Session, server: FhirServer, path: str, deadline: float) -> list[Json]:
    """The pages of a search, as Bundles. Where some could not be had, the last one keeps its link
    to the next, so that the result counts as partial.

    `deadline` is a time of the monotonic clock. Raises FetchError where the first page fails.
    """
    pages = [_expect("Bundle", _get(session, server, server.address(path), deadline))]
    while len(pages) < MOST_PAGES:
        following = _next_page(server, pages[-1])
        if not following:
            break
        try:
            page = _expect("Bundle", _get(session, server, following, deadline))
        except FetchError:
            break
        pages[-1].pop("link", None)
        pages.append(page)
    return pages


def read(session: requests.Session, server: FhirServer, path: str, deadline: float) -> list[Json]:
    """One resource by type and id. Raises FetchError."""
    kind = path.split("/")[0]
    return [_expect(kind, _get(session, server, server.address(path), deadline))]


def _next_page(server: FhirServer, bundle: Json) -> str:
    """The address of the next page; empty without one, and where it is of another origin."""
    links = (link for link in dicts(bundle.get("link")) if link.get("relation") == "next")
    url = urljoin(server.base.rstrip("/") + "/", as_text(next(links, {}).get("url")))
    parts = urlsplit(url)
    same = f"{parts.scheme}://{parts.netloc}" == server.origin
    return url if same and url.rstrip("/") != server.base.rstrip("/") else ""


def _expect(kind: str, resource: Any) -> Json:
    if not isinstance(resource, dict) or resource.get("resourceType") != kind:
        raise FetchError("wrong-type")
    return resource


def _get(session: requests.Session, server: FhirServer, url: str, deadline: float) -> Any:
    """The JSON at an address. Tried again, once, where the server had closed a kept connection."""
    try:
        return _get_once(session, server, url, deadline)
    except requests.ConnectionError as error:
        if not _was_reset(error):
            raise FetchError("unreachable") from None
    try:
        return _get_once(session, server, url, deadline)
    except requests.ConnectionError:
        raise FetchError("unreachable") from None


def _was_reset(error: requests.ConnectionError) -> bool:
    return bool(error.args) and isinstance(error.args[0], ProtocolError)


def _get_once(session: requests.Session, server: FhirServer, url: str, deadline: float) -> Any:
    left = deadline - monotonic()
    if left <= 0:
        raise FetchError("timeout")
    headers = {"Accept": "application/fhir+json"}
    if server.token:
        headers["Authorization"] = f"Bearer {server.token}"
    timeout = (min(CONNECT_SECONDS, left), left)
    try:
        with session.get(
            url, headers=headers, timeout=timeout, stream=True, allow_redirects=False
        ) as response:
            if response.status_code != requests.codes.ok:
                raise _error(response)
            return decoded(_body(response, deadline))
    except requests.Timeout:
        raise FetchError("timeout") from None
    except (ValueError, DecodeError, RecursionError):
        raise FetchError("garbage") from None


def _body(response: requests.Response, deadline: float) -> bytes:
    """The body. Raises FetchError where it is too long, or does not come in time."""
    body = bytearray()
    try:
        while piece := response.raw.read1(PIECE, decode_content=True):
            body += piece
            if len(body) > MOST_BYTES:
                raise FetchError("too-large")
            if monotonic() > deadline:
                raise FetchError("timeout")
    except (HTTPError, OSError):
        raise FetchError("timeout" if monotonic() > deadline else "unreachable") from None
    return bytes(body)


def _error(response: requests.Response) -> FetchError:
    status = response.status_code
    kind = BY_STATUS.get(status) or BY_STATUS.get(status // 100, "refused")
    seconds = response.headers.get("Retry-After", "")
    return FetchError(kind, float(seconds) if seconds.isdecimal() else 0.0)
