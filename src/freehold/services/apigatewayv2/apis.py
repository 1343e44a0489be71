"""APIs: create (HTTP APIs by quick create too), read, update, delete.

API Gateway V2 API Reference, "Apis" and "Apis ApiId".
"""

from __future__ import annotations

import re

from freehold.aws.call import Call, Json
from freehold.services.apigatewayv2.integrations import new_integration
from freehold.services.apigatewayv2.record import (
    API,
    INTEGRATION,
    ROUTE,
    STAGE,
    WEBSOCKET,
    ApiGatewayV2,
    bad_request,
    changed,
    delete_parts,
    find_api,
    key,
    page,
    parts,
    picked,
    put,
)
from freehold.services.apigatewayv2.routes import new_route
from freehold.services.apigatewayv2.sockets import check_socket_api
from freehold.services.apigatewayv2.stages import new_stage
from freehold.state.store import Delete, Put, Write

_MEMBERS = (
    "ApiKeySelectionExpression",
    "CorsConfiguration",
    "Description",
    "DisableExecuteApiEndpoint",
    "DisableSchemaValidation",
    "IpAddressType",
    "Name",
    "ProtocolType",
    "RouteSelectionExpression",
    "Tags",
    "Version",
)
_UPDATABLE = tuple(member for member in _MEMBERS if member not in ("ProtocolType", "Tags"))
_QUICK = ("Target", "RouteKey", "CredentialsArn")
_ROUTE_SELECTION = "${request.method} ${request.path}"


async def create_api(gateway: ApiGatewayV2, call: Call, request: Json) -> Json:
    api = new_api(gateway, request)
    writes: list[Write] = [Put(API, key(call, api["ApiId"]), api)]
    if api["ProtocolType"] == WEBSOCKET and any(request.get(member) for member in _QUICK):
        raise bad_request("Quick create is supported only for HTTP APIs")
    if request.get("Target"):
        writes += _quick_create(gateway, call, api["ApiId"], request)
    elif "RouteKey" in request or "CredentialsArn" in request:
        raise bad_request("Target is required when RouteKey or CredentialsArn is given")
    await gateway.store.write(*writes)
    return answer(call, api)


def new_api(gateway: ApiGatewayV2, request: Json) -> Json:
    """A checked document of a new API."""
    is_socket = request["ProtocolType"] == WEBSOCKET
    api = picked(
        request,
        _MEMBERS,
        ApiId=gateway.ids.short(10),
        ApiKeySelectionExpression="$request.header.x-api-key",
        CreatedDate=gateway.clock.now_s(),
        DisableExecuteApiEndpoint=False,
        IpAddressType="ipv4",
        Tags={},
        **({} if is_socket else {"RouteSelectionExpression": "$request.method $request.path"}),
    )
    _check(gateway, api)
    return api


def _check(gateway: ApiGatewayV2, api: Json) -> None:
    if api["ProtocolType"] == WEBSOCKET:
        check_socket_api(gateway, api)
        return
    if api["RouteSelectionExpression"] not in (_ROUTE_SELECTION, "$request.method $request.path"):
        raise bad_request(
            "Only '${request.method} ${request.path}' is supported as RouteSelectionExpression of HTTP APIs"
        )
    check_cors(api.get("CorsConfiguration"))


async def get_api(gateway: ApiGatewayV2, call: Call, request: Json) -> Json:
    return answer(call, await find_api(gateway, call, request["ApiId"]))


async def get_apis(gateway: ApiGatewayV2, call: Call, request: Json) -> Json:
    stored = await gateway.store.list_documents(API, call.region + "/")
    return page([answer(call, each.document) for each in stored], request)


async def update_api(gateway: ApiGatewayV2, call: Call, request: Json) -> Json:
    api = await find_api(gateway, call, request["ApiId"])
    api = changed(api, request, _UPDATABLE)
    _check(gateway, api)
    writes: list[Write] = [Put(API, key(call, api["ApiId"]), api)]
    writes += await _change_quick_create(gateway, call, request)
    await gateway.store.write(*writes)
    return answer(call, api)


async def delete_api(gateway: ApiGatewayV2, call: Call, request: Json) -> Json:
    await find_api(gateway, call, request["ApiId"])
    writes = await delete_parts(gateway, call, request["ApiId"])
    await gateway.store.write(Delete(API, key(call, request["ApiId"])), *writes)
    return {}


