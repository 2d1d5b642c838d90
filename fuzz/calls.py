"""Odd HTTP calls: which one comes at a number follows from the seed and the number alone."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from fuzz.mutate import Seeds, bytewise, encoded, structured
from fuzz.values import TEXTS, hostile, junk

SERVICE = "/cds-services/vcf-appropriateness"
FEEDBACK = f"{SERVICE}/feedback"
JSON_TYPE = "application/json"
OVER_THE_LIMIT = b'{"filler": "' + b"x" * 10_000_001 + b'"}'
GIANT = json.dumps(
    {"hook": "order-sign", "hookInstance": "x",
     "prefetch": {"conditions": {"entry": [{}] * 20_001}},
     "context": {"userId": "x", "patientId": "x", "draftOrders": {"entry": [{}] * 9_000}}}
).encode()  # fmt: skip

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
    "/guidelines/acr-vcf-2022/../../etc/passwd", "/favicon.ico", "/static/x", "/.env", "/%00",
    "/" + "a" * 20_000, "/" * 5_000, "http://example.org/", "/cds-services/{{x}}", "/about;x=1",
    "/\r\nX: 1", "/cds-services/vcf-appropriateness\u0085".encode().decode("latin-1"),
)  # fmt: skip
CONTENT_TYPES = (
    None, "", "text/plain", "application/xml", "application/fhir+json", "application/json;",
    "application/json; charset=utf-16", "application/json; charset=nothing", "APPLICATION/JSON",
    'application/json; charset="', "application/json, text/html", "multipart/form-data",
    "multipart/form-data; boundary=x", "application/x-www-form-urlencoded", "application/", "/",
    "application/\xff+json", "json", "application/+json", ";;;=", "a" * 5_000, "application/json\0",
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
    "Accept": ACCEPTS,
    "Accept-Charset": ("utf-16", "*;q=nan"),
    "Accept-Language": ("de", "*;q=2", "\xff"),
    "Access-Control-Request-Method": ("POST", "FOO", "\xff", ""),
    "Access-Control-Request-Headers": ("authorization", ",,,", "\xff", "x" * 5_000, "*"),
    "Access-Control-Request-Private-Network": ("true", "x"),
    "Cookie": ("session=x", "=;=;", "\xff=\xfe", "a=" + "b" * 5_000),
    "If-None-Match": ('"', "*", "W/"), "If-Modified-Since": ("never", "\xff"),
    "Range": ("bytes=0-1", "bytes=9-1", "x"), "Expect": ("100-continue", "x"),
    "Forwarded": ("for=x;host=y",), "X-Forwarded-Host": ("a b",), "X-Forwarded-Proto": ("ftp",),
    "X-Http-Method-Override": ("DELETE",), "User-Agent": ("", "\xff", "x" * 5_000),
}  # fmt: skip


@dataclass(frozen=True)
class Call:
    """One HTTP request. Path and headers are text as WSGI has it: a byte a character."""

    kind: str
    method: str = "POST"
    path: str = SERVICE
    query: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


def call_at(number: int, seed: int, seeds: Seeds) -> Call:
    """The call of this number in the run of this seed."""
    random = Random(f"{seed}:{number}")  # noqa: S311  repeatable, not secret
    (make,) = random.choices(list(KINDS), list(KINDS.values()))
    return make(random, seeds)


def posted(kind: str, body: bytes, path: str = SERVICE) -> Call:
    return Call(kind, path=path, headers={"Content-Type": JSON_TYPE}, body=body)


def _structured(random: Random, seeds: Seeds) -> Call:
    return posted("structure", structured(random, seeds))


def _bytewise(random: Random, seeds: Seeds) -> Call:
    return posted("bytes", bytewise(random, seeds))


def _junk(random: Random, seeds: Seeds) -> Call:
    """A sound frame around nothing but junk, or junk alone."""
    body = json.loads(random.choice(seeds.texts))
    field_name = random.choice([*body, "body"])
    body[field_name] = {k: junk(random) for k in ("patientId", "draftOrders", "selections", "x")}
    if random.random() < 0.002:
        return posted("junk", random.choice([OVER_THE_LIMIT, GIANT]))
    return posted("junk", encoded(hostile(random) if field_name == "body" else body, random))


def _feedback(random: Random, seeds: Seeds) -> Call:
    card = {"card": "x", "outcome": "accepted", "acceptedSuggestions": [{"id": "y"}]}
    body = {"feedback": [random.choice([card, junk(random), {**card, "card": hostile(random)}])]}
    data = bytewise(random, seeds) if random.random() < 0.3 else encoded(body, random)
    return posted("feedback", data, FEEDBACK)


def _headers(random: Random, seeds: Seeds) -> Call:
    """A good or spoiled body under odd headers."""
    sound = random.choice(seeds.texts).encode()
    body = sound if random.random() < 0.6 else structured(random, seeds)
    kind = random.choice(CONTENT_TYPES) if random.random() < 0.5 else JSON_TYPE
    headers = {"Content-Type": kind} if kind is not None else {}
    return Call("headers", headers={**headers, **_odd_headers(random)}, body=body)


def _page(random: Random, _: Seeds) -> Call:
    headers = {"Accept": random.choice(ACCEPTS)}
    if random.random() < 0.3:
        headers |= _odd_headers(random)
    query = random.choice(["", "x", "=&=&", "a=%ff", "\xff", "%", "q=" + "x" * 9_000, "\0"])
    method = random.choice(["GET", "GET", "GET", "HEAD"])
    return Call("pages", method, random.choice(PAGES), query, headers)


def _path(random: Random, seeds: Seeds) -> Call:
    """Any method on any path, with or without a body."""
    path = random.choice(PATHS)
    if random.random() < 0.3:
        text = random.choice(TEXTS).encode("utf-8", "surrogatepass").decode("latin-1")
        path = f"{path}/{text}"
    body = random.choice(seeds.texts).encode() if random.random() < 0.5 else b""
    return Call("paths", random.choice(METHODS), path, headers=_odd_headers(random), body=body)


def _odd_headers(random: Random) -> dict[str, str]:
    names = random.sample(list(HEADERS), random.choice([0, 1, 1, 2, 3]))
    return {name: random.choice(HEADERS[name]) for name in names}


KINDS: dict[Callable[[Random, Seeds], Call], int] = {
    _structured: 66, _bytewise: 8, _junk: 4, _feedback: 4, _headers: 7, _page: 6, _path: 5,
}  # fmt: skip
