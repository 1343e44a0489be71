"""OpenAPI 3 and Swagger 2 documents as REST APIs: what SAM's Api and ImportRestApi give. Pure: a document in, requests
out. API Gateway Developer Guide, "Working with API Gateway extensions to OpenAPI" and "OpenAPI extensions"."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
import yaml

from freehold.aws.call import Json
from freehold.services.apigateway.record import bad_request

_METHODS = {name.lower(): name for name in ("GET", "PUT", "POST", "DELETE", "OPTIONS", "HEAD", "PATCH")}
_METHODS["x-amazon-apigateway-any-method"] = "ANY"
_X = "x-amazon-apigateway-"
_JSON = "application/json"
_SCHEMAS = ("#/definitions/", "#/components/schemas/")
_AUTHORIZATION = {"token": "CUSTOM", "request": "CUSTOM", "cognito_user_pools": "COGNITO_USER_POOLS"}


@dataclass(frozen=True, slots=True)
class ImportedMethod:
    path: str
    method: Json  # A PutMethod request: httpMethod, authorizationType, ...
    authorizer: str  # Name; empty: none.
    validator: str  # Name; empty: none.
    integration: Json | None  # A PutIntegration request; httpMethod is the backend's.
    integration_responses: list[Json]
    method_responses: list[Json]
    models: list[Json]  # CreateModel requests for schemas that are written in place.


@dataclass(frozen=True, slots=True)
class Imported:
    api: Json  # Members of CreateRestApi.
    methods: list[ImportedMethod]
    paths: list[str]  # Also those without methods.
    authorizers: list[Json]
    models: list[Json]
    validators: list[Json]
    gateway_responses: list[Json]
    documentation: list[Json]  # Of parts: `location`, and `properties` as text.


def read_openapi(body: bytes, base_path: str = "ignore") -> Imported:
    """Raises BadRequestException. `base_path`: ignore, prepend or split what the document says of servers."""
    document = _load(body)
    components = _dict(document.get("components"))
    schemes = _dict(document.get("securityDefinitions")) or _dict(components.get("securitySchemes"))
    prefix = _prefix(document, base_path)
    methods = []
    paths = []
    for path, item in _dict(document.get("paths")).items():
        full = prefix + ("" if prefix and path == "/" else path)
        paths.append(full)
        for name, operation in _dict(item).items():
            if name.lower() in _METHODS:
                shared = _dict(item).get("parameters") or []
                methods.append(_method(document, full, _METHODS[name.lower()], _dict(operation), shared, schemes))
    schemas = _dict(document.get("definitions")) or _dict(components.get("schemas"))
    return Imported(
        api=_api(document),
        methods=methods,
        paths=paths,
        authorizers=[
            each for name, scheme in schemes.items() if (each := _authorizer(name, _dict(scheme))) is not None
        ],
        models=[
            *({"name": name, "schema": orjson.dumps(schema).decode()} for name, schema in schemas.items()),
            *(model for method in methods for model in method.models),
        ],
        validators=[
            {"name": name, **_dict(validator)}
            for name, validator in _dict(document.get(f"{_X}request-validators")).items()
        ],
        gateway_responses=[
            _gateway_response(name, _dict(response))
            for name, response in _dict(document.get(f"{_X}gateway-responses")).items()
        ],
        documentation=_documentation(document),
    )


def read_documentation(body: bytes) -> list[Json]:
    """Only the documentation parts of a document. Raises BadRequestException."""
    return _documentation(_load(body))


def _documentation(document: Json) -> list[Json]:
    found = _dict(document.get(f"{_X}documentation")).get("documentationParts") or []
    return [
        {"location": _dict(part.get("location")), "properties": orjson.dumps(_dict(part.get("properties"))).decode()}
        for part in map(_dict, found)
    ]


def link_models(schema: str, api_id: str) -> str:
    """A model's schema, where references to other schemas of the document name the models that those became."""
    return orjson.dumps(_linked(orjson.loads(schema), api_id)).decode()


def _linked(value: Any, api_id: str) -> Any:
    if isinstance(value, list):
        return [_linked(each, api_id) for each in value]
    if not isinstance(value, dict):
        return value
    linked = {name: _linked(each, api_id) for name, each in value.items()}
    reference = linked.get("$ref")
    if isinstance(reference, str) and reference.startswith(_SCHEMAS):
        name = reference.rpartition("/")[2]
        linked["$ref"] = f"https://apigateway.amazonaws.com/restapis/{api_id}/models/{name}"
    return linked


