"""`websocket` events: one WebSocket API with a route an event. Serverless Framework documentation, "Websocket"."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any

from freehold.aws.call import Json
from freehold.templates.serverless import names
from freehold.templates.serverless.compile.compilation import REGION, SUFFIX, Compilation, join, ref, resource, sub
from freehold.templates.serverless.compile.http_api_authorizers import invocation_uri
from freehold.templates.serverless.service import Event, Function

_DEFAULT_DESCRIPTION = "Serverless Websockets"
_DEFAULT_SOURCE = ["route.request.header.Auth"]
_LOG_FORMAT = (
    "$context.identity.sourceIp $context.identity.caller $context.identity.user [$context.requestTime] "
    '"$context.eventType $context.routeKey $context.connectionId" $context.requestId'
)


@dataclass(frozen=True, slots=True)
class _Authorizer:
    name: str
    target: Any  # The ARN to call.
    function: Function | None  # When it is one of this service.
    source: list[str]

    @property
    def logical_id(self) -> str:
        return f"{names.resource(self.name)}WebsocketsAuthorizer"


@dataclass(frozen=True, slots=True)
class _Route:
    key: str
    function: Function
    answers: str | None  # routeResponseSelectionExpression.
    authorizer: _Authorizer | None

    @property
    def logical_id(self) -> str:
        return names.websockets_route(self.key)

    @property
    def integration(self) -> str:
        return f"{names.resource(self.function.key)}WebsocketsIntegration"


def compile_events(compilation: Compilation) -> None:
    routes = _read_routes(compilation)
    if not routes:
        return
    external = (compilation.provider.get("apiGateway") or {}).get("websocketApiId")
    api_id = external or ref(names.WEBSOCKETS_API)
    if not external:
        _compile_api(compilation)
    for route in routes:
        _compile_route(compilation, route, api_id)
    if not external:
        _compile_stage(compilation, api_id)
    _compile_deployment(compilation, routes, api_id, external)


def _read_routes(compilation: Compilation) -> list[_Route]:
    routes: dict[str, _Route] = {}
    for function in compilation.functions:
        for event in function.of_kind("websocket"):
            settings: Json = event.settings if isinstance(event.settings, dict) else {"route": str(event.settings)}
            if not settings.get("route"):
                raise compilation.wrong_event(function, event.position, "A websocket event needs a route.")
            route = _Route(
                str(settings["route"]),
                function,
                settings.get("routeResponseSelectionExpression"),
                _read_authorizer(compilation, function, event, settings.get("authorizer")),
            )
            other = routes.setdefault(route.key, route)
            if other is not route:
                raise compilation.wrong_event(
                    function,
                    event.position,
                    f'The functions "{other.function.key}" and "{function.key}" are both on the route {route.key}.',
                )
    return list(routes.values())


def _read_authorizer(compilation: Compilation, function: Function, event: Event, given: Any) -> _Authorizer | None:
    if not given:
        return None
    settings: Json = given if isinstance(given, dict) else {"arn" if ":" in str(given) else "name": str(given)}
    source = settings.get("identitySource") or _DEFAULT_SOURCE
    arn = settings.get("arn")
    if arn:
        name = settings.get("name") or names.last_of_intrinsic(arn, separator=":")
        return _Authorizer(str(name), arn, None, source)
    if not settings.get("name"):
        raise compilation.wrong_event(function, event.position, "An authorizer needs a name (of a function) or an arn.")
    key = str(settings["name"])
    authorizer = compilation.function(key, "functions", function.key, "events", event.position)
    return _Authorizer(key, compilation.target(key), authorizer, source)


def _compile_api(compilation: Compilation) -> None:
    provider, service = compilation.provider, compilation.service
    tagged = provider.get("tags") and (provider.get("websocket") or {}).get("useProviderTags")
    compilation.resources[names.WEBSOCKETS_API] = resource(
        "AWS::ApiGatewayV2::Api",
        {
            "Name": provider.get("websocketsApiName") or f"{service.stage}-{service.name}-websockets",
            "RouteSelectionExpression": provider.get("websocketsApiRouteSelectionExpression") or "$request.body.action",
            "Description": provider.get("websocketsDescription") or _DEFAULT_DESCRIPTION,
            "ProtocolType": "WEBSOCKET",
            "Tags": dict(provider["tags"]) if tagged else None,
        },
    )
    connections = sub("arn:${AWS::Partition}:execute-api:*:*:*/@connections/*")
    compilation.allow(["execute-api:ManageConnections"], [connections])


def _compile_route(compilation: Compilation, route: _Route, api_id: Any) -> None:
    key, resources = route.function.key, compilation.resources
    target = compilation.target(key)
    alias = compilation.alias_id(key)
    resources[route.integration] = resource(
        "AWS::ApiGatewayV2::Integration",
        {"ApiId": api_id, "IntegrationType": "AWS_PROXY", "IntegrationUri": invocation_uri(target)},
        DependsOn=alias,
    )
    api = [api_id["Ref"]] if isinstance(api_id, dict) and "Ref" in api_id else []
    permission = compilation.permission(key, "apigateway.amazonaws.com")
    permission["DependsOn"] = [*api, alias or route.function.logical_id]
    resources[names.permission(key, "Websockets")] = permission
    protection: Json = {"AuthorizationType": "NONE"}
    if route.authorizer is not None:
        _compile_authorizer(compilation, route.authorizer, api_id, api)
        protection = {"AuthorizationType": "CUSTOM", "AuthorizerId": ref(route.authorizer.logical_id)}
    resources[route.logical_id] = resource(
        "AWS::ApiGatewayV2::Route",
        {
            "ApiId": api_id,
            "RouteKey": route.key,
            **protection,
            "Target": {"Fn::Join": ["/", ["integrations", ref(route.integration)]]},
            "RouteResponseSelectionExpression": route.answers,
        },
    )
    if route.answers:
        resources[f"{route.logical_id}Response"] = resource(
            "AWS::ApiGatewayV2::RouteResponse",
            {"ApiId": api_id, "RouteId": ref(route.logical_id), "RouteResponseKey": "$default"},
        )


def _compile_authorizer(compilation: Compilation, authorizer: _Authorizer, api_id: Any, api: list[str]) -> None:
    alias = compilation.alias_id(authorizer.function.key) if authorizer.function else None
    compilation.resources[authorizer.logical_id] = resource(
        "AWS::ApiGatewayV2::Authorizer",
        {
            "ApiId": api_id,
            "Name": authorizer.name,
            "AuthorizerType": "REQUEST",
            "AuthorizerUri": invocation_uri(authorizer.target),
            "IdentitySource": authorizer.source,
        },
        DependsOn=alias,
    )
    waits = [*api, *([authorizer.function.logical_id] if authorizer.function else []), *([alias] if alias else [])]
    compilation.resources[names.permission(authorizer.name, "Websockets")] = resource(
        "AWS::Lambda::Permission",
        {
            "Action": "lambda:InvokeFunction",
            "Principal": "apigateway.amazonaws.com",
            "FunctionName": authorizer.target,
        },
        DependsOn=waits,
    )


def _compile_stage(compilation: Compilation, api_id: Any) -> None:
    provider, service = compilation.provider, compilation.service
    properties: Json = {
        "ApiId": api_id,
        "StageName": service.stage,
        "Description": provider.get("websocketsDescription") or _DEFAULT_DESCRIPTION,
    }
    logs = (provider.get("logs") or {}).get("websocket")
    if logs:
        options: Json = logs if isinstance(logs, dict) else {}
        level = "OFF" if options.get("executionLogging") is False else options.get("level") or "INFO"
        full = options.get("fullExecutionData")
        properties["DefaultRouteSettings"] = {"DataTraceEnabled": full is None or full, "LoggingLevel": level}
        if options.get("accessLogging") is not False:
            arn = "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:"
            properties["AccessLogSettings"] = {
                "DestinationArn": sub(f"{arn}${{{names.WEBSOCKETS_LOG_GROUP}}}"),
                "Format": options.get("format") or _LOG_FORMAT,
            }
        compilation.resources[names.WEBSOCKETS_LOG_GROUP] = compilation.log_group(
            f"/aws/websocket/{service.name}-{service.stage}"
        )
    compilation.resources[names.WEBSOCKETS_STAGE] = resource("AWS::ApiGatewayV2::Stage", properties)


def _compile_deployment(compilation: Compilation, routes: list[_Route], api_id: Any, external: Any) -> None:
    waits = []
    for route in routes:
        waits += [f"{route.logical_id}Response"] if route.answers else []
        waits.append(route.logical_id)
    parts = [compilation.resources[each] for each in waits]
    parts += [compilation.resources[route.integration] for route in routes]
    digest = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
    logical_id = f"WebsocketsDeployment{re.sub('[^0-9a-zA-Z]', '', digest)[:43]}"
    provider = compilation.provider
    compilation.resources[logical_id] = resource(
        "AWS::ApiGatewayV2::Deployment",
        {
            "ApiId": api_id,
            "Description": provider.get("websocketsDescription") or _DEFAULT_DESCRIPTION,
            "StageName": compilation.service.stage if external else None,
        },
        DependsOn=waits,
    )
    url = join("wss://", api_id, ".execute-api.", REGION, ".", SUFFIX, f"/{compilation.service.stage}")
    compilation.outputs["ServiceEndpointWebsocket"] = {"Description": "URL of the service endpoint", "Value": url}
    if not external:
        compilation.resources[names.WEBSOCKETS_STAGE]["Properties"]["DeploymentId"] = ref(logical_id)
