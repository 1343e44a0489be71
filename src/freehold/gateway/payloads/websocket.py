"""Events of WebSocket APIs, and what a function's answer means to one.

API Gateway Developer Guide, "Set up WebSocket API integration requests", "Manage connected users and client apps:
$connect and $disconnect routes", "Create a Lambda REQUEST authorizer function"; members and their order as recorded.
"""

from __future__ import annotations

from typing import Any

import orjson

from freehold.aws.call import Json
from freehold.gateway.exchange import Exchange, Refused
from freehold.gateway.payloads import v1
from freehold.gateway.payloads.parts import answer_body, header_text, request_time, status_code
from freehold.http.messages import Headers, Response

STATUS_IF_NONE = 200  # As of REST APIs; not recorded for WebSocket APIs.
_OF_HANDSHAKES = frozenset({"sec-websocket-protocol", "content-type"})
# The handshake is long over at a $disconnect; these headers are what AWS tells in its place.
_EMPTY_AT_THE_END = ("x-api-key", "X-Forwarded-For", "x-restapi")


def build_event(exchange: Exchange) -> Json:
    """Members without a value are absent. Only $connect and $disconnect have headers, only messages a body."""
    turn = exchange.turn
    assert turn is not None
    event: Json = {}
    if turn.event_type == "CONNECT":
        event["headers"], event["multiValueHeaders"] = v1.build_headers(exchange)
        query, multi_query = v1.build_query(exchange.request.query)
        if query is not None:
            event["queryStringParameters"], event["multiValueQueryStringParameters"] = query, multi_query
    elif turn.event_type == "DISCONNECT":
        event["headers"] = {"Host": turn.domain, **dict.fromkeys(_EMPTY_AT_THE_END, "")}
        event["multiValueHeaders"] = {name: [value] for name, value in event["headers"].items()}
    if exchange.stage.variables:
        event["stageVariables"] = dict(exchange.stage.variables)
    event["requestContext"] = build_context(exchange)
    if turn.event_type == "MESSAGE":
        event["body"] = exchange.request.body.decode("utf-8")
    event["isBase64Encoded"] = False
    return event


def build_authorizer_event(exchange: Exchange, method_arn: str) -> Json:
    """Members without a value are empty."""
    event = build_event(exchange)
    event.pop("isBase64Encoded")
    for member in ("queryStringParameters", "multiValueQueryStringParameters", "stageVariables"):
        event.setdefault(member, {})
    return {"type": "REQUEST", "methodArn": method_arn, **event}


def build_context(exchange: Exchange) -> Json:
    turn = exchange.turn
    assert turn is not None
    caller = turn.caller
    context: dict[str, Any] = {"routeKey": exchange.route.key if exchange.route else "$connect"}
    if turn.event_type == "MESSAGE":
        context["messageId"] = turn.message_id
    elif turn.event_type == "DISCONNECT":
        context["disconnectStatusCode"] = turn.code
    authorizer = exchange.authorizer or turn.authorizer
    if authorizer is not None:
        context["authorizer"] = authorizer
    context |= {
        "eventType": turn.event_type,
        "extendedRequestId": exchange.extended_id,
        "requestTime": request_time(exchange.now_s),
        "messageDirection": "IN",
    }
    if turn.event_type == "DISCONNECT":
        context["disconnectReason"] = turn.reason
    identity = v1.signer(exchange.caller or turn.signer)
    if caller.user_agent is not None:
        identity["userAgent"] = caller.user_agent
    identity["sourceIp"] = caller.source_ip
    return context | {
        "stage": exchange.stage.name,
        "connectedAt": caller.connected_at_ms,
        "requestTimeEpoch": int(exchange.now_s * 1000),
        "identity": identity,
        "requestId": exchange.request_id,
        "domainName": caller.domain,
        "connectionId": caller.connection_id,
        "apiId": exchange.api.id,
    }


def read_response(payload: bytes) -> Response:
    """An object with a `statusCode` and a body; of its headers those that a handshake can use. Raises Refused."""
    try:
        answer = orjson.loads(payload)
    except orjson.JSONDecodeError:
        raise Refused("INVALID_RESPONSE") from None
    headers = answer.get("headers") or {} if isinstance(answer, dict) else None
    if not isinstance(headers, dict):
        raise Refused("INVALID_RESPONSE")
    kept = handshake_headers([(name, header_text(value)) for name, value in headers.items()])
    return Response(status_code(answer.get("statusCode", STATUS_IF_NONE)), kept, answer_body(answer))


def handshake_headers(headers: Headers) -> Headers:
    """Those that the answer to a handshake may bring."""
    return [header for header in headers if header[0].lower() in _OF_HANDSHAKES]
