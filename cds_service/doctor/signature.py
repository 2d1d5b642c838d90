"""Whose a token is, and whether that client's key signed it: the lines about these checks."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from cds_service.access import tokens
from cds_service.access.clients import Client
from cds_service.access.jwk import keys_in
from cds_service.access.keys import Fetch, Keys
from cds_service.access.tokens import TokenRefused
from cds_service.doctor.clients import fetch, usable
from cds_service.doctor.lines import Line, ok, problem, skipped, warning
from cds_service.settings import Settings

LONGEST_SHOWN = 300


@dataclass(frozen=True)
class Token:
    """A token that could be taken apart, and the settings it has to do with."""

    text: str
    header: dict[str, Any]
    claims: dict[str, Any]
    settings: Settings

    @property
    def wrong(self) -> set[str]:
        """The claims that cannot be looked at further."""
        return set(tokens.wrong_claims(self.claims))


def judge(about: str, shown: str, advice: str, check: Callable[..., Any], *given: Any) -> Line:
    """Runs a check of the service; the advice is for where it refuses."""
    try:
        check(*given)
    except TokenRefused:
        return problem(about, f"{shown}: {advice}")
    return ok(about, shown)


def signed(token: Token, clients: tuple[Client, ...], sound: bool) -> Iterator[Line]:
    """Issuer, key and signature, each as far as the ones before it allow."""
    fitting = fitting_clients(token, clients)
    yield _issuer(token, clients, fitting)
    if not fitting or not sound:
        yield skipped("key", "needs a known issuer and a header without a problem")
        return
    fetched = cache(fetch)
    try:
        key = tokens.key_for(token.header, fitting[0], Keys(fetched))
    except TokenRefused as refused:
        yield problem("key", _why_no_key(token, fitting[0], refused, fetched))
        yield skipped("signature", "needs the key")
        return
    yield ok("key", f"kid {as_json(token.header, 'kid')} is a key of {fitting[0].name}")
    yield _signature(token, key)


def fitting_clients(token: Token, clients: tuple[Client, ...]) -> list[Client]:
    return [] if "iss" in token.wrong else tokens.clients_for(token.claims, clients)


def _issuer(token: Token, clients: tuple[Client, ...], fitting: list[Client]) -> Line:
    shown = f"iss is {as_json(token.claims, 'iss')}, sub is {as_json(token.claims, 'sub')}"
    names = ", ".join(client.name for client in fitting)
    if not fitting:
        known = "; ".join(_wants(client) for client in clients) or "no client"
        return problem("issuer", f"{shown}: fits none of the clients file ({known})")
    if len(fitting) > 1:
        return warning("issuer", f"{shown}: fits {names}; the first counts: give each its sub")
    return ok("issuer", f"{shown}: fits {names}")


def _wants(client: Client) -> str:
    subject = f"sub {json.dumps(client.sub)}" if client.sub else "any sub"
    return f"{client.name} has iss {json.dumps(sorted(client.iss))} and {subject}"


def _why_no_key(token: Token, client: Client, refused: TokenRefused, fetched: Fetch) -> str:
    """Which keys there are, that none can be had, or what the key is for."""
    if refused.check == "keys-unreachable":
        return f"no usable key set at {_listed(client.jku)}: run doctor without --token"
    if refused.check == "key-use":
        return f"the key {refused.seen['kid']} {refused.seen['problem']}: sign with another key"
    jku = token.header.get("jku", "")
    given = client.jwks if client.jwks and jku not in client.jku else None
    address = jku if jku in client.jku else next(iter(sorted(client.jku)), "")
    kids = _listed(usable(given or keys_in(fetched(address))))
    place = "jwks of the clients file" if given else address
    elsewhere = f" The jku {as_json(token.header, 'jku')} is not one of the client's."
    text = f"kid {as_json(token.header, 'kid')} is not in {place}, which has {kids}: add it there."
    return text + (elsewhere if jku and jku not in client.jku else "")


def _signature(token: Token, key: Any) -> Line:
    if not isinstance(token.claims.get("sub", ""), str):
        return problem("signature", "cannot be looked at: sub must be a text, or left out")
    shown = f"with the key {as_json(token.header, 'kid')} and {as_json(token.header, 'alg')}"
    advice = (
        "does not match: signed with another key than is published, or changed since; "
        "or the kind of the key is not that of alg"
    )
    given = (token.text, token.header, key)
    return judge("signature", shown, advice, tokens.check_signature, *given)


def as_json(values: dict[str, Any], name: str) -> str:
    """A value as JSON, shortened, so that nothing in it can steer the terminal."""
    if name not in values:
        return "not sent"
    text = json.dumps(values[name])
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"


def _listed(names: Any) -> str:
    return ", ".join(json.dumps(name) for name in sorted(names)) or "none"
