"""Odd HTTP calls: spoiled bodies, headers, methods and addresses."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from fuzz.bodies import Draw, bodies, broken_bytes, choose, encoded, sound_requests
from fuzz.values import ANYTHING, PLANTED, TEXTS

SERVICE = "/cds-services/vcf-appropriateness"
FEEDBACK = f"{SERVICE}/feedback"
JSON_TYPE = {"Content-Type": "application/json"}
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "CONNECT", "post",
           "PROPFIND", "G\xcbT")  # fmt: skip
PAGES = (
    "/", "/health", "/ready", "/about", "/cds-services", "/guidelines/acr-vcf-2022",
    "/guidelines/acr-vcf-2022/variant-1", "/guidelines/acr-vcf-2022/variant9",
)  # fmt: skip
PATHS = (
    *PAGES, SERVICE, FEEDBACK, "", "//", "///cds-services//", f"{SERVICE}/", f"{FEEDBACK}/x",
    "/cds-services/other", "/cds-services/other/feedback", "/cds-services/\0", "/nothing", "*",
    "/guidelines/acr-vcf-2022/variant-0", "/guidelines/acr-vcf-2022/\xff\xfe", "/\xed\xa0\x80",
    "/guidelines/acr-vcf-2022/../../etc/passwd", "/favicon.ico", "/.env", "/%00",
    "/" + "a" * 20_000, "/" * 5_000, "http://example.org/", "/cds-services/{{x}}", "/about;x=1",
    "/\r\nX: 1", f"/Patient/{PLANTED}",
)  # fmt: skip
QUERIES = ("", "x", "=&=&", "a=%ff", "\xff", "%", "q=" + "x" * 9_000, "\0", f"name={PLANTED}")
CONTENT_TYPES = (
    "", "text/plain", "application/fhir+json", "application/json;", "APPLICATION/JSON",
    "application/json; charset=utf-16", "application/json; charset=nothing", "multipart/form-data",
    'application/json; charset="', "application/json, text/html", "multipart/form-data; boundary=x",
    "application/x-www-form-urlencoded", "application/", "/", "application/\xff+json", "json",
    ";;;=", "a" * 5_000, "application/json\0",
)  # fmt: skip
ACCEPTS = (
    "", "*/*", "text/html", "application/json", "application/json;q=nan", "text/html;q=1e999",
    "text/html;q=-1", "text/html;q=0,application/json;q=0", "*/*;q=0", "text/html;q=abc", ",,,,",
    ";", "application/*", "*/json", "\xff/\xfe", "a" * 10_000, "text/html," * 500, "image/png",
    'application/json;x="', "application/json;q=0.5;q=0.1", "text/html;q=.\xd9\xa3",
)  # fmt: skip
HEADERS = {
    "Host": ("", "a b", "evil.example:99999", "[::1", "[::1]:x", "\xff\xfe", "x" * 5_000, ":80",
             "localhost:80:80", "user@host", "a/b", "a?b", "-", "..", "xn--\xe9"),
    "Origin": ("null", "", "http://localhost:8080", "\xff", "x" * 5_000, "*", "http://a, http://b"),
    "Authorization": ("Bearer", "Bearer x.y.z", "Basic \xff", "Basic =", "Digest a=b,,", "\0"),
    "Content-Length": ("", "0", "1", "7", "99999999", "-1", "+5", "1e3", "\xd9\xa3",
             "18446744073709551617", "9" * 5_000),
    "Transfer-Encoding": ("chunked", "gzip, chunked", "\xff"),
    "Content-Encoding": ("gzip", "identity", "br", "\xff"),
    "Content-Type": CONTENT_TYPES,
    "Accept": ACCEPTS,
    "Accept-Language": ("de", "es;q=0.5,en", "*;q=2", "\xff"),
    "Access-Control-Request-Method": ("POST", "FOO", "\xff", ""),
    "Access-Control-Request-Headers": ("authorization", ",,,", "\xff", "x" * 5_000, "*"),
    "Access-Control-Request-Private-Network": ("true", "x"),
    "Cookie": ("session=x", "=;=;", "\xff=\xfe", "a=" + "b" * 5_000),
    "If-None-Match": ('"', "*", "W/"), "If-Modified-Since": ("never", "\xff"),
    "Range": ("bytes=0-1", "bytes=9-1", "x"), "Expect": ("100-continue", "x"),
    "Forwarded": ("for=x;host=y",), "X-Forwarded-Host": ("a b",), "X-Forwarded-Proto": ("ftp",),
    "X-Http-Method-Override": ("DELETE",), "User-Agent": ("", "\xff", "x" * 5_000, PLANTED),
}  # fmt: skip


@dataclass(frozen=True)
class Call:
    """One HTTP request. Path and headers are text as WSGI has it: a byte a character."""

    kind: str
    body: bytes = b""
    path: str = SERVICE
    method: str = "POST"
    query: str = ""
    headers: dict[str, str] = field(default_factory=lambda: dict(JSON_TYPE))


@st.composite
def odd_headers(draw: Draw) -> dict[str, str]:
    names = draw(st.lists(st.sampled_from(list(HEADERS)), max_size=3, unique=True))
    return {name: draw(st.sampled_from(HEADERS[name])) for name in names}


def sound(draw: Draw) -> bytes:
    return choose(draw, sound_requests()).encode()


def spoiled(draw: Draw) -> Call:
    return Call("spoiled", draw(bodies()))


def bytewise(draw: Draw) -> Call:
    return Call("bytes", draw(broken_bytes()))


def junk(draw: Draw) -> Call:
    return Call("junk", encoded(draw, draw(ANYTHING)))


def feedback(draw: Draw) -> Call:
    card = {"card": "x", "outcome": "accepted", "acceptedSuggestions": [{"id": "y"}]}
    one = choose(draw, [*card, "outcomeTimestamp", "overrideReason", PLANTED])
    body = {"feedback": [{**card, one: draw(ANYTHING)}, draw(ANYTHING)]}
    data = encoded(draw, body) if draw(st.integers(0, 3)) else draw(broken_bytes())
    return Call("feedback", data, FEEDBACK)


def headed(draw: Draw) -> Call:
    """A sound or spoiled body under odd headers."""
    body = sound(draw) if draw(st.booleans()) else draw(bodies())
    return Call("headers", body, headers={**JSON_TYPE, **draw(odd_headers())})


def page(draw: Draw) -> Call:
    headers = {"Accept": choose(draw, ACCEPTS), **draw(odd_headers())}
    path, query = choose(draw, PAGES), choose(draw, QUERIES)
    return Call("pages", b"", path, choose(draw, ["GET", "HEAD"]), query, headers)


def addressed(draw: Draw) -> Call:
    """Any method on any path, with or without a body."""
    path = choose(draw, PATHS)
    if draw(st.booleans()):
        text = choose(draw, TEXTS).encode("utf-8", "surrogatepass").decode("latin-1")
        path = f"{path}/{text}"
    body = sound(draw) if draw(st.booleans()) else b""
    method = choose(draw, METHODS)
    return Call("paths", body, path, method, "", {**JSON_TYPE, **draw(odd_headers())})


KINDS: list[Callable[[Draw], Call]] = (
    [spoiled] * 66 + [bytewise] * 8 + [junk] * 4 + [feedback] * 4 + [headed] * 7 + [page] * 6
    + [addressed] * 5
)  # fmt: skip


@st.composite
def calls(draw: Draw) -> Any:
    return choose(draw, KINDS)(draw)
