"""`httpApi` events: one HTTP API with a route an event and an integration a function.

Serverless Framework documentation, "HTTP API". The limits named in warnings: API Gateway Developer Guide, "HTTP API
quotas".
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from freehold.aws.call import Json
from freehold.templates.errors import TemplateError
from freehold.templates.serverless import names
from freehold.templates.serverless.compile.compilation import (
    ACCOUNT,
    PARTITION,
    REGION,
    SUFFIX,
    Compilation,
    get_att,
    join,
    present,
    ref,
    resource,
)
from freehold.templates.serverless.compile.http_api_authorizers import compile_authorizers
from freehold.templates.serverless.service import Event, Function

METHODS = ("GET", "POST", "PUT", "PATCH", "OPTIONS", "HEAD", "DELETE")
_SHORT = re.compile(rf"^(?:\*|({'|'.join(('ANY', *METHODS))}|\*) (/\S*))$", re.IGNORECASE)
_DEFAULT_HEADERS = [
    "Content-Type",
    "X-Amz-Date",
    "Authorization",
    "X-Api-Key",
    "X-Amz-Security-Token",
    "X-Amz-User-Agent",
    "X-Amzn-Trace-Id",
]
_LOG_FIELDS = {
    "requestId": "requestId",
    "ip": "identity.sourceIp",
    "requestTime": "requestTime",
    "httpMethod": "httpMethod",
    "routeKey": "routeKey",
    "status": "status",
    "protocol": "protocol",
    "responseLength": "responseLength",
}


@dataclass(frozen=True, slots=True)
class Route:
    key: str  # "GET /items/{id}", or "*" for the default route.
    method: str
    function: Function
    event: Event
    authorizer: Mapping[str, Any] = field(default_factory=dict)


def compile_events(compilation: Compilation) -> None:
    routes = read_routes(compilation)
    if not routes:
        return
    settings: Json = compilation.provider.get("httpApi") or {}
    api_id = settings.get("id") or ref(names.HTTP_API)
    if not settings.get("id"):
        _compile_api(compilation, settings, routes)
        _compile_stage(compilation, settings)
    elif settings.get("cors") or settings.get("authorizers"):
        raise compilation.wrong(
            "provider.httpApi.id names an API of another stack: its cors and authorizers are set there.",
            "provider",
            "httpApi",
        )
    compile_authorizers(compilation, settings, api_id)
    for route in routes:
        _compile_route(compilation, route, settings, api_id)


def read_routes(compilation: Compilation) -> list[Route]:
    routes: dict[str, Route] = {}
    for function in compilation.functions:
        for event in function.of_kind("httpApi"):
            route = _read_route(compilation, function, event)
            other = routes.get(route.key)
            if other is not None and route.key != "*":
                raise compilation.wrong_event(
                    function,
                    event.position,
                    f'The functions "{other.function.key}" and "{function.key}" are both on the route {route.key}.'
                    if other.function is not function
                    else f'The function "{function.key}" is on the route {route.key} twice.',
                )
            routes[route.key] = route
    return list(routes.values())


def _read_route(compilation: Compilation, function: Function, event: Event) -> Route:
    def wrong(message: str) -> TemplateError:
        return compilation.wrong_event(function, event.position, message)

    settings = event.settings
    authorizer: Any = None
    if isinstance(settings, dict):
        method, path = settings.get("method"), str(settings.get("path") or "")
        authorizer = settings.get("authorizer")
    else:
        match = _SHORT.match(str(settings))
        if match is None:
            raise wrong(f'httpApi takes "METHOD /path" or "*", not "{settings}".')
        method, path = match[1], match[2] or "*"
    if path == "*":
        if method and method != "*":
            raise wrong(f'The path "*" of httpApi is for all methods: leave "method: {method}" out.')
        return Route("*", "ANY", function, event, _read_authorizer(compilation, function, event, authorizer))
    if not path.startswith("/"):
        raise wrong(f'The path of httpApi must begin with /, not "{path}".')
    if not method:
        raise wrong(f"The method of httpApi {path} is missing.")
    method = "ANY" if method == "*" else str(method).upper()
    if method != "ANY" and method not in METHODS:
        raise wrong(f'The method of httpApi is one of {", ".join(METHODS)} or *, not "{method}".')
    key = f"{method} {path}"
    return Route(key, method, function, event, _read_authorizer(compilation, function, event, authorizer))


def _read_authorizer(compilation: Compilation, function: Function, event: Event, authorizer: Any) -> Mapping[str, Any]:
    """The properties of a route that protect it."""
    if not authorizer:
        return {}
    settings: Json = compilation.provider.get("httpApi") or {}
    wish: Json = authorizer if isinstance(authorizer, dict) else {"name": authorizer}
    name, id_, kind = wish.get("name"), wish.get("id"), wish.get("type")
    if kind == "aws_iam":
        if name or id_ or wish.get("scopes"):
            raise compilation.wrong_event(
                function, event.position, "An authorizer of the type aws_iam has no other properties."
            )
        return {"AuthorizationType": "AWS_IAM"}
    if id_:
        if not settings.get("id"):
            raise compilation.wrong_event(
                function, event.position, f"The authorizer id {id_} is of another API, but this API is of this stack."
            )
        reference: Any = id_
    else:
        known = (settings.get("authorizers") or {}).get(name)
        if known is None:
            raise compilation.wrong_event(
                function, event.position, f'The authorizer "{name}" is not in provider.httpApi.authorizers.'
            )
        kind = known.get("type")
        reference = ref(f"HttpApiAuthorizer{names.resource(str(known.get('name') or name))}")
    scopes = wish.get("scopes")
    return present(
        {
            "AuthorizationType": "CUSTOM" if kind == "request" else "JWT",
            "AuthorizerId": reference,
            "AuthorizationScopes": (list(scopes) if isinstance(scopes, list) else [scopes]) if scopes else None,
        }
    )


def _compile_api(compilation: Compilation, settings: Json, routes: list[Route]) -> None:
    service = compilation.service
    usual = (
        f"{service.name}-{service.stage}"
        if settings.get("shouldStartNameWithService")
        else f"{service.stage}-{service.name}"
    )
    compilation.resources[names.HTTP_API] = resource(
        "AWS::ApiGatewayV2::Api",
        {
            "Name": str(settings.get("name") or usual),
            "Description": settings.get("description") or None,
            "ProtocolType": "HTTP",
            "DisableExecuteApiEndpoint": settings.get("disableDefaultEndpoint"),
            "Tags": dict(compilation.provider["tags"]) if compilation.provider.get("tags") else None,
            "CorsConfiguration": _cors(settings["cors"], routes) if settings.get("cors") else None,
        },
    )
    logs = (compilation.provider.get("logs") or {}).get("httpApi")
    if logs:
        compilation.resources[names.HTTP_API_LOG_GROUP] = compilation.log_group(f"/aws/http-api/{service.stack_name}")


def _cors(cors: Any, routes: list[Route]) -> Json:
    given: Json = cors if isinstance(cors, dict) else {}

    def listed(key: str, default: list[str] | None) -> list[Any] | None:
        value = given.get(key)
        if not value:
            return default
        return list(dict.fromkeys(value if isinstance(value, list) else [value]))

    used = ["OPTIONS"]
    for route in routes:
        used += METHODS if route.method == "ANY" else [route.method]
    return present(
        {
            "AllowCredentials": True if given.get("allowCredentials") else None,
            "AllowHeaders": listed("allowedHeaders", _DEFAULT_HEADERS),
            "AllowMethods": listed("allowedMethods", list(dict.fromkeys(used))),
            "AllowOrigins": listed("allowedOrigins", ["*"]),
            "ExposeHeaders": listed("exposedResponseHeaders", None),
            "MaxAge": given.get("maxAge"),
        }
    )


def _compile_stage(compilation: Compilation, settings: Json) -> None:
    logs = (compilation.provider.get("logs") or {}).get("httpApi")
    access_log = None
    if logs:
        fields = {name: f"$context.{field}" for name, field in _LOG_FIELDS.items()}
        wanted = logs.get("format") if isinstance(logs, dict) else None
        access_log = {
            "DestinationArn": get_att(names.HTTP_API_LOG_GROUP, "Arn"),
            "Format": wanted or json.dumps(fields, separators=(",", ":")),
        }
    compilation.resources[names.HTTP_API_STAGE] = resource(
        "AWS::ApiGatewayV2::Stage",
        {
            "ApiId": ref(names.HTTP_API),
            "StageName": "$default",
            "AutoDeploy": True,
            "DefaultRouteSettings": {"DetailedMetricsEnabled": settings.get("metrics") or False},
            "Tags": dict(compilation.provider["tags"]) if compilation.provider.get("tags") else None,
            "AccessLogSettings": access_log,
        },
        DependsOn=names.HTTP_API_LOG_GROUP if logs else None,
    )
    compilation.outputs["HttpApiId"] = {"Description": "Id of the HTTP API", "Value": ref(names.HTTP_API)}
    compilation.outputs["HttpApiUrl"] = {
        "Description": "URL of the HTTP API",
        "Value": join("https://", ref(names.HTTP_API), ".execute-api.", REGION, ".", SUFFIX),
    }


def _compile_route(compilation: Compilation, route: Route, settings: Json, api_id: Any) -> None:
    key = route.function.key
    integration = f"HttpApiIntegration{names.resource(key)}"
    payload = (route.function.settings.get("httpApi") or {}).get("payload") or settings.get("payload") or "2.0"
    arn = join("arn:", PARTITION, ":execute-api:", REGION, ":", ACCOUNT, ":", api_id, "/*")
    compilation.resources[names.permission(key, "HttpApi")] = compilation.permission(
        key, "apigateway.amazonaws.com", SourceArn=arn
    )
    compilation.resources[integration] = resource(
        "AWS::ApiGatewayV2::Integration",
        {
            "ApiId": api_id,
            "IntegrationType": "AWS_PROXY",
            "IntegrationUri": compilation.target(key),
            "PayloadFormatVersion": payload,
            "TimeoutInMillis": 30000,
        },
        DependsOn=compilation.alias_id(key),
    )
    compilation.resources[names.http_api_route(route.key)] = resource(
        "AWS::ApiGatewayV2::Route",
        {
            "ApiId": api_id,
            "RouteKey": "$default" if route.key == "*" else route.key,
            "Target": {"Fn::Join": ["/", ["integrations", ref(integration)]]},
            **route.authorizer,
        },
        DependsOn=integration,
    )
