"""`authorizer:` of an http event: IAM, a user pool, a function, or one that exists already."""

from __future__ import annotations

import re
from typing import Any

from freehold.aws.call import Json
from freehold.templates.serverless import names
from freehold.templates.serverless.compile.compilation import Compilation, ref, resource
from freehold.templates.serverless.compile.http_api_authorizers import invocation_uri
from freehold.templates.serverless.compile.rest_api.endpoints import Endpoint, rest_api_id

_USER_POOL = re.compile(r"^arn:[a-zA-Z-]*:cognito-idp")
_DEFAULT_TTL_S = 300
_DEFAULT_SOURCE = "method.request.header.Authorization"


def read_authorizer(compilation: Compilation, endpoint: Endpoint) -> Json | None:
    """The settings with their defaults: type, name, arn, authorizerId, alias, cognito, claims, scopes, ..."""
    given = endpoint.settings.get("authorizer")
    if not given:
        return None
    wish: Json = given if isinstance(given, dict) else _short(given)
    kind = str(wish.get("type") or "").upper()
    result: Json = {**wish, "claims": wish.get("claims") or [], "kind": kind, "name": wish.get("name"), "alias": None}
    if isinstance(given, dict):
        ttl = wish.get("resultTtlInSeconds")
        result["resultTtlInSeconds"] = int(ttl) if ttl is not None else _DEFAULT_TTL_S
    if kind == "AWS_IAM" or (kind and wish.get("authorizerId")):
        return result
    if wish.get("arn"):
        if not isinstance(wish.get("name"), str):
            result["name"] = _name_of(compilation, endpoint, wish["arn"], kind)
    elif wish.get("name"):
        function = compilation.function(wish["name"], "functions", endpoint.function.key, "events")
        result["arn"] = compilation.target(function.key)
        result["alias"] = compilation.alias_id(function.key)
    else:
        raise compilation.wrong_event(
            endpoint.function, endpoint.event.position, "An authorizer needs a name (of a function) or an arn."
        )
    arn = result["arn"]
    result["cognito"] = kind == "COGNITO_USER_POOLS" or (isinstance(arn, str) and bool(_USER_POOL.match(arn)))
    if not wish.get("identitySource") and not (kind == "REQUEST" and result.get("resultTtlInSeconds") == 0):
        result["identitySource"] = _DEFAULT_SOURCE
    return result


def _short(given: Any) -> Json:
    text = str(given)
    if text.upper() == "AWS_IAM":
        return {"type": "AWS_IAM"}
    return {"arn": text} if ":" in text else {"name": text}


def _name_of(compilation: Compilation, endpoint: Endpoint, arn: Any, kind: str) -> str:
    if not isinstance(arn, str):
        raise compilation.wrong_event(
            endpoint.function, endpoint.event.position, "An authorizer whose arn is not plain text needs a name."
        )
    return arn.split(":")[-1].split("-")[-1]


def authorizer_id(name: str) -> str:
    return f"{names.resource(name)}ApiGatewayAuthorizer"


def compile_authorizers(compilation: Compilation, endpoints: list[Endpoint]) -> None:
    for endpoint in endpoints:
        authorizer = endpoint.authorizer
        if not authorizer or not authorizer.get("arn"):
            continue
        properties: Json = {
            "AuthorizerResultTtlInSeconds": authorizer.get("resultTtlInSeconds"),
            "IdentitySource": authorizer.get("identitySource"),
            "Name": authorizer["name"],
            "RestApiId": rest_api_id(compilation),
            "IdentityValidationExpression": authorizer.get("identityValidationExpression"),
        }
        if authorizer["cognito"]:
            properties |= {"Type": "COGNITO_USER_POOLS", "ProviderARNs": [authorizer["arn"]]}
        else:
            properties |= {
                "Type": authorizer["kind"] or "TOKEN",
                "AuthorizerUri": invocation_uri(authorizer["arn"]),
            }
        compilation.resources[authorizer_id(authorizer["name"])] = resource(
            "AWS::ApiGateway::Authorizer", properties, DependsOn=authorizer["alias"]
        )


def method_authorization(endpoint: Endpoint) -> tuple[Json, list[str]]:
    """The properties of the method, and what it must wait for."""
    authorizer = endpoint.authorizer
    if not authorizer:
        return {"AuthorizationType": "NONE"}, []
    kind, scopes = authorizer["kind"], authorizer.get("scopes") or None
    if kind == "AWS_IAM" and not authorizer.get("authorizerId"):
        return {"AuthorizationType": "AWS_IAM"}, []
    if authorizer.get("authorizerId"):
        cognito = kind == "COGNITO_USER_POOLS"
        properties = {
            "AuthorizationType": "CUSTOM" if kind in ("TOKEN", "REQUEST") else authorizer["type"],
            "AuthorizerId": authorizer["authorizerId"],
            "AuthorizationScopes": scopes if cognito else None,
        }
        return properties, []
    logical_id = authorizer_id(authorizer["name"])
    properties = {
        "AuthorizationType": "COGNITO_USER_POOLS" if authorizer["cognito"] else "CUSTOM",
        "AuthorizerId": ref(logical_id),
        "AuthorizationScopes": scopes if authorizer["cognito"] else None,
    }
    return properties, [logical_id]
