"""The keys of clients: which of a set are used, and how sets are fetched, kept and waited for."""

import json
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from jwt.algorithms import OKPAlgorithm

from cds_service import create_app
from cds_service.access.clients import Client, ClientsError, read_clients
from cds_service.access.download import download
from cds_service.access.keys import Keys, KeysUnreachable
from cds_service.access.tokens import TEXTS
from tests.test_access import (
    ISSUER,
    JKU,
    KID,
    SILENCEABLE,
    call,
    clients_file,
    ec_key,
    jwks,
    other_key,
    public_jwk,
    rsa_key,
    settings,
    token,
    weak_rsa_key,
)

__all__ = ["settings"]  # a fixture


class Remote:
    """A jku that can be counted and broken."""

    def __init__(self, document=None):
        self.document, self.calls = jwks() if document is None else document, 0

    def __call__(self, url):
        self.calls += 1
        if isinstance(self.document, Exception):
            raise self.document
        return self.document


CLIENT = Client("hospital", frozenset({ISSUER}), frozenset({JKU}))


class TestKeys:
    def test_they_are_fetched_once_and_kept(self):
        remote = Remote()
        keys = Keys(remote)
        assert keys.find(CLIENT, JKU, KID)
        assert keys.find(CLIENT, "", KID)
        assert remote.calls == 1

    def test_an_unknown_kid_asks_once_more_but_not_again_and_again(self, monkeypatch):
        remote = Remote()
        keys = Keys(remote)
        keys.find(CLIENT, JKU, KID)
        monkeypatch.setattr("cds_service.access.keys.UNKNOWN_KEY_PAUSE_SECONDS", 0)
        assert keys.find(CLIENT, JKU, "new") is None
        assert remote.calls == 2
        monkeypatch.undo()
        assert keys.find(CLIENT, JKU, "new") is None
        assert remote.calls == 2

    def test_a_rotated_key_is_found(self, monkeypatch):
        monkeypatch.setattr("cds_service.access.keys.UNKNOWN_KEY_PAUSE_SECONDS", 0)
        remote = Remote()
        keys = Keys(remote)
        keys.find(CLIENT, JKU, KID)
        remote.document = {"keys": [public_jwk(other_key(), "new")]}
        assert keys.find(CLIENT, JKU, "new")

    def test_an_old_set_is_refreshed_behind_the_back_of_the_request(self, monkeypatch):
        monkeypatch.setattr("cds_service.access.keys.FRESH_SECONDS", -1)
        monkeypatch.setattr("cds_service.access.keys.UNKNOWN_KEY_PAUSE_SECONDS", 0)
        remote = Remote()
        keys = Keys(remote)
        keys.find(CLIENT, JKU, KID)
        assert keys.find(CLIENT, JKU, KID)
        for _ in range(100):
            if remote.calls == 2:
                break
            time.sleep(0.01)
        assert remote.calls == 2

    def test_a_refresh_that_fails_keeps_what_there_was(self, monkeypatch):
        monkeypatch.setattr("cds_service.access.keys.UNKNOWN_KEY_PAUSE_SECONDS", 0)
        remote = Remote()
        keys = Keys(remote)
        keys.find(CLIENT, JKU, KID)
        remote.document = ValueError("down")
        assert keys.find(CLIENT, JKU, "new") is None
        assert keys.find(CLIENT, JKU, KID)

    @pytest.mark.parametrize(
        "document", [ValueError(), {"keys": []}, [], {"keys": [{"kty": "oct"}]}]
    )
    def test_no_set_at_all_is_told_apart_from_a_wrong_key(self, document):
        with pytest.raises(KeysUnreachable):
            Keys(Remote(document)).find(CLIENT, JKU, KID)

    def test_an_address_of_the_token_is_never_asked(self):
        asked = []
        keys = Keys(lambda url: asked.append(url) or jwks())
        keys.find(CLIENT, "https://evil.test/jwks.json", KID)
        assert asked == [JKU]

    def test_a_set_that_stops_coming_is_unreachable(self, monkeypatch):
        monkeypatch.setattr("cds_service.access.download.FETCH_SECONDS", 0.2)
        with answering(b" " * 9, pause=1) as address, pytest.raises(ValueError, match="in full"):
            download(address)

    def test_a_set_that_is_nested_without_end_is_unreachable(self):
        with answering(b"[" * 100_000) as address, pytest.raises(ValueError, match="nested"):
            download(address)

    def test_they_are_fetched_when_a_worker_starts(self, settings, monkeypatch):
        asked = []
        monkeypatch.setattr("cds_service.access.download.download", lambda url: asked.append(url))
        app = create_app(settings)
        assert asked == []
        app.extensions["in_worker"]()
        until = time.monotonic() + 5
        while asked != [JKU]:
            assert time.monotonic() < until


