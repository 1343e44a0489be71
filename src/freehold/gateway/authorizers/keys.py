"""An issuer's public keys: found by OIDC discovery, kept, and fetched again when a token names an unknown one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from freehold.gateway.exchange import Exchange
from freehold.gateway.fetch import FetchFailed

if TYPE_CHECKING:
    import jwt

KEPT_S = 2 * 3600.0  # The page on JWT authorizers: public keys are cached for two hours.
RETRY_AFTER_S = 10.0  # An unknown key id asks the issuer at most this often.


class KeysUnavailable(Exception):
    """The issuer could not be asked, or did not answer with keys."""


class IssuerKeys:
    def __init__(self, issuer: str) -> None:
        self._issuer = issuer.rstrip("/")
        self._keys: dict[str, jwt.PyJWK] = {}
        self._fetched_s = float("-inf")  # Monotonic; also of an attempt that failed.

    async def find(self, exchange: Exchange, kid: Any) -> jwt.PyJWK | None:
        """None when the issuer has no such key. Raises KeysUnavailable."""
        now_s = exchange.means.clock.monotonic_s()
        age_s = now_s - self._fetched_s
        known = self._keys.get(kid) if isinstance(kid, str) else None
        if known is not None and age_s < KEPT_S:
            return known
        if age_s >= RETRY_AFTER_S:
            self._fetched_s = now_s
            self._keys = await self._fetch(exchange)
        return self._keys.get(kid) if isinstance(kid, str) else None

    async def _fetch(self, exchange: Exchange) -> dict[str, jwt.PyJWK]:
        import jwt

        fetch = exchange.means.fetch
        try:
            discovery = orjson.loads(await fetch(f"{self._issuer}/.well-known/openid-configuration"))
            documents = orjson.loads(await fetch(discovery["jwks_uri"]))["keys"]
        except (FetchFailed, orjson.JSONDecodeError, KeyError, TypeError) as error:
            raise KeysUnavailable(self._issuer) from error
        keys = {}
        for document in documents:
            try:
                keys[document["kid"]] = jwt.PyJWK(document)
            except (jwt.PyJWTError, KeyError, TypeError, ValueError):
                continue  # A key of a kind that no token may use here.
        return keys
