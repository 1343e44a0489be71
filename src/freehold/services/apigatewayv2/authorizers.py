"""Authorizers: JWT of HTTP APIs, and Lambda functions (REQUEST) of HTTP and WebSocket APIs.

API Gateway V2 API Reference, "Authorizers"; Developer Guide, "Control access to HTTP APIs with ... authorizers".
"""

from __future__ import annotations

from freehold.aws.call import Call, Json
from freehold.services.apigatewayv2.record import (
    AUTHORIZER,
    ROUTE,
    STAGE,
    WEBSOCKET,
    ApiGatewayV2,
    bad_request,
    changed,
    conflict,
    find,
    find_api,
    key,
    page,
    parts,
    picked,
    put,
)
from freehold.services.apigatewayv2.sockets import check_socket_authorizer
from freehold.state.store import Delete

_MEMBERS = (
    "AuthorizerCredentialsArn",
    "AuthorizerPayloadFormatVersion",
    "AuthorizerResultTtlInSeconds",
    "AuthorizerType",
    "AuthorizerUri",
    "EnableSimpleResponses",
    "IdentitySource",
    "IdentityValidationExpression",
    "JwtConfiguration",
    "Name",
)
_TTL_MAX_S = 3600


async def create_authorizer(gateway: ApiGatewayV2, call: Call, request: Json) -> Json:
    api = await find_api(gateway, call, request["ApiId"])
    authorizer = new_authorizer(gateway, request, api["ProtocolType"])
    for other in await parts(gateway, call, AUTHORIZER, request["ApiId"]):
        if other["Name"] == authorizer["Name"]:
            raise bad_request(f"Authorizer name must be unique. Authorizer {authorizer['Name']} already exists")
    await gateway.store.write(put(call, AUTHORIZER, request["ApiId"], authorizer["AuthorizerId"], authorizer))
    return authorizer


def new_authorizer(gateway: ApiGatewayV2, request: Json, protocol: str = "HTTP") -> Json:
    """A checked document of a new authorizer. Without a TTL, results are not cached."""
    authorizer = picked(request, _MEMBERS, AuthorizerId=gateway.ids.short(6), IdentitySource=[])
    _check(gateway, authorizer, protocol)
    return authorizer


async def get_authorizer(gateway: ApiGatewayV2, call: Call, request: Json) -> Json:
    return await find(gateway, call, AUTHORIZER, request["ApiId"], request["AuthorizerId"])


async def get_authorizers(gateway: ApiGatewayV2, call: Call, request: Json) -> Json:
    await find_api(gateway, call, request["ApiId"])
    return page(await parts(gateway, call, AUTHORIZER, request["ApiId"]), request)


async def update_authorizer(gateway: ApiGatewayV2, call: Call, request: Json) -> Json:
    api = await find_api(gateway, call, request["ApiId"])
    authorizer = await find(gateway, call, AUTHORIZER, request["ApiId"], request["AuthorizerId"])
    authorizer = changed(authorizer, request, _MEMBERS)
    _check(gateway, authorizer, api["ProtocolType"])
    await gateway.store.write(put(call, AUTHORIZER, request["ApiId"], request["AuthorizerId"], authorizer))
    return authorizer


async def delete_authorizer(gateway: ApiGatewayV2, call: Call, request: Json) -> Json:
    authorizer_id = request["AuthorizerId"]
    await find(gateway, call, AUTHORIZER, request["ApiId"], authorizer_id)
    for route in await parts(gateway, call, ROUTE, request["ApiId"]):
        if route.get("AuthorizerId") == authorizer_id:
            raise conflict(f"Cannot delete authorizer {authorizer_id}, it is used by the route {route['RouteKey']}")
    await gateway.store.write(Delete(AUTHORIZER, key(call, request["ApiId"], authorizer_id)))
    return {}


async def reset_authorizers_cache(gateway: ApiGatewayV2, call: Call, request: Json) -> Json:
    """Writing the stage again makes the gateway compile it again, and a fresh copy has an empty cache."""
    stage = await find(gateway, call, STAGE, request["ApiId"], request["StageName"])
    await gateway.store.write(put(call, STAGE, request["ApiId"], stage["StageName"], stage))
    return {}


def _check(gateway: ApiGatewayV2, authorizer: Json, protocol: str) -> None:
    if protocol == WEBSOCKET:
        check_socket_authorizer(gateway, authorizer)
        return
    kind = authorizer["AuthorizerType"]
    if kind == "JWT":
        jwt = authorizer.get("JwtConfiguration") or {}
        if not jwt.get("Issuer"):
            raise bad_request("JwtConfiguration.Issuer is required for authorizers of type JWT")
        if not jwt.get("Audience"):
            raise bad_request("JwtConfiguration.Audience is required for authorizers of type JWT")
        if len(authorizer["IdentitySource"]) != 1:
            raise bad_request("An authorizer of type JWT needs exactly one identity source")
    elif kind == "REQUEST":
        if not authorizer.get("AuthorizerUri"):
            raise bad_request("AuthorizerUri is required for authorizers of type REQUEST")
        version = authorizer.get("AuthorizerPayloadFormatVersion")
        if version not in ("1.0", "2.0"):
            raise bad_request("AuthorizerPayloadFormatVersion is a required parameter for REQUEST authorizer")
        if authorizer.get("EnableSimpleResponses") and version != "2.0":
            raise bad_request("EnableSimpleResponses is supported only with AuthorizerPayloadFormatVersion 2.0")
        if authorizer.get("AuthorizerResultTtlInSeconds") and not authorizer["IdentitySource"]:
            raise bad_request("IdentitySource is required when caching of authorizer results is enabled")
    else:
        raise bad_request("AuthorizerType must be JWT or REQUEST")
    if not 0 <= authorizer.get("AuthorizerResultTtlInSeconds", 0) <= _TTL_MAX_S:
        raise bad_request(f"AuthorizerResultTtlInSeconds must be between 0 and {_TTL_MAX_S}")
    gateway.check({"Authorizers": [authorizer]})