@contextmanager
def answering(body, pause=0.0):
    """A server for one request, which sends the body byte by byte where there is a pause."""

    def answer():
        connection, _ = server.accept()
        with connection, suppress(OSError):
            connection.recv(65_536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body))
            for piece in [body[i : i + 1] for i in range(len(body))] if pause else [body]:
                connection.sendall(piece)
                time.sleep(pause)

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=answer, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/"


OTHER = Client("clinic", frozenset({"https://clinic.test"}), frozenset({"https://clinic.test/k"}))


class TestSlowServers:
    """A server that hangs costs its own client, and nobody else."""

    def test_all_who_wait_at_once_share_one_fetch(self):
        calls, over = [], threading.Event()

        def fetch(url):
            calls.append(url)
            over.wait(0.3)
            raise ValueError

        keys, started = Keys(fetch), time.monotonic()
        with ThreadPoolExecutor(70) as pool:
            ends = list(pool.map(lambda _: end_of(keys, CLIENT), range(70)))
        assert ends == ["unreachable"] * 70
        assert len(calls) == 1
        assert time.monotonic() - started < 3

    def test_only_few_wait_and_others_are_refused_at_once(self):
        over = threading.Event()
        keys = Keys(lambda url: over.wait(10) and jwks())
        with ThreadPoolExecutor(70) as pool:
            ends = [pool.submit(end_of, keys, CLIENT) for _ in range(70)]
            until = time.monotonic() + 2
            while sum(end.done() for end in ends) < 60:
                assert time.monotonic() < until
            over.set()
            assert {end.result() for end in ends} == {"found", "unreachable"}

    def test_another_client_is_not_kept_waiting(self):
        over = threading.Event()

        def fetch(url):
            if url == JKU:
                over.wait(10)
            return jwks()

        keys = Keys(fetch)
        with ThreadPoolExecutor(70) as pool:
            for _ in range(70):
                pool.submit(end_of, keys, CLIENT)
            started = time.monotonic()
            assert end_of(keys, OTHER) == "found"
            assert time.monotonic() - started < 1
            over.set()

    def test_one_that_sends_byte_by_byte_is_given_up(self, monkeypatch):
        monkeypatch.setattr("cds_service.access.download.FETCH_SECONDS", 0.5)
        started = time.monotonic()
        with answering(b" " * 100, pause=0.1) as address, pytest.raises(ValueError):
            download(address)
        assert time.monotonic() - started < 2


def end_of(keys, client):
    try:
        return "found" if keys.find(client, "", KID) else "unknown"
    except KeysUnreachable:
        return "unreachable"


def ed25519_jwk(kid):
    public = ed25519.Ed25519PrivateKey.generate().public_key()
    return {**json.loads(OKPAlgorithm.to_jwk(public)), "kid": kid}


