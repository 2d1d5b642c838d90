"""A key and tokens to try required mode with.

They open no service by themselves: a client's table has to name the issuer and the public key.
"""

import json
import os
import secrets
import time
from hashlib import sha256
from pathlib import Path

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP384R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from jwt.algorithms import ECAlgorithm

PRIVATE, PUBLIC = "private.pem", "jwks.json"
ALGORITHM = "ES384"


def key_in(folder: Path) -> EllipticCurvePrivateKey:
    """The key of a folder, which is made where there is none, with the set of its public part
    beside it. Raises OSError, and ValueError where the file holds no such key.
    """
    file = folder / PRIVATE
    if not file.exists():
        _make(folder)
    key = load_pem_private_key(file.read_bytes(), None)
    if not isinstance(key, EllipticCurvePrivateKey) or not isinstance(key.curve, SECP384R1):
        raise ValueError(f"it is no key for {ALGORITHM}")
    return key


def _make(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    key = generate_private_key(SECP384R1())
    text = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with open(
        folder / PRIVATE, "xb", opener=lambda name, flags: os.open(name, flags, 0o600)
    ) as out:
        out.write(text)
    keys = {"keys": [_public(key)]}
    (folder / PUBLIC).write_text(json.dumps(keys, indent=2) + "\n", "utf-8")


def _public(key: EllipticCurvePrivateKey) -> dict[str, str]:
    """The public part as a JWK; its name is a digest of it."""
    jwk = ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
    kid = sha256(json.dumps(jwk, sort_keys=True).encode()).hexdigest()[:16]
    return {**jwk, "kid": kid, "use": "sig", "alg": ALGORITHM}


def signed_token(
    key: EllipticCurvePrivateKey, issuer: str, subject: str, audience: str, seconds: int
) -> str:
    """A token for one call of the address `audience`, valid for so many seconds from now."""
    now = int(time.time())
    claims = {
        "iss": issuer,
        "aud": audience,
        "iat": now,
        "exp": now + seconds,
        "jti": secrets.token_urlsafe(),
        **({"sub": subject} if subject else {}),
    }
    return jwt.encode(claims, key, ALGORITHM, {"kid": _public(key)["kid"], "typ": "JWT"})