def _load(body: bytes) -> Json:
    try:
        document = yaml.safe_load(body)  # JSON is YAML.
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise bad_request(f"Unable to parse the OpenAPI document: {str(error).splitlines()[0]}") from None
    if not isinstance(document, dict):
        raise bad_request("Invalid OpenAPI input.")
    if str(document.get("swagger")) != "2.0" and not str(document.get("openapi", "")).startswith("3."):
        raise bad_request("Invalid OpenAPI input: neither swagger 2.0 nor openapi 3")
    return document


def _api(document: Json) -> Json:
    info = _dict(document.get("info"))
    api: Json = {"name": str(info.get("title") or "")}
    if info.get("description"):
        api["description"] = str(info["description"])
    if info.get("version"):
        api["version"] = str(info["version"])
    for extension, member in (
        ("binary-media-types", "binaryMediaTypes"),
        ("api-key-source", "apiKeySource"),
        ("minimum-compression-size", "minimumCompressionSize"),
    ):
        if f"{_X}{extension}" in document:
            api[member] = document[f"{_X}{extension}"]
    if document.get(f"{_X}policy"):
        api["policy"] = orjson.dumps(document[f"{_X}policy"]).decode()
    if _dict(document.get(f"{_X}endpoint-configuration")).get("disableExecuteApiEndpoint"):
        api["disableExecuteApiEndpoint"] = True
    return api


def _prefix(document: Json, base_path: str) -> str:
    path = str(document.get("basePath") or "")
    servers = document.get("servers") or []
    if servers:
        # API Gateway takes a single server that is no list, too.
        server = _dict(servers[0] if isinstance(servers, list) else servers)
        path = str(_dict(_dict(server.get("variables")).get("basePath")).get("default") or "")
        if not path and "://" in str(server.get("url", "")):
            path = str(server["url"]).partition("://")[2].partition("/")[2]
    segments = [segment for segment in path.split("/") if segment]
    if base_path == "ignore" or not segments:
        return ""
    if base_path == "split":
        segments = segments[1:]
    return "".join(f"/{segment}" for segment in segments)


def _method(
    document: Json, path: str, verb: str, operation: Json, shared: list[Any], schemes: Mapping[str, Any]
) -> ImportedMethod:
    method: Json = {"httpMethod": verb, "authorizationType": "NONE"}
    if operation.get("operationId"):
        method["operationName"] = operation["operationId"]
    authorizer = _guard(method, operation.get("security", document.get("security")) or [], schemes, f"{verb} {path}")
    if _dict(operation.get(f"{_X}auth")).get("type") in ("AWS_IAM", "NONE"):
        method["authorizationType"] = operation[f"{_X}auth"]["type"]
        authorizer = ""
    parameters, schemas = _parameters(document, operation, [*shared, *(operation.get("parameters") or [])])
    for content_type, content in _dict(_resolved(document, operation.get("requestBody")).get("content")).items():
        schemas[content_type] = _dict(_dict(content).get("schema"))
    inline: list[Json] = []
    models = {content_type: _model_name(schema, inline) for content_type, schema in schemas.items() if schema}
    if parameters:
        method["requestParameters"] = parameters
    if models:
        method["requestModels"] = models
    integration, integration_responses = _integration(document, operation)
    return ImportedMethod(
        path=path,
        method=method,
        authorizer=authorizer,
        validator=str(operation.get(f"{_X}request-validator", document.get(f"{_X}request-validator")) or ""),
        integration=integration,
        integration_responses=integration_responses,
        method_responses=_method_responses(document, operation, inline),
        models=inline,
    )


def _model_name(schema: Json, inline: list[Json]) -> str:
    """The name of the model that a body's schema becomes; one that is written in place is added to `inline`."""
    reference = schema.get("$ref")
    if reference:
        return str(reference).rpartition("/")[2]
    text = orjson.dumps(schema).decode()
    name = f"MODEL{hashlib.sha256(text.encode()).hexdigest()[:6]}"
    inline.append({"name": name, "schema": text})
    return name


def _guard(method: Json, security: list[Any], schemes: Mapping[str, Any], what: str) -> str:
    """Sets how the method is guarded; the name of its authorizer. Alternatives beside a key are API Gateway's own."""
    authorizer = ""
    for requirement in security:
        for name, scopes in _dict(requirement).items():
            if name not in schemes:
                raise bad_request(f"{what} uses an unknown security scheme {name}")
            scheme = _dict(schemes[name])
            extension = _dict(scheme.get(f"{_X}authorizer"))
            kind = str(extension.get("type", "")).lower()
            if kind in _AUTHORIZATION:
                if authorizer and authorizer != name:
                    raise bad_request(f"{what} uses more than one authorizer")
                method["authorizationType"] = _AUTHORIZATION[kind]
                authorizer = name
                if scopes:
                    method["authorizationScopes"] = list(scopes)
            elif str(scheme.get(f"{_X}authtype", "")).lower() == "awssigv4":
                method["authorizationType"] = "AWS_IAM"
            elif scheme.get("type") == "apiKey" and str(scheme.get("name", "")).lower() == "x-api-key":
                method["apiKeyRequired"] = True
            else:
                raise bad_request(f"The security scheme {name} of {what} has no {_X}authorizer that is known")
    return authorizer


