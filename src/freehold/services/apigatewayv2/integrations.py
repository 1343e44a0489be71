"""Integrations: what a route calls.

API Gateway V2 API Reference, "Integrations" and "Integration". What the gateway cannot call is refused at creation.
"""

from __future__ import annotations

from freehold.aws.call import Call, Json
from freehold.services.apigatewayv2.record import (
    INTEGRATION,
    INTEGRATION_RESPONSE,
    ROUTE,
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
from freehold.services.apigatewayv2.sockets import SOCKET_TIMEOUT_MAX_MS, check_socket_integration
from freehold.state.store import Delete

TIMEOUT_MIN_MS = 50
TIMEOUT_MAX_MS = 30_000  # HTTP APIs; also the default.

_MEMBERS = (
    "ConnectionId",
    "ConnectionType",
    "CredentialsArn",
    "Description",
    "IntegrationMethod",
    "IntegrationSubtype",
    "IntegrationType",
    "IntegrationUri",
    "PassthroughBehavior",
    "PayloadFormatVersion",
    "RequestParameters",
    "RequestTemplates",
    "ResponseParameters",
    "TemplateSelectionExpression",
    "ContentHandlingStrategy",
    "TimeoutInMillis",
    "TlsConfig",
)
_MERGED = ("RequestParameters", "ResponseParameters")  # Parameter by parameter when an integration is updated.
_OF_WEBSOCKET_APIS = (
    "PassthroughBehavior",
    "RequestTemplates",
    "TemplateSelectionExpression",
    "ContentHandlingStrategy",
)


async def create_integration(gateway: ApiGatewayV2, call: Call, request: Json) -> Json:
    api = await find_api(gateway, call, request["ApiId"])
    integration = new_integration(gateway, request, api["ProtocolType"])
    await gateway.store.write(put(call, INTEGRATION, request["ApiId"], integration["IntegrationId"], integration))
    return integration


def new_integration(gateway: ApiGatewayV2, request: Json, protocol: str = "HTTP") -> Json:
    """A checked document of a new integration."""
    integration = picked(
        request,
        _MEMBERS,
        ConnectionType="INTERNET",
        IntegrationId=gateway.ids.short(7),
        PayloadFormatVersion="1.0",
        TimeoutInMillis=SOCKET_TIMEOUT_MAX_MS if protocol == WEBSOCKET else TIMEOUT_MAX_MS,
    )
    if integration["IntegrationType"] == "AWS_PROXY" and "IntegrationSubtype" not in integration:
        integration.setdefault("IntegrationMethod", "POST")
    _check(gateway, integration, protocol)
    return integration


async def get_integration(gateway: ApiGatewayV2, call: Call, request: Json) -> Json:
    return await find(gateway, call, INTEGRATION, request["ApiId"], request["IntegrationId"])


async def get_integrations(gateway: ApiGatewayV2, call: Call, request: Json) -> Json:
    await find_api(gateway, call, request["ApiId"])
    return page(await parts(gateway, call, INTEGRATION, request["ApiId"]), request)


async def update_integration(gateway: ApiGatewayV2, call: Call, request: Json) -> Json:
    api = await find_api(gateway, call, request["ApiId"])
    integration = await find(gateway, call, INTEGRATION, request["ApiId"], request["IntegrationId"])
    merged = {name: _merged(integration.get(name), request[name]) for name in _MERGED if name in request}
    integration = {**changed(integration, request, _MEMBERS), **merged}
    _check(gateway, integration, api["ProtocolType"])
    await gateway.store.write(put(call, INTEGRATION, request["ApiId"], request["IntegrationId"], integration))
    return integration


def _merged(old: Json | None, new: Json) -> Json:
    """What the request does not name stays; an empty value takes a parameter away."""
    return {name: value for name, value in {**(old or {}), **new}.items() if value not in ("", {})}


async def delete_integration(gateway: ApiGatewayV2, call: Call, request: Json) -> Json:
    integration_id = request["IntegrationId"]
    await find(gateway, call, INTEGRATION, request["ApiId"], integration_id)
    for route in await parts(gateway, call, ROUTE, request["ApiId"]):
        if route.get("Target") == f"integrations/{integration_id}":
            raise conflict(
                f"Cannot delete Integration '{integration_id}' as it is referenced by Route '{route['RouteId']}'"
            )
    responses = await delete_parts(gateway, call, request["ApiId"], integration_id, kinds=(INTEGRATION_RESPONSE,))
    await gateway.store.write(Delete(INTEGRATION, key(call, request["ApiId"], integration_id)), *responses)
    return {}


def _check(gateway: ApiGatewayV2, integration: Json, protocol: str) -> None:
    if protocol == WEBSOCKET:
        check_socket_integration(gateway, integration)
        return
    timeout_ms = integration["TimeoutInMillis"]
    if not TIMEOUT_MIN_MS <= timeout_ms <= TIMEOUT_MAX_MS:
        raise bad_request(f"Timeout should be between {TIMEOUT_MIN_MS} ms and {TIMEOUT_MAX_MS} ms")
    for member in _OF_WEBSOCKET_APIS:
        if integration.get(member):
            raise bad_request(f"{member} is not supported for HTTP APIs")
    if integration["IntegrationType"] in ("AWS", "HTTP", "MOCK"):
        raise bad_request(f"{integration['IntegrationType']} integrations are not supported for HTTP APIs")
    if integration["PayloadFormatVersion"] not in ("1.0", "2.0"):
        raise bad_request("PayloadFormatVersion must be 1.0 or 2.0")
    if integration["PayloadFormatVersion"] == "2.0" and (
        integration["IntegrationType"] != "AWS_PROXY" or "IntegrationSubtype" in integration
    ):
        raise bad_request("PayloadFormatVersion 2.0 is supported only for integrations with a Lambda function")
    if not integration.get("IntegrationUri") and "IntegrationSubtype" not in integration:
        raise bad_request("IntegrationUri is required")
    gateway.check({"Integrations": [integration]})
