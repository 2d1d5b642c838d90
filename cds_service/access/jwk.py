"""JSON Web Keys (RFC 7517): which keys of a set may check a signature, and why others may not."""

from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt import PyJWK
from jwt.exceptions import PyJWTError

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
RSA_BITS = range(2048, 16_385)  # RFC 7518, sections 3.3 and 3.5; what OpenSSL computes with


@dataclass(frozen=True)
class Key:
    """A key of a set. `alg` is the one algorithm that it is for, empty where its JWK names none;
    `problem` says why it checks no signature, and is empty where it may.
    """

    public: Any = None
    alg: str = ""
    problem: str = ""

    @property
    def has_wrong_size(self) -> bool:
        return isinstance(self.public, RSAPublicKey) and self.public.key_size not in RSA_BITS


def keys_in(document: Any) -> dict[str, Key]:
    """The keys of a JWK set by `kid`. Raises ValueError where there is none with a `kid`."""
    if not isinstance(document, dict) or not isinstance(document.get("keys"), list):
        raise ValueError("a JWK set has a list of keys")
    found: dict[str, Key] = {}
    for jwk in document["keys"]:
        kid = jwk.get("kid") if isinstance(jwk, dict) else None
        if kid and isinstance(kid, str) and (kid not in found or found[kid].problem):
            found[kid] = _key(jwk)
    if not found:
        raise ValueError("the JWK set holds no key with a kid")
    return found


def _key(jwk: dict[str, Any]) -> Key:
    problem = _other_use(jwk)
    if problem:
        return Key(problem=problem)
    try:
        public = PyJWK(jwk).key
    except (PyJWTError, TypeError, ValueError, AttributeError, KeyError):
        return Key(problem=f"is no public key for {jwk.get('alg') or 'signatures'}")
    key = Key(public, jwk.get("alg") or "")
    if key.has_wrong_size:
        return Key(public, problem=f"has {public.key_size} bits; RSA needs {RSA_BITS.start}")
    return key


def _other_use(jwk: dict[str, Any]) -> str:
    """What the JWK says of itself that keeps it from checking signatures."""
    alg, use, operations = jwk.get("alg"), jwk.get("use"), jwk.get("key_ops")
    if "d" in jwk or jwk.get("kty") == "oct":
        return "is a secret that was made public"
    if alg is not None and alg not in ALGORITHMS:
        return "is for an algorithm that is not accepted"
    if use is not None and use != "sig":
        return "is for another use than signatures"
    if operations is not None and (not isinstance(operations, list) or "verify" not in operations):
        return "is for other operations than to verify"
    return ""
