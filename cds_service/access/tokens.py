"""The token of a call, after CDS Hooks: a JWT signed by the client, checked claim by claim."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from jwt.algorithms import get_default_algorithms
from jwt.exceptions import PyJWTError
from jwt.utils import base64url_decode, base64url_encode

from cds_service.access.clients import Client
from cds_service.access.jwk import ALGORITHMS, Key
from cds_service.access.keys import Keys, KeysUnreachable

LEEWAY_SECONDS = 60
LONGEST_TOKEN = 8_000
LONGEST_ID = 256
LONGEST_SEEN = 200
LATEST = 2**53  # seconds; what JSON numbers carry exactly

# What a refused caller is told, by check. It says which check failed, not what would have passed.
TEXTS = {
    "missing": "A bearer token is required.",
    "malformed": "The token is not a signed JWT.",
    "type": "The token is not of type JWT.",
    "algorithm": "The token is not signed with an accepted algorithm.",
    "critical": "The token has critical headers that are not understood.",
    "issuer": "The issuer or the subject of the token is not known here.",
    "key": "The key of the token is not one of the client's.",
    "key-use": "The key of the token is not for this use.",
    "keys-unreachable": "The keys of the client cannot be had right now.",
    "signature": "The signature of the token does not match.",
    "claims": "The token lacks a required claim, or a claim has the wrong form.",
    "audience": "The token is not for this address.",
    "expired": "The token has expired.",
    "not-yet-valid": "The token is not valid yet.",
    "lifetime": "The token is valid for longer than this service accepts.",
    "replayed": "The token was used before.",
    "replay-unchecked": "It cannot be checked right now whether the token was used before.",
}


class TokenRefused(Exception):
    """A token that does not pass; `check` is a key of TEXTS, `seen` what was found instead: for
    the log, never for the caller.
    """

    def __init__(self, check: str, **seen: Any):
        super().__init__(TEXTS[check])
        self.check = check
        self.seen = {name: _loggable(value) for name, value in seen.items()}


def _loggable(value: Any) -> str:
    """Not too long, and as UTF-8 has it: JSON may hold half a surrogate pair."""
    return str(value).encode(errors="backslashreplace").decode()[:LONGEST_SEEN]


@dataclass(frozen=True)
class Verifier:
    """Checks tokens. `remember` says whether a token id is new, and keeps it until it expires."""

    clients: tuple[Client, ...]
    keys: Keys
    remember: Callable[[str, str, float], bool]
    now: Callable[[], float]
    longest_seconds: int

    def verify(self, token: str, endpoint: str) -> Client:
        """The client that signed the token for this endpoint. Raises TokenRefused."""
        header = header_of(token)
        _check_header(header)
        claims = claims_of(token)
        check_form(claims)
        client = _client(claims, self.clients)
        check_signature(token, header, key_for(header, client, self.keys))
        check_audience(claims, endpoint)
        self._check_times(claims)
        if not self.remember(client.name, claims["jti"], claims["exp"] + LEEWAY_SECONDS):
            raise TokenRefused("replayed")
        return client

    def _check_times(self, claims: dict[str, Any]) -> None:
        now = self.now()
        check_expiry(claims, now)
        check_start(claims, now)
        check_lifetime(claims, self.longest_seconds)


SIGNATURES = get_default_algorithms()
UNREADABLE = (ValueError, IndexError, RecursionError)
PARTS = 3


def header_of(token: str) -> dict[str, Any]:
    """The header, as far as its form goes; nothing of it is believed yet. Raises TokenRefused."""
    if len(token) > LONGEST_TOKEN:
        raise TokenRefused("malformed")
    return _object_in(token, 0)


def claims_of(token: str) -> dict[str, Any]:
    """The claims, of which nothing is believed yet. Raises TokenRefused."""
    return _object_in(token, 1)


def _object_in(token: str, number: int) -> dict[str, Any]:
    """The JSON object in one of the three parts. Raises TokenRefused."""
    parts = token.split(".")
    try:
        value = json.loads(_bytes_of(parts[number]))
    except UNREADABLE:
        raise TokenRefused("malformed") from None
    if len(parts) != PARTS or not isinstance(value, dict):
        raise TokenRefused("malformed")
    return value


def _bytes_of(part: str) -> bytes:
    """The base64url of RFC 7515, less the padding that some add. Raises ValueError."""
    found = base64url_decode(part)
    if base64url_encode(found).decode() != part.rstrip("="):
        raise ValueError("no base64url")
    return found


def _check_header(header: dict[str, Any]) -> None:
    check_algorithm(header)
    check_type(header)
    check_critical(header)
    check_key_id(header)


def check_algorithm(header: dict[str, Any]) -> None:
    if header.get("alg") not in ALGORITHMS:
        raise TokenRefused("algorithm")


def check_type(header: dict[str, Any]) -> None:
    if str(header.get("typ", "")).upper() != "JWT":
        raise TokenRefused("type")


def check_critical(header: dict[str, Any]) -> None:
    """A payload that is not encoded (`b64`, RFC 7797) would be a critical header."""
    if "crit" in header or header.get("b64", True) is not True:
        raise TokenRefused("critical")


def check_key_id(header: dict[str, Any]) -> None:
    if not _is_text(header.get("kid")) or not isinstance(header.get("jku", ""), str):
        raise TokenRefused("key")


def check_form(claims: dict[str, Any]) -> None:
    if wrong_claims(claims):
        raise TokenRefused("claims")


def wrong_claims(claims: dict[str, Any]) -> list[str]:
    """The names of the claims that are missing or have the wrong form."""
    times = {"exp": claims.get("exp"), "iat": claims.get("iat"), "nbf": claims.get("nbf", 0)}
    wrong = [name for name, time in times.items() if not _is_number(time)]
    return wrong + [name for name in ("jti", "iss") if not _is_text(claims.get(name))]


def _is_number(value: Any) -> bool:
    """A time in seconds; NaN and the endless are none."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and abs(value) < LATEST


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= LONGEST_ID


