"""JWT authorizers of HTTP APIs. API Gateway Developer Guide, "Control access to HTTP APIs with JWT authorizers".

A token whose signature was checked is remembered until it expires; everything else about it is checked each time. An
issuer that cannot be reached keeps everyone out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NoReturn

from freehold.aws.call import Json
from freehold.gateway.authorizers.cache import Cache
from freehold.gateway.authorizers.identity import Source, compile_source
from freehold.gateway.authorizers.keys import IssuerKeys
from freehold.gateway.authorizers.signatures import BadToken, claim_text, is_time, signed_claims, without_bearer
from freehold.gateway.exchange import Exchange, Refused

_REMEMBERED_TOKENS = 10_000


@dataclass(frozen=True, slots=True)
class JwtAuthorizer:
    issuer: str
    audience: frozenset[str]
    source: Source
    keys: IssuerKeys
    scopes: tuple[str, ...] = ()  # Of the route: one of them is enough.
    checked: Cache[Json] = field(default_factory=lambda: Cache(_REMEMBERED_TOKENS))  # Token -> claims.

    def with_scopes(self, scopes: Sequence[str]) -> JwtAuthorizer:
        """For a route; with the same keys and the same memory of tokens."""
        return replace(self, scopes=tuple(scopes)) if scopes else self

    async def authorize(self, exchange: Exchange) -> None:
        text = self.source(exchange)
        if not text:
            raise Refused("UNAUTHORIZED", headers=[("www-authenticate", "Bearer")])
        token = without_bearer(text)
        now_s = exchange.now_s
        claims = self.checked.get(token, now_s)
        if claims is None:
            claims = await self._check_signature(exchange, token)
            self._check_claims(claims, now_s)
            self.checked.put(token, claims, float(claims["exp"]))
        exchange.authorizer = {"jwt": {"claims": _as_text(claims), "scopes": self._check_scopes(claims)}}

    async def _check_signature(self, exchange: Exchange, token: str) -> Json:
        try:
            return await signed_claims(exchange, self.keys, token)
        except BadToken as bad:
            _refuse(str(bad))

    def _check_claims(self, claims: Json, now_s: float) -> None:
        if claims.get("iss") != self.issuer:
            _refuse("the token does not have a valid issuer")
        audience = claims["aud"] if "aud" in claims else claims.get("client_id")
        audiences = audience if isinstance(audience, list) else [audience]
        if not any(isinstance(each, str) and each in self.audience for each in audiences):
            _refuse("the token does not have a valid audience")
        if not is_time(claims.get("exp")) or claims["exp"] <= now_s:
            _refuse("the token has expired")
        for claim in ("nbf", "iat"):
            if claim in claims and (not is_time(claims[claim]) or claims[claim] > now_s):
                _refuse("the token is not valid yet")

    def _check_scopes(self, claims: Json) -> list[str] | None:
        """The route's scopes that the token has; None when the route asks for none."""
        if not self.scopes:
            return None
        given = claims.get("scope", claims.get("scp"))
        has = given.split() if isinstance(given, str) else given if isinstance(given, list) else []
        matching = [scope for scope in self.scopes if scope in has]
        if not matching:
            wanted = " ".join(self.scopes)
            description = "the token does not have the required scopes"
            challenge = f'Bearer scope="{wanted}" error="insufficient_scope" error_description="{description}"'
            raise Refused("ACCESS_DENIED", headers=[("www-authenticate", challenge)])
        return matching


def compile_jwt_authorizer(document: Json) -> JwtAuthorizer:
    configuration = document["JwtConfiguration"]
    return JwtAuthorizer(
        issuer=configuration["Issuer"],
        audience=frozenset(configuration.get("Audience") or ()),
        source=compile_source(document["IdentitySource"][0]),
        keys=IssuerKeys(configuration["Issuer"]),
    )


def _refuse(description: str) -> NoReturn:
    challenge = f'Bearer scope="" error="invalid_token" error_description="{description}"'
    raise Refused("UNAUTHORIZED", headers=[("www-authenticate", challenge)])


def _as_text(claims: Json) -> dict[str, str]:
    """Claims reach the function as text; arrays as "[a b]"."""
    return {name: claim_text(value) for name, value in claims.items()}
