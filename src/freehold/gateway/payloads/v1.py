"""Payload format 1.0 of HTTP APIs, and the event of REST APIs, which is nearly the same.

API Gateway Developer Guide, "Create AWS Lambda proxy integrations for HTTP APIs" and "Input format of a Lambda
function for proxy integration". Where a name comes more than once, the plain maps hold the last value.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any
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
from freehold.gateway.payloads.v2 import DEFAULT_CONTENT_TYPE
from freehold.http.messages import Headers, Response

if TYPE_CHECKING:
    from freehold.gateway.callers import Caller

_REST_DROPPED = HOP_BY_HOP | {
    "content-md5",
    "expect",
    "max-forwards",
    "proxy-authenticate",
    "server",
    "www-authenticate",
}
_TITLED = {"authorization": "Authorization", "user-agent": "User-Agent", "host": "Host"}
_REST_REMAPPED = frozenset(
    {"authorization", "date", "expect", "host", "max-forwards", "server", "user-agent", "www-authenticate"}
)
_REST_ANSWER_KEYS = frozenset({"statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"})
_NO_IDENTITY: dict[str, str | None] = dict.fromkeys(
    (
        "accessKey",
        "accountId",
        "caller",
        "cognitoAuthenticationProvider",
        "cognitoAuthenticationType",
        "cognitoIdentityId",
        "cognitoIdentityPoolId",
        "principalOrgId",
        "user",
        "userArn",
    )
)


def build_event(exchange: Exchange) -> Json:
    """The event; keys without a value are null."""
    request = exchange.request
    is_rest = exchange.api.kind is Kind.REST
    assert exchange.route is not None
    headers, multi_headers = build_headers(exchange)
    query, multi_query = build_query(request.query)
    body: str | None = None
    is_base64 = False
    if request.body:
        content_type = request.lower.get("content-type")
        if is_rest:
            body, is_base64 = _rest_body(request.body, content_type, exchange.stage.binary_media_types)
        else:
            body, is_base64 = read_body(request.body, content_type)
    event: Json = {} if is_rest else {"version": "1.0"}
    event["resource"] = exchange.route.path
    event["path"] = (exchange.base_path + exchange.path or "/") if is_rest else unquote(exchange.full_path)
    event["httpMethod"] = request.method
    event["headers"] = headers
    event["multiValueHeaders"] = multi_headers
    event["queryStringParameters"] = query
    event["multiValueQueryStringParameters"] = multi_query
    event["requestContext"] = build_context(exchange)
    event["pathParameters"] = exchange.parameters or None
    event["stageVariables"] = exchange.stage.variables
    event["body"] = body
    event["isBase64Encoded"] = is_base64
    return event


def build_headers(exchange: Exchange) -> tuple[dict[str, str], dict[str, list[str]]]:
    """Names in the client's own case, except those that API Gateway titles."""
    dropped = _REST_DROPPED if exchange.api.kind is Kind.REST else HOP_BY_HOP
    multi: dict[str, list[str]] = {}
    for name, value in exchange.request.headers:
        lower = name.lower()
        if lower in dropped or lower.startswith("x-forwarded-") or lower == "x-amzn-trace-id":
            continue
        multi.setdefault(_TITLED.get(lower, name), []).append(value)
    multi["Host"] = [exchange.domain]
    multi["X-Amzn-Trace-Id"] = [exchange.trace_id]
    client, port, scheme = forwarded(exchange)
    multi["X-Forwarded-For"] = [client]
    multi["X-Forwarded-Port"] = [port]
    multi["X-Forwarded-Proto"] = [scheme]
    return {name: values[-1] for name, values in multi.items()}, multi


def build_query(query: str) -> tuple[dict[str, str] | None, dict[str, list[str]] | None]:
    if not query:
        return None, None
    multi: dict[str, list[str]] = {}
    for name, value in query_pairs(query):
        multi.setdefault(name, []).append(value)
    return {name: values[-1] for name, values in multi.items()}, multi


