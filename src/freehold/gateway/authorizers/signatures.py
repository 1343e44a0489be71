"""Whether a token was signed by its issuer: with a key of the issuer's, by an algorithm whose key cannot be guessed.

RFC 7515, RFC 8725. What the claims say is for the authorizers to judge.
"""

from __future__ import annotations

from typing import Any

import orjson

from freehold.aws.call import Json
from freehold.gateway.authorizers.keys import IssuerKeys, KeysUnavailable
from freehold.gateway.exchange import Exchange

# Only keys that cannot be guessed from public ones: a token signed with HS256 and the public key as secret is refused.
_ALGORITHMS = frozenset(f"{family}{bits}" for family in ("RS", "PS", "ES") for bits in (256, 384, 512))
_ONLY_SIGNATURE: Any = {
    "verify_signature": True,
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
    "verify_aud": False,
    "verify_iss": False,
    "verify_sub": False,
    "verify_jti": False,
}


class BadToken(Exception):
    """In a few words, as JWT authorizers tell them."""


async def signed_claims(exchange: Exchange, keys: IssuerKeys, token: str) -> Json:
    """The claims. Raises BadToken, also when the issuer's keys cannot be had: that keeps everyone out."""
    import jwt  # With it comes all of `cryptography`, which a server without JWT authorizers never needs.

    try:
        header = jwt.get_unverified_header(token)
    except jwt.PyJWTError:
        raise BadToken("token is malformed") from None
    algorithm = header.get("alg")
    if algorithm not in _ALGORITHMS:
        raise BadToken("signing method is invalid")
    try:
        key = await keys.find(exchange, header.get("kid"))
    except KeysUnavailable:
        raise BadToken("OIDC discovery endpoint communication error") from None
    if key is None:
        raise BadToken("unable to find a signing key that matches the token's kid")
    if key.algorithm not in ("", algorithm):
        raise BadToken("signing method is invalid")
    try:
        return dict(jwt.decode(token, key.public, algorithms=[algorithm], options=_ONLY_SIGNATURE))
    except (jwt.PyJWTError, ValueError, TypeError):
        raise BadToken("signature is invalid") from None


def without_bearer(text: str) -> str:
    return text[7:].strip() if text[:7].lower() == "bearer " else text.strip()


def is_time(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e12


def claim_text(value: Any, separator: str = " ", brackets: str = "[]") -> str:
    """As functions are told it: JSON text, a list as "[a b]"."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        joined = separator.join(claim_text(each, separator, brackets) for each in value)
        return f"{brackets[:1]}{joined}{brackets[1:]}"
    return orjson.dumps(value).decode()
