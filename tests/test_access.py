"""Only those who may call: the clients file, the token, its keys, and tokens used before."""

import base64
import hashlib
import hmac
import json
import os
import re
import time
from dataclasses import replace
from functools import cache
from pathlib import Path

import hypothesis
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from hypothesis import strategies as st
from jwt.algorithms import ECAlgorithm, RSAAlgorithm
from jwt.utils import base64url_decode

from cds_service import create_app
from cds_service.access.clients import ClientsError, read_clients
from cds_service.access.keys import Keys
from cds_service.access.tokens import TEXTS
from cds_service.settings import ConfigError, Settings
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
def weak_rsa_key():
    return rsa.generate_private_key(65537, 1024)  # noqa: S505  to be refused


@cache
def jwks():
    """Two keys for signatures, and three that say that they are for something else."""
    return {
        "keys": [
            public_jwk(ec_key(), KID),
            public_jwk(rsa_key(), "rsa-1"),
            {**public_jwk(ec_key(), "encrypts"), "use": "enc"},
            {**public_jwk(ec_key(), "wraps"), "key_ops": ["wrapKey"]},
            {**public_jwk(rsa_key(), "rs512-only"), "alg": "RS512"},
        ]
    }


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


def encoded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def forged(header, payload, signature=b"x"):
    """A token put together by hand."""
    parts = [json.dumps(header).encode(), json.dumps(payload).encode(), signature]
    return ".".join(encoded(part) for part in parts)


def signed_anew(bearer):
    """The same header and claims, signed by the client's key."""
    text = bearer.rsplit(".", 1)[0]
    signature = ECAlgorithm(ECAlgorithm.SHA384).sign(text.encode(), ec_key())
    return f"{text}.{encoded(signature)}"


def by_hand(header=None, **changes):
    """A token put together by hand and signed by the client's key; None is sent as null."""
    return signed_anew(forged({**ES384, **(header or {})}, {**claims(), **changes}))


def resigned(change):
    """A good token with another signature: what `change` makes of the bytes."""
    text, _, signature = token().rpartition(".")
    return f"{text}.{encoded(change(base64url_decode(signature)))}"


def with_loose_bits(part=2):
    """A good token by RS256, with bits in a part that its base64url does not count."""
    for pad in ("", "x", "xx"):
        parts = token(rsa_key(), "RS256", {"kid": "rsa-1", "pad": pad}).split(".")
        if len(parts[part]) % 4:
            break
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    parts[part] = parts[part][:-1] + alphabet[alphabet.index(parts[part][-1]) + 1]
    return ".".join(parts)


def named(alg, key, kid, signed_as):
    """A token whose header names another algorithm than it is signed by."""
    head = encoded(json.dumps({"alg": alg, "typ": "JWT", "kid": kid}).encode())
    text = f"{head}.{encoded(json.dumps(claims()).encode())}"
    signature = jwt.get_algorithm_by_name(signed_as).sign(text.encode(), key)
    return f"{text}.{encoded(signature)}"


def with_part(number, content):
    """A good token with other bytes in one of its parts."""
    parts = token().split(".")
    parts[number] = encoded(content)
    return ".".join(parts)


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


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """One service for all tokens, since each has an id of its own."""
    folder = tmp_path_factory.mktemp("shared")
    file = clients_file(folder)
    made = Settings(open=False, clients=file, data=folder / "data", public_url=BASE)
    return create_app(made).test_client()


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


