"""A deployed API as an OpenAPI 3.0 or Swagger 2.0 document. Pure: documents in, a document out; what the import reads.

API Gateway Developer Guide, "OpenAPI extensions for API Gateway", "Export a REST API from API Gateway". Shapes are as
recorded from AWS: only models that a method names, `content` also where a response has none, timeouts and caches only
where they are not the defaults.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import orjson

from freehold.aws.call import Json
from freehold.services.apigateway.export_documentation import Documentation, moment
from freehold.services.apigateway.methods import TIMEOUT_MAX_MS

INTEGRATIONS, AUTHORIZERS, SETTINGS = "integrations", "authorizers", "settings"
EXTENSIONS: dict[str, frozenset[str]] = {
    "integrations": frozenset({INTEGRATIONS}),
    "authorizers": frozenset({AUTHORIZERS}),
    "apigateway": frozenset({INTEGRATIONS, AUTHORIZERS, SETTINGS}),
}

_X = "x-amazon-apigateway-"
_PLACES = {"header": "header", "querystring": "query", "path": "path"}
_PARTS = {"header": "REQUEST_HEADER", "query": "QUERY_PARAMETER", "path": "PATH_PARAMETER"}
_VARIABLE = re.compile(r"\{([^}+]+)\+?\}")
_MODEL = re.compile(r"^https://apigateway\.amazonaws\.com/restapis/[^/]+/models/([A-Za-z0-9]+)$")
_API_KEY, _IAM = "api_key", "sigv4"
_SCHEMES: dict[str, Json] = {
    _API_KEY: {"type": "apiKey", "name": "x-api-key", "in": "header"},
    _IAM: {"type": "apiKey", "name": "Authorization", "in": "header", f"{_X}authtype": "awsSigv4"},
}
_UNUSED = "Unused"  # The header of a REQUEST authorizer, which may read anything.


@dataclass(frozen=True, slots=True)
class _Export:
    copy: Json  # A deployment's.
    is_swagger: bool
    extensions: frozenset[str]
    words: Documentation

    @property
    def schemas(self) -> str:
        return "#/definitions/" if self.is_swagger else "#/components/schemas/"


def export_api(
    copy: Json,
    stage_name: str,
    region: str,
    is_swagger: bool,
    extensions: frozenset[str],
    documentation: Json | None,
) -> Json:
    """`copy`: of a deployment; `documentation`: the stage's documentation version."""
    export = _Export(copy, is_swagger, extensions, Documentation(documentation))
    api = copy["api"]
    host = f"{api['id']}.execute-api.{region}.amazonaws.com"
    paths: Json = {}
    for resource in sorted(copy["resources"], key=lambda each: str(each["path"])):
        methods = resource.get("resourceMethods") or {}
        if methods:
            paths[resource["path"]] = {
                f"{_X}any-method" if verb == "ANY" else verb.lower(): _operation(export, resource["path"], method)
                for verb, method in methods.items()
            }
    said = export.words.of("API")
    info = {"title": api["name"], "version": api.get("version") or moment(api["createdDate"])}
    if api.get("description"):
        info["description"] = api["description"]
    document: Json = {"swagger": "2.0"} if is_swagger else {"openapi": "3.0.1"}
    document["info"] = {**info, **said.pop("info", {})}
    schemes, schemas = _schemes(export), _schemas(export)
    if is_swagger:
        document |= {"host": host, "basePath": f"/{stage_name}", "schemes": ["https"], "paths": paths}
        document |= {
            name: value for name, value in (("securityDefinitions", schemes), ("definitions", schemas)) if value
        }
    else:
        url = f"https://{host}/{{basePath}}"
        document["servers"] = [{"url": url, "variables": {"basePath": {"default": stage_name}}}]
        document["paths"] = paths
        parts = (("schemas", schemas), ("securitySchemes", schemes))
        document["components"] = {name: value for name, value in parts if value}
    document |= said
    if SETTINGS in extensions:
        document |= _settings(export)
    told = export.words.told_whole()
    return document if told is None else {**document, f"{_X}documentation": told}


