"""Routes: a route key, who may use it, and the integration that answers.

API Gateway V2 API Reference, "Routes" and "Route"; Developer Guide, "Create routes for HTTP APIs".
"""

from __future__ import annotations

import re

from freehold.aws.call import Call, Json
from freehold.services.apigatewayv2.record import (
    AUTHORIZER,
    INTEGRATION,
    ROUTE,
    ROUTE_RESPONSE,
    WEBSOCKET,
    ApiGatewayV2,
    bad_request,
    changed,
    conflict,
    delete_parts,
    find,
    find_api,
    key,
    page,
    parts,
    picked,
    put,
)
from freehold.services.apigatewayv2.sockets import check_socket_route
from freehold.state.store import Delete

_MEMBERS = (
    "ApiKeyRequired",
    "AuthorizationScopes",
    "AuthorizationType",
    "AuthorizerId",
    "ModelSelectionExpression",
    "OperationName",
    "RequestModels",
    "RequestParameters",
    "RouteKey",
    "RouteResponseSelectionExpression",
    "Target",
)
_OF_WEBSOCKET_APIS = (
    "ApiKeyRequired",
    "ModelSelectionExpression",
    "RequestModels",
    "RequestParameters",
    "RouteResponseSelectionExpression",
)
_AUTHORIZER_TYPE = {"JWT": "JWT", "CUSTOM": "REQUEST"}
_ROUTE_KEY = re.compile(r"^(GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS|ANY) (/\S*)$")
_VARIABLE = re.compile(r"^\{[a-zA-Z0-9._:-]+\+?\}$")


async def create_route(gateway: ApiGatewayV2, call: Call, request: Json) -> Json:
    api_id = request["ApiId"]
    api = await find_api(gateway, call, api_id)
    route = new_route(gateway, request, api["ProtocolType"])
    await _check_neighbours(gateway, call, api_id, route)
    await gateway.store.write(put(call, ROUTE, api_id, route["RouteId"], route))
    return route


def new_route(gateway: ApiGatewayV2, request: Json, protocol: str = "HTTP") -> Json:
    """A checked document of a new route. What it points to is not looked up."""
    route = picked(request, _MEMBERS, ApiKeyRequired=False, AuthorizationType="NONE", RouteId=gateway.ids.short(7))
    _check(gateway, route, protocol)
    return route


async def get_route(gateway: ApiGatewayV2, call: Call, request: Json) -> Json:
    return await find(gateway, call, ROUTE, request["ApiId"], request["RouteId"])


async def get_routes(gateway: ApiGatewayV2, call: Call, request: Json) -> Json:
    await find_api(gateway, call, request["ApiId"])
    return page(await parts(gateway, call, ROUTE, request["ApiId"]), request)


async def update_route(gateway: ApiGatewayV2, call: Call, request: Json) -> Json:
    api = await find_api(gateway, call, request["ApiId"])
    route = await find(gateway, call, ROUTE, request["ApiId"], request["RouteId"])
    route = changed(route, request, _MEMBERS)
    if route["AuthorizationType"] == "NONE":
        route = {name: value for name, value in route.items() if name not in ("AuthorizerId", "AuthorizationScopes")}
    _check(gateway, route, api["ProtocolType"])
    await _check_neighbours(gateway, call, request["ApiId"], route)
    await gateway.store.write(put(call, ROUTE, request["ApiId"], request["RouteId"], route))
    return route


async def delete_route(gateway: ApiGatewayV2, call: Call, request: Json) -> Json:
    await find(gateway, call, ROUTE, request["ApiId"], request["RouteId"])
    responses = await delete_parts(gateway, call, request["ApiId"], request["RouteId"], kinds=(ROUTE_RESPONSE,))
    await gateway.store.write(Delete(ROUTE, key(call, request["ApiId"], request["RouteId"])), *responses)
    return {}


def _check(gateway: ApiGatewayV2, route: Json, protocol: str) -> None:
    if protocol == WEBSOCKET:
        check_socket_route(gateway, route)
        return
    check_route_key(route["RouteKey"])
    for member in _OF_WEBSOCKET_APIS:
        if route.get(member):
            raise bad_request(f"{member} is not supported for HTTP APIs")
    kind = route["AuthorizationType"]
    if kind not in ("NONE", "JWT", "CUSTOM", "AWS_IAM"):
        raise bad_request("Invalid AuthorizationType. Must be one of NONE, AWS_IAM, CUSTOM or JWT")
    if kind in _AUTHORIZER_TYPE and not route.get("AuthorizerId"):
        raise bad_request(f"AuthorizerId is required when AuthorizationType is {kind}")
    if kind not in _AUTHORIZER_TYPE and route.get("AuthorizerId"):
        raise bad_request(f"AuthorizerId cannot be given when AuthorizationType is {kind}")
    if route.get("AuthorizationScopes") and kind != "JWT":
        raise bad_request("AuthorizationScopes are supported only with AuthorizationType JWT")
    gateway.check({"Routes": [route]})


def check_route_key(route_key: str) -> None:
    """A greedy variable comes last, and a variable fills its whole segment."""
    if route_key == "$default":
        return
    match = _ROUTE_KEY.match(route_key)
    if match is None:
        raise bad_request(
            "The provided route key is not formatted properly for HTTP protocol. "
            'Format should be "<HTTP METHOD> /<RESOURCE PATH>" or "$default"'
        )
    segments = match[2].split("/")[1:]
    for index, segment in enumerate(segments):
        if ("{" in segment or "}" in segment) and not _VARIABLE.match(segment):
            raise bad_request(f"Invalid path segment {segment} in the route key {route_key}")
        if segment.endswith("+}") and index != len(segments) - 1:
            raise bad_request(f"A greedy path variable must be the last segment of the route key {route_key}")


async def _check_neighbours(gateway: ApiGatewayV2, call: Call, api_id: str, route: Json) -> None:
    """Its key is its own, and what it points to is there."""
    for other in await parts(gateway, call, ROUTE, api_id):
        if other["RouteKey"] == route["RouteKey"] and other["RouteId"] != route["RouteId"]:
            raise conflict(f"Route with key {route['RouteKey']} already exists for this API")
    target = route.get("Target")
    if target:
        folder, _, integration_id = target.partition("/")
        if folder != "integrations":
            raise bad_request(f"Invalid target {target}: it must be integrations/<integration id>")
        await find(gateway, call, INTEGRATION, api_id, integration_id)
    if route.get("AuthorizerId"):
        authorizer = await find(gateway, call, AUTHORIZER, api_id, route["AuthorizerId"])
        if authorizer["AuthorizerType"] != _AUTHORIZER_TYPE[route["AuthorizationType"]]:
            raise bad_request(
                f"AuthorizationType {route['AuthorizationType']} does not fit the authorizer {route['AuthorizerId']}, "
                f"which is of type {authorizer['AuthorizerType']}"
            )
