"""App clients: what an app may do with a pool. User Pools API Reference, "CreateUserPoolClient"."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from urllib.parse import urlsplit

from freehold.aws.call import Call, Json, in_region
from freehold.aws.errors import AwsError
from freehold.services.cognito_idp.record import (
    CLIENT,
    CognitoIdp,
    change,
    client_and_pool,
    find_client,
    find_pool,
    invalid,
    not_authorized,
    page,
    pool_region,
    unsupported,
)
from freehold.services.cognito_idp.resource_servers import check_scopes
from freehold.state.store import Delete, Document, Put

_MEMBERS = (
    "AccessTokenValidity",
    "AllowedOAuthFlows",
    "AllowedOAuthFlowsUserPoolClient",
    "AllowedOAuthScopes",
    "AuthSessionValidity",
    "CallbackURLs",
    "ClientName",
    "DefaultRedirectURI",
    "EnableTokenRevocation",
    "ExplicitAuthFlows",
    "IdTokenValidity",
    "LogoutURLs",
    "PreventUserExistenceErrors",
    "ReadAttributes",
    "RefreshTokenValidity",
    "SupportedIdentityProviders",
    "TokenValidityUnits",
    "WriteAttributes",
)
_DEFAULTS: Json = {
    "AllowedOAuthFlowsUserPoolClient": False,
    "AuthSessionValidity": 3,
    "EnableTokenRevocation": True,
    "RefreshTokenValidity": 30,
    "TokenValidityUnits": {},
}
# "By default, user pool clients support refresh tokens, SRP and custom authentication."
_FLOWS = ["ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_USER_SRP_AUTH", "ALLOW_CUSTOM_AUTH"]
_UNSUPPORTED_FLOWS = frozenset(
    {"ALLOW_USER_AUTH", "ALLOW_TOKEN_EXCHANGE_DELEGATION", "ALLOW_TOKEN_EXCHANGE_IMPERSONATION"}
)
_UNIT_S = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86_400}
_DAY_S = 86_400
# token -> (its unit when none is said, seconds when no validity is said, least, most)
_VALIDITIES = {
    "AccessToken": ("hours", 3600, 300, _DAY_S),
    "IdToken": ("hours", 3600, 300, _DAY_S),
    "RefreshToken": ("days", 30 * _DAY_S, 3600, 3650 * _DAY_S),
}
_SECRET = re.compile(r"[\w+]{24,64}")


async def open_request(service: CognitoIdp, call: Call, request: Json) -> tuple[Call, Document, Document]:
    """Of a public operation that names a client and a user: the call in the pool's region, the client and its pool.
    Raises NotAuthorizedException when the client has a secret and the request not its hash."""
    client, pool = await client_and_pool(service, call, request["ClientId"])
    check_secret_hash(service, client, request["Username"], request.get("SecretHash"))
    return in_region(call, pool_region(pool["Id"])), client, pool


def hides_users(client: Document) -> bool:
    """Whether who asks for a user who does not exist must not learn that."""
    return bool(client.get("PreventUserExistenceErrors") == "ENABLED")


async def create_user_pool_client(service: CognitoIdp, call: Call, request: Json) -> Json:
    pool_id = request["UserPoolId"]
    await find_pool(service, call, pool_id)
    now_s = service.clock.now_s()
    client: Document = {
        **_DEFAULTS,
        "ExplicitAuthFlows": list(_FLOWS),
        "UserPoolId": pool_id,
        "ClientId": service.ids.short(26),
        "CreationDate": now_s,
        "LastModifiedDate": now_s,
        **{name: request[name] for name in _MEMBERS if request.get(name) is not None},
    }
    if request.get("ClientSecret") and not _SECRET.fullmatch(request["ClientSecret"]):
        raise invalid("ClientSecret must have 24 to 64 letters, digits, '_' or '+'.")
    if request.get("GenerateSecret") or request.get("ClientSecret"):
        secret = request.get("ClientSecret") or service.ids.short(51)
        client["Secret"] = service.seal.close(secret.encode(), client["ClientId"])
    _check(client, request)
    await check_scopes(service, pool_id, client.get("AllowedOAuthScopes") or ())
    await service.store.write(Put(CLIENT, client["ClientId"], client, 0))
    return {"UserPoolClient": _told(service, client)}


async def describe_user_pool_client(service: CognitoIdp, call: Call, request: Json) -> Json:
    client = (await find_client(service, request["ClientId"], request["UserPoolId"])).document
    return {"UserPoolClient": _told(service, client)}


async def update_user_pool_client(service: CognitoIdp, call: Call, request: Json) -> Json:
    """As AWS does it, a setting that the request leaves out goes back to its default."""
    client_id, pool_id = request["ClientId"], request["UserPoolId"]
    found = (await find_client(service, client_id, pool_id)).document
    given = {name: request[name] for name in _MEMBERS if request.get(name) is not None}
    kept = {name: value for name, value in found.items() if name not in _MEMBERS or name == "ClientName"}
    fresh = {**_DEFAULTS, "ExplicitAuthFlows": list(_FLOWS), **kept, **given, "LastModifiedDate": service.clock.now_s()}
    _check(fresh, request)
    await check_scopes(service, pool_id, fresh.get("AllowedOAuthScopes") or ())

    def make(client: Document) -> None:
        client.clear()
        client.update(fresh)

    client = await change(service, CLIENT, lambda: find_client(service, client_id, pool_id), make)
    return {"UserPoolClient": _told(service, client)}


async def delete_user_pool_client(service: CognitoIdp, call: Call, request: Json) -> Json:
    found = await find_client(service, request["ClientId"], request["UserPoolId"])
    await service.store.write(Delete(CLIENT, found.key))
    return {}


async def list_user_pool_clients(service: CognitoIdp, call: Call, request: Json) -> Json:
    await find_pool(service, call, request["UserPoolId"])
    stored = await service.store.list_documents(CLIENT)
    clients = [each.document for each in stored if each.document["UserPoolId"] == request["UserPoolId"]]
    shown, more = page(clients, lambda client: str(client["ClientId"]), request, "MaxResults", "NextToken")
    names = ("ClientId", "UserPoolId", "ClientName")
    return {"UserPoolClients": [{name: client[name] for name in names} for client in shown], **more}


def validity_s(client: Document, token: str) -> int:
    """How long the client's AccessToken, IdToken or RefreshToken is valid."""
    unit, default_s, _, _ = _VALIDITIES[token]
    given = client.get(f"{token}Validity")
    return given * _UNIT_S[client["TokenValidityUnits"].get(token, unit)] if given else default_s