def _operation(export: _Export, path: str, method: Json) -> Json:
    verb = method["httpMethod"]
    operation: Json = {}
    if method.get("operationName"):
        operation["operationId"] = method["operationName"]
    models = method.get("requestModels") or {}
    integration = method.get("methodIntegration") or {}
    parameters = _parameters(export, path, method)
    body = export.words.of("REQUEST_BODY", path, verb)
    if export.is_swagger:
        consumed = [*models, *(integration.get("requestTemplates") or {})]
        if consumed:
            operation["consumes"] = list(dict.fromkeys(consumed))
        produced = _produced(method)
        if produced:
            operation["produces"] = produced
        if models:
            name = models.get("application/json") or next(iter(models.values()))
            parameters.append(
                {"in": "body", "name": name, "required": True, "schema": _reference(export, name), **body}
            )
    elif models:
        operation["requestBody"] = {
            **body,
            "content": {each: {"schema": _reference(export, name)} for each, name in models.items()},
            "required": True,
        }
    if parameters:
        operation["parameters"] = parameters
    operation["responses"] = {
        status: _response(export, path, verb, response)
        for status, response in sorted((method.get("methodResponses") or {}).items())
    }
    security = _security(export, method)
    if security:
        operation["security"] = security
    if integration and INTEGRATIONS in export.extensions:
        operation[f"{_X}integration"] = _integration(integration)
    validator = _named(export.copy["requestValidators"], method.get("requestValidatorId"))
    if validator is not None and SETTINGS in export.extensions:
        operation[f"{_X}request-validator"] = validator["name"]
    return {**operation, **export.words.of("METHOD", path, verb)}


def _parameters(export: _Export, path: str, method: Json) -> list[Json]:
    """Also the path's variables that the method does not name: OpenAPI wants them."""
    found: dict[tuple[str, str], bool] = {}
    for name, required in (method.get("requestParameters") or {}).items():
        _, _, place, own = name.split(".", 3)
        found[_PLACES[place], own] = required
    found |= {("path", name): True for name in _VARIABLE.findall(path)}
    parameters = []
    for (place, name), required in found.items():
        parameter: Json = {"name": name, "in": place}
        if required or export.is_swagger:
            parameter["required"] = required
        parameter |= {"type": "string"} if export.is_swagger else {"schema": {"type": "string"}}
        said = export.words.of(_PARTS[place], path, method["httpMethod"], name=name)
        parameters.append({**parameter, **said})
    return parameters


def _produced(method: Json) -> list[str]:
    integration = method.get("methodIntegration") or {}
    found: list[str] = []
    for response in (method.get("methodResponses") or {}).values():
        found += response.get("responseModels") or {}
    for response in (integration.get("integrationResponses") or {}).values():
        found += response.get("responseTemplates") or {}
    return list(dict.fromkeys(found))


def _response(export: _Export, path: str, verb: str, response: Json) -> Json:
    status = response["statusCode"]
    said = export.words.of("RESPONSE", path, verb, status)
    answer: Json = {"description": f"{status} response", **said}
    models = response.get("responseModels") or {}
    if export.is_swagger and models:
        name = models.get("application/json") or next(iter(models.values()))
        answer["schema"] = _reference(export, name)
    headers: Json = {}
    for parameter in response.get("responseParameters") or {}:
        name = parameter.removeprefix("method.response.header.")
        shape: Json = {"type": "string"}
        shape = shape if export.is_swagger else {"schema": shape}
        headers[name] = {**shape, **export.words.of("RESPONSE_HEADER", path, verb, status, name)}
    if headers:
        answer["headers"] = headers
    if not export.is_swagger:
        answer["content"] = {each: {"schema": _reference(export, name)} for each, name in models.items()}
    return answer


def _reference(export: _Export, model: str) -> Json:
    return {"$ref": export.schemas + model}


def _security(export: _Export, method: Json) -> list[Json]:
    required: list[Json] = []
    if method["authorizationType"] == "AWS_IAM":
        required.append({_IAM: []})
    authorizer = _named(export.copy["authorizers"], method.get("authorizerId"))
    if authorizer is not None:
        required.append({authorizer["name"]: method.get("authorizationScopes") or []})
    if method.get("apiKeyRequired"):
        required.append({_API_KEY: []})
    return required


def _schemes(export: _Export) -> Json:
    """Those that a method names."""
    named = [
        name
        for resource in export.copy["resources"]
        for method in (resource.get("resourceMethods") or {}).values()
        for required in _security(export, method)
        for name in required
    ]
    authorizers = {each["name"]: each for each in export.copy["authorizers"]}
    schemes: Json = {}
    for name in dict.fromkeys(named):
        scheme = _scheme(export, authorizers[name]) if name in authorizers else _SCHEMES[name]
        schemes[name] = {**scheme, **export.words.of("AUTHORIZER", name=name)}
    return schemes


