"""Tokens: what a sign-in gives, what renews it, who an access token is.

Amazon Cognito Developer Guide, "Understanding user pool JSON web tokens (JWTs)", "Refresh tokens", "Ending user
sessions with token revocation". One decision to know: the first group of an `origin_jti` is the user's era. A global
sign-out begins a new era, which ends every token of the old one at once, without a list of them.
"""

from __future__ import annotations

import base64
import hashlib
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
# OpenID Connect's scopes -> the attributes that they open; those of no other scope are the profile's.
_BY_SCOPE = {"email": ("email", "email_verified"), "phone": ("phone_number", "phone_number_verified")}


@dataclass(frozen=True, slots=True)
class Grant:
    """What an app was granted at the pool's domain."""

    scope: str
    nonce: str
    auth_time: int


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
    grant: Grant | None = None,
) -> Json:
    """`AuthenticationResult`. `renewed`: what the refresh token held; then there is no new one. `source` is the trigger
    source of PreTokenGeneration: "TokenGeneration_Authentication". Without "openid" in the scope of a grant there is no
    ID token."""
    now_s = service.clock.now_s()
    session = renewed or {
        "Pool": pool["Id"],
        "Client": client["ClientId"],
        "Sub": user["Sub"],
        "Origin": f"{user['Era']}{service.ids.uuid()[ERA_DIGITS:]}",
        "AuthTime": int(now_s) if grant is None else grant.auth_time,
        "Until": now_s + validity_s(client, "RefreshToken"),
    }
    if grant is not None:
        session["Scope"] = grant.scope
    groups, roles = await groups_of(service, pool, user)
    identity, access = _claims(service, pool, client, user, session, now_s)
    changed = await token_trigger.ask(
        service, call, pool, client, user, source, metadata, token_trigger.Tokens(identity, access, groups, roles)
    )
    place = key(pool["Id"])
    token = await service.keys.sign(place, changed.access_claims())
    result: Json = {"AccessToken": token, "ExpiresIn": validity_s(client, "AccessToken"), "TokenType": "Bearer"}
    own = changed.identity_claims()
    if "Scope" in session:
        own["at_hash"] = _half_hash(token)
    if grant is not None and grant.nonce:
        own["nonce"] = grant.nonce
    if "openid" in str(session.get("Scope", "openid")).split():
        result["IdToken"] = await service.keys.sign(place, own)
    if renewed is None:
        result["RefreshToken"] = url_safe(close(service, session, _PLACE))
    return result


async def issue_to_client(service: CognitoIdp, pool: Document, client: Document, scope: str) -> Json:
    """An access token of an app that acts for no user (client credentials)."""
    now_s = int(service.clock.now_s())
    lasts_s = validity_s(client, "AccessToken")
    claims = {
        "sub": client["ClientId"],
        "token_use": "access",
        "scope": scope,
        "auth_time": now_s,
        "iss": issuer(pool["Id"]),
        "exp": now_s + lasts_s,
        "iat": now_s,
        "version": 2,
        "jti": service.ids.uuid(),
        "client_id": client["ClientId"],
    }
    token = await service.keys.sign(key(pool["Id"]), claims)
    return {"AccessToken": token, "ExpiresIn": lasts_s, "TokenType": "Bearer"}


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


async def signed_in(service: CognitoIdp, call: Call, token: str, scope: str = SELF_SERVICE) -> SignedIn:
    """Raises NotAuthorizedException for all but a valid access token of one of our pools, with the scope."""
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
        origin = str(claims.get("origin_jti", ""))  # An app that acts for no user has none.
    except AwsError as error:
        if error.code == "UserNotFoundException":
            raise no_such_user() from None
        raise not_authorized("Invalid Access Token") from error
    if not user["Enabled"]:
        raise not_authorized("User is disabled.")
    if not await _is_valid(service, pool, user, origin):
        raise not_authorized("Access Token has been revoked")
    if scope not in str(claims.get("scope", "")).split():
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
    scope = session.get("Scope")
    identity = {
        **shared,
        **_claims_of(attributes_of(client, user["Attributes"], scope or SELF_SERVICE)),
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
        "scope": scope or SELF_SERVICE,
        "username": user["Username"],
        "exp": int(now_s) + validity_s(client, "AccessToken"),
        "jti": service.ids.uuid(),
    }
    if scope:
        access["version"] = 2
    return identity, access


def attributes_of(client: Document, attributes: Mapping[str, str], scope: str) -> dict[str, str]:
    """Those that the client may read and the scope opens: "openid" alone opens all, beside others of OpenID Connect
    only what those name (Developer Guide, "Scopes, M2M, and resource servers")."""
    readable = client.get("ReadAttributes")
    asked = set(scope.split())
    is_limited = bool(asked & {"email", "phone", "profile"})
    found: dict[str, str] = {}
    for name, value in attributes.items():
        if name.startswith("dev:") or (readable is not None and name not in readable):
            continue
        of = next((each for each, names in _BY_SCOPE.items() if name in names), "profile")
        if not is_limited or of in asked:
            found[name] = value
    return found


def _claims_of(attributes: Mapping[str, str]) -> Json:
    """Attributes as claims: flags and numbers are no text."""
    claims: Json = {}
    for name, value in attributes.items():
        if name in _FLAGS:
            claims[name] = value == "true"
        elif name in _NUMBERS and value.isdigit():
            claims[name] = int(value)
        elif name == "address":
            claims[name] = {"formatted": value}
        else:
            claims[name] = value
    return claims


def _half_hash(token: str) -> str:
    """OpenID Connect Core 3.1.3.6."""
    return base64.urlsafe_b64encode(hashlib.sha256(token.encode()).digest()[:16]).rstrip(b"=").decode()
