"""The token of a call, after CDS Hooks: a JWT signed by the client, checked claim by claim."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jwt
from jwt.exceptions import PyJWTError
from jwt.utils import base64url_decode

from cds_service.access.clients import Client
from cds_service.access.keys import Keys, KeysUnreachable

ALGORITHMS = (
    "ES256",
    "ES384",
    "ES512",
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "EdDSA",
)
LEEWAY_SECONDS = 60
LONGEST_TOKEN = 8_000
LONGEST_ID = 256

# What a refused caller is told, by check. It says which check failed, not what would have passed.
TEXTS = {
    "missing": "A bearer token is required.",
    "malformed": "The token is not a signed JWT.",
    "type": "The token is not of type JWT.",
    "algorithm": "The token is not signed with an accepted algorithm.",
    "critical": "The token has critical headers that are not understood.",
    "issuer": "The issuer or the subject of the token is not known here.",
    "key": "The key of the token is not one of the client's.",
    "keys-unreachable": "The keys of the client cannot be had right now.",
    "signature": "The signature of the token does not match.",
    "claims": "The token lacks a required claim, or a claim has the wrong form.",
    "audience": "The token is not for this address.",
    "expired": "The token has expired.",
    "not-yet-valid": "The token is not valid yet.",
    "lifetime": "The token is valid for longer than this service accepts.",
    "replayed": "The token was used before.",
}


class Refused(Exception):
    """A token that does not pass; `check` is a key of TEXTS."""

    def __init__(self, check: str):
        super().__init__(TEXTS[check])
        self.check = check


@dataclass(frozen=True)
class Verifier:
    """Checks tokens. `remember` says whether a token id is new, and keeps it until it expires."""

    clients: tuple[Client, ...]
    keys: Keys
    remember: Callable[[str, str, float], bool]
    now: Callable[[], float]
    longest_seconds: int

    def verify(self, token: str, endpoint: str) -> Client:
        """The client that signed the token for this endpoint. Raises Refused."""
        header, claims = _unverified(token)
        client = self._client(claims)
        self._check_signature(token, header, client)
        _check_audience(claims, endpoint)
        self._check_times(claims)
        if not self.remember(client.name, claims["jti"], claims["exp"] + LEEWAY_SECONDS):
            raise Refused("replayed")
        return client

    def _client(self, claims: dict[str, Any]) -> Client:
        """By issuer; of several with one issuer, the one that the subject names."""
        for client in self.clients:
            subject_fits = not client.sub or claims.get("sub") == client.sub
            if claims.get("iss") in client.iss and subject_fits:
                return client
        raise Refused("issuer")

    def _check_signature(self, token: str, header: dict[str, Any], client: Client) -> None:
        try:
            key = self.keys.find(client, header.get("jku", ""), header["kid"])
        except KeysUnreachable:
            raise Refused("keys-unreachable") from None
        if key is None:
            raise Refused("key")
        try:
            # The times and the audience are checked by us, so that each refusal has its reason.
            jwt.decode(
                token, key.key, algorithms=[header["alg"]], options=dict.fromkeys(UNCHECKED, False)
            )
        except (PyJWTError, TypeError, ValueError):
            raise Refused("signature") from None

    def _check_times(self, claims: dict[str, Any]) -> None:
        now = self.now()
        if claims["exp"] < now - LEEWAY_SECONDS:
            raise Refused("expired")
        if max(claims["iat"], claims.get("nbf", 0)) > now + LEEWAY_SECONDS:
            raise Refused("not-yet-valid")
        if claims["exp"] - claims["iat"] > self.longest_seconds + LEEWAY_SECONDS:
            raise Refused("lifetime")


UNCHECKED = ("verify_exp", "verify_nbf", "verify_iat", "verify_aud", "verify_iss")


def _unverified(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims, as far as their form goes; nothing of them is believed yet."""
    if len(token) > LONGEST_TOKEN:
        raise Refused("malformed")
    try:
        header = json.loads(base64url_decode(token.split(".")[0]))
        _check_header(header)
        claims = jwt.decode(token, options={"verify_signature": False})
    except (PyJWTError, ValueError, AttributeError, RecursionError):
        raise Refused("malformed") from None
    _check_form(claims)
    return header, claims


def _check_header(header: dict[str, Any]) -> None:
    if header.get("alg") not in ALGORITHMS:
        raise Refused("algorithm")
    if str(header.get("typ", "")).upper() != "JWT":
        raise Refused("type")
    if "crit" in header:
        raise Refused("critical")
    if not _is_text(header.get("kid")) or not isinstance(header.get("jku", ""), str):
        raise Refused("key")


def _check_form(claims: dict[str, Any]) -> None:
    times = [claims.get("exp"), claims.get("iat"), claims.get("nbf", 0)]
    numbers = all(isinstance(t, int | float) and not isinstance(t, bool) for t in times)
    if not numbers or not _is_text(claims.get("jti")) or not _is_text(claims.get("iss")):
        raise Refused("claims")


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= LONGEST_ID


def _check_audience(claims: dict[str, Any], endpoint: str) -> None:
    """The exact address that was called; a slash too many makes no difference."""
    audience = claims.get("aud")
    named = audience if isinstance(audience, list) else [audience]
    if _plain(endpoint) not in [_plain(a) for a in named if isinstance(a, str)]:
        raise Refused("audience")


def _plain(address: str) -> str:
    """Without a slash too many, which joining addresses by hand leaves."""
    return re.sub(r"(?<!:)/{2,}", "/", address).rstrip("/")
