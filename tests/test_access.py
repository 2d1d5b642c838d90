"""Only those who may call: the clients file, the token, its keys, and tokens used before."""

import base64
import hashlib
import hmac
import json
import os
import time
from functools import cache
from pathlib import Path

import hypothesis
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import strategies as st
from jwt.algorithms import ECAlgorithm, RSAAlgorithm
from urllib3.exceptions import ReadTimeoutError

from cds_service import create_app
from cds_service.access.clients import Client, ClientsError, read_clients
from cds_service.access.keys import Keys, KeysUnreachable
from cds_service.access.tokens import TEXTS
from cds_service.settings import Settings
from cds_service.store.database import Database
from cds_service.store.tokens import UsedTokens
from tests.small_world import FRACTURE, MRI_LUMBAR_W, PAIN, hook_request, order

BASE = "https://cds.example.org"
PATH = "/cds-services/vcf-appropriateness"
ENDPOINT = BASE + PATH
ISSUER = "https://ehr.example.org/fhir"
JKU = "https://ehr.example.org/jwks.json"
KID = "key+1=="
# Any JSON value, and texts that cannot be written as UTF-8.
ANYTHING = st.recursive(
    st.text("é\x00\ud800") | st.none() | st.booleans() | st.integers() | st.floats(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
SILENCEABLE = frozenset({"variant-1", "gadolinium"})


@cache
def ec_key():
    return ec.generate_private_key(ec.SECP384R1())


@cache
def other_key():
    return ec.generate_private_key(ec.SECP384R1())


@cache
def rsa_key():
    return rsa.generate_private_key(65537, 2048)


def public_jwk(key, kid):
    algorithm = RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else ECAlgorithm
    return {**json.loads(algorithm.to_jwk(key.public_key())), "kid": kid, "use": "sig"}


@cache
def jwks():
    return {"keys": [public_jwk(ec_key(), KID), public_jwk(rsa_key(), "rsa-1")]}


def claims(**changes):
    now = int(time.time())
    made = {
        "iss": ISSUER,
        "aud": ENDPOINT,
        "iat": now,
        "exp": now + 300,
        "jti": base64.b64encode(os.urandom(12)).decode(),
        **changes,
    }
    return {name: value for name, value in made.items() if value is not None}


def token(key=None, alg="ES384", header=None, **changes):
    """A good token, but for what is changed; a header or claim that is None is left out."""
    headers = {"kid": KID, "typ": "JWT", **(header or {})}
    return jwt.encode(claims(**changes), key or ec_key(), algorithm=alg, headers=headers)


def forged(header, payload, signature=b"x"):
    """A token put together by hand."""
    parts = [json.dumps(header).encode(), json.dumps(payload).encode(), signature]
    return ".".join(base64.urlsafe_b64encode(p).rstrip(b"=").decode() for p in parts)


def signed_anew(bearer):
    """The same header and claims, signed by the client's key."""
    text = bearer.rsplit(".", 1)[0]
    signature = ECAlgorithm(ECAlgorithm.SHA384).sign(text.encode(), ec_key())
    return f"{text}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def clients_file(folder, text=""):
    (folder / "keys.json").write_text(json.dumps(jwks()))
    file = folder / "clients.toml"
    file.write_text(
        text or f'[hospital]\niss = ["{ISSUER}"]\njwks = "keys.json"\njku = ["{JKU}"]\n'
    )
    return file


@pytest.fixture
def settings(tmp_path):
    file = clients_file(tmp_path)
    return Settings(open=False, clients=file, data=tmp_path / "data", public_url=BASE)


@pytest.fixture
def client(settings):
    return create_app(settings).test_client()


def call(client, bearer, path=PATH):
    headers = {"Authorization": f"Bearer {bearer}"} if bearer is not None else {}
    if path == "/cds-services":
        return client.get(path, headers=headers)
    body = hook_request(order(MRI_LUMBAR_W, reasons=(FRACTURE, PAIN)))
    return client.post(path, json=body, headers=headers)


def now_plus(seconds):
    return int(time.time()) + seconds


def public_pem():
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return ec_key().public_key().public_bytes(serialization.Encoding.PEM, form)


def hmac_with_the_public_key():
    header = {"alg": "HS256", "typ": "JWT", "kid": KID}
    signed = forged(header, claims()).rsplit(".", 1)[0]
    digest = hmac.new(public_pem(), signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


def tampered():
    head, body, signature = token().split(".")
    changed = forged({}, claims(sub="admin")).split(".")[1]
    return f"{head}.{changed}.{signature}"


def embedded_jwk():
    header = {"kid": "mine", "jwk": public_jwk(other_key(), "mine")}
    return token(other_key(), header=header)


# What is wrong: how to make such a token, and the check that refuses it.
NONE = {"alg": "nOnE", "kid": KID}
ES384 = {"alg": "ES384", "typ": "JWT", "kid": KID}

BAD = {
    "no token": (lambda: None, "missing"),
    "an empty token": (lambda: "", "missing"),
    "no JWT": (lambda: "abc", "malformed"),
    "two parts": (lambda: "a.b", "malformed"),
    "four parts": (lambda: token() + ".x", "malformed"),
    "no base64": (lambda: "%%.%%.%%", "malformed"),
    "a header that is no JSON": (lambda: "YWJj." + token().split(".", 1)[1], "malformed"),
    "half a surrogate pair in the issuer": (lambda: token(iss="\ud800"), "issuer"),
    "half a surrogate pair in the header": (
        lambda: forged({**ES384, "kid": "\ud800"}, claims()),
        "key",
    ),
    "a payload that is a list": (lambda: forged(ES384, [1]), "malformed"),
    "an encrypted token": (lambda: "a.b.c.d.e", "malformed"),
    "oversize": (lambda: token(filler="x" * 9000), "malformed"),
    "no signature": (lambda: token().rsplit(".", 1)[0] + ".", "signature"),
    "alg none": (lambda: forged({"alg": "none", "typ": "JWT", "kid": KID}, claims()), "algorithm"),
    "alg None in other letters": (
        lambda: forged(NONE, claims()),
        "algorithm",
    ),
    "no alg": (lambda: forged({"typ": "JWT", "kid": KID}, claims()), "algorithm"),
    "HMAC with the public key": (hmac_with_the_public_key, "algorithm"),
    "HMAC with a secret": (lambda: token("s" * 32, "HS256"), "algorithm"),
    "RS256 in the header of an EC signature": (
        lambda: forged({"alg": "RS256", "typ": "JWT", "kid": KID}, claims()),
        "signature",
    ),
    "EC in the header, kid of an RSA key": (lambda: token(header={"kid": "rsa-1"}), "signature"),
    "a wrong key": (lambda: token(other_key()), "signature"),
    "claims changed after signing": (tampered, "signature"),
    "an unknown kid": (lambda: token(header={"kid": "key-2"}), "key"),
    "no kid": (lambda: forged({"alg": "ES384", "typ": "JWT"}, claims()), "key"),
    "a kid that is a number": (
        lambda: forged({**ES384, "kid": 7}, claims()),
        "key",
    ),
    "a kid of the file system": (lambda: token(header={"kid": "../../etc/passwd"}), "key"),
    "an embedded key": (embedded_jwk, "key"),
    "an embedded key under the right kid": (
        lambda: token(other_key(), header={"jwk": public_jwk(other_key(), KID)}),
        "signature",
    ),
    "an embedded certificate": (lambda: token(other_key(), header={"x5c": ["MIIB"]}), "signature"),
    "a jku elsewhere": (
        lambda: token(other_key(), header={"jku": "https://evil.test/jwks.json"}),
        "signature",
    ),
    "a jku elsewhere with its own kid": (
        lambda: token(other_key(), header={"jku": "https://evil.test/jwks.json", "kid": "evil"}),
        "key",
    ),
    "a jku that is a list": (lambda: token(header={"jku": [JKU]}), "key"),
    "critical headers": (lambda: token(header={"crit": ["exp"]}), "critical"),
    "type at+jwt": (lambda: token(header={"typ": "at+jwt"}), "type"),
    "no type": (lambda: token(header={"typ": None}), "type"),
    "an unknown issuer": (lambda: token(iss="https://evil.test"), "issuer"),
    "the issuer with a slash": (lambda: token(iss=ISSUER + "/"), "issuer"),
    "no issuer": (lambda: token(iss=None), "claims"),
    "no audience": (lambda: token(aud=None), "audience"),
    "the audience of another service": (
        lambda: token(aud=f"{BASE}/cds-services/other"),
        "audience",
    ),
    "the audience of discovery": (lambda: token(aud=f"{BASE}/cds-services"), "audience"),
    "the base as audience": (lambda: token(aud=BASE), "audience"),
    "another host": (lambda: token(aud=f"https://evil.test{PATH}"), "audience"),
    "http instead of https": (lambda: token(aud=f"http://cds.example.org{PATH}"), "audience"),
    "an empty list of audiences": (lambda: token(aud=[]), "audience"),
    "an audience that is a number": (
        lambda: forged(ES384, claims(aud=7)),
        "signature",
    ),
    "expired": (lambda: token(iat=now_plus(-400), exp=now_plus(-100)), "expired"),
    "no expiry": (lambda: token(exp=None), "claims"),
    "an expiry in words": (lambda: token(exp="tomorrow"), "claims"),
    "not yet valid": (lambda: token(nbf=now_plus(200)), "not-yet-valid"),
    "issued in the future": (lambda: token(iat=now_plus(200), exp=now_plus(300)), "not-yet-valid"),
    "no number as time of issue": (lambda: token(iat=float("nan")), "claims"),
    "an endless expiry": (lambda: token(exp=float("inf")), "claims"),
    "an expiry past all numbers": (lambda: token(exp=10**400), "claims"),
    "a truth value as expiry": (lambda: token(exp=True), "claims"),
    "no time of issue": (lambda: token(iat=None), "claims"),
    "valid for a day": (lambda: token(exp=now_plus(86_400)), "lifetime"),
    "no id": (lambda: token(jti=None), "claims"),
    "an empty id": (lambda: token(jti=""), "claims"),
    "an id without end": (lambda: token(jti="x" * 300), "claims"),
}

GOOD = {
    "as the specification has it": lambda: token(),
    "RS384 as Epic signs, for 15 minutes, nbf five minutes ago": lambda: token(
        rsa_key(),
        "RS384",
        {"kid": "rsa-1", "jku": JKU},
        nbf=now_plus(-300),
        iat=now_plus(-300),
        exp=now_plus(600),
        sub="epic-client",
    ),
    "PS256": lambda: token(rsa_key(), "PS256", {"kid": "rsa-1"}),
    "several audiences": lambda: token(aud=["https://other.example.org", ENDPOINT]),
    "an audience with a slash at its end": lambda: token(aud=ENDPOINT + "/"),
    "an audience with a slash too many, as the Sandbox makes": lambda: token(
        aud=f"{BASE}/cds-services//vcf-appropriateness"
    ),
    "type in small letters": lambda: token(header={"typ": "jwt"}),
    "a jku of the client": lambda: token(header={"jku": JKU}),
    "a clock that is a little ahead": lambda: token(iat=now_plus(30), exp=now_plus(330)),
    "just expired": lambda: token(iat=now_plus(-300), exp=now_plus(-20)),
}


class TestToken:
    @pytest.mark.parametrize(("make", "check"), BAD.values(), ids=BAD)
    def test_a_bad_token_is_refused_for_its_own_reason(self, client, make, check):
        answer = call(client, make())
        assert answer.status_code == 401
        assert answer.get_json()["issue"][0]["diagnostics"] == TEXTS[check]
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")

    @pytest.mark.parametrize("make", GOOD.values(), ids=GOOD)
    def test_a_good_token_passes(self, client, make, monkeypatch):
        monkeypatch.setattr("cds_service.access.keys.download", lambda _: jwks())
        assert call(client, make()).status_code == 200

    @hypothesis.settings(
        max_examples=200, suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture]
    )
    @hypothesis.given(
        header=st.just({})
        | st.dictionaries(st.sampled_from(["alg", "typ", "kid", "jku", "crit"]), ANYTHING),
        changes=st.dictionaries(st.sampled_from(["iss", "sub", "aud", "jti", "exp"]), ANYTHING),
        signed=st.booleans(),
    )
    def test_no_token_does_harm(self, client, header, changes, signed):
        """Whatever is in it, by those who have a key and those who have none."""
        made = forged({**ES384, **header}, claims(**changes))
        answer = call(client, signed_anew(made) if signed else made)
        assert answer.status_code in (200, 401)

    def test_there_are_enough_bad_ones(self):
        assert len(BAD) >= 40

    @pytest.mark.parametrize("path", ["/cds-services", f"{PATH}/feedback"])
    def test_discovery_and_feedback_want_a_token_of_their_own(self, client, path):
        assert call(client, token(), path).status_code == 401
        assert call(client, token(aud=BASE + path), path).status_code != 401

    @pytest.mark.parametrize(
        "path", ["/health", "/ready", "/", "/guidelines/acr-vcf-2022/variant-1"]
    )
    def test_pages_are_for_everyone(self, client, path):
        assert client.get(path).status_code == 200

    def test_the_log_says_which_check_failed_and_nothing_of_the_token(self, client, capsys):
        bearer = token(other_key())
        call(client, bearer)
        line = capsys.readouterr().err
        assert '"refused":"signature"' in line
        call(client, token(aud=BASE))
        assert f'"seen":{{"aud":"{BASE}","called":"{ENDPOINT}"}}' in capsys.readouterr().err
        assert bearer.split(".")[2] not in line

    def test_the_log_names_the_client(self, client, capsys):
        call(client, token())
        assert '"client":"hospital"' in capsys.readouterr().err


class TestUsedTokens:
    def test_a_token_passes_once(self, client):
        bearer = token()
        assert call(client, bearer).status_code == 200
        again = call(client, bearer)
        assert again.status_code == 401
        assert again.get_json()["issue"][0]["diagnostics"] == TEXTS["replayed"]

    def test_another_worker_remembers_it_too(self, settings):
        bearer = token()
        assert call(create_app(settings).test_client(), bearer).status_code == 200
        assert call(create_app(settings).test_client(), bearer).status_code == 401

    def test_a_token_that_failed_is_not_used_up(self, client):
        bearer = token()
        call(client, bearer, "/cds-services")
        assert call(client, bearer).status_code == 200

    def test_a_database_that_does_not_answer_costs_no_answer(self, settings, capsys):
        app = create_app(settings)
        (settings.data / "tokens.db").mkdir(parents=True)
        assert call(app.test_client(), token()).status_code == 200
        assert "store-down" in capsys.readouterr().err

    def test_a_database_that_is_down_at_the_start_does_not_stop_it(self, settings, capsys):
        settings.data.mkdir()
        (settings.data / "tokens.db").mkdir()
        client = create_app(settings).test_client()
        assert call(client, token()).status_code == 200
        (settings.data / "tokens.db").rmdir()
        until = time.monotonic() + 20  # the tables are made first, which no call waits for
        while not self.is_refused_again(client):
            assert time.monotonic() < until

    def is_refused_again(self, client):
        bearer = token()
        first, second = (call(client, bearer).status_code for _ in range(2))
        assert first == 200
        return second == 401

    def test_neither_the_id_nor_the_token_is_stored(self, settings):
        bearer = token(jti="planted-token-id")
        call(create_app(settings).test_client(), bearer)
        stored = b"".join(f.read_bytes() for f in settings.data.iterdir())
        assert b"planted-token-id" not in stored

    def test_what_has_expired_is_forgotten(self, tmp_path):
        used = UsedTokens(Database("", tmp_path))
        assert used.remember("a", "1", time.time() - 1)
        used._purged = 0.0
        assert used.remember("a", "1", time.time() + 100)

    def test_clients_do_not_share_ids(self, tmp_path):
        used = UsedTokens(Database("", tmp_path))
        assert used.remember("a", "1", time.time() + 100)
        assert used.remember("b", "1", time.time() + 100)

    @pytest.mark.skipif(
        "TEST_DATABASE_URL" not in os.environ, reason="no PostgreSQL: TEST_DATABASE_URL is not set"
    )
    def test_on_postgresql_hosts_share_them(self, tmp_path):
        hosts = [Database(os.environ["TEST_DATABASE_URL"], tmp_path) for _ in range(2)]
        first, second = (UsedTokens(host) for host in hosts)
        name = f"client-{time.time()}"
        assert first.remember(name, "1", time.time() + 100)
        assert not second.remember(name, "1", time.time() + 100)
        for host in hosts:
            host.close()


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


def broken(tmp_path, text):
    with pytest.raises(ClientsError) as caught:
        read_clients(clients_file(tmp_path, text), SILENCEABLE)
    return str(caught.value)


BROKEN = {
    "no TOML": ("[a\n", "line 1"),
    "no table": ("iss = 3\n", "line 1: iss: a table is expected"),
    "no issuer": ('[a]\njwks = "keys.json"\n', "line 1: a.iss: Missing"),
    "no keys": ('[a]\niss = ["x"]\n', "line 1: a.jku: a client needs jku or jwks"),
    "a jku on plain http": ('[a]\niss = ["x"]\njku = ["http://x"]\n', "line 3: a.jku: must start"),
    "a FHIR server on plain http": (
        '[b]\niss = ["y"]\njwks = "keys.json"\n\n[a]\niss = ["x"]\njwks = "keys.json"\n'
        'fhir_servers = ["http://x"]\n',
        "line 8: a.fhir_servers: must start",
    ),
    "an unknown key": (
        '[a]\niss = ["x"]\njwks = "keys.json"\nmood = 1\n',
        "line 4: a.mood: Unknown",
    ),
    "a key file that is not there": ('[a]\niss = ["x"]\njwks = "none.json"\n', "line 3: a.jwks"),
    "a number that is none": (
        '[a]\niss = ["x"]\njwks = "keys.json"\nfetch_milliseconds = 4.5\n',
        "line 4: a.fetch_milliseconds: must be a whole number from 0 to 10000",
    ),
    "a path that is none": (
        '[a]\niss = ["x"]\njwks = "keys.json"\ncodes = 3\n',
        "line 4: a.codes: must be a path",
    ),
    "a wrong value": (
        '[a]\niss = ["x"]\njwks = "keys.json"\non_too_little = "shout"\n',
        "line 4: a.on_too_little",
    ),
    "one issuer for two": (
        '[a]\niss = ["x"]\njwks = "keys.json"\n[b]\niss = ["x"]\njwks = "keys.json"\n',
        "line 5: b.iss: x is also an issuer of a",
    ),
}  # fmt: skip


class TestClientsFile:
    @pytest.mark.parametrize(("text", "told"), BROKEN.values(), ids=BROKEN)
    def test_a_wrong_file_is_named_with_line_and_key(self, tmp_path, text, told):
        assert told in broken(tmp_path, text)

    def test_a_wrong_file_stops_the_start(self, tmp_path):
        file = clients_file(tmp_path, "[a]\n")
        with pytest.raises(ClientsError):
            create_app(Settings(open=False, clients=file, data=tmp_path))

    def test_a_file_that_is_not_there(self, tmp_path):
        with pytest.raises(ClientsError, match="No such file"):
            read_clients(tmp_path / "none.toml", SILENCEABLE)

    @pytest.mark.parametrize(
        ("values", "told"),
        [
            ({"dialect": "latin"}, "CDS_DIALECT: must be one of hl7, epic, sandbox, crd-inferno"),
            ({"fetch_milliseconds": 10_001}, "CDS_FETCH_MILLISECONDS: must be a whole number"),
            ({"preference_list": Path("none.csv")}, "CDS_PREFERENCE_LIST: none.csv: "),
        ],
    )
    def test_the_settings_of_open_mode_are_checked_like_a_table_of_the_file(self, values, told):
        with pytest.raises(ClientsError, match=told):
            create_app(Settings(**values))

    def test_what_a_client_wishes(self, tmp_path):
        text = (
            f'[a]\niss = ["{ISSUER}"]\nsub = "s"\njwks = "keys.json"\n'
            'fhir_servers = ["https://fhir.example.org/r4/"]\nfetch_milliseconds = 250\n'
        )
        (client,) = read_clients(clients_file(tmp_path, text), SILENCEABLE)
        assert client.fhir_servers == {"https://fhir.example.org/r4"}
        assert client.fetch_milliseconds == 250

    def test_a_subject_tells_two_clients_of_one_issuer_apart(self, tmp_path, capsys):
        text = "".join(
            f'[{name}]\niss = ["{ISSUER}"]\nsub = "{name}"\njwks = "keys.json"\n' for name in "ab"
        )
        file = clients_file(tmp_path, text)
        settings = Settings(open=False, clients=file, data=tmp_path / "d", public_url=BASE)
        client = create_app(settings).test_client()
        assert call(client, token(sub="b")).status_code == 200
        assert '"client":"b"' in capsys.readouterr().err
        assert call(client, token(sub="c")).status_code == 401


def test_a_key_set_may_be_written_into_the_file(tmp_path):
    key = public_jwk(ec_key(), KID)
    fields = ", ".join(f'{name} = "{value}"' for name, value in key.items() if name != "key_ops")
    text = f'[a]\niss = ["{ISSUER}"]\ntenant = "north"\njwks = {{keys = [{{{fields}}}]}}\n'
    (client,) = read_clients(clients_file(tmp_path, text), SILENCEABLE)
    assert client.tenant == "north"
    assert Keys().find(client, "", KID)


class TestWithoutAClient:
    @pytest.fixture
    def client(self, tmp_path):
        return create_app(Settings(open=False, data=tmp_path)).test_client()

    def test_health_is_answered(self, client):
        assert client.get("/health").status_code == 200

    @pytest.mark.parametrize("path", ["/", "/ready", "/about", "/cds-services"])
    def test_the_rest_is_refused_and_says_how_to_configure_a_client(self, client, path):
        answer = client.get(path)
        assert answer.status_code == 401
        assert "CDS_CLIENTS" in answer.get_json()["issue"][0]["diagnostics"]

    def test_a_file_that_comes_later_is_taken_in_a_new_worker(self, tmp_path):
        file = tmp_path / "clients.toml"
        file.write_text("")
        app = create_app(Settings(open=False, clients=file, data=tmp_path / "d", public_url=BASE))
        assert call(app.test_client(), token()).status_code == 401
        clients_file(tmp_path)
        app.extensions["in_worker"]()
        assert call(app.test_client(), token()).status_code == 200

    def test_a_file_that_breaks_later_leaves_the_old_one_in_force(self, settings, capsys):
        app = create_app(settings)
        settings.clients.write_text("[")
        app.extensions["in_worker"]()
        assert call(app.test_client(), token()).status_code == 200
        assert "clients-file-not-taken" in capsys.readouterr().err


def test_a_jku_that_stalls_in_its_answer_is_unreachable_and_no_fault_of_ours():
    with pytest.raises(KeysUnreachable):
        Keys(Remote(ReadTimeoutError(None, JKU, "stalled"))).find(CLIENT, JKU, KID)
