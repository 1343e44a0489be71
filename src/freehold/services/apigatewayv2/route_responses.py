"""Route responses of WebSocket APIs: with one, a route answers its messages.

API Gateway V2 API Reference, "RouteResponses"; Developer Guide, "Set up route responses for WebSocket APIs".
"""

from __future__ import annotations

from freehold.aws.call import Call, Json
from freehold.services.apigatewayv2.record import (
    ROUTE,
    ROUTE_RESPONSE,
    ApiGatewayV2,
    bad_request,
    changed,
    conflict,
    find,
    key,
    page,
    parts_of,
    picked,
    put,
    require_socket_api,
)
from freehold.state.store import Delete

_MEMBERS = ("ModelSelectionExpression", "ResponseModels", "ResponseParameters", "RouteResponseKey")


async def create_route_response(gateway: ApiGatewayV2, call: Call, request: Json) -> Json:
    await require_socket_api(gateway, call, request["ApiId"])
    await find(gateway, call, ROUTE, request["ApiId"], request["RouteId"])
    response = picked(request, _MEMBERS, RouteResponseId=gateway.ids.short(7))
    _check(response)
    if await parts_of(gateway, call, ROUTE_RESPONSE, request["ApiId"], request["RouteId"]):
        raise conflict(f"Route response with key {response['RouteResponseKey']} already exists")
    part_id = f"{request['RouteId']}/{response['RouteResponseId']}"
    await gateway.store.write(put(call, ROUTE_RESPONSE, request["ApiId"], part_id, response))
    return response


async def get_route_response(gateway: ApiGatewayV2, call: Call, request: Json) -> Json:
    return await find(gateway, call, ROUTE_RESPONSE, request["ApiId"], _part_id(request))


async def get_route_responses(gateway: ApiGatewayV2, call: Call, request: Json) -> Json:
    await find(gateway, call, ROUTE, request["ApiId"], request["RouteId"])
    return page(await parts_of(gateway, call, ROUTE_RESPONSE, request["ApiId"], request["RouteId"]), request)


async def update_route_response(gateway: ApiGatewayV2, call: Call, request: Json) -> Json:
    response = changed(await get_route_response(gateway, call, request), request, _MEMBERS)
    _check(response)
    await gateway.store.write(put(call, ROUTE_RESPONSE, request["ApiId"], _part_id(request), response))
    return response


async def delete_route_response(gateway: ApiGatewayV2, call: Call, request: Json) -> Json:
    await get_route_response(gateway, call, request)
    await gateway.store.write(Delete(ROUTE_RESPONSE, key(call, request["ApiId"], _part_id(request))))
    return {}


def _part_id(request: Json) -> str:
    return f"{request['RouteId']}/{request['RouteResponseId']}"


def _check(response: Json) -> None:
    """Models of responses are for generated SDKs: nothing is held to them, on AWS neither."""
    if response["RouteResponseKey"] != "$default":
        raise bad_request("RouteResponseKey can only be $default")
    if response.get("ResponseParameters"):
        raise bad_request("Freehold does not support ResponseParameters of route responses yet.")
