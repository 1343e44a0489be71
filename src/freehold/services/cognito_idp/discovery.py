"""What the world may know of a pool: OpenID Connect discovery and the public keys.

OpenID Connect Discovery 1.0; Developer Guide, "Verifying JSON web tokens". One decision to know: the issuer is AWS's
address, which templates and tokens name. Our own gateway is answered from here when it asks for it, without a network;
others find the same documents at our endpoint, under the pool's id.
"""

from __future__ import annotations

import re

import orjson

from freehold.aws.call import Call, Json
from freehold.services.cognito_idp.domains import HOSTED_PATH
from freehold.services.cognito_idp.keys import NoKey
from freehold.services.cognito_idp.record import CognitoIdp, find_pool, issuer, key, pool_region
from freehold.state.store import Document

_PATH = re.compile(
    r"/(?P<pool>(?P<region>[a-z]{2}(?:-[a-z]+)+-\d)_[0-9a-zA-Z]+)/\.well-known/(?P<what>openid-configuration|jwks\.json)"
)


async def find(service: CognitoIdp, path: str, start: str) -> bytes | None:
    """The document at a path like "/us-east-1_a1b2c3d4e/.well-known/jwks.json"; None when there is no such pool.
    `start`: what addresses in it begin with, as the client names us: "http://127.0.0.1:4566"."""
    match = _PATH.fullmatch(path)
    if match is None:
        return None
    try:
        keys = await service.keys.jwks(key(match["pool"]))
    except NoKey:
        return None
    if match["what"] == "jwks.json":
        return orjson.dumps(keys)
    pool = (await find_pool(service, Call(region=""), match["pool"])).document
    return orjson.dumps({**_configuration(match["pool"], start), **_endpoints(pool, start)})


async def find_own(service: CognitoIdp, url: str) -> bytes | None:
    """The document at AWS's own address of a pool of ours; None for any other address."""
    scheme, _, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    match = _PATH.fullmatch(slash + path)
    if scheme != "https" or match is None or host != f"cognito-idp.{match['region']}.amazonaws.com":
        return None
    return await find(service, slash + path, f"https://{host}")


def _endpoints(pool: Document, start: str) -> Json:
    """Of a pool with a domain."""
    if not pool.get("Domain"):
        return {}
    home = f"{start}{HOSTED_PATH}{pool['Domain']}"
    if start.endswith(".amazonaws.com"):
        home = f"https://{pool['Domain']}.auth.{pool_region(pool['Id'])}.amazoncognito.com"
    return {
        "authorization_endpoint": f"{home}/oauth2/authorize",
        "end_session_endpoint": f"{home}/logout",
        "revocation_endpoint": f"{home}/oauth2/revoke",
        "token_endpoint": f"{home}/oauth2/token",
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "userinfo_endpoint": f"{home}/oauth2/userInfo",
    }


def _configuration(pool_id: str, start: str) -> Json:
    return {
        "id_token_signing_alg_values_supported": ["RS256"],
        "issuer": issuer(pool_id),
        "jwks_uri": f"{start}/{pool_id}/.well-known/jwks.json",
        "response_types_supported": ["code", "token"],
        "scopes_supported": ["openid", "email", "phone", "profile"],
        "subject_types_supported": ["public"],
    }
