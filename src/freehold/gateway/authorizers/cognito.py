"""COGNITO_USER_POOLS authorizers of REST APIs.

API Gateway Developer Guide, "Control access to REST APIs using Amazon Cognito user pools as an authorizer": a method
without scopes takes ID tokens, one with scopes takes access tokens that have one of them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import regex

from freehold.aws.call import Json
from freehold.aws.errors import AwsError
from freehold.gateway.authorizers.cache import Cache
from freehold.gateway.authorizers.identity import Source, compile_source
from freehold.gateway.authorizers.keys import IssuerKeys
from freehold.gateway.authorizers.signatures import BadToken, claim_text, is_time, signed_claims, without_bearer
from freehold.gateway.exchange import Exchange, Refused
from freehold.gateway.mapping.methods import PATTERN_LIMIT_S, compile_pattern

# Answers to an access token without the method's scopes; seen, not written: repost.aws, "401 Unauthorized errors".
WITHOUT_SCOPE = "UNAUTHORIZED"
EXPIRED = "The incoming token has expired"  # Seen with 401: github.com/aws-amplify/amplify-js/issues/6060.
_POOL_ARN = re.compile(r"arn:aws[a-z-]*:cognito-idp:([a-z0-9-]+):\d{12}:userpool/([a-z0-9-]+_[0-9a-zA-Z]+)")
_REMEMBERED_TOKENS = 10_000
_DATES = frozenset({"exp", "iat"})


@dataclass(frozen=True, slots=True)
class CognitoAuthorizer:
    pools: Mapping[str, IssuerKeys]  # By issuer.
    source: Source
    pattern: Any = None  # Compiled, or None: what the token's audience must look like.
    scopes: tuple[str, ...] = ()  # Of the method: one of them is enough.
    checked: Cache[Json] = field(default_factory=lambda: Cache(_REMEMBERED_TOKENS))  # Token -> claims.

    def with_scopes(self, scopes: Sequence[str]) -> CognitoAuthorizer:
        """For a method; with the same keys and the same memory of tokens."""
        return replace(self, scopes=tuple(scopes)) if scopes else self

    async def authorize(self, exchange: Exchange) -> None:
        token = without_bearer(self.source(exchange) or "")
        if not token:
            raise Refused("UNAUTHORIZED")
        claims = self.checked.get(token, exchange.now_s)
        if claims is None:
            claims = await self._check(exchange, token)
            self.checked.put(token, claims, float(claims["exp"]))
        if claims.get("token_use") != ("access" if self.scopes else "id"):
            raise Refused("UNAUTHORIZED")
        if self.scopes and not set(self.scopes) & set(str(claims.get("scope", "")).split()):
            raise Refused(WITHOUT_SCOPE)
        exchange.authorizer = {"claims": {name: _claim(name, value) for name, value in claims.items()}}

    async def _check(self, exchange: Exchange, token: str) -> Json:
        try:
            claims = await signed_claims(exchange, self._keys_of(token), token)
        except BadToken:
            raise Refused("UNAUTHORIZED") from None
        if not is_time(claims.get("exp")) or (self.pattern is not None and not self._is_for_us(claims)):
            raise Refused("UNAUTHORIZED")
        if claims["exp"] <= exchange.now_s:
            raise Refused("UNAUTHORIZED", EXPIRED)
        return claims

    def _keys_of(self, token: str) -> IssuerKeys:
        """Of the pool that the token names; the signature then tells whether it is true. Raises BadToken."""
        import jwt

        try:
            named = jwt.decode(token, options={"verify_signature": False}).get("iss")
        except (jwt.PyJWTError, ValueError, TypeError):
            raise BadToken("token is malformed") from None
        keys = self.pools.get(named) if isinstance(named, str) else None
        if keys is None:
            raise BadToken("the token does not have a valid issuer")
        return keys

    def _is_for_us(self, claims: Json) -> bool:
        try:
            return self.pattern.fullmatch(str(claims.get("aud", "")), timeout=PATTERN_LIMIT_S) is not None
        except TimeoutError:
            return False


def compile_cognito_authorizer(document: Json) -> CognitoAuthorizer:
    """Raises AwsError, BadRequestException."""
    pools = {}
    for arn in document["providerARNs"]:
        match = _POOL_ARN.fullmatch(arn)
        if match is None:
            raise AwsError("BadRequestException", f"Invalid Cognito user pool ARN: {arn}", status=400)
        issuer = f"https://cognito-idp.{match[1]}.amazonaws.com/{match[2]}"
        pools[issuer] = IssuerKeys(issuer)
    expression = document.get("identityValidationExpression")
    try:
        pattern = compile_pattern(expression) if expression else None
    except (ValueError, regex.error) as error:
        message = f"Invalid identity validation expression: {error}"
        raise AwsError("BadRequestException", message, status=400) from None
    source = compile_source(document.get("identitySource") or "method.request.header.Authorization")
    return CognitoAuthorizer(pools, source, pattern)


def _claim(name: str, value: Any) -> str:
    """Functions get text: a list as "a,b", times as Java writes them ("Tue Sep 19 21:51:22 UTC 2017")."""
    if name in _DATES and is_time(value):
        return datetime.fromtimestamp(value, UTC).strftime("%a %b %d %H:%M:%S UTC %Y")
    return claim_text(value, ",", "")
