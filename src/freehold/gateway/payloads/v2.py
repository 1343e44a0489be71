"""Payload format 2.0: HTTP APIs and function URLs.

API Gateway Developer Guide, "Create AWS Lambda proxy integrations for HTTP APIs"; Lambda Developer Guide, "Invoking
Lambda function URLs". An HTTP API tells the path decoded, also as `rawPath`; a function URL tells it as it was sent.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

import orjson

from freehold.aws.call import Json
from freehold.gateway.compiled import Kind
from freehold.gateway.exchange import Exchange, Refused
from freehold.gateway.payloads.parts import (
    HOP_BY_HOP,
    answer_body,
    forwarded,
    header_name,
    header_text,
    query_pairs,
    read_body,
    request_time,
    status_code,
)
from freehold.http.messages import Headers, Response

DEFAULT_CONTENT_TYPE = "text/plain;charset=UTF-8"  # Of an answer with a status code but without a content type.
URL_ACCOUNT = "anonymous"  # requestContext.accountId of a function URL without IAM.
_DROPPED = HOP_BY_HOP | {"cookie"}


def build_event(exchange: Exchange) -> Json:
    """The event; keys without a value are absent, except at a function URL, where they are null."""
    request = exchange.request
    event: Json = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": exchange.full_path,
        "rawQueryString": request.query,
        "headers": build_headers(exchange),
        "requestContext": build_context(exchange),
    }
    if "cookie" in request.lower:
        # Browsers join cookies with "; " in one header; several headers were joined with ",".
        event["cookies"] = [
            cookie.strip()
            for name, value in request.headers
            if name.lower() == "cookie"
            for cookie in value.split(";")
            if cookie.strip()
        ]
    if request.query:
        event["queryStringParameters"] = join_query(request.query)
    if request.body:
        event["body"], event["isBase64Encoded"] = read_body(request.body, request.lower.get("content-type"))
    else:
        event["isBase64Encoded"] = False
    if exchange.api.kind is Kind.URL:
        event["pathParameters"] = None
        event["stageVariables"] = None
        return event
    if "%" in exchange.full_path:
        event["rawPath"] = unquote(exchange.full_path)
    assert exchange.route is not None
    event["routeKey"] = exchange.route.key
    if exchange.parameters:
        event["pathParameters"] = exchange.parameters
    if exchange.stage.variables:
        event["stageVariables"] = exchange.stage.variables
    return event


def build_headers(exchange: Exchange) -> dict[str, str]:
    """Lower-case names, duplicates joined with ","; without cookies and what belongs to the connection."""
    headers = {name: value for name, value in exchange.request.lower.items() if name not in _DROPPED}
    headers["content-length"] = str(len(exchange.request.body))
    headers["host"] = exchange.domain
    headers["x-amzn-trace-id"] = exchange.trace_id
    headers["x-forwarded-for"], headers["x-forwarded-port"], headers["x-forwarded-proto"] = forwarded(exchange)
    return headers


def build_context(exchange: Exchange) -> Json:
    request = exchange.request
    api = exchange.api
    domain = exchange.domain
    is_url = api.kind is Kind.URL
    path = exchange.full_path
    context: dict[str, Any] = {
        "accountId": _url_account(exchange) if is_url else api.account,
        "apiId": api.id,
        "domainName": domain,
        "domainPrefix": domain.partition(".")[0],
        "http": {
            "method": request.method,
            "path": path if is_url or "%" not in path else unquote(path),
            "protocol": f"HTTP/{request.http_version}",
            "sourceIp": request.client,
            "userAgent": request.lower.get("user-agent", ""),
        },
        "requestId": exchange.request_id,
        "routeKey": exchange.route.key if exchange.route else "$default",
        "stage": exchange.stage.name,
        "time": request_time(exchange.now_s),
        "timeEpoch": int(exchange.now_s * 1000),
    }
    if is_url:
        context["authentication"] = None
    if exchange.authorizer is not None:
        context["authorizer"] = exchange.authorizer
    return context


def _url_account(exchange: Exchange) -> str:
    return exchange.caller.account if exchange.caller is not None else URL_ACCOUNT


def join_query(query: str) -> dict[str, str]:
    joined: dict[str, str] = {}
    for name, value in query_pairs(query):
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    return joined


def read_response(payload: bytes) -> Response:
    """Any JSON without `statusCode` is a body; with it, it must be well formed. Raises Refused."""
    try:
        answer = orjson.loads(payload)
    except orjson.JSONDecodeError:
        raise Refused("INVALID_RESPONSE") from None
    if not isinstance(answer, dict) or "statusCode" not in answer:
        body = answer.encode() if isinstance(answer, str) else payload
        return Response(200, [("content-type", "application/json")], body)
    return explicit_response(answer, answer_body(answer))


def explicit_response(answer: Json, body: bytes) -> Response:
    """Of an answer that says its status. Raises Refused."""
    status = status_code(answer["statusCode"])
    headers: Headers = []
    has_type = False
    given = answer.get("headers")
    if given is not None:
        if not isinstance(given, dict):
            raise Refused("INVALID_RESPONSE")
        for name, value in given.items():
            lower = header_name(name).lower()
            if lower not in HOP_BY_HOP:
                has_type = has_type or lower == "content-type"
                headers.append((name, header_text(value)))
    cookies = answer.get("cookies")
    if cookies is not None:
        if not isinstance(cookies, list):
            raise Refused("INVALID_RESPONSE")
        headers += [("set-cookie", header_text(cookie)) for cookie in cookies]
    if not has_type and status not in (204, 304):
        headers.append(("content-type", DEFAULT_CONTENT_TYPE))
    return Response(status, headers, body)
