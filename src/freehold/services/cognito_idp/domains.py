"""Domains of user pools: under which name a pool's sign-in page and OAuth's endpoints are found (see hosted.py).

User Pools API Reference, "CreateUserPoolDomain"; Developer Guide, "Configuring a user pool domain". A custom domain
needs a certificate and a name server of its own: it is refused by name.
"""

from __future__ import annotations

import re

from freehold.aws.call import Call, Json
from freehold.services.cognito_idp.record import (
    DOMAIN,
    POOL,
    CognitoIdp,
    change,
    find_pool,
    invalid,
    unsupported,
)
from freehold.state.store import Conflict, Delete, Document, Put, Stored

HOSTED_PATH = "/_aws/cognito-idp/"  # Of our endpoint: what follows is a domain's prefix, and then AWS's path.
_PREFIX = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_RESERVED = ("aws", "amazon", "cognito")
_NONE = "No such domain or user pool exists."
_VERSIONS = (1, 2)  # The classic pages and the managed login; ours look the same in both.


async def create_user_pool_domain(service: CognitoIdp, call: Call, request: Json) -> Json:
    name = request["Domain"]
    version = _version(request)
    if not _PREFIX.fullmatch(name):
        raise invalid("Invalid domain: it may have up to 63 lower-case letters, digits, and hyphens between them.")
    for word in _RESERVED:
        if word in name:
            raise invalid(f"Domain cannot contain reserved word: {word}")
    stored = await find_pool(service, call, request["UserPoolId"])
    pool = stored.document
    if pool.get("Domain"):
        raise invalid("User pool already has a domain configured.")
    domain = {"Domain": name, "UserPoolId": pool["Id"], "ManagedLoginVersion": version}
    try:
        await service.store.write(
            Put(DOMAIN, name, domain, 0), Put(POOL, stored.key, {**pool, "Domain": name}, stored.revision)
        )
    except Conflict as conflict:
        if conflict.kind == DOMAIN:
            raise invalid("Domain already associated with another user pool.") from conflict
        raise
    return {"ManagedLoginVersion": version}


async def describe_user_pool_domain(service: CognitoIdp, call: Call, request: Json) -> Json:
    """`CloudFrontDistribution` is where the pages are here. Without such a domain, an empty description."""
    domain = await _read(service, request["Domain"])
    if domain is None:
        return {"DomainDescription": {}}
    told = {
        **domain,
        "AWSAccountId": call.account,
        "CloudFrontDistribution": f"{service.endpoint()}{HOSTED_PATH}{domain['Domain']}",
        "Status": "ACTIVE",
    }
    return {"DomainDescription": told}


async def update_user_pool_domain(service: CognitoIdp, call: Call, request: Json) -> Json:
    version = _version(request)
    await _mine(service, call, request)

    async def find() -> Stored:
        stored = await service.store.read(DOMAIN, request["Domain"])
        if stored is None:
            raise invalid(_NONE)
        return stored

    await change(service, DOMAIN, find, lambda domain: domain.update({"ManagedLoginVersion": version}))
    return {"ManagedLoginVersion": version}


async def delete_user_pool_domain(service: CognitoIdp, call: Call, request: Json) -> Json:
    domain = await _mine(service, call, request)
    stored = await find_pool(service, call, domain["UserPoolId"])
    pool = {name: value for name, value in stored.document.items() if name != "Domain"}
    await service.store.write(Delete(DOMAIN, domain["Domain"]), Put(POOL, stored.key, pool, stored.revision))
    return {}


async def pool_of_domain(service: CognitoIdp, name: str) -> Document | None:
    """None: there is no such domain."""
    domain = await _read(service, name)
    if domain is None:
        return None
    return (await find_pool(service, Call(region=""), domain["UserPoolId"])).document


async def _read(service: CognitoIdp, name: str) -> Document | None:
    stored = await service.store.read(DOMAIN, name)
    return None if stored is None else stored.document


async def _mine(service: CognitoIdp, call: Call, request: Json) -> Document:
    domain = await _read(service, request["Domain"])
    if domain is None or domain["UserPoolId"] != request["UserPoolId"]:
        raise invalid(_NONE)
    await find_pool(service, call, request["UserPoolId"])
    return domain


def _version(request: Json) -> int:
    if request.get("CustomDomainConfig"):
        raise unsupported("custom domains of user pools (CustomDomainConfig)")
    for name in ("Routing",):
        if request.get(name):
            raise unsupported(f"{name} of user pool domains")
    version = request.get("ManagedLoginVersion") or _VERSIONS[0]
    if version not in _VERSIONS:
        raise invalid("ManagedLoginVersion must be 1 or 2.")
    return int(version)
