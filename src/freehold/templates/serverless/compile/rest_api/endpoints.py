"""Reads `http` events: short and long forms, defaults and mistakes. Serverless Framework documentation, "REST API"."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from freehold.aws.call import Json
from freehold.templates.errors import TemplateError
from freehold.templates.serverless.compile.compilation import Compilation, ref
from freehold.templates.serverless.names import REST_API
from freehold.templates.serverless.service import Event, Function

METHODS = ("GET", "POST", "PUT", "PATCH", "OPTIONS", "HEAD", "DELETE", "ANY")
INTEGRATIONS = {"AWS", "AWS_PROXY", "HTTP", "HTTP_PROXY", "MOCK"}
DEFAULT_CORS_HEADERS = [
    "Content-Type",
    "X-Amz-Date",
    "Authorization",
    "X-Api-Key",
    "X-Amz-Security-Token",
    "X-Amz-User-Agent",
    "X-Amzn-Trace-Id",
]
_LOCATIONS = {"querystrings": "querystring", "paths": "path", "headers": "header"}
# The errors that a Lambda (not proxy) integration tells apart, by a mark in the function's error message.
_ERROR_CODES = ("400", "401", "403", "404", "422")
_ANYTHING = r"[\s\S]*"
DEFAULT_STATUS_CODES: dict[str, Json] = {
    "200": {"pattern": ""},
    **{code: {"pattern": rf"{_ANYTHING}\[{code}\]{_ANYTHING}"} for code in _ERROR_CODES},
    "500": {"pattern": rf"{_ANYTHING}(Process\s?exited\s?before\s?completing\s?request|\[500\]){_ANYTHING}"},
    "502": {"pattern": rf"{_ANYTHING}\[502\]{_ANYTHING}"},
    "504": {"pattern": rf"({_ANYTHING}\[504\]{_ANYTHING})|(.*Task timed out after \d+\.\d+ seconds$)"},
}


@dataclass(slots=True)
class Endpoint:
    function: Function
    event: Event
    path: str  # Without slashes at the ends: "users/{id}".
    method: str  # Upper case.
    integration: str
    settings: Json
    authorizer: Json | None = None
    cors: Json | None = None
    parameters: Json = field(default_factory=dict)  # "method.request.header.X": true, or a mapping.
    request: Json = field(default_factory=dict)
    response: Json | None = None


def read_endpoints(compilation: Compilation) -> list[Endpoint]:
    endpoints: list[Endpoint] = []
    seen: dict[tuple[str, str], Function] = {}
    for function in compilation.functions:
        for event in function.of_kind("http"):
            endpoint = _read(compilation, function, event)
            other = seen.setdefault((endpoint.method, endpoint.path), function)
            if len(seen) == len(endpoints):
                names = f'The functions "{other.key}" and "{function.key}" are both'
                if other is function:
                    names = f'The function "{function.key}" is twice'
                raise compilation.wrong_event(
                    function, event.position, f"{names} on the route {endpoint.method} /{endpoint.path}."
                )
            endpoints.append(endpoint)
    api = compilation.provider.get("apiGateway") or {}
    if endpoints and api.get("restApiId") and not api.get("restApiRootResourceId"):
        raise compilation.wrong(
            "provider.apiGateway.restApiId needs restApiRootResourceId beside it.", "provider", "apiGateway"
        )
    return endpoints


def rest_api_id(compilation: Compilation) -> Any:
    return (compilation.provider.get("apiGateway") or {}).get("restApiId") or ref(REST_API)


def _read(compilation: Compilation, function: Function, event: Event) -> Endpoint:
    def wrong(message: str) -> TemplateError:
        return compilation.wrong_event(function, event.position, message)

    settings = event.settings
    if not isinstance(settings, dict):
        method, _, path = str(settings).partition(" ")
        settings = {"method": method, "path": path}
    if settings.get("path") is None or not settings.get("method"):
        raise wrong("An http event needs a method and a path.")
    method = "ANY" if settings["method"] == "*" else str(settings["method"]).upper()
    if method not in METHODS:
        raise wrong(f'The method of an http event is one of {", ".join(METHODS)}, not "{settings["method"]}".')
    path = re.sub(r"^/|/$", "", str(settings["path"]))
    endpoint = Endpoint(function, event, path, method, _integration(settings), settings)
    if endpoint.integration not in INTEGRATIONS:
        raise wrong(f'The integration "{settings["integration"]}" of an http event is unknown.')
    endpoint.cors = _cors(settings["cors"], method) if settings.get("cors") else None
    _read_request(endpoint, wrong)
    return endpoint


def _integration(settings: Json) -> str:
    given = str(settings.get("integration") or ("AWS" if settings.get("async") else "AWS_PROXY"))
    normal = given.upper().replace("-", "_")
    return {"LAMBDA": "AWS", "LAMBDA_PROXY": "AWS_PROXY"}.get(normal, normal)


def _cors(given: Any, method: str) -> Json:
    cors: Json = {"origin": "*", "methods": ["OPTIONS"], "headers": DEFAULT_CORS_HEADERS, "allowCredentials": False}
    if isinstance(given, dict):
        if given.get("origins"):
            del cors["origin"]
        cors |= given
        cors["allowCredentials"] = bool(cors["allowCredentials"])
        headers = cors.get("headers") or DEFAULT_CORS_HEADERS
        cors["headers"] = [headers] if isinstance(headers, str) else headers
    methods = list(cors.get("methods") or [])
    for each in ("OPTIONS", method):
        if each not in methods or not isinstance(given, dict):
            methods += [each] if each not in methods else []
    return {**cors, "methods": methods}


def _read_request(endpoint: Endpoint, wrong: Any) -> None:
    settings, integration = endpoint.settings, endpoint.integration
    request: Json = dict(settings.get("request") or {})
    response: Json | None = dict(settings["response"]) if settings.get("response") else None
    if integration in ("HTTP", "HTTP_PROXY") and not request.get("uri"):
        raise wrong(f"The integration {integration} needs request.uri.")
    for location, singular in _LOCATIONS.items():
        for name, value in ((request.get("parameters") or {}).get(location) or {}).items():
            endpoint.parameters[f"method.request.{singular}.{name}"] = value
    if integration in ("AWS", "HTTP"):
        request["passThrough"] = request.get("passThrough") or ("NEVER" if integration == "AWS" else None)
        if response is not None:
            response["statusCodes"] = _status_codes(response)
        elif integration == "AWS":
            response = {"statusCodes": DEFAULT_STATUS_CODES}
    elif integration in ("AWS_PROXY", "HTTP_PROXY") and response is not None:
        response = {"transferMode": str(response["transferMode"]).upper()} if response.get("transferMode") else None
    endpoint.request, endpoint.response = request, response


def _status_codes(response: Json) -> Json:
    given = response.get("statusCodes")
    if not given:
        return DEFAULT_STATUS_CODES
    codes = {str(code): config or {} for code, config in given.items()}
    if not any(config.get("pattern") == "" for config in codes.values()):
        codes["200"] = DEFAULT_STATUS_CODES["200"]
    return dict(sorted(codes.items()))
