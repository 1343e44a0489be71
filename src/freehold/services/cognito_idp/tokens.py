"""Tokens: what a sign-in gives, what renews it, who an access token is.

Amazon Cognito Developer Guide, "Understanding user pool JSON web tokens (JWTs)", "Refresh tokens", "Ending user
sessions with token revocation". One decision to know: the first group of an `origin_jti` is the user's era. A global
sign-out begins a new era, which ends every token of the old one at once, without a list of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from freehold.aws.call import Call, Json, in_region
from freehold.aws.errors import AwsError
from freehold.services.cognito_idp import token_trigger
from freehold.services.cognito_idp.clients import validity_s
from freehold.services.cognito_idp.groups import groups_of
from freehold.services.cognito_idp.keys import NoKey
from freehold.services.cognito_idp.record import (
    REVOKED,
    CognitoIdp,
    close,
    find_client,
    find_pool,
    issuer,
    key,
    not_authorized,
    open_sealed,
    pool_region,
    url_safe,
)
from freehold.services.cognito_idp.users import ERA_DIGITS, find_user, no_such_user
from freehold.state.store import Delete, Document, Put

SELF_SERVICE = "aws.cognito.signin.user.admin"  # The scope of a sign-in by the API: its user's own attributes.
_PLACE = "cognito-idp refresh token"
_SWEPT = 20
_NUMBERS = frozenset({"updated_at"})
_FLAGS = frozenset({"email_verified", "phone_number_verified"})


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who an access token is."""

    call: Call  # In the region of the pool.
    pool: Document
    client: Document
    user: Document
    claims: Json


async def issue(
    service: CognitoIdp,
    call: Call,
    pool: Document,
    client: Document,
    user: Document,
    *,
    source: str,
    metadata: Json | None = None,
    renewed: Json | None = None,
) -> Json:
    """`AuthenticationResult`. `renewed`: what the refresh token held; then there is no new one. `source` is the trigger
    source of PreTokenGeneration: "TokenGeneration_Authentication"."""
    now_s = service.clock.now_s()
    session = renewed or {
        "Pool": pool["Id"],
        "Client": client["ClientId"],
        "Sub": user["Sub"],
        "Origin": f"{user['Era']}{service.ids.uuid()[ERA_DIGITS:]}",
        "AuthTime": int(now_s),
        "Until": now_s + validity_s(client, "RefreshToken"),
    }
    groups, roles = await groups_of(service, pool, user)
    identity, access = _claims(service, pool, client, user, session, now_s)
    changed = await token_trigger.ask(
        service, call, pool, client, user, source, metadata, token_trigger.Tokens(identity, access, groups, roles)
    )
    place = key(pool["Id"])
    result: Json = {
        "AccessToken": await service.keys.sign(place, changed.access_claims()),
        "ExpiresIn": validity_s(client, "AccessToken"),
        "TokenType": "Bearer",
        "IdToken": await service.keys.sign(place, changed.identity_claims()),
    }
    if renewed is None:
        result["RefreshToken"] = url_safe(close(service, session, _PLACE))
    return result


async def renew(service: CognitoIdp, client: Document, token: str) -> tuple[Json, Document]:
    """What a refresh token of this client holds, and its user. Raises NotAuthorizedException."""
    session = open_sealed(service, token, _PLACE)
    if session is None or session["Client"] != client["ClientId"]:
        raise not_authorized("Invalid Refresh Token")
    if session["Until"] <= service.clock.now_s():
        raise not_authorized("Refresh Token has expired")
    pool = (await find_pool(service, Call(region=""), session["Pool"])).document
    try:
        user = (await find_user(service, pool, session["Sub"])).document
    except AwsError:
        raise not_authorized("Invalid Refresh Token") from None
    if not await _is_valid(service, pool, user, session["Origin"]):
        raise not_authorized("Refresh Token has been revoked")
    return session, user