async def delete_cors_configuration(gateway: ApiGatewayV2, call: Call, request: Json) -> Json:
    api = await find_api(gateway, call, request["ApiId"])
    without = {name: value for name, value in api.items() if name != "CorsConfiguration"}
    await gateway.store.write(Put(API, key(call, api["ApiId"]), without))
    return {}


def answer(call: Call, api: Json) -> Json:
    address = endpoint(call, api["ApiId"])
    if api["ProtocolType"] == WEBSOCKET:
        address = address.replace("http", "ws", 1)
    return {**api, "ApiEndpoint": address}


def endpoint(call: Call, api_id: str) -> str:
    """A URL that works for this client: AWS's own when it named us by AWS's host, and else a path below the name by
    which it reached us. Subdomains of localhost are served too, but many machines' resolvers do not know them.
    """
    if call.host.partition(":")[0].endswith(".amazonaws.com"):
        return f"https://{api_id}.execute-api.{call.region}.amazonaws.com"
    return f"{call.scheme}://{call.host}/_aws/execute-api/{api_id}"


def check_cors(cors: Json | None) -> None:
    """ "*" cannot go with credentials: API Gateway Developer Guide, "Configure CORS for HTTP APIs"."""
    if not cors:
        return
    if cors.get("AllowCredentials") and "*" in cors.get("AllowOrigins", ()):
        raise bad_request(
            "Unsupported configuration: 'allowCredentials' must be false when '*' is a value of 'allowOrigins'"
        )
    for origin in cors.get("AllowOrigins", ()):
        if origin != "*" and not re.match(r"^[a-zA-Z][a-zA-Z0-9+.-]*://", origin):
            raise bad_request(f"Invalid format for origin {origin}. Origin should be in format scheme://host:port")
    if not -1 <= cors.get("MaxAge", 0) <= 86400:
        raise bad_request("MaxAge of the CORS configuration must be between -1 and 86400 seconds")


def _quick_create(gateway: ApiGatewayV2, call: Call, api_id: str, request: Json) -> list[Write]:
    """The integration, the catch-all route and the default stage that Target asks for."""
    target = request["Target"]
    is_function = target.startswith("arn:")
    wanted = {
        "IntegrationType": "AWS_PROXY" if is_function else "HTTP_PROXY",
        "IntegrationUri": target,
        "PayloadFormatVersion": "2.0" if is_function else "1.0",
    }
    if not is_function:
        wanted["IntegrationMethod"] = "ANY"
    if "CredentialsArn" in request:
        wanted["CredentialsArn"] = request["CredentialsArn"]
    integration = {**new_integration(gateway, wanted), "ApiGatewayManaged": True}
    route_request = {
        "RouteKey": request.get("RouteKey", "$default"),
        "Target": f"integrations/{integration['IntegrationId']}",
    }
    route = {**new_route(gateway, route_request), "ApiGatewayManaged": True}
    stage, writes = new_stage(gateway, call, api_id, {"StageName": "$default", "AutoDeploy": True})
    return [
        put(call, INTEGRATION, api_id, integration["IntegrationId"], integration),
        put(call, ROUTE, api_id, route["RouteId"], route),
        put(call, STAGE, api_id, "$default", {**stage, "ApiGatewayManaged": True}),
        *writes,
    ]


async def _change_quick_create(gateway: ApiGatewayV2, call: Call, request: Json) -> list[Write]:
    writes: list[Write] = []
    api_id = request["ApiId"]
    for member, kind, id_member, field in (
        ("Target", INTEGRATION, "IntegrationId", "IntegrationUri"),
        ("RouteKey", ROUTE, "RouteId", "RouteKey"),
        ("CredentialsArn", INTEGRATION, "IntegrationId", "CredentialsArn"),
    ):
        if member not in request:
            continue
        quick = [part for part in await parts(gateway, call, kind, api_id) if part.get("ApiGatewayManaged")]
        if not quick:
            raise bad_request(f"{member} can be updated only on an API that was made by quick create")
        changed_part = {**quick[0], field: request[member]}
        gateway.check({"Integrations" if kind == INTEGRATION else "Routes": [changed_part]})
        writes.append(put(call, kind, api_id, changed_part[id_member], changed_part))
    return writes
