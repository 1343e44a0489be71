"""Integration responses of WebSocket APIs: what a client is told of an integration's answer.

API Gateway V2 API Reference, "IntegrationResponses"; Developer Guide, "Set up WebSocket API integration responses".
"""

from __future__ import annotations

from freehold.aws.call import Call, Json
from freehold.services.apigatewayv2.record import (
    INTEGRATION,
    INTEGRATION_RESPONSE,
    WEBSOCKET,
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
from freehold.services.apigatewayv2.sockets import check_conversion
from freehold.state.store import Delete

_MEMBERS = (
    "ContentHandlingStrategy",
    "IntegrationResponseKey",
    "ResponseParameters",
    "ResponseTemplates",
    "TemplateSelectionExpression",
)


async def create_integration_response(gateway: ApiGatewayV2, call: Call, request: Json) -> Json:
    await require_socket_api(gateway, call, request["ApiId"])
    await find(gateway, call, INTEGRATION, request["ApiId"], request["IntegrationId"])
    response = picked(request, _MEMBERS, IntegrationResponseId=gateway.ids.short(7))
    _check(gateway, response)
    for other in await parts_of(gateway, call, INTEGRATION_RESPONSE, request["ApiId"], request["IntegrationId"]):
        if other["IntegrationResponseKey"] == response["IntegrationResponseKey"]:
            raise conflict(f"Integration response with key {response['IntegrationResponseKey']} already exists")
    part_id = f"{request['IntegrationId']}/{response['IntegrationResponseId']}"
    await gateway.store.write(put(call, INTEGRATION_RESPONSE, request["ApiId"], part_id, response))
    return response


async def get_integration_response(gateway: ApiGatewayV2, call: Call, request: Json) -> Json:
    return await find(gateway, call, INTEGRATION_RESPONSE, request["ApiId"], _part_id(request))


async def get_integration_responses(gateway: ApiGatewayV2, call: Call, request: Json) -> Json:
    await find(gateway, call, INTEGRATION, request["ApiId"], request["IntegrationId"])
    found = await parts_of(gateway, call, INTEGRATION_RESPONSE, request["ApiId"], request["IntegrationId"])
    return page(found, request)


async def update_integration_response(gateway: ApiGatewayV2, call: Call, request: Json) -> Json:
    response = await get_integration_response(gateway, call, request)
    response = changed(response, request, _MEMBERS)
    _check(gateway, response)
    await gateway.store.write(put(call, INTEGRATION_RESPONSE, request["ApiId"], _part_id(request), response))
    return response


async def delete_integration_response(gateway: ApiGatewayV2, call: Call, request: Json) -> Json:
    await get_integration_response(gateway, call, request)
    await gateway.store.write(Delete(INTEGRATION_RESPONSE, key(call, request["ApiId"], _part_id(request))))
    return {}


def _part_id(request: Json) -> str:
    return f"{request['IntegrationId']}/{request['IntegrationResponseId']}"


def _check(gateway: ApiGatewayV2, response: Json) -> None:
    response_key = response["IntegrationResponseKey"]
    is_pattern = len(response_key) > 1 and response_key.startswith("/") and response_key.endswith("/")
    if response_key != "$default" and not is_pattern:
        raise bad_request(f"Invalid integration response key {response_key}: it must be $default or /pattern/")
    if response.get("ResponseParameters"):
        raise bad_request("Freehold does not support ResponseParameters of integration responses yet.")
    check_conversion(response)
    gateway.check({"ProtocolType": WEBSOCKET, "IntegrationResponses": [response]})