def _client(claims: dict[str, Any], clients: tuple[Client, ...]) -> Client:
    """By issuer; of several with one issuer, the one that the subject names."""
    for client in clients_for(claims, clients):
        return client
    raise TokenRefused("issuer", iss=claims.get("iss"), sub=claims.get("sub"))


def clients_for(claims: dict[str, Any], clients: tuple[Client, ...]) -> list[Client]:
    """The clients that issuer and subject fit; the first is taken."""
    issuer, subject = claims.get("iss"), claims.get("sub")
    return [c for c in clients if issuer in c.iss and (not c.sub or subject == c.sub)]


def key_for(header: dict[str, Any], client: Client, keys: Keys) -> Key:
    """The key of the client that the header names, if it is for such a signature. Raises
    TokenRefused.
    """
    kid, alg = header["kid"], header["alg"]
    try:
        key = keys.find(client, header.get("jku", ""), kid)
    except KeysUnreachable:
        raise TokenRefused("keys-unreachable") from None
    if key is None:
        raise TokenRefused("key", kid=kid, jku=header.get("jku"))
    if key.problem or key.alg not in ("", alg):
        raise TokenRefused("key-use", kid=kid, problem=key.problem or f"is for {key.alg} only")
    return key


def check_signature(token: str, header: dict[str, Any], key: Key) -> None:
    """By PyJWT. Claims are checked by us, so that each refusal has its reason."""
    signed, _, signature = token.rpartition(".")
    algorithm = SIGNATURES[header["alg"]]
    try:
        public = algorithm.prepare_key(key.public)
        is_valid = algorithm.verify(signed.encode(), public, _bytes_of(signature))
    except (PyJWTError, TypeError, ValueError, AttributeError):
        is_valid = False
    if not is_valid:
        raise TokenRefused("signature")


def check_audience(claims: dict[str, Any], endpoint: str) -> None:
    """The exact address that was called; a slash too many makes no difference."""
    audience = claims.get("aud")
    named = audience if isinstance(audience, list) else [audience]
    if _plain(endpoint) not in [_plain(a) for a in named if isinstance(a, str)]:
        raise TokenRefused("audience", aud=audience, called=endpoint)


def check_expiry(claims: dict[str, Any], now: float) -> None:
    if claims["exp"] < now - LEEWAY_SECONDS:
        raise TokenRefused("expired", seconds=now - claims["exp"])


def check_start(claims: dict[str, Any], now: float) -> None:
    start = max(claims["iat"], claims.get("nbf", 0))
    if start > now + LEEWAY_SECONDS:
        raise TokenRefused("not-yet-valid", seconds=start - now)


def check_lifetime(claims: dict[str, Any], longest_seconds: int) -> None:
    if claims["exp"] - claims["iat"] > longest_seconds + LEEWAY_SECONDS:
        raise TokenRefused("lifetime", seconds=claims["exp"] - claims["iat"])


@lru_cache(1_000)
def _plain(address: str) -> str:
    """Without a slash too many, which joining addresses by hand leaves."""
    return re.sub(r"(?<!:)/{2,}", "/", address).rstrip("/")
