"""An issuer's public keys: found by OIDC discovery, kept, and fetched again when a token names an unknown one."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import orjson

from freehold.gateway.exchange import Exchange
from freehold.gateway.fetch import FetchFailed

KEPT_S = 2 * 3600.0  # The page on JWT authorizers: public keys are cached for two hours.
RETRY_AFTER_S = 10.0  # An unknown key id asks the issuer at most this often.


_KINDS = ("RSA", "EC")  # A shared secret (oct) is nobody's public key.


class KeysUnavailable(Exception):
    """The issuer could not be asked, or did not answer with keys."""


@dataclass(frozen=True, slots=True)
class IssuerKey:
    public: Any  # Of `cryptography`: RSA or elliptic curve.
    algorithm: str  # The only one that it is for; "": whichever fits its kind.


class IssuerKeys:
    def __init__(self, issuer: str) -> None:
        self._issuer = issuer.rstrip("/")
        self._keys: dict[str, IssuerKey] = {}
        self._fetched_s = float("-inf")  # Monotonic; when the keys came that are kept.
        self._tried_s = float("-inf")  # Also of an attempt that failed.
        self._asking = asyncio.Lock()

    async def find(self, exchange: Exchange, kid: Any) -> IssuerKey | None:
        """None when the issuer has no such key. Raises KeysUnavailable."""
        now_s = exchange.means.clock.monotonic_s()
        known = self._keys.get(kid) if isinstance(kid, str) else None
        if known is not None and now_s - self._fetched_s < KEPT_S:
            return known
        async with self._asking:  # Who comes meanwhile waits for the same answer.
            if now_s - self._tried_s >= RETRY_AFTER_S:
                self._tried_s = now_s
                self._keys = await self._fetch(exchange)
                self._fetched_s = now_s
        if now_s - self._fetched_s >= KEPT_S:
            # Keys that are too old may have been withdrawn: without their issuer nobody passes.
            raise KeysUnavailable(self._issuer)
        return self._keys.get(kid) if isinstance(kid, str) else None

    async def _fetch(self, exchange: Exchange) -> dict[str, IssuerKey]:
        import jwt

        fetch = exchange.means.fetch
        try:
            discovery = orjson.loads(await fetch(f"{self._issuer}/.well-known/openid-configuration"))
            documents = orjson.loads(await fetch(discovery["jwks_uri"]))["keys"]
        except (FetchFailed, orjson.JSONDecodeError, KeyError, TypeError) as error:
            raise KeysUnavailable(self._issuer) from error
        if not isinstance(documents, list):
            raise KeysUnavailable(self._issuer)
        keys = {}
        for document in documents:
            try:
                if document["kty"] in _KINDS:
                    keys[document["kid"]] = IssuerKey(jwt.PyJWK(document).key, document.get("alg") or "")
            except (jwt.PyJWTError, KeyError, TypeError, ValueError, AttributeError):
                continue  # A key of a kind that no token may use here.
        return keys