def _parameters(document: Json, operation: Json, parameters: list[Any]) -> tuple[dict[str, bool], dict[str, Json]]:
    """requestParameters, and the schema of a Swagger 2 body by content type."""
    places = {"header": "header", "query": "querystring", "path": "path"}
    found: dict[str, bool] = {}
    schemas: dict[str, Json] = {}
    for parameter in parameters:
        each = _resolved(document, parameter)
        if each.get("in") in places:
            found[f"method.request.{places[each['in']]}.{each['name']}"] = bool(each.get("required"))
        elif each.get("in") == "body":
            consumed = operation.get("consumes") or document.get("consumes") or [_JSON]
            schemas |= {content_type: _dict(each.get("schema")) for content_type in consumed}
    return found, schemas


def _integration(document: Json, operation: Json) -> tuple[Json | None, list[Json]]:
    extension = operation.get(f"{_X}integration")
    if extension is None:
        return None, []
    extension = _resolved(document, extension)
    integration: Json = {"type": str(extension.get("type", "")).upper()}
    for name in (
        "cacheKeyParameters",
        "cacheNamespace",
        "connectionId",
        "connectionType",
        "contentHandling",
        "credentials",
        "httpMethod",
        "requestParameters",
        "requestTemplates",
        "responseTransferMode",
        "timeoutInMillis",
        "tlsConfig",
        "uri",
    ):
        if extension.get(name) is not None:
            integration[name] = extension[name]
    if extension.get("passthroughBehavior"):
        integration["passthroughBehavior"] = str(extension["passthroughBehavior"]).upper()
    responses = []
    for pattern, response in _dict(extension.get("responses")).items():
        wanted = {name: value for name, value in _dict(response).items() if value is not None}
        wanted["statusCode"] = str(wanted.get("statusCode", "200"))
        if pattern != "default":
            wanted["selectionPattern"] = pattern
        responses.append(wanted)
    return integration, responses


def _method_responses(document: Json, operation: Json, inline: list[Json]) -> list[Json]:
    """Models of schemas that are written in place are added to `inline`."""
    responses = []
    for status, response in _dict(operation.get("responses")).items():
        if not str(status).isdigit():
            continue
        answer: Json = {"statusCode": str(status)}
        resolved = _resolved(document, response)
        headers = _dict(resolved.get("headers"))
        if headers:
            answer["responseParameters"] = {f"method.response.header.{name}": False for name in headers}
        schemas = {name: _dict(_dict(each).get("schema")) for name, each in _dict(resolved.get("content")).items()}
        if resolved.get("schema"):
            produced = operation.get("produces") or document.get("produces") or [_JSON]
            schemas = {content_type: _dict(resolved["schema"]) for content_type in produced}
        models = {content_type: _model_name(schema, inline) for content_type, schema in schemas.items() if schema}
        if models:
            answer["responseModels"] = models
        responses.append(answer)
    return responses


def _authorizer(name: str, scheme: Json) -> Json | None:
    """None for schemes that are no authorizers (API keys, IAM)."""
    extension = _dict(scheme.get(f"{_X}authorizer"))
    kind = str(extension.get("type", "")).upper()
    if kind.lower() not in _AUTHORIZATION:
        return None
    authorizer: Json = {"name": name, "type": kind}
    for member in (
        "authorizerCredentials",
        "authorizerResultTtlInSeconds",
        "authorizerUri",
        "identitySource",
        "identityValidationExpression",
        "providerARNs",
    ):
        if extension.get(member) is not None:
            authorizer[member] = extension[member]
    if kind != "REQUEST":
        authorizer.setdefault("identitySource", f"method.request.header.{scheme.get('name', 'Authorization')}")
    return authorizer


def _gateway_response(name: str, response: Json) -> Json:
    wanted = {"responseType": name, **response}
    if "statusCode" in wanted:
        wanted["statusCode"] = str(wanted["statusCode"])
    return wanted


def _resolved(document: Json, value: object) -> Json:
    """The value, or what its `$ref` inside the document names."""
    found: Any = value
    if isinstance(value, dict) and "$ref" in value:
        found = document
        for part in str(value["$ref"]).removeprefix("#/").split("/"):
            found = found.get(part.replace("~1", "/").replace("~0", "~")) if isinstance(found, dict) else None
        if not isinstance(found, dict):
            raise bad_request(f"Unable to resolve the reference {value['$ref']}")
    return _dict(found)


def _dict(value: object) -> Json:
    return value if isinstance(value, dict) else {}
