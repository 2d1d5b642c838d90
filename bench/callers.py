"""A client that may call, and as many tokens of it as there are requests."""

import json
import time
from functools import cache
from pathlib import Path
from uuid import uuid4

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import get_default_algorithms

ISSUER = "https://ehr.example.org/fhir"
SECONDS = 300


@cache
def keys() -> dict:
    """A private key for each algorithm of CDS Hooks."""
    return {
        "ES384": ec.generate_private_key(ec.SECP384R1()),
        "RS384": rsa.generate_private_key(65537, 2048),
    }


def clients_file(folder: Path) -> Path:
    """The file of a service that knows this client, with its keys beside it."""
    made = [
        {**get_default_algorithms()[name].to_jwk(key.public_key(), as_dict=True), "kid": name}
        for name, key in keys().items()
    ]
    (folder / "keys.json").write_text(json.dumps({"keys": made}))
    file = folder / "clients.toml"
    file.write_text(f'[hospital]\niss = ["{ISSUER}"]\njwks = "keys.json"\n')
    return file


def token(url: str, algorithm: str) -> str:
    """A token for one call of this address."""
    now = int(time.time())
    claims = {"iss": ISSUER, "aud": url, "iat": now, "exp": now + SECONDS, "jti": str(uuid4())}
    return jwt.encode(claims, keys()[algorithm], algorithm, headers={"kid": algorithm})
