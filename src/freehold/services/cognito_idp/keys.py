"""Each pool's own RSA key: made with the pool, sealed on disk, published as JWKS, signing the pool's tokens (RS256).

RFC 7517, RFC 7518; Amazon Cognito Developer Guide, "Verifying JSON web tokens".
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from freehold.aws.call import Json
from freehold.state.seal import Seal
from freehold.state.store import Delete, Put, Store

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

KEY = "cognito-idp.key"
_BITS = 2048
_KEPT = 256  # Opened keys in memory.


class NoKey(Exception):
    """There is no such pool."""


class PoolKeys:
    """Opened keys are remembered: a sign-in neither reads nor opens anything for them."""

    def __init__(self, store: Store, seal: Seal) -> None:
        self._store = store
        self._seal = seal
        self._opened: OrderedDict[str, tuple[str, RSAPrivateKey]] = OrderedDict()

    async def make(self, place: str, kid: str) -> Put:
        """The write of a new key. `place`: "us-east-1/us-east-1_a1b2c3d4e"."""
        private = await asyncio.to_thread(_generate)
        return Put(KEY, place, {"Kid": kid, "Private": self._seal.close(private, place)}, 0)

    def forget(self, place: str) -> Delete:
        """The write that deletes it."""
        self._opened.pop(place, None)
        return Delete(KEY, place)

    async def sign(self, place: str, claims: Json) -> str:
        """A JWT. Raises NoKey."""
        import jwt  # With it comes all of `cryptography`, which a server without user pools never needs.

        kid, private = await self._open(place)
        return jwt.encode(claims, private, algorithm="RS256", headers={"kid": kid})

    async def verify(self, place: str, token: str) -> Json | None:
        """The claims of a token that this pool signed, whatever they say; None for any other."""
        import jwt

        _, private = await self._open(place)
        options: Any = {"verify_exp": False, "verify_aud": False, "verify_iat": False, "verify_nbf": False}
        try:
            return dict(jwt.decode(token, private.public_key(), algorithms=["RS256"], options=options))
        except (jwt.PyJWTError, ValueError, TypeError):
            return None

    async def jwks(self, place: str) -> Json:
        """The public side. Raises NoKey."""
        from jwt.algorithms import RSAAlgorithm

        kid, private = await self._open(place)
        public = RSAAlgorithm.to_jwk(private.public_key(), as_dict=True)
        return {"keys": [{"alg": "RS256", "e": public["e"], "kid": kid, "kty": "RSA", "n": public["n"], "use": "sig"}]}

    async def _open(self, place: str) -> tuple[str, RSAPrivateKey]:
        found = self._opened.get(place)
        if found is not None:
            self._opened.move_to_end(place)
            return found
        from cryptography.hazmat.primitives.serialization import load_der_private_key

        stored = await self._store.read(KEY, place)
        if stored is None:
            raise NoKey(place)
        private: Any = load_der_private_key(self._seal.open(stored.document["Private"], place), None)
        self._opened[place] = (stored.document["Kid"], private)
        if len(self._opened) > _KEPT:
            self._opened.popitem(last=False)
        return self._opened[place]


def _generate() -> bytes:
    from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    private = generate_private_key(public_exponent=65537, key_size=_BITS)
    return private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