def client_secret(service: CognitoIdp, client: Document) -> str | None:
    sealed = client.get("Secret")
    return None if sealed is None else service.seal.open(sealed, client["ClientId"]).decode()


def check_secret_hash(service: CognitoIdp, client: Document, username: str, given: str | None) -> None:
    """Developer Guide, "Computing secret hash values". Raises NotAuthorizedException."""
    secret = client_secret(service, client)
    client_id = client["ClientId"]
    if secret is None:
        if given:
            raise not_authorized(f"Client {client_id} is not configured with secret but SECRET_HASH was received")
        return
    if not given:
        raise not_authorized(f"Client {client_id} is configured with secret but SECRET_HASH was not received")
    if not hmac.compare_digest(_hash(secret, username, client_id).encode(), given.encode()):
        raise not_authorized(f"SecretHash does not match for the client: {client_id}")


def secret_hash(service: CognitoIdp, client: Document, username: str) -> str | None:
    """What a caller who knows the client's secret sends with a username; None: it has none."""
    secret = client_secret(service, client)
    return None if secret is None else _hash(secret, username, client["ClientId"])


def _hash(secret: str, username: str, client_id: str) -> str:
    digest = hmac.new(secret.encode(), (username + client_id).encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


def _check(client: Document, request: Json) -> None:
    for name in ("AnalyticsConfiguration", "EnablePropagateAdditionalUserContextData"):
        if request.get(name):
            raise unsupported(f"{name} of user pool clients")
    if (request.get("RefreshTokenRotation") or {}).get("Feature") == "ENABLED":
        raise unsupported("RefreshTokenRotation of user pool clients")
    for flow in client["ExplicitAuthFlows"]:
        if flow in _UNSUPPORTED_FLOWS:
            raise unsupported(f"{flow} of user pool clients")
    for provider in client.get("SupportedIdentityProviders") or ():
        if provider != "COGNITO":
            raise unsupported(f"the identity provider {provider}")
    for token, (_, _, least, most) in _VALIDITIES.items():
        if not least <= validity_s(client, token) <= most:
            raise invalid(f"Invalid range for token validity: {token} must be valid for {least} to {most} seconds.")
    _check_oauth(client)


def _check_oauth(client: Document) -> None:
    """OAuth's settings mean nothing until the pool has a domain. Whether the scopes are there is asked elsewhere."""
    flows, scopes = client.get("AllowedOAuthFlows") or [], client.get("AllowedOAuthScopes") or []
    if "client_credentials" in flows:
        if len(flows) > 1:
            raise AwsError(
                "InvalidOAuthFlowException",
                "client_credentials flow can not be selected along with code flow or implicit flow.",
                status=400,
            )
        if "Secret" not in client:
            raise AwsError(
                "InvalidOAuthFlowException",
                "client_credentials flow can not be selected if client does not have a client secret.",
                status=400,
            )
    if client["AllowedOAuthFlowsUserPoolClient"] and not (flows and scopes):
        raise invalid(
            "AllowedOAuthFlows and AllowedOAuthScopes are required if user pool client is allowed to use OAuth flows."
        )
    for url in [*(client.get("CallbackURLs") or ()), *(client.get("LogoutURLs") or ())]:
        parts = urlsplit(url)
        if not parts.scheme or "#" in url:
            raise invalid(f"Invalid redirect URI: {url} must be absolute and have no fragment.")
        if parts.scheme == "http" and parts.hostname not in ("localhost", "127.0.0.1", "::1"):
            raise invalid(f"cannot use the HTTP protocol (except for localhost): {url}")
        if parts.scheme in ("javascript", "data", "vbscript", "file", "blob"):
            raise invalid(f"Invalid redirect URI: {url}")
    redirect = client.get("DefaultRedirectURI")
    if redirect and redirect not in (client.get("CallbackURLs") or ()):
        raise invalid("DefaultRedirectURI must be one of the callback URLs.")


def _told(service: CognitoIdp, client: Document) -> Json:
    secret = client_secret(service, client)
    told = {name: value for name, value in client.items() if name != "Secret"}
    return told if secret is None else {**told, "ClientSecret": secret}
