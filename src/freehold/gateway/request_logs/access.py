"""Access logs: a line for each request, by the stage's format, into a group of CloudWatch Logs.

Developer Guide, "Set up CloudWatch logging for REST APIs", "Variables for access logging for API Gateway", "Customize
HTTP API access logs". What a request does not have is written as `-`. One decision to know: values come from callers,
so quotes, backslashes and control characters in them are escaped as in JSON, and a line stays a line.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import md5
from typing import Any

import orjson

from freehold.aws.call import Json
from freehold.aws.errors import AwsError
from freehold.gateway.compiled import Kind
from freehold.gateway.exchange import Exchange, Refused
from freehold.gateway.payloads import v1, websocket
from freehold.gateway.request_logs.notes import Notes
from freehold.gateway.unsupported import unsupported
from freehold.http.messages import Response
from freehold.state.logs import LogEvent

LINE_MAX_BYTES = 4096  # Believed; longer lines are cut.
_NOTHING = "-"
_FORMAT_MAX = 3072
_ARN = re.compile(r"arn:aws[a-z-]*:logs:(?P<region>[a-z0-9-]+):\d{12}:log-group:(?P<group>[^:*]{1,512})(:\*)?")
_VARIABLE = re.compile(r"\$(?:context\.(?P<plain>[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*)|\{context\.(?P<braced>[^}]+)\})")
_NEEDED = ("requestId", "extendedRequestId")


@dataclass(frozen=True, slots=True)
class AccessLog:
    region: str
    group: str
    parts: tuple[str | tuple[str, ...], ...]  # Text, or the path of a variable.

    def write(self, exchange: Exchange, response: Response, refused: Refused | None) -> None:
        context = _context(exchange, response, refused)
        line = "".join([part if isinstance(part, str) else _text(_find(context, part)) for part in self.parts])
        line = line.encode()[:LINE_MAX_BYTES].decode("utf-8", "ignore")
        stream = stream_name(f"{exchange.api.id}/{exchange.stage.name}")
        event = LogEvent(int(exchange.means.clock.now_s() * 1000), line)
        exchange.means.logs.append(self.region, self.group, stream, [event])


def stream_name(place: str) -> str:
    """API Gateway's streams have names of 32 hex digits."""
    return md5(place.encode(), usedforsecurity=False).hexdigest()


def compile_access_log(destination_arn: str | None, format: str | None) -> AccessLog | None:
    """None where one of the two is missing: AWS logs then nothing. Raises AwsError, BadRequestException."""
    if destination_arn and ":firehose:" in destination_arn:
        raise unsupported(f"access logs to Firehose ({destination_arn})")
    match = _ARN.fullmatch(destination_arn) if destination_arn else None
    if destination_arn and match is None:
        raise _bad(f"Invalid ARN specified in the request. ARNs must start with 'arn:' ({destination_arn})")
    parts = _parts((format or "").rstrip("\n"))
    if match is None or not parts:
        return None
    return AccessLog(match["region"], match["group"], parts)


def compile_stage_log(stage: Json) -> tuple[AccessLog, ...]:
    """Of a stage of apigatewayv2; nothing where it does not log. Raises AwsError, BadRequestException."""
    settings = stage.get("AccessLogSettings") or {}
    log = compile_access_log(settings.get("DestinationArn"), settings.get("Format"))
    return () if log is None else (log,)


def _parts(format: str) -> tuple[str | tuple[str, ...], ...]:
    if not format:
        return ()
    if "\n" in format or "\r" in format:
        raise _bad("Access Log format must be single line, new line character is allowed only at end of the format")
    if len(format) > _FORMAT_MAX:
        raise _bad(f"Access Log format must be at most {_FORMAT_MAX} characters long")
    parts: list[str | tuple[str, ...]] = []
    end = 0
    for match in _VARIABLE.finditer(format):
        if match.start() > end:
            parts.append(format[end : match.start()])
        parts.append(tuple((match["plain"] or match["braced"]).split(".")))
        end = match.end()
    if not any((name,) in parts for name in _NEEDED):
        raise _bad("Access Log format must include $context.requestId or $context.extendedRequestId")
    return (*parts, format[end:])


def _context(exchange: Exchange, response: Response, refused: Refused | None) -> Json:
    """Everything that a format may name."""
    is_socket = exchange.api.kind is Kind.WEBSOCKET
    context = websocket.build_context(exchange) if is_socket else v1.build_context(exchange)
    notes = exchange.notes or Notes()
    error = _error(response, refused)
    latency_ms = round((exchange.means.clock.now_s() - exchange.now_s) * 1000)
    length = len(response.body) if response.stream is None else None
    context |= {
        "accountId": exchange.api.account,
        "routeKey": exchange.route.key if exchange.route else None,
        "status": response.status,
        "responseLength": length,
        "dataProcessed": len(exchange.request.body) + (length or 0),
        "responseLatency": latency_ms,
        "xrayTraceId": exchange.trace_id,
        "integration": {
            "error": notes.integration_error,
            "integrationStatus": notes.integration_status,
            "latency": notes.integration_latency_ms,
            "requestId": exchange.invocation_id if notes.integration_latency_ms is not None else None,
            "status": notes.answer_status,
        },
        "integrationErrorMessage": notes.integration_error,
        "integrationLatency": notes.integration_latency_ms,
        "integrationStatus": notes.integration_status,
        "awsEndpointRequestId": exchange.invocation_id if notes.integration_latency_ms is not None else None,
        "error": error,
    }
    context["authorizer"] = {
        "error": notes.authorizer_error,
        "latency": notes.authorizer_latency_ms,
        "status": notes.authorizer_status,
        **(context.get("authorizer") or {}),
    }
    return context


def _error(response: Response, refused: Refused | None) -> Json:
    """What the caller was told, unless a gateway response hid it."""
    if refused is None:
        return {}
    message = refused.message
    if message is None:
        try:
            told: Any = orjson.loads(response.body)
        except orjson.JSONDecodeError:
            told = None
        message = (told.get("message") or told.get("Message")) if isinstance(told, dict) else None
    return {
        "message": message,
        "messageString": orjson.dumps(message).decode(),
        "responseType": refused.response_type,
        "validationErrorString": refused.detail or None,
    }


def _find(context: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        if not isinstance(context, dict):
            return None
        context = context.get(name)
    return context


def _text(value: Any) -> str:
    if value is None or value == "":
        return _NOTHING
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    return orjson.dumps(text.encode("utf-8", "replace").decode()).decode()[1:-1]


def _bad(message: str) -> AwsError:
    return AwsError("BadRequestException", message, status=400)