HONEST = {
    "EC": lambda: public_jwk(ec_key(), "k"),
    "RSA of 2048 bits": lambda: public_jwk(rsa_key(), "k"),
    "Ed25519": lambda: ed25519_jwk("k"),
    "RSA for PS256": lambda: {**public_jwk(rsa_key(), "k"), "alg": "PS256"},
    "for signatures, and to verify": lambda: {
        **public_jwk(ec_key(), "k"),
        "use": "sig",
        "key_ops": ["verify"],
        "alg": "ES384",
    },
}
LYING = {
    "RSA of 1024 bits": lambda: public_jwk(weak_rsa_key(), "k"),
    "for encryption": lambda: {**public_jwk(ec_key(), "k"), "use": "enc"},
    "a use that is no text": lambda: {**public_jwk(ec_key(), "k"), "use": ["sig"]},
    "to sign only": lambda: {**public_jwk(ec_key(), "k"), "key_ops": ["sign"]},
    "operations that are no list": lambda: {**public_jwk(ec_key(), "k"), "key_ops": "verify"},
    "for an algorithm that encrypts": lambda: {**public_jwk(rsa_key(), "k"), "alg": "RSA-OAEP"},
    "for an algorithm of another kind": lambda: {**public_jwk(ec_key(), "k"), "alg": "RS256"},
    "an algorithm that is no text": lambda: {**public_jwk(ec_key(), "k"), "alg": ["ES384"]},
    "a private key": lambda: {**public_jwk(ec_key(), "k"), "d": "AQAB"},
    "a shared secret": lambda: {"kty": "oct", "kid": "k", "k": "c2VjcmV0"},
    "of no kind": lambda: {"kid": "k"},
    "of an unknown kind": lambda: {"kid": "k", "kty": "PQ"},
    "a point on no curve": lambda: {**public_jwk(ec_key(), "k"), "x": "AAAA"},
    "a number that is no number": lambda: {**public_jwk(rsa_key(), "k"), "n": 7},
    "RSA of 200,000 bits": lambda: {**public_jwk(rsa_key(), "k"), "n": "__" * 16_000},
}


def clients_with(tmp_path, *keys):
    (tmp_path / "k.json").write_text(json.dumps({"keys": list(keys)}))
    return clients_file(tmp_path, f'[a]\niss = ["{ISSUER}"]\n\njwks = "k.json"\n')


class TestKeysThatLie:
    """What a JWK says of itself holds."""

    @pytest.mark.parametrize("make", HONEST.values(), ids=HONEST)
    def test_an_honest_one_is_used(self, make, tmp_path):
        (client,) = read_clients(clients_with(tmp_path, make()), SILENCEABLE)
        assert not Keys().find(client, "", "k").problem

    @pytest.mark.parametrize("make", LYING.values(), ids=LYING)
    def test_in_the_clients_file_it_stops_the_start(self, make, tmp_path):
        with pytest.raises(ClientsError, match=r"line 4: a\.jwks: k\.json: the key k (is|has) "):
            read_clients(clients_with(tmp_path, make()), SILENCEABLE)

    @pytest.mark.parametrize("make", LYING.values(), ids=LYING)
    def test_at_a_jku_it_is_refused_with_the_reason(self, make, settings, monkeypatch, capsys):
        found = {"keys": [make(), public_jwk(ec_key(), "good")]}
        monkeypatch.setattr("cds_service.access.download.download", lambda _: found)
        client = create_app(settings).test_client()
        answer = call(client, token(header={"kid": "k", "jku": JKU}))
        assert answer.status_code == 401
        assert answer.get_json()["issue"][0]["diagnostics"] == TEXTS["key-use"]
        assert '"problem":"' in capsys.readouterr().err
        assert call(client, token(header={"kid": "good", "jku": JKU})).status_code == 200

    def test_beside_a_good_one_only_a_short_rsa_key_stops_the_start(self, tmp_path):
        good = public_jwk(ec_key(), "good")
        other_use = {**public_jwk(rsa_key(), "k"), "use": "enc"}
        assert read_clients(clients_with(tmp_path, good, other_use), SILENCEABLE)
        with pytest.raises(ClientsError, match=r"the key k has 1024 bits; RSA needs 2048"):
            read_clients(clients_with(tmp_path, good, public_jwk(weak_rsa_key(), "k")), SILENCEABLE)

    @pytest.mark.parametrize("keys", [[], [1], [{}], [{"kid": 7}], [{"kid": ""}]])
    def test_a_set_without_a_named_key_stops_the_start(self, keys, tmp_path):
        with pytest.raises(
            ClientsError, match=r"a\.jwks: k\.json: the JWK set holds no key with a kid"
        ):
            read_clients(clients_with(tmp_path, *keys), SILENCEABLE)

    def test_of_two_with_one_name_the_usable_one_counts(self, tmp_path):
        pair = [{**public_jwk(rsa_key(), "k"), "use": "enc"}, public_jwk(ec_key(), "k")]
        for keys in (pair, pair[::-1]):
            (client,) = read_clients(clients_with(tmp_path, *keys), SILENCEABLE)
            assert not Keys().find(client, "", "k").problem