async def revoke(service: CognitoIdp, client: Document, token: str) -> None:
    """Ends a refresh token and the access tokens that came with it. What is none of this client's is left alone."""
    session = open_sealed(service, token, _PLACE)
    if session is None:
        raise AwsError("UnsupportedTokenTypeException", "Unsupported token type", status=400)
    if session["Client"] != client["ClientId"]:
        raise AwsError("UnauthorizedException", "Invalid token", status=400)
    place = key(session["Pool"], session["Origin"])
    # Those next to it, in no order of time, whose tokens have run out anyway: so the list never grows for long.
    near = await service.store.list_documents(REVOKED, key(session["Pool"], ""), after=place, limit=_SWEPT)
    now_s = service.clock.now_s()
    old = [Delete(REVOKED, each.key) for each in near if each.document["Until"] <= now_s]
    await service.store.write(Put(REVOKED, place, {"Until": session["Until"]}), *old)


async def signed_in(service: CognitoIdp, call: Call, token: str) -> SignedIn:
    """Raises NotAuthorizedException for all but a valid access token of one of our pools."""
    claims = await _verified(service, token)
    if claims is None or claims.get("token_use") != "access":
        raise not_authorized("Invalid Access Token")
    if claims["exp"] <= service.clock.now_s():
        raise not_authorized("Access Token has expired")
    pool_id = claims["iss"].rpartition("/")[2]
    pool = (await find_pool(service, replace(call, access_key=""), pool_id)).document
    try:
        client = (await find_client(service, claims["client_id"], pool_id)).document
        user = (await find_user(service, pool, claims["sub"])).document
    except AwsError as error:
        if error.code == "UserNotFoundException":
            raise no_such_user() from None
        raise not_authorized("Invalid Access Token") from error
    if not user["Enabled"]:
        raise not_authorized("User is disabled.")
    if not await _is_valid(service, pool, user, claims["origin_jti"]):
        raise not_authorized("Access Token has been revoked")
    if SELF_SERVICE not in str(claims.get("scope", "")).split():
        raise not_authorized("Access Token does not have required scopes")
    return SignedIn(in_region(call, pool_region(pool_id)), pool, client, user, claims)


async def _is_valid(service: CognitoIdp, pool: Document, user: Document, origin: str) -> bool:
    if not origin.startswith(user["Era"]):
        return False
    return await service.store.read(REVOKED, key(pool["Id"], origin)) is None


async def _verified(service: CognitoIdp, token: str) -> Json | None:
    import jwt

    try:
        claimed: Any = jwt.decode(token, options={"verify_signature": False})
    except (jwt.PyJWTError, ValueError):
        return None
    pool_id = str(claimed.get("iss", "")).rpartition("/")[2]
    if not pool_region(pool_id):
        return None
    try:
        claims = await service.keys.verify(key(pool_id), token)
    except NoKey:
        return None
    return claims if claims is not None and claims.get("iss") == issuer(pool_id) else None


def _claims(
    service: CognitoIdp, pool: Document, client: Document, user: Document, session: Json, now_s: float
) -> tuple[Json, Json]:
    """Of the ID token and of the access token, without groups."""
    shared = {
        "sub": user["Sub"],
        "iss": issuer(pool["Id"]),
        "origin_jti": session["Origin"],
        "event_id": service.ids.uuid(),
        "auth_time": session["AuthTime"],
        "iat": int(now_s),
    }
    identity = {
        **shared,
        **_claims_of(client, user["Attributes"]),
        "cognito:username": user["Username"],
        "aud": client["ClientId"],
        "token_use": "id",
        "exp": int(now_s) + validity_s(client, "IdToken"),
        "jti": service.ids.uuid(),
    }
    access = {
        **shared,
        "client_id": client["ClientId"],
        "token_use": "access",
        "scope": SELF_SERVICE,
        "username": user["Username"],
        "exp": int(now_s) + validity_s(client, "AccessToken"),
        "jti": service.ids.uuid(),
    }
    return identity, access


def _claims_of(client: Document, attributes: Mapping[str, str]) -> Json:
    """The attributes that this client may read, as claims: flags and numbers are no text."""
    readable = client.get("ReadAttributes")
    claims: Json = {}
    for name, value in attributes.items():
        if name.startswith("dev:") or (readable is not None and name not in readable):
            continue
        if name in _FLAGS:
            claims[name] = value == "true"
        elif name in _NUMBERS and value.isdigit():
            claims[name] = int(value)
        elif name == "address":
            claims[name] = {"formatted": value}
        else:
            claims[name] = value
    return claims
