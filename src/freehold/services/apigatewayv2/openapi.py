"""OpenAPI documents as HTTP APIs: what ImportApi reads and what SAM's HttpApi emits. Pure: a document in, requests out.

API Gateway Developer Guide, "Working with OpenAPI definitions for HTTP APIs" and "OpenAPI extensions for API Gateway".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import yaml

from freehold.aws.call import Json
from freehold.services.apigatewayv2.record import bad_request

_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "x-amazon-apigateway-any-method")
_INTEGRATION = "x-amazon-apigateway-integration"
_INTEGRATION_MEMBERS = {
    "connectionId": "ConnectionId",
    "connectionType": "ConnectionType",
    "credentials": "CredentialsArn",
    "description": "Description",
    "httpMethod": "IntegrationMethod",
    "integrationSubtype": "IntegrationSubtype",
    "payloadFormatVersion": "PayloadFormatVersion",
    "requestParameters": "RequestParameters",
    "timeoutInMillis": "TimeoutInMillis",
    "uri": "IntegrationUri",
}
_CORS_MEMBERS = {
    "allowCredentials": "AllowCredentials",
    "allowHeaders": "AllowHeaders",
    "allowMethods": "AllowMethods",
    "allowOrigins": "AllowOrigins",
    "exposeHeaders": "ExposeHeaders",
    "maxAge": "MaxAge",
}


@dataclass(frozen=True, slots=True)
class ImportedRoute:
    route: Json  # A CreateRoute request; its Target and AuthorizerId are still to be written in.
    integration: Json | None  # A CreateIntegration request.
    authorizer: str  # Name of the authorizer; empty: open.


@dataclass(frozen=True, slots=True)
class Imported:
    api: Json  # A CreateApi request.
    routes: list[ImportedRoute]
    authorizers: dict[str, Json]  # Name -> CreateAuthorizer request.


def read_openapi(body: str, base_path: str = "ignore") -> Imported:
    """Raises BadRequestException. `base_path`: what to do with the path of the first server (ignore, prepend)."""
    document = _load(body)
    authorizers = {
        name: _authorizer(name, scheme)
        for name, scheme in (_dict(_dict(document.get("components")).get("securitySchemes"))).items()
    }
    prefix = _base_path(document) if base_path == "prepend" else ""
    routes = []
    for path, item in _dict(document.get("paths")).items():
        for method, operation in _dict(item).items():
            if method.lower() in _METHODS:
                routes.append(_route(document, prefix, path, method.lower(), _dict(operation), authorizers))
    return Imported(_api(document), routes, authorizers)


def _load(body: str) -> Json:
    try:
        document = yaml.safe_load(body)  # JSON is YAML.
    except yaml.YAMLError as error:
        raise bad_request(f"Unable to parse the OpenAPI document: {str(error).splitlines()[0]}") from None
    if not isinstance(document, dict) or not str(document.get("openapi", "")).startswith("3."):
        raise bad_request("Only OpenAPI 3 documents are supported for HTTP APIs")
    return document


def _api(document: Json) -> Json:
    info = _dict(document.get("info"))
    api: Json = {"Name": str(info.get("title") or ""), "ProtocolType": "HTTP"}
    if not api["Name"]:
        raise bad_request("Unable to create API: the OpenAPI document has no info.title")
    if info.get("description"):
        api["Description"] = str(info["description"])
    if info.get("version"):
        api["Version"] = str(info["version"])
    tags = {
        tag["name"]: str(tag["x-amazon-apigateway-tag-value"])
        for tag in document.get("tags") or ()
        if "x-amazon-apigateway-tag-value" in tag
    }
    if tags:
        api["Tags"] = tags
    if "x-amazon-apigateway-cors" in document:
        api["CorsConfiguration"] = _cors(_dict(document["x-amazon-apigateway-cors"]))
    # SAM writes it into each server.
    for place in (document, *(document.get("servers") or ())):
        if _dict(_dict(place).get("x-amazon-apigateway-endpoint-configuration")).get("disableExecuteApiEndpoint"):
            api["DisableExecuteApiEndpoint"] = True
    if document.get("x-amazon-apigateway-policy"):
        raise bad_request("Resource policies are not supported for HTTP APIs")
    return api


def _cors(extension: Json) -> Json:
    cors: Json = {}
    for name, value in extension.items():
        if name not in _CORS_MEMBERS:
            raise bad_request(f"Unknown property {name} in x-amazon-apigateway-cors")
        # One value may stand alone.
        one_or_many = name not in ("allowCredentials", "maxAge") and not isinstance(value, list)
        cors[_CORS_MEMBERS[name]] = [value] if one_or_many else value
    return cors


def _route(
    document: Json, prefix: str, path: str, method: str, operation: Json, authorizers: dict[str, Json]
) -> ImportedRoute:
    verb = "ANY" if method == "x-amazon-apigateway-any-method" else method.upper()
    is_default = path.strip("/") == "$default"
    route: Json = {"RouteKey": "$default" if is_default else f"{verb} {prefix}{path}"}
    if operation.get("operationId"):
        route["OperationName"] = operation["operationId"]
    authorizer = ""
    security = operation.get("security", document.get("security")) or []
    if len(security) > 1:
        raise bad_request(f"Multiple authorizers are not supported, route {route['RouteKey']}")
    for name, scopes in (security[0] if security else {}).items():
        if name not in authorizers:
            raise bad_request(f"The route {route['RouteKey']} uses an unknown security scheme {name}")
        authorizer = name
        kind = authorizers[name]["AuthorizerType"]
        route["AuthorizationType"] = {"JWT": "JWT", "REQUEST": "CUSTOM", "AWS_IAM": "AWS_IAM"}[kind]
        if kind == "JWT" and scopes:
            route["AuthorizationScopes"] = list(scopes)
    if _dict(operation.get("x-amazon-apigateway-auth")).get("type") == "AWS_IAM":
        route["AuthorizationType"] = "AWS_IAM"
    return ImportedRoute(route, _integration(document, route["RouteKey"], operation), authorizer)


def _integration(document: Json, route_key: str, operation: Json) -> Json | None:
    extension = operation.get(_INTEGRATION)
    if extension is None:
        return None
    if "$ref" in extension:
        extension = _resolve(document, extension["$ref"])
    kind = str(extension.get("type", "")).upper()
    integration: Json = {"IntegrationType": kind}
    for name, value in extension.items():
        if name in _INTEGRATION_MEMBERS:
            integration[_INTEGRATION_MEMBERS[name]] = value
        elif name == "responseParameters":
            integration["ResponseParameters"] = value
        elif name == "tlsConfig":
            integration["TlsConfig"] = {"ServerNameToVerify": value.get("serverNameToVerify")}
        elif name != "type" and value:
            raise bad_request(f"{_INTEGRATION}.{name} is not supported for HTTP APIs, route {route_key}")
    if "PayloadFormatVersion" in integration:
        integration["PayloadFormatVersion"] = str(integration["PayloadFormatVersion"])
    return integration


def _authorizer(name: str, scheme: Json) -> Json:
    if scheme.get("x-amazon-apigateway-authtype", "").lower() == "awssigv4":
        return {"AuthorizerType": "AWS_IAM", "Name": name}
    extension = _dict(scheme.get("x-amazon-apigateway-authorizer"))
    kind = str(extension.get("type", "")).lower()
    source = extension.get("identitySource", [])
    sources = [each.strip() for each in source.split(",")] if isinstance(source, str) else list(source)
    authorizer: Json = {"Name": name, "IdentitySource": sources}
    if kind == "jwt":
        jwt = _dict(extension.get("jwtConfiguration"))
        authorizer["AuthorizerType"] = "JWT"
        authorizer["JwtConfiguration"] = {"Issuer": jwt.get("issuer"), "Audience": jwt.get("audience")}
        if isinstance(jwt.get("audience"), str):
            authorizer["JwtConfiguration"]["Audience"] = [jwt["audience"]]
    elif kind == "request":
        authorizer["AuthorizerType"] = "REQUEST"
        for member, target in (
            ("authorizerUri", "AuthorizerUri"),
            ("authorizerCredentials", "AuthorizerCredentialsArn"),
            ("authorizerPayloadFormatVersion", "AuthorizerPayloadFormatVersion"),
            ("authorizerResultTtlInSeconds", "AuthorizerResultTtlInSeconds"),
            ("enableSimpleResponses", "EnableSimpleResponses"),
        ):
            if member in extension:
                authorizer[target] = extension[member]
        if "AuthorizerPayloadFormatVersion" in authorizer:
            authorizer["AuthorizerPayloadFormatVersion"] = str(authorizer["AuthorizerPayloadFormatVersion"])
    else:
        raise bad_request(f"The security scheme {name} has no x-amazon-apigateway-authorizer of type jwt or request")
    return authorizer


def _resolve(document: Json, reference: str) -> Json:
    """`#/components/...` inside the document."""
    found: Any = document
    for part in reference.removeprefix("#/").split("/"):
        found = found.get(part.replace("~1", "/").replace("~0", "~")) if isinstance(found, dict) else None
    if not isinstance(found, dict):
        raise bad_request(f"Unable to resolve the reference {reference}")
    return found


def _base_path(document: Json) -> str:
    """The path of the first server, with the defaults of its variables."""
    servers = document.get("servers") or [{}]
    url = str(servers[0].get("url", ""))
    for name, variable in _dict(servers[0].get("variables")).items():
        url = url.replace("{" + name + "}", str(variable.get("default", "")))
    path = url.partition("://")[2].partition("/")[2] if "://" in url else url.lstrip("/")
    return "/" + path.strip("/") if path.strip("/") else ""


def _dict(value: object) -> Json:
    return value if isinstance(value, dict) else {}