def _scheme(export: _Export, authorizer: Json) -> Json:
    source = authorizer.get("identitySource") or ""
    header = source.removeprefix("method.request.header.") if authorizer["type"] != "REQUEST" else _UNUSED
    scheme: Json = {"type": "apiKey", "name": header or "Authorization", "in": "header"}
    if AUTHORIZERS not in export.extensions:
        return scheme
    members = (
        "authorizerCredentials",
        "authorizerResultTtlInSeconds",
        "authorizerUri",
        "identityValidationExpression",
        "providerARNs",
    )
    told = {name: authorizer[name] for name in members if authorizer.get(name) is not None}
    if authorizer["type"] == "REQUEST" and source:
        told["identitySource"] = source
    scheme[f"{_X}authtype"] = authorizer.get("authType") or "custom"
    return {**scheme, f"{_X}authorizer": {**told, "type": authorizer["type"].lower()}}


def _integration(integration: Json) -> Json:
    members = (
        "connectionId",
        "contentHandling",
        "credentials",
        "httpMethod",
        "requestParameters",
        "requestTemplates",
        "responseTransferMode",
        "tlsConfig",
        "uri",
    )
    told = {name: integration[name] for name in members if integration.get(name)}
    if integration.get("connectionType", "INTERNET") != "INTERNET":
        told["connectionType"] = integration["connectionType"]
    if integration["timeoutInMillis"] != TIMEOUT_MAX_MS:
        told["timeoutInMillis"] = integration["timeoutInMillis"]
    if integration.get("cacheKeyParameters"):
        told |= {name: integration[name] for name in ("cacheKeyParameters", "cacheNamespace")}
    responses = {
        response.get("selectionPattern") or "default": {
            name: response[name]
            for name in ("statusCode", "contentHandling", "responseParameters", "responseTemplates")
            if response.get(name)
        }
        for response in (integration.get("integrationResponses") or {}).values()
    }
    if responses:
        told["responses"] = responses
    return {
        **told,
        "passthroughBehavior": integration["passthroughBehavior"].lower(),
        "type": integration["type"].lower(),
    }


def _schemas(export: _Export) -> Json:
    """Of the models that a method names, and of those that they name."""
    models = {each["name"]: each for each in export.copy["models"]}
    waiting = [
        name
        for resource in export.copy["resources"]
        for method in (resource.get("resourceMethods") or {}).values()
        for name in _models_of(method)
    ]
    schemas: Json = {}
    while waiting:
        name = waiting.pop()
        if name in schemas or name not in models:
            continue
        named: list[str] = []
        schema = _relinked(orjson.loads(models[name].get("schema") or "{}"), export.schemas, named)
        schema.pop("$schema", None)
        if models[name].get("description") and name not in ("Empty", "Error"):
            schema.setdefault("description", models[name]["description"])
        schemas[name] = {**schema, **export.words.of("MODEL", name=name)}
        waiting += named
    return dict(sorted(schemas.items()))


def _models_of(method: Json) -> list[str]:
    found = list((method.get("requestModels") or {}).values())
    for response in (method.get("methodResponses") or {}).values():
        found += (response.get("responseModels") or {}).values()
    return found


def _relinked(value: Any, schemas: str, named: list[str]) -> Any:
    """References to models of the API become references within the document; their names are added to `named`."""
    if isinstance(value, list):
        return [_relinked(each, schemas, named) for each in value]
    if not isinstance(value, dict):
        return value
    linked = {name: _relinked(each, schemas, named) for name, each in value.items()}
    found = _MODEL.match(linked["$ref"]) if isinstance(linked.get("$ref"), str) else None
    if found:
        named.append(found[1])
        linked["$ref"] = schemas + found[1]
    return linked


def _settings(export: _Export) -> Json:
    """Those of the API as a whole."""
    copy, api = export.copy, export.copy["api"]
    told: Json = {}
    if copy["gatewayResponses"]:
        told["gateway-responses"] = {
            each["responseType"]: {
                name: each[name] for name in ("statusCode", "responseParameters", "responseTemplates") if each.get(name)
            }
            for each in copy["gatewayResponses"]
        }
    if copy["requestValidators"]:
        told["request-validators"] = {
            each["name"]: {name: each[name] for name in ("validateRequestParameters", "validateRequestBody")}
            for each in copy["requestValidators"]
        }
    if api.get("binaryMediaTypes"):
        told["binary-media-types"] = api["binaryMediaTypes"]
    if api.get("apiKeySource", "HEADER") != "HEADER":
        told["api-key-source"] = api["apiKeySource"]
    if api.get("minimumCompressionSize") is not None:
        told["minimum-compression-size"] = api["minimumCompressionSize"]
    if api.get("policy"):
        told["policy"] = orjson.loads(api["policy"])
    if api.get("disableExecuteApiEndpoint"):
        told["endpoint-configuration"] = {"disableExecuteApiEndpoint": True}
    return {f"{_X}{name}": value for name, value in told.items()}


def _named(documents: list[Json], identity: str | None) -> Json | None:
    return next((each for each in documents if each["id"] == identity), None)