def hmac_token(secret):
    header = {"alg": "HS256", "typ": "JWT", "kid": KID}
    signed = forged(header, claims()).rsplit(".", 1)[0]
    digest = hmac.new(secret, signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{encoded(digest)}"


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
    "HMAC with the public key": (lambda: hmac_token(public_pem()), "algorithm"),
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
    # the form
    "only dots": (lambda: "..", "malformed"),
    "a token in quotes": (lambda: f'"{token()}"', "malformed"),
    "two tokens": (lambda: f"{token()},{token()}", "malformed"),
    "the word Bearer twice": (lambda: f"Bearer {token()}", "malformed"),
    "a dot at the start": (lambda: f".{token()}", "malformed"),
    "a header that is a number": (lambda: with_part(0, b"1"), "malformed"),
    "a header that is null": (lambda: with_part(0, b"null"), "malformed"),
    "a header that is a list": (lambda: with_part(0, b"[]"), "malformed"),
    "a header that is a text": (lambda: with_part(0, b'"ES384"'), "malformed"),
    "a header cut in the middle": (lambda: with_part(0, b'{"alg":"ES384"'), "malformed"),
    "a header nested without end": (lambda: with_part(0, b'{"a":' * 900), "malformed"),
    "a header that is no text": (lambda: with_part(0, b'{"alg":"\xff"}'), "malformed"),
    "an empty header": (lambda: "." + token().split(".", 1)[1], "malformed"),
    "a payload that is null": (lambda: forged(ES384, None), "malformed"),
    "a payload that is a number": (lambda: forged(ES384, 7), "malformed"),
    "a payload that is a text": (lambda: forged(ES384, "iss"), "malformed"),
    "a payload that is no JSON": (lambda: with_part(1, b"iss=me"), "malformed"),
    "a payload nested without end": (lambda: with_part(1, b"[" * 4000), "malformed"),
    "a payload with a number of 5,000 digits": (
        lambda: with_part(1, b'{"exp":' + b"9" * 5000 + b"}"),
        "malformed",
    ),
    "an empty payload": (lambda: "{0}..{2}".format(*token().split(".")), "malformed"),
    # the algorithm
    "HS384 with a secret": (lambda: token("s" * 48, "HS384"), "algorithm"),
    "HS512 with a secret": (lambda: token("s" * 64, "HS512"), "algorithm"),
    "HMAC with the key set as secret": (
        lambda: hmac_token(json.dumps(jwks()).encode()),
        "algorithm",
    ),
    "an algorithm in small letters": (lambda: by_hand({"alg": "es384"}), "algorithm"),
    "an algorithm with a blank": (lambda: by_hand({"alg": "ES384 "}), "algorithm"),
    "an algorithm that is null": (lambda: by_hand({"alg": None}), "algorithm"),
    "an algorithm that is a number": (lambda: by_hand({"alg": 384}), "algorithm"),
    "a list of algorithms": (lambda: by_hand({"alg": ["ES384", "none"]}), "algorithm"),
    "an algorithm that is an object": (lambda: by_hand({"alg": {"ES384": 1}}), "algorithm"),
    "an algorithm that encrypts": (lambda: by_hand({"alg": "RSA-OAEP"}), "algorithm"),
    "an algorithm of another curve": (lambda: by_hand({"alg": "ES256K"}), "algorithm"),
    "alg none with a signature": (lambda: by_hand({"alg": "none"}), "algorithm"),
    "alg empty": (lambda: by_hand({"alg": ""}), "algorithm"),
    # the type and critical headers
    "type JWE": (lambda: token(header={"typ": "JWE"}), "type"),
    "type of a security event": (lambda: token(header={"typ": "secevent+jwt"}), "type"),
    "type of a proof of possession": (lambda: token(header={"typ": "dpop+jwt"}), "type"),
    "an empty type": (lambda: by_hand({"typ": ""}), "type"),
    "a type that is a number": (lambda: by_hand({"typ": 1}), "type"),
    "a type that is a list": (lambda: by_hand({"typ": ["JWT"]}), "type"),
    "a type that is null": (lambda: by_hand({"typ": None}), "type"),
    "an empty list of critical headers": (lambda: by_hand({"crit": []}), "critical"),
    "critical headers that are null": (lambda: by_hand({"crit": None}), "critical"),
    "a payload that is said to be not encoded": (
        lambda: by_hand({"crit": ["b64"], "b64": False}),
        "critical",
    ),
    "a payload that is said to be not encoded, and not critical": (
        lambda: by_hand({"b64": False}),
        "critical",
    ),
    # the key
    "an empty kid": (lambda: by_hand({"kid": ""}), "key"),
    "a kid that is null": (lambda: by_hand({"kid": None}), "key"),
    "a kid that is a list": (lambda: by_hand({"kid": [KID]}), "key"),
    "a kid that is an object": (lambda: by_hand({"kid": {"key+1==": 1}}), "key"),
    "a kid without end": (lambda: by_hand({"kid": KID + "=" * 300}), "key"),
    "a kid in other letters": (lambda: by_hand({"kid": KID.upper()}), "key"),
    "a kid with a blank": (lambda: by_hand({"kid": f"{KID} "}), "key"),
    "a kid with a zero": (lambda: by_hand({"kid": f"{KID}\0"}), "key"),
    "a kid of a database": (lambda: by_hand({"kid": "' OR '1'='1"}), "key"),
    "a kid that is an address": (lambda: by_hand({"kid": "https://evil.test/k"}), "key"),
    "a jku that is a number": (lambda: by_hand({"jku": 1}), "key"),
    "a jku that is null": (lambda: by_hand({"jku": None}), "key"),
    "a jku on this machine": (
        lambda: token(other_key(), header={"jku": "http://127.0.0.1/jwks.json"}),
        "signature",
    ),
    "a jku that looks like the client's": (
        lambda: token(other_key(), header={"jku": "https://ehr.example.org@evil.test/jwks.json"}),
        "signature",
    ),
    "a jku that is a file": (
        lambda: token(other_key(), header={"jku": "file:///etc/passwd", "kid": "evil"}),
        "key",
    ),
    "a certificate elsewhere": (
        lambda: token(other_key(), header={"x5u": "https://evil.test/cert.pem"}),
        "signature",
    ),
    "an embedded secret key": (
        lambda: token(other_key(), header={"jwk": {"kty": "oct", "k": "c2VjcmV0", "kid": KID}}),
        "signature",
    ),
    "a key that is for encryption": (lambda: by_hand({"kid": "encrypts"}), "key-use"),
    "a key that is for wrapping keys": (lambda: by_hand({"kid": "wraps"}), "key-use"),
    "a key that is for another algorithm": (
        lambda: token(rsa_key(), "RS256", {"kid": "rs512-only"}),
        "key-use",
    ),
    "a key that is for another padding": (
        lambda: token(rsa_key(), "PS512", {"kid": "rs512-only"}),
        "key-use",
    ),
    # the signature
    "the signature of another token": (
        lambda: resigned(lambda _: base64url_decode(token().rsplit(".", 1)[1])),
        "signature",
    ),
    "a signature that is cut": (lambda: resigned(lambda s: s[:-1]), "signature"),
    "a signature with a byte too many": (lambda: resigned(lambda s: s + b"\0"), "signature"),
    "a signature with a tab in it": (lambda: token()[:-1] + "\t" + token()[-1], "signature"),
    "a signature with a sign that is no base64": (lambda: token()[:-1] + "*", "signature"),
    "a signature with signs of ordinary base64": (
        lambda: token()[:-2] + "+/",
        "signature",
    ),
    "a signature with a bit behind its end": (lambda: with_loose_bits(), "signature"),
    "a header with loose bits": (lambda: with_loose_bits(0), "malformed"),
    "a signature of zeros": (lambda: resigned(lambda s: bytes(len(s))), "signature"),
    "a signature of ones": (lambda: resigned(lambda s: b"\xff" * len(s)), "signature"),
    "a signature with a bit changed": (
        lambda: resigned(lambda s: bytes([s[0] ^ 1]) + s[1:]),
        "signature",
    ),
    "a signature with its halves changed": (
        lambda: resigned(lambda s: s[48:] + s[:48]),
        "signature",
    ),
    "a signature as DER": (
        lambda: resigned(
            lambda s: encode_dss_signature(int.from_bytes(s[:48]), int.from_bytes(s[48:]))
        ),
        "signature",
    ),
    "a header changed after signing": (
        lambda: with_part(0, json.dumps({**ES384, "cty": "x"}).encode()),
        "signature",
    ),
    "RS256 in the header of a PSS signature": (
        lambda: named("RS256", rsa_key(), "rsa-1", "PS256"),
        "signature",
    ),
    "PS256 in the header of an RS256 signature": (
        lambda: named("PS256", rsa_key(), "rsa-1", "RS256"),
        "signature",
    ),
    "RS512 in the header of an RS256 signature": (
        lambda: named("RS512", rsa_key(), "rsa-1", "RS256"),
        "signature",
    ),
    "ES256 with a key of another curve": (lambda: by_hand({"alg": "ES256"}), "signature"),
    "ES512 with a key of another curve": (lambda: by_hand({"alg": "ES512"}), "signature"),
    "EdDSA with a key of another kind": (lambda: by_hand({"alg": "EdDSA"}), "signature"),
    "no signature of an RSA key": (
        lambda: forged({**ES384, "alg": "RS256", "kid": "rsa-1"}, claims(), b""),
        "signature",
    ),
    # the issuer
    "the issuer in other letters": (lambda: token(iss=ISSUER.upper()), "issuer"),
    "the issuer with a blank": (lambda: token(iss=ISSUER + " "), "issuer"),
    "the issuer on plain http": (lambda: token(iss=ISSUER.replace("https", "http")), "issuer"),
    "the issuer with its port": (lambda: token(iss="https://ehr.example.org:443/fhir"), "issuer"),
    "the issuer with a zero": (lambda: token(iss=ISSUER + "\0"), "issuer"),
    "the beginning of the issuer": (lambda: token(iss=ISSUER[:-1]), "issuer"),
    "the name of the client as issuer": (lambda: token(iss="hospital"), "issuer"),
    "a list of issuers": (lambda: by_hand(iss=[ISSUER]), "claims"),
    "an issuer that is a number": (lambda: by_hand(iss=1), "claims"),
    "an issuer that is null": (lambda: by_hand(iss=None), "claims"),
    "an empty issuer": (lambda: by_hand(iss=""), "claims"),
    "an issuer without end": (lambda: by_hand(iss=ISSUER + "x" * 300), "claims"),
    # the audience
    "an audience that is null": (lambda: by_hand(aud=None), "audience"),
    "an audience that is a signed number": (lambda: by_hand(aud=7), "audience"),
    "an audience that is an object": (lambda: by_hand(aud={ENDPOINT: 1}), "audience"),
    "an audience in a list in a list": (lambda: by_hand(aud=[[ENDPOINT]]), "audience"),
    "an empty audience": (lambda: token(aud=""), "audience"),
    "the audience with a query": (lambda: token(aud=ENDPOINT + "?a=b"), "audience"),
    "the audience with a port": (
        lambda: token(aud=ENDPOINT.replace(".org", ".org:8443")),
        "audience",
    ),
    "the audience on a host that begins alike": (
        lambda: token(aud=ENDPOINT.replace(".org", ".org.evil.test")),
        "audience",
    ),
    "the audience with a user": (
        lambda: token(aud=ENDPOINT.replace("https://", "https://x@")),
        "audience",
    ),
    "the audience in other letters": (lambda: token(aud=ENDPOINT.upper()), "audience"),
    "the beginning of the audience": (lambda: token(aud=ENDPOINT[:-1]), "audience"),
    "the audience of feedback": (lambda: token(aud=ENDPOINT + "/feedback"), "audience"),
    "the path as audience": (lambda: token(aud=PATH), "audience"),
    # the times
    "an expiry in digits": (lambda: by_hand(exp=str(now_plus(300))), "claims"),
    "an expiry that is null": (lambda: by_hand(exp=None), "claims"),
    "an expiry that is a list": (lambda: by_hand(exp=[now_plus(300)]), "claims"),
    "an expiry before all time": (lambda: by_hand(exp=float("-inf")), "claims"),
    "an expiry in 1970": (lambda: by_hand(exp=0), "expired"),
    "an expiry before 1970": (lambda: by_hand(exp=-1), "expired"),
    "expired for a little more than is allowed": (
        lambda: by_hand(iat=now_plus(-300), exp=now_plus(-62)),
        "expired",
    ),
    "an expiry in milliseconds": (lambda: by_hand(exp=now_plus(300) * 1000), "lifetime"),
    "valid for a little longer than is allowed": (lambda: by_hand(exp=now_plus(965)), "lifetime"),
    "issued in 1970": (lambda: by_hand(iat=0), "lifetime"),
    "a time of issue in words": (lambda: by_hand(iat="now"), "claims"),
    "a truth value as time of issue": (lambda: by_hand(iat=True), "claims"),
    "a time of issue that is null": (lambda: by_hand(iat=None), "claims"),
    "a time of issue past all numbers": (lambda: by_hand(iat=1e300), "claims"),
    "a start in words": (lambda: by_hand(nbf="now"), "claims"),
    "a start that is null": (lambda: by_hand(nbf=None), "claims"),
    "a start that is a list": (lambda: by_hand(nbf=[0]), "claims"),
    "a start that is no number": (lambda: by_hand(nbf=float("nan")), "claims"),
    "a start a little too late": (lambda: by_hand(nbf=now_plus(65)), "not-yet-valid"),
    # the id
    "an id that is a number": (lambda: by_hand(jti=1), "claims"),
    "an id that is null": (lambda: by_hand(jti=None), "claims"),
    "a list of ids": (lambda: by_hand(jti=["a", "b"]), "claims"),
    "an id that is an object": (lambda: by_hand(jti={}), "claims"),
    "a truth value as id": (lambda: by_hand(jti=True), "claims"),
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
    "RS512 by the key that is for it": lambda: token(rsa_key(), "RS512", {"kid": "rs512-only"}),
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
    def test_a_bad_token_is_refused_for_its_own_reason(self, shared, make, check):
        answer = call(shared, make())
        assert answer.status_code == 401
        assert answer.get_json()["issue"][0]["diagnostics"] == TEXTS[check]
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")

    @pytest.mark.parametrize("make", GOOD.values(), ids=GOOD)
    def test_a_good_token_passes(self, shared, make, monkeypatch):
        monkeypatch.setattr("cds_service.access.download.download", lambda _: jwks())
        assert call(shared, make()).status_code == 200

    @hypothesis.settings(max_examples=200, deadline=None)
    @hypothesis.given(
        header=st.just({})
        | st.dictionaries(st.sampled_from(["alg", "typ", "kid", "jku", "crit"]), ANYTHING),
        changes=st.dictionaries(st.sampled_from(["iss", "sub", "aud", "jti", "exp"]), ANYTHING),
        signed=st.booleans(),
    )
    def test_no_token_does_harm(self, shared, header, changes, signed):
        """Whatever is in it, by those who have a key and those who have none."""
        made = forged({**ES384, **header}, claims(**changes))
        answer = call(shared, signed_anew(made) if signed else made)
        assert answer.status_code in (200, 401)

    def test_there_are_enough_bad_ones(self):
        assert len(BAD) >= 120

    @pytest.mark.parametrize("path", ["/cds-services", f"{PATH}/feedback"])
    def test_discovery_and_feedback_want_a_token_of_their_own(self, client, path):
        assert call(client, token(), path).status_code == 401
        assert call(client, token(aud=BASE + path), path).status_code != 401

    @pytest.mark.parametrize(
        "path", ["/health", "/ready", "/", "/guidelines/acr-vcf-2022/variant-1"]
    )
    def test_pages_are_for_everyone(self, client, path):
        assert client.get(path).status_code == 200

    def test_the_host_that_the_caller_names_makes_no_difference(self, client):
        bearer = token(aud=f"http://other.example{PATH}")
        headers = {"Authorization": f"Bearer {bearer}", "Host": "other.example"}
        assert client.post(PATH, json={}, headers=headers).status_code == 401

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


def unchecked(client):
    """How many tokens were not checked for a use before."""
    page = client.get("/metrics", headers={"Authorization": "Bearer m"}).text
    return float(re.search(r"^cds_replay_unchecked_total (\S+)", page, re.MULTILINE)[1])


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

    def client_that_cannot_keep_them(self, settings):
        app = create_app(settings)
        settings.data.mkdir(parents=True, exist_ok=True)
        (settings.data / "tokens").touch()
        return app.test_client()

    def test_files_that_cannot_be_made_cost_no_answer(self, settings, capsys):
        settings = replace(settings, metrics_token="m")  # noqa: S106
        client = self.client_that_cannot_keep_them(settings)
        before = unchecked(client)
        assert call(client, token()).status_code == 200
        assert "store-down" in capsys.readouterr().err
        assert unchecked(client) == before + 1

    def test_a_setting_refuses_what_cannot_be_checked(self, settings):
        client = self.client_that_cannot_keep_them(replace(settings, refuse_unchecked=True))
        answer = call(client, token())
        assert answer.status_code == 401
        assert answer.get_json()["issue"][0]["diagnostics"] == TEXTS["replay-unchecked"]

    def test_a_database_that_is_down_at_the_start_does_not_stop_it(self, settings, capsys):
        (settings.data / "service.db").mkdir(parents=True)
        app = create_app(replace(settings, store=True))
        app.extensions["in_worker"]()
        assert call(app.test_client(), token()).status_code == 200
        assert "store-down" in capsys.readouterr().err
        app.extensions["store"].finish()

    def test_they_are_kept_again_when_they_can_be(self, settings):
        client = self.client_that_cannot_keep_them(settings)
        assert call(client, token()).status_code == 200
        (settings.data / "tokens").unlink()
        bearer = token()
        assert [call(client, bearer).status_code for _ in range(2)] == [200, 401]

    def test_neither_the_id_nor_the_token_is_stored(self, settings):
        bearer = token(jti="planted-token-id")
        call(create_app(settings).test_client(), bearer)
        stored = [*settings.data.rglob("*")]
        assert b"planted-token-id" not in b"".join(f.read_bytes() for f in stored if f.is_file())
        assert "planted-token-id" not in str(stored)


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

    def test_without_a_public_address_the_service_does_not_start(self, tmp_path):
        """The audience of tokens would follow the Host header, which the caller chooses."""
        settings = Settings(open=False, clients=clients_file(tmp_path), data=tmp_path / "d")
        with pytest.raises(ConfigError, match="CDS_PUBLIC_URL"):
            create_app(settings)

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
        return create_app(Settings(open=False, data=tmp_path, public_url=BASE)).test_client()

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
