"""`provider.httpApi.authorizers`: JWT, and functions. Serverless Framework documentation, "HTTP API"."""

from __future__ import annotations

from typing import Any

from freehold.aws.call import Json
from freehold.templates.serverless import names
from freehold.templates.serverless.compile.compilation import (
    ACCOUNT,
    PARTITION,
    REGION,
    Compilation,
    join,
    resource,
)


def compile_authorizers(compilation: Compilation, settings: Json, api_id: Any) -> None:
    for key, authorizer in (settings.get("authorizers") or {}).items():
        name = authorizer.get("name") or key
        source = authorizer.get("identitySource") or []
        properties = {
            "ApiId": api_id,
            "Name": name,
            "IdentitySource": source if isinstance(source, list) else [source],
        }
        alias = None
        if authorizer.get("type") == "request":
            alias = _add_function(compilation, key, authorizer, properties, api_id)
        else:
            audience = authorizer.get("audience")
            properties["AuthorizerType"] = "JWT"
            properties["JwtConfiguration"] = {
                "Audience": audience if isinstance(audience, list) else [audience],
                "Issuer": authorizer.get("issuerUrl"),
            }
        compilation.resources[f"HttpApiAuthorizer{names.resource(name)}"] = resource(
            "AWS::ApiGatewayV2::Authorizer", properties, DependsOn=alias
        )


def _add_function(compilation: Compilation, key: str, authorizer: Json, properties: Json, api_id: Any) -> str | None:
    where = ("provider", "httpApi", "authorizers", key)
    function, arn = authorizer.get("functionName"), authorizer.get("functionArn")
    if bool(function) == bool(arn):
        raise compilation.wrong(f'The authorizer "{key}" needs either functionName or functionArn.', *where)
    if authorizer.get("resultTtlInSeconds") and not authorizer.get("identitySource"):
        raise compilation.wrong(
            f'The authorizer "{key}" has resultTtlInSeconds, which needs an identitySource to tell callers apart.',
            *where,
        )
    alias = None
    target = arn
    if function:
        compilation.function(function, *where)
        target, alias = compilation.target(function), compilation.alias_id(function)
    properties |= {
        "AuthorizerType": "REQUEST",
        "EnableSimpleResponses": authorizer.get("enableSimpleResponses"),
        "AuthorizerResultTtlInSeconds": authorizer.get("resultTtlInSeconds"),
        "AuthorizerPayloadFormatVersion": authorizer.get("payloadVersion") or "2.0",
        "AuthorizerUri": invocation_uri(target),
    }
    if not authorizer.get("managedExternally"):
        source = join("arn:", PARTITION, ":execute-api:", REGION, ":", ACCOUNT, ":", api_id, "/*")
        name = names.resource(authorizer.get("name") or key)
        compilation.resources[f"{name}LambdaAuthorizerPermissionHttpApi"] = resource(
            "AWS::Lambda::Permission",
            {
                "FunctionName": target,
                "Action": "lambda:InvokeFunction",
                "Principal": "apigateway.amazonaws.com",
                "SourceArn": source,
            },
            DependsOn=alias,
        )
    return alias


def invocation_uri(target: Any) -> Json:
    """API Gateway's address of a function."""
    path = ":lambda:path/2015-03-31/functions/"
    return join("arn:", PARTITION, ":apigateway:", REGION, path, target, "/invocations")