def build_context(exchange: Exchange) -> Json:
    request = exchange.request
    api = exchange.api
    route = exchange.route
    domain = exchange.domain
    is_rest = api.kind is Kind.REST
    context: dict[str, Any] = {
        "accountId": api.account,
        "apiId": api.id,
        "domainName": domain,
        "domainPrefix": domain.partition(".")[0],
        "extendedRequestId": exchange.extended_id,
        "httpMethod": request.method,
        "identity": {
            **_NO_IDENTITY,
            "sourceIp": request.client,
            "userAgent": request.lower.get("user-agent"),
            **signer(exchange.caller),
        },
        "path": exchange.full_path if is_rest else unquote(exchange.full_path),
        "protocol": f"HTTP/{request.http_version}",
        "requestId": exchange.request_id,
        "requestTime": request_time(exchange.now_s),
        "requestTimeEpoch": int(exchange.now_s * 1000),
        "resourceId": (route.resource_id or None) if route else None,
        "resourcePath": route.path if route else None,
        "stage": exchange.stage.name,
    }
    if is_rest:
        context["deploymentId"] = exchange.stage.deployment_id
        if exchange.stage.is_canary is not None:
            context["isCanaryRequest"] = exchange.stage.is_canary
    if exchange.grant is not None:
        context["identity"] |= {"apiKey": exchange.grant.key, "apiKeyId": exchange.grant.key_id}
    authorizer = exchange.authorizer
    if is_rest:
        if authorizer is not None:
            context["authorizer"] = authorizer
    elif authorizer is None:
        context["authorizer"] = {"claims": None, "scopes": None}
    else:
        # Format 2.0 has one more level, which tells the kind of authorizer.
        context["authorizer"] = authorizer.get("jwt", authorizer.get("lambda"))
        if context["authorizer"] is None:
            del context["authorizer"]  # Of AWS_IAM: `identity` tells it all.
    return context


def signer(caller: Caller | None) -> dict[str, str | None]:
    """What a signature tells of who sent the request."""
    if caller is None:
        return {}
    return {
        "accessKey": caller.access_key,
        "accountId": caller.account,
        "caller": caller.user_id,
        "user": caller.user_id,
        "userArn": caller.arn,
    }


def read_response(payload: bytes) -> Response:
    """An HTTP API's answer in format 1.0: an object with `statusCode`. Raises Refused."""
    answer = _object(payload)
    if "statusCode" not in answer:
        raise Refused("INVALID_RESPONSE")
    return _response(answer, DEFAULT_CONTENT_TYPE, strict=False)


def read_rest_response(payload: bytes, binary_media_types: tuple[str, ...], accept: str | None) -> Response:
    """A REST API's answer: five keys and no other; no status is 200. Base64 is decoded only if the first type that the
    client accepts is a binary media type of the API. Raises Refused."""
    answer = _object(payload)
    if not _REST_ANSWER_KEYS.issuperset(answer):
        raise Refused("INVALID_RESPONSE")
    if answer.get("isBase64Encoded") is True and not is_binary(accept, binary_media_types):
        answer = {**answer, "isBase64Encoded": False}
    return _response({"statusCode": 200, **answer}, "application/json", strict=True)


def _object(payload: bytes) -> Json:
    try:
        answer = orjson.loads(payload)
    except orjson.JSONDecodeError:
        raise Refused("INVALID_RESPONSE") from None
    if not isinstance(answer, dict):
        raise Refused("INVALID_RESPONSE")
    return answer


def _response(answer: Json, default_content_type: str, *, strict: bool) -> Response:
    """`headers` and `multiValueHeaders` together; where both name a header, the second wins."""
    status = status_code(answer["statusCode"])
    single = answer.get("headers") or {}
    multi = answer.get("multiValueHeaders") or {}
    if not isinstance(single, dict) or not isinstance(multi, dict):
        raise Refused("INVALID_RESPONSE")
    multi_names = {name.lower() for name in multi}
    headers: Headers = [
        (answer_name(name, strict), _answer_value(value, strict))
        for name, value in single.items()
        if name.lower() not in multi_names and name.lower() not in HOP_BY_HOP
    ]
    for name, values in multi.items():
        if not isinstance(values, list):
            raise Refused("INVALID_RESPONSE")
        if name.lower() not in HOP_BY_HOP:
            headers += [(answer_name(name, strict), _answer_value(value, strict)) for value in values]
    if status not in (204, 304) and not any(name.lower() == "content-type" for name, _ in headers):
        headers.append(("Content-Type", default_content_type))
    return Response(status, headers, answer_body(answer))


def answer_name(name: str, strict: bool = True) -> str:
    """REST APIs give some of a backend's headers another name."""
    if strict and name.lower() in _REST_REMAPPED:
        return f"x-amzn-Remapped-{name}"
    return header_name(name)


def _answer_value(value: Any, strict: bool) -> str:
    """REST APIs take text and booleans only."""
    if strict and not isinstance(value, str | bool):
        raise Refused("INVALID_RESPONSE")
    return header_text(value)


def _rest_body(body: bytes, content_type: str | None, binary_media_types: tuple[str, ...]) -> tuple[str, bool]:
    if binary_media_types and is_binary(content_type, binary_media_types):
        return read_body(body, None)
    return body.decode("utf-8", "replace"), False


def is_binary(media_type: str | None, binary_media_types: tuple[str, ...]) -> bool:
    """Of a Content-Type, or of the first type of an Accept header."""
    if not binary_media_types:
        return False
    first = (media_type or "application/json").partition(",")[0].partition(";")[0].strip().lower()
    return any(fnmatchcase(first, pattern.lower()) for pattern in binary_media_types)
