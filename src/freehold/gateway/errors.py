"""The words of every refusal, for each kind of API. Capital letters and blanks are as AWS writes them.

HTTP APIs: recorded bodies. REST APIs: Developer Guide, "Gateway response types for API Gateway", and recorded bodies.
Function URLs: Lambda Developer Guide, "Invoking Lambda function URLs".
"""

from __future__ import annotations

import re

import orjson

from freehold.gateway.compiled import Kind
from freehold.gateway.exchange import Exchange, Refused
from freehold.http.messages import Response

_HTTP = {
    "MISSING_AUTHENTICATION_TOKEN": (404, "Not Found"),
    "RESOURCE_NOT_FOUND": (404, "Not Found"),
    "UNAUTHORIZED": (401, "Unauthorized"),
    "ACCESS_DENIED": (403, "Forbidden"),
    "THROTTLED": (429, "Too Many Requests"),
    "REQUEST_TOO_LARGE": (413, "Request Entity Too Large"),
    "HEADERS_TOO_LARGE": (431, "Request Header Fields Too Large"),
    "INTEGRATION_TIMEOUT": (503, "Service Unavailable"),
    "INTEGRATION_UNREACHABLE": (503, "Service Unavailable"),
    "INTEGRATION_THROTTLED": (503, "Service Unavailable"),
}
_HTTP_OTHER = (500, "Internal Server Error")

# type -> status, x-amzn-ErrorType, body. None as body: {"message":null}.
_REST: dict[str, tuple[int, str, bytes]] = {
    "MISSING_AUTHENTICATION_TOKEN": (
        403,
        "MissingAuthenticationTokenException",
        b'{"message":"Missing Authentication Token"}',
    ),
    "RESOURCE_NOT_FOUND": (404, "NotFoundException", b'{"message":"Not Found"}'),
    "UNAUTHORIZED": (401, "UnauthorizedException", b'{"message":"Unauthorized"}'),
    "ACCESS_DENIED": (403, "AccessDeniedException", b'{"Message":"User is not authorized to access this resource"}'),
    "EXPIRED_TOKEN": (
        403,
        "ExpiredTokenException",
        b'{"message":"The security token included in the request is expired"}',
    ),
    "INVALID_SIGNATURE": (403, "InvalidSignatureException", b'{"message":null}'),
    "INVALID_API_KEY": (403, "ForbiddenException", b'{"message":"Forbidden"}'),
    "QUOTA_EXCEEDED": (429, "LimitExceededException", b'{"message":"Limit Exceeded"}'),
    "FORBIDDEN": (403, "ForbiddenException", b'{"message":"Forbidden"}'),
    "BAD_REQUEST_BODY": (400, "BadRequestException", b'{"message": "Invalid request body"}'),
    "BAD_REQUEST_PARAMETERS": (400, "BadRequestException", b'{"message": null}'),
    "THROTTLED": (429, "TooManyRequestsException", b'{"message":"Too Many Requests"}'),
    "REQUEST_TOO_LARGE": (413, "RequestTooLongException", b'{"message":"Request Too Long"}'),
    "HEADERS_TOO_LARGE": (431, "BadRequestException", b'{"message":"Request Header Fields Too Large"}'),
    "UNSUPPORTED_MEDIA_TYPE": (415, "BadRequestException", b'{"message":"Unsupported Media Type"}'),
    "AUTHORIZER_CONFIGURATION_ERROR": (500, "AuthorizerConfigurationException", b'{"message":null}'),
    "AUTHORIZER_FAILURE": (500, "AuthorizerFailureException", b'{"message":null}'),
    "API_CONFIGURATION_ERROR": (500, "InternalServerErrorException", b'{"message": "Internal server error"}'),
    "NOT_PERMITTED": (500, "InternalServerErrorException", b'{"message": "Internal server error"}'),
    "INTEGRATION_FAILURE": (502, "InternalServerErrorException", b'{"message": "Internal server error"}'),
    "INTEGRATION_UNREACHABLE": (
        504,
        "InternalServerErrorException",
        b'{"message": "Network error communicating with endpoint"}',
    ),
    "INTEGRATION_TIMEOUT": (504, "InternalServerErrorException", b'{"message": "Endpoint request timed out"}'),
}
_BEFORE_VALUE = re.compile(rb'\{"[Mm]essage": ?')
_REST_OTHER = (502, "InternalServerErrorException", b'{"message": "Internal server error"}')

