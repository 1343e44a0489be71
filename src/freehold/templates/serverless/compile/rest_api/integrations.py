"""What stands behind a method: a function (proxy or with templates), another HTTP server, or nothing (mock)."""

from __future__ import annotations

from typing import Any

from freehold.aws.call import Json
from freehold.templates.serverless.compile.compilation import (
    PARTITION,
    REGION,
    Compilation,
    alias_of,
    get_att,
    join,
    present,
)
from freehold.templates.serverless.compile.rest_api.endpoints import Endpoint
from freehold.templates.serverless.compile.rest_api.request_templates import FORM_TEMPLATE, JSON_TEMPLATE

_CLAIMS = "@CLAIMS@"  # In the default templates, where the claims that the endpoint asks for stand.


def compile_integration(compilation: Compilation, endpoint: Endpoint) -> Json:
    kind, request = endpoint.integration, endpoint.request
    everywhere = (compilation.provider.get("apiGateway") or {}).get("timeoutInMillis")
    integration: Json = {
        "IntegrationHttpMethod": "POST",
        "Type": kind,
        "TimeoutInMillis": endpoint.settings.get("timeoutInMillis") or everywhere,
    }
    if kind in ("AWS", "AWS_PROXY"):
        integration["Uri"] = _function_uri(endpoint)
    elif kind in ("HTTP", "HTTP_PROXY"):
        integration |= {
            "Uri": request.get("uri"),
            "IntegrationHttpMethod": str(request.get("method") or endpoint.method).upper(),
            **_connection(compilation, endpoint),
        }
    if kind in ("AWS", "HTTP", "MOCK"):
        integration |= {
            "PassthroughBehavior": request.get("passThrough"),
            "ContentHandling": request.get("contentHandling"),
            "RequestTemplates": _request_templates(endpoint),
            "IntegrationResponses": _integration_responses(endpoint),
        }
    if (kind in ("AWS", "HTTP", "HTTP_PROXY") and endpoint.parameters) or endpoint.settings.get("async"):
        integration["RequestParameters"] = _request_parameters(endpoint)
    if endpoint.response and kind in ("AWS_PROXY", "HTTP_PROXY"):
        integration["ResponseTransferMode"] = endpoint.response.get("transferMode")
    return present(integration)


def response_headers(endpoint: Endpoint) -> Json:
    """The headers of every answer of a method with templates."""
    headers: Json = {}
    if endpoint.cors:
        origin = ",".join(endpoint.cors.get("origins") or []) or endpoint.cors.get("origin")
        headers["Access-Control-Allow-Origin"] = f"'{origin}'"
        if endpoint.cors.get("allowCredentials"):
            headers["Access-Control-Allow-Credentials"] = "true"
    return {**headers, **((endpoint.response or {}).get("headers") or {})}


def _function_uri(endpoint: Endpoint) -> Json:
    streams = endpoint.integration == "AWS_PROXY" and (endpoint.response or {}).get("transferMode") == "STREAM"
    version, action = ("2021-11-15", "response-streaming-invocations") if streams else ("2015-03-31", "invocations")
    alias = alias_of(endpoint.function)
    return join(
        "arn:",
        PARTITION,
        ":apigateway:",
        REGION,
        f":lambda:path/{version}/functions/",
        get_att(endpoint.function.logical_id, "Arn"),
        *([":", alias[0]] if alias else []),
        f"/{action}",
    )


def _connection(compilation: Compilation, endpoint: Endpoint) -> Json:
    given = endpoint.settings.get("connectionType")
    if not given:
        return {}
    kind = str(given).upper().replace("-", "_")
    if kind == "VPC_LINK" and not endpoint.settings.get("connectionId"):
        raise compilation.wrong_event(
            endpoint.function, endpoint.event.position, "connectionType: vpc-link needs a connectionId."
        )
    return {"ConnectionType": kind, "ConnectionId": endpoint.settings.get("connectionId")}


def _request_templates(endpoint: Endpoint) -> Json | None:
    templates: Json = {}
    if endpoint.integration == "AWS":
        templates = {"application/json": JSON_TEMPLATE, "application/x-www-form-urlencoded": FORM_TEMPLATE}
    given = endpoint.request.get("template")
    for content_type, template in (given if isinstance(given, dict) else {}).items():
        templates[content_type] = template
    claims = "".join(f"{_claim(each)}," for each in (endpoint.authorizer or {}).get("claims") or [])
    return {key: text.replace(_CLAIMS, claims) for key, text in templates.items() if text is not None} or None


def _claim(claim: str) -> str:
    if ":" in claim:
        return f'"{claim.partition(":")[2]}": "$context.authorizer.claims[\'{claim}\']"'
    return f'"{claim}": "$context.authorizer.claims.{claim}"'


def _integration_responses(endpoint: Endpoint) -> list[Json]:
    response = endpoint.response
    if not response:
        return []
    shared = response_headers(endpoint)
    answers = []
    for code, config in response.get("statusCodes", {}).items():
        headers = {**shared, **(config.get("headers") or {})}
        templates: Json = {"application/json": response["template"]} if response.get("template") else {}
        own: Any = config.get("template")
        if own:
            templates |= {"application/json": own} if isinstance(own, str) else own
        answers.append(
            present(
                {
                    "StatusCode": code,
                    "SelectionPattern": config.get("pattern") or "",
                    "ResponseParameters": {f"method.response.header.{name}": value for name, value in headers.items()},
                    "ResponseTemplates": templates,
                    "ContentHandling": response.get("contentHandling") if code.startswith("2") else None,
                }
            )
        )
    return answers


def _request_parameters(endpoint: Endpoint) -> Json:
    parameters = {}
    for key, value in endpoint.parameters.items():
        mapped = value.get("mappedValue") if isinstance(value, dict) else None
        parameters[f"integration.{key.removeprefix('method.')}"] = mapped or key
    if endpoint.settings.get("async"):
        parameters["integration.request.header.X-Amz-Invocation-Type"] = "'Event'"
    return parameters
