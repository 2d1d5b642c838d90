"""Why a token is refused, check by check. The token is not used up by it.

This is for the operator's terminal: claims are shown, the signature and the whole token never.
"""

import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cds_service.access import tokens
from cds_service.access.clients import Client
from cds_service.access.tokens import LEEWAY_SECONDS, TokenRefused
from cds_service.configuration import Unusable, text_of
from cds_service.doctor.clients import clients_in
from cds_service.doctor.lines import OK, Line, ok, problem, skipped, warning
from cds_service.doctor.signature import Token, as_json, fitting_clients, judge, signed
from cds_service.settings import Settings
from cds_service.store.database import StoreDown
from cds_service.store.store import StoreLocation

MILLISECONDS_SINCE = 1e11  # no token is valid in the year 5138
FAR = 1e12  # seconds; more are not told apart
FORM = "three parts joined by dots; take it from the Authorization header, without the word Bearer"


def explain_file(file: Path, endpoint: str, settings: Settings) -> Iterator[Line]:
    """The lines about the token in a file, made for a call of the endpoint."""
    try:
        text = text_of(file, "table").strip()
    except Unusable as error:
        yield problem("token file", f"{file} {error}")
        return
    clients, line = clients_in(settings)
    if line.state != OK:
        yield line
    if settings.open:
        yield warning("mode", "open: the service looks at no token; set CDS_AUTH=required")
    yield from explain(text.removeprefix("Bearer").strip(), endpoint, settings, clients)


def explain(
    text: str, endpoint: str, settings: Settings, clients: tuple[Client, ...]
) -> Iterator[Line]:
    """The checks in the order of the service; unlike it, one that fails does not end them."""
    try:
        header = tokens.header_of(text)
    except TokenRefused as refused:
        yield problem("form", f"{refused} It is {len(text)} characters and must be a JWT: {FORM}")
        return
    headers = list(_header(header))
    yield from headers
    try:
        token = Token(text, header, tokens.claims_of(text), settings)
    except TokenRefused:
        yield problem("form", f"header or claims cannot be read: a JWT is {FORM}")
        return
    sound = all(line.state == OK for line in headers)
    yield _claims(token)
    yield from signed(token, clients, sound)
    yield from _audience(token, endpoint)
    yield from _times(token)
    yield _replay(token, clients)


def _header(header: dict[str, Any]) -> Iterator[Line]:
    alg, typ, crit, b64 = (f"{n} is {as_json(header, n)}" for n in ("alg", "typ", "crit", "b64"))
    kid = f"kid is {as_json(header, 'kid')}, jku is {as_json(header, 'jku')}"
    accepted = f"must be one of {', '.join(tokens.ALGORITHMS)}"
    texts = f"kid must be a text of up to {tokens.LONGEST_ID} characters; jku a text, if sent"
    yield judge("algorithm", alg, accepted, tokens.check_algorithm, header)
    yield judge("type", typ, "must be JWT", tokens.check_type, header)
    odd = f"{crit}, {b64}"
    yield judge("critical headers", odd, "must not be sent", tokens.check_critical, header)
    yield judge("key id", kid, texts, tokens.check_key_id, header)


def _claims(token: Token) -> Line:
    names = [n for n in ("exp", "iat", "nbf", "jti", "iss") if n != "nbf" or n in token.claims]
    shown = ", ".join(f"{n} is {as_json(token.claims, n)}" for n in names)
    advice = (
        f"{', '.join(tokens.wrong_claims(token.claims))} must be there and right: exp, iat and nbf "
        f"are seconds since 1970, jti and iss texts of up to {tokens.LONGEST_ID} characters"
    )
    return judge("claims", shown, advice, tokens.check_form, token.claims)


def _audience(token: Token, endpoint: str) -> Iterator[Line]:
    """What the token names, and the address as the service sees it."""
    called = as_called(endpoint, token.settings.public_url)
    if called != endpoint:
        text = f"with CDS_PUBLIC_URL a call of {endpoint} counts as one of {called}"
        yield warning("address", text)
    shown = f"aud is {as_json(token.claims, 'aud')}, {called} was called"
    advice = "aud must name that address; or CDS_PUBLIC_URL is not what the client calls"
    yield judge("audience", shown, advice, tokens.check_audience, token.claims, called)


def as_called(endpoint: str, public_url: str) -> str:
    """The address of a call for the service, which takes all but the path from the setting."""
    if not public_url or f"{endpoint}/".startswith(f"{public_url}/"):
        return endpoint.partition("?")[0]
    return public_url + urlsplit(endpoint).path


def _times(token: Token) -> Iterator[Line]:
    if token.wrong & {"exp", "iat", "nbf"}:
        yield skipped("times", "need exp and iat (and nbf, if sent) as numbers")
        return
    claims, now, longest = token.claims, time.time(), token.settings.token_seconds
    starts = ", ".join(_time(claims, name, now) for name in ("iat", "nbf") if name in claims)
    leeway = f"{tokens.LEEWAY_SECONDS} seconds are allowed for clocks"
    late = f"has expired ({leeway}): get a new token, or set the clocks right"
    early = f"lies ahead ({leeway}): set the clock of the client or this one right"
    long = f"at most {longest}: have shorter ones made, or raise CDS_TOKEN_SECONDS"
    lifetime = f"valid for {_seconds(claims['exp'] - claims['iat'])}"
    yield judge("expiry", _time(claims, "exp", now), late, tokens.check_expiry, claims, now)
    yield judge("start", starts, early, tokens.check_start, claims, now)
    yield judge("lifetime", lifetime, long, tokens.check_lifetime, claims, longest)


def _time(claims: dict[str, Any], name: str, now: float) -> str:
    """A time by its distance from now."""
    off = claims[name] - int(now)
    unit = " (are these milliseconds?)" if claims[name] > MILLISECONDS_SINCE else ""
    return f"{name} is {_seconds(abs(off))} {'from now' if off > 0 else 'ago'}{unit}"


def _seconds(number: float) -> str:
    return f"{min(number, FAR):.0f} seconds"


def _replay(token: Token, clients: tuple[Client, ...]) -> Line:
    """Whether it was used before; it is not marked as used."""
    fitting = fitting_clients(token, clients)
    if not fitting or token.wrong & {"jti", "exp"}:
        return skipped("used before", "needs a known issuer, jti and exp")
    shown = f"jti is {as_json(token.claims, 'jti')}"
    try:
        was_used = _was_used(fitting[0].name, token)
    except (StoreDown, OSError) as error:
        line = problem if token.settings.refuse_unchecked else warning
        return line("used before", f"{shown}: not known, used ones cannot be read ({error})")
    if was_used:
        return problem("used before", f"{shown}: was used; each call needs a token of its own")
    return ok("used before", f"{shown}: new, and still is")


def _was_used(client: str, token: Token) -> bool:
    """Raises StoreDown or OSError."""
    location = StoreLocation(token.settings.database_url, token.settings.data)
    with closing(location.database()) as database:
        used = location.used_tokens(database)
        return used.knows(client, token.claims["jti"], token.claims["exp"] + LEEWAY_SECONDS)
