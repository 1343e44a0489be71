"""Resource servers: the custom scopes that a pool's clients may ask for, as "identifier/scope".

User Pools API Reference, "CreateResourceServer"; Developer Guide, "Scopes, M2M, and resource servers".
"""

from __future__ import annotations

from collections.abc import Sequence

from freehold.aws.call import Call, Json
from freehold.aws.errors import AwsError
from freehold.services.cognito_idp.record import (
    RESOURCE_SERVER,
    CognitoIdp,
    change,
    find_pool,
    invalid,
    key,
    page,
)
from freehold.state.store import Conflict, Delete, Document, Put, Stored

STANDARD_SCOPES = ("phone", "email", "openid", "profile", "aws.cognito.signin.user.admin")
_MOST_SCOPES = 100


async def create_resource_server(service: CognitoIdp, call: Call, request: Json) -> Json:
    pool_id, identifier = request["UserPoolId"], request["Identifier"]
    await find_pool(service, call, pool_id)
    server: Document = {
        "UserPoolId": pool_id,
        "Identifier": identifier,
        "Name": request["Name"],
        "Scopes": _scopes(request),
    }
    try:
        await service.store.write(Put(RESOURCE_SERVER, key(pool_id, identifier), server, 0))
    except Conflict as conflict:
        raise invalid(f"{identifier} already exists in user pool {pool_id}.") from conflict
    return {"ResourceServer": server}


async def describe_resource_server(service: CognitoIdp, call: Call, request: Json) -> Json:
    return {"ResourceServer": (await _find(service, call, request)).document}


async def update_resource_server(service: CognitoIdp, call: Call, request: Json) -> Json:
    """Scopes that the request leaves out are gone."""
    fresh = {"Name": request["Name"], "Scopes": _scopes(request)}
    server = await change(
        service, RESOURCE_SERVER, lambda: _find(service, call, request), lambda server: server.update(fresh)
    )
    return {"ResourceServer": server}


async def delete_resource_server(service: CognitoIdp, call: Call, request: Json) -> Json:
    await service.store.write(Delete(RESOURCE_SERVER, (await _find(service, call, request)).key))
    return {}


async def list_resource_servers(service: CognitoIdp, call: Call, request: Json) -> Json:
    await find_pool(service, call, request["UserPoolId"])
    stored = await service.store.list_documents(RESOURCE_SERVER, key(request["UserPoolId"], ""))
    servers = [each.document for each in stored]
    shown, more = page(servers, lambda server: str(server["Identifier"]), request, "MaxResults", "NextToken")
    return {"ResourceServers": shown, **more}


async def check_scopes(service: CognitoIdp, pool_id: str, scopes: Sequence[str]) -> None:
    """Raises ScopeDoesNotExistException."""
    for scope in scopes:
        if scope in STANDARD_SCOPES:
            continue
        identifier, _, name = scope.rpartition("/")
        stored = await service.store.read(RESOURCE_SERVER, key(pool_id, identifier)) if identifier else None
        if stored is None or name not in [each["ScopeName"] for each in stored.document["Scopes"]]:
            raise AwsError("ScopeDoesNotExistException", f"Invalid scope requested: {scope}", status=400)


def _scopes(request: Json) -> list[Json]:
    scopes = [dict(scope) for scope in request.get("Scopes") or ()]
    if len(scopes) > _MOST_SCOPES:
        raise invalid(f"A resource server can have up to {_MOST_SCOPES} scopes.")
    names = [scope["ScopeName"] for scope in scopes]
    if len(set(names)) != len(names):
        raise invalid("Scope names of a resource server must be unique.")
    return scopes


async def _find(service: CognitoIdp, call: Call, request: Json) -> Stored:
    await find_pool(service, call, request["UserPoolId"])
    found = await service.store.read(RESOURCE_SERVER, key(request["UserPoolId"], request["Identifier"]))
    if found is None:
        raise AwsError("ResourceNotFoundException", "Resource server does not exist.", status=400)
    return found