# WebSocket APIs: of a handshake the status, of a message the frame; the words are the same.
_SOCKET = {
    "MISSING_AUTHENTICATION_TOKEN": (403, "Forbidden"),
    "FORBIDDEN": (403, "Forbidden"),
    "RESOURCE_NOT_FOUND": (403, "Forbidden"),
    "UNAUTHORIZED": (401, "Unauthorized"),
    "ACCESS_DENIED": (403, "Forbidden"),
    "INVALID_API_KEY": (403, "Forbidden"),
    "THROTTLED": (429, "Too Many Requests"),
    "QUOTA_EXCEEDED": (429, "Limit Exceeded"),
    "BAD_REQUEST_BODY": (400, "Invalid request body"),
    "BAD_REQUEST_PARAMETERS": (400, "Invalid request parameters"),
    "UNSUPPORTED_MEDIA_TYPE": (415, "Unsupported Media Type"),
    "HEADERS_TOO_LARGE": (431, "Request Header Fields Too Large"),
    "REQUEST_TOO_LARGE": (413, "Request Too Long"),
    "INTEGRATION_TIMEOUT": (504, "Endpoint request timed out"),
    "NOT_PERMITTED": (500, "Internal server error"),
    "AUTHORIZER_FAILURE": (500, "Internal server error"),
    "AUTHORIZER_CONFIGURATION_ERROR": (500, "Internal server error"),
}
_SOCKET_OTHER = (502, "Internal server error")

_URL = {
    "ACCESS_DENIED": (403, b'{"Message":"Forbidden"}', "AccessDeniedException"),
    "INVALID_SIGNATURE": (403, b'{"message":null}', "InvalidSignatureException"),
    "EXPIRED_TOKEN": (403, b'{"message":null}', "ExpiredTokenException"),
    "THROTTLED": (
        429,
        b'{"Reason":"ConcurrentInvocationLimitExceeded","Message":"Rate Exceeded."}',
        "ThrottlingException",
    ),
    "REQUEST_TOO_LARGE": (413, b'{"Message":"Request Entity Too Large"}', "RequestTooLargeException"),
    "HEADERS_TOO_LARGE": (431, b'{"Message":"Request Header Fields Too Large"}', "BadRequestException"),
    "RESOURCE_NOT_FOUND": (404, b'{"Message":null}', "ResourceNotFoundException"),
    "INTEGRATION_TIMEOUT": (504, b'{"Message":"Gateway Timeout"}', "GatewayTimeoutException"),
}
_URL["INTEGRATION_THROTTLED"] = _URL["THROTTLED"]
_URL_OTHER = (502, b"Internal Server Error", "")


def write_refusal(exchange: Exchange, refused: Refused) -> Response:
    kind = exchange.api.kind
    if kind is Kind.HTTP:
        return http_refusal(refused)
    if kind is Kind.REST:
        return _rest_refusal(exchange, refused)
    if kind is Kind.WEBSOCKET:
        return _socket_refusal(exchange, refused)
    status, body, error_type = _URL.get(refused.type, _URL_OTHER)
    if refused.message is not None and body.startswith(b'{"message"'):
        body = orjson.dumps({"message": refused.message})
    headers = [("Content-Type", "application/json"), ("x-amzn-ErrorType", refused.error_type or error_type)]
    return Response(status, headers if error_type else [], body)


def http_refusal(refused: Refused) -> Response:
    status, message = _HTTP.get(refused.type, _HTTP_OTHER)
    headers = [("Content-Type", "application/json"), *refused.headers]
    return Response(status, headers, b'{"message":"%b"}' % message.encode())


def socket_frame(exchange: Exchange, refused: Refused) -> bytes:
    """What a client is told of a message that failed, as AWS spaces it."""
    assert exchange.turn is not None
    message = refused.message or _SOCKET.get(refused.type, _SOCKET_OTHER)[1]
    connection_id = exchange.turn.caller.connection_id
    return b'{"message": %b, "connectionId":"%b", "requestId":"%b"}' % (
        orjson.dumps(message),
        connection_id.encode(),
        exchange.request_id.encode(),
    )


def _socket_refusal(exchange: Exchange, refused: Refused) -> Response:
    status, _ = _SOCKET.get(refused.type, _SOCKET_OTHER)
    headers = [("Content-Type", "application/json"), *refused.headers]
    return Response(status, headers, socket_frame(exchange, refused))


def _rest_refusal(exchange: Exchange, refused: Refused) -> Response:
    status, error_type, body = _REST.get(refused.type, _REST_OTHER)
    message = orjson.loads(body).get("message", orjson.loads(body).get("Message"))
    if refused.message is not None:
        message = refused.message
        # What is before the value stays as AWS writes it, for this type: `{"message": ` or `{"Message":`.
        body = b"%b%b}" % (_BEFORE_VALUE.match(body)[0], orjson.dumps(message))  # type: ignore[index]
    custom = exchange.stage.gateway_responses.get(refused.response_type)
    if custom is None:
        custom = exchange.stage.gateway_responses.get("DEFAULT_4XX" if status < 500 else "DEFAULT_5XX")
    error_type = refused.error_type or error_type
    headers = [("Content-Type", "application/json"), ("x-amzn-ErrorType", error_type), *refused.headers]
    if custom is None:
        return Response(status, headers, body)
    return custom.write(exchange, status, headers, body, message, refused)
