"""A method for each endpoint, and the one that answers CORS preflight requests of a path."""

from __future__ import annotations

from typing import Any

from freehold.aws.call import Json
from freehold.templates.serverless import names
from freehold.templates.serverless.compile.compilation import (
    ACCOUNT,
    PARTITION,
    REGION,
    Compilation,
    alias_of,
    join,
    present,
    resource,
)
from freehold.templates.serverless.compile.rest_api.authorizers import method_authorization
from freehold.templates.serverless.compile.rest_api.endpoints import Endpoint, rest_api_id
from freehold.templates.serverless.compile.rest_api.integrations import compile_integration, response_headers
from freehold.templates.serverless.compile.rest_api.resources import Paths


def compile_methods(compilation: Compilation, endpoints: list[Endpoint], paths: Paths) -> list[str]:
    """The logical ids of all methods: a deployment must come after them."""
    made = _compile_preflights(compilation, endpoints, paths)
    for endpoint in endpoints:
        logical_id = method_id(endpoint, paths)
        authorization, waits = method_authorization(endpoint)
        alias = alias_of(endpoint.function)
        depends = [names.permission(endpoint.function.key, "ApiGateway")]
        if waits:
            # Lists are merged by position: the authorizer takes the place of the permission, as in the framework.
            depends = [*waits, *([alias[1]] if alias else [])]
        elif alias:
            depends.append(alias[1])
        compilation.resources[logical_id] = resource(
            "AWS::ApiGateway::Method",
            {
                "HttpMethod": endpoint.method,
                "RequestParameters": {key: is_required(value) for key, value in endpoint.parameters.items()},
                "ResourceId": paths.id(endpoint.path),
                "RestApiId": rest_api_id(compilation),
                "OperationName": endpoint.settings.get("operationId"),
                "ApiKeyRequired": bool(endpoint.settings.get("private")),
                **authorization,
                "Integration": compile_integration(compilation, endpoint),
                "MethodResponses": _method_responses(endpoint),
            },
            DependsOn=depends,
        )
        made.append(logical_id)
    return made


def method_id(endpoint: Endpoint, paths: Paths) -> str:
    return names.rest_method(paths.name(endpoint.path), endpoint.method)


def is_required(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return True if value.get("required") is None else value["required"]


def compile_permissions(compilation: Compilation, endpoints: list[Endpoint]) -> None:
    source = join("arn:", PARTITION, ":execute-api:", REGION, ":", ACCOUNT, ":", rest_api_id(compilation), "/*/*")
    for endpoint in endpoints:
        key = endpoint.function.key
        compilation.resources[names.permission(key, "ApiGateway")] = compilation.permission(
            key, "apigateway.amazonaws.com", SourceArn=source
        )
        authorizer = endpoint.authorizer or {}
        if not authorizer.get("arn") or authorizer.get("cognito") or authorizer.get("managedExternally"):
            continue
        logical_id = names.permission(authorizer["name"], "ApiGateway")
        if logical_id not in compilation.resources:
            target = {"Ref": authorizer["alias"]} if authorizer.get("alias") else authorizer["arn"]
            compilation.resources[logical_id] = resource(
                "AWS::Lambda::Permission",
                {
                    "FunctionName": target,
                    "Action": "lambda:InvokeFunction",
                    "Principal": "apigateway.amazonaws.com",
                    "SourceArn": source,
                },
            )


def _method_responses(endpoint: Endpoint) -> list[Json]:
    if endpoint.integration not in ("AWS", "HTTP", "MOCK") or not endpoint.response:
        return []
    shared = response_headers(endpoint)
    return [
        {
            "ResponseParameters": {
                f"method.response.header.{name}": True for name in {**shared, **(config.get("headers") or {})}
            },
            "ResponseModels": {},
            "StatusCode": code,
        }
        for code, config in endpoint.response.get("statusCodes", {}).items()
    ]


def _compile_preflights(compilation: Compilation, endpoints: list[Endpoint], paths: Paths) -> list[str]:
    merged: dict[str, Json] = {}
    for endpoint in endpoints:
        if endpoint.cors:
            merged[endpoint.path] = _merge_cors(merged.get(endpoint.path, {}), endpoint.cors)
    made = []
    for path, cors in merged.items():
        logical_id = names.rest_method(paths.name(path), "options")
        compilation.resources[logical_id] = _preflight(compilation, paths.id(path), cors)
        made.append(logical_id)
    return made


def _merge_cors(before: Json, cors: Json) -> Json:
    """All methods of a path share one preflight answer."""
    result: Json = {
        key: list(dict.fromkeys([*(cors.get(key) or []), *(before.get(key) or [])]))
        for key in ("headers", "methods", "origins")
    }
    result["origin"] = cors.get("origin")
    result["allowCredentials"] = before.get("allowCredentials") or cors.get("allowCredentials")
    for key in ("maxAge", "cacheControl"):
        result[key] = cors.get(key) or before.get(key)
    return result


def _preflight(compilation: Compilation, resource_id: Any, cors: Json) -> Json:
    origin, origins = cors["origin"], cors["origins"]
    if origin and "," in origin:
        origins = [each.strip() for each in origin.split(",")]
    if origins:
        origin = origins[0]
    methods = ",".join(cors["methods"])
    if "ANY" in cors["methods"]:
        methods = methods.replace("ANY", "DELETE,GET,HEAD,PATCH,POST,PUT", 1)
    headers = present(
        {
            "Access-Control-Allow-Origin": f"'{origin}'",
            "Access-Control-Allow-Headers": f"'{','.join(cors['headers'])}'",
            "Access-Control-Allow-Methods": f"'{methods}'",
            "Access-Control-Allow-Credentials": "'true'" if cors["allowCredentials"] else None,
            "Access-Control-Max-Age": f"'{cors['maxAge']}'" if cors["maxAge"] else None,
            "Cache-Control": f"'{cors['cacheControl']}'" if cors["cacheControl"] else None,
        }
    )
    named = {f"method.response.header.{name}": value for name, value in headers.items()}
    return resource(
        "AWS::ApiGateway::Method",
        {
            "AuthorizationType": "NONE",
            "HttpMethod": "OPTIONS",
            "MethodResponses": [
                {"StatusCode": "200", "ResponseParameters": dict.fromkeys(named, True), "ResponseModels": {}}
            ],
            "RequestParameters": {},
            "Integration": {
                "Type": "MOCK",
                "RequestTemplates": {"application/json": "{statusCode:200}"},
                "ContentHandling": "CONVERT_TO_TEXT",
                "IntegrationResponses": [
                    {
                        "StatusCode": "200",
                        "ResponseParameters": named,
                        "ResponseTemplates": {"application/json": _origin_template(origins)},
                    }
                ],
            },
            "ResourceId": resource_id,
            "RestApiId": rest_api_id(compilation),
        },
    )


def _origin_template(origins: list[str]) -> str:
    """With several origins, the one that asked is named in the answer."""
    if not origins:
        return ""
    patterns = [origin.replace(".", "[.]").replace("*", ".+", 1) for origin in origins]
    condition = " || ".join(f'$origin.matches("{each}")' for each in patterns)
    return (
        '#set($origin = $input.params("Origin"))\n'
        '#if($origin == "") #set($origin = $input.params("origin")) #end\n'
        f"#if({condition}) #set($context.responseOverride.header.Access-Control-Allow-Origin = $origin) #end"
    )
