"""Execution logs of REST APIs: what happened to each request, in the group `API-Gateway-Execution-Logs_{api}/{stage}`;
of WebSocket APIs in `/aws/apigateway/{api}/{stage}`, in words of their own (socket_lines.py).

Developer Guide, "Set up CloudWatch logging for REST APIs"; the lines as AWS's knowledge center shows them. INFO tells
of every request, ERROR of those that failed here or behind; data trace adds the request and the answer. What identifies
a caller is not written out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from freehold.aws.call import Json
from freehold.aws.errors import AwsError
from freehold.gateway.exchange import Exchange, Refused
from freehold.gateway.payloads import v1
from freehold.gateway.request_logs.access import stream_name
from freehold.gateway.request_logs.socket_lines import socket_group, socket_lines
from freehold.http.messages import Response
from freehold.state.logs import LogEvent

EVENT_MAX_BYTES = 1024  # AWS cuts longer ones.
LEVELS = ("OFF", "ERROR", "INFO")
_SECRET = frozenset({"authorization", "x-api-key", "cookie", "x-amz-security-token"})


@dataclass(frozen=True, slots=True)
class MethodLevel:
    tells_all: bool  # INFO.
    traces_data: bool


@dataclass(frozen=True, slots=True)
class ExecutionLog:
    levels: Mapping[str, MethodLevel]  # By route key; routes that are not in it log nothing.

    def write(self, exchange: Exchange, response: Response, refused: Refused | None) -> None:
        level = self.levels.get(exchange.route.key) if exchange.route is not None else None
        failed = response.status >= 500
        if level is None or not (level.tells_all or failed):
            return
        api, stage = exchange.api, exchange.stage
        at_ms = int(exchange.means.clock.now_s() * 1000)
        head = f"({exchange.request_id}) "
        if exchange.turn is not None:
            lines, group = socket_lines(exchange, response, refused, level.traces_data), socket_group(exchange)
        else:
            lines = _lines(exchange, response, refused, level)
            group = f"API-Gateway-Execution-Logs_{api.id}/{stage.name}" + ("/Canary" if stage.is_canary else "")
        events = [LogEvent(at_ms, _cut(head + line)) for line in lines]
        exchange.means.logs.append(api.region, group, stream_name(f"{api.id}/{stage.name}"), events)


def compile_execution_log(methods: Iterable[tuple[str, Json]]) -> ExecutionLog | None:
    """Of ("GET /items", its settings). None where all are OFF. Raises AwsError."""
    levels = {}
    for key, settings in methods:
        level = settings.get("loggingLevel", "OFF")
        if level not in LEVELS:
            message = f"Invalid logging level {level}. Must be one of: {', '.join(LEVELS)}"
            raise AwsError("BadRequestException", message, status=400)
        if level != "OFF":
            levels[key] = MethodLevel(level == "INFO", bool(settings.get("dataTraceEnabled")))
    return ExecutionLog(levels) if levels else None


def _lines(exchange: Exchange, response: Response, refused: Refused | None, level: MethodLevel) -> list[str]:
    route, notes = exchange.route, exchange.notes
    assert route is not None
    lines = [
        f"Extended Request Id: {exchange.extended_id}",
        f"Starting execution for request: {exchange.request_id}",
        f"HTTP Method: {exchange.request.method}, Resource Path: {exchange.path or '/'}",
    ]
    if level.traces_data:
        lines += _request_lines(exchange)
    if notes is not None and notes.integration_latency_ms is not None:
        status = notes.integration_status if notes.integration_status is not None else "none"
        lines.append(f"Received response. Status: {status}, Integration latency: {notes.integration_latency_ms} ms")
    if refused is not None:
        why = refused.message or refused.detail or (notes.integration_error if notes is not None else None)
        lines.append(f"Execution failed: {refused.response_type}" + (f": {why}" if why else ""))
    elif level.traces_data:
        lines += [
            f"Method response headers: {_braced(response.headers)}",
            f"Method response body after transformations: {response.body.decode('utf-8', 'replace')}",
        ]
    if refused is None:
        lines.append("Successfully completed execution")
    return [*lines, f"Method completed with status: {response.status}"]


def _request_lines(exchange: Exchange) -> list[str]:
    headers, _ = v1.build_headers(exchange)
    query, _ = v1.build_query(exchange.request.query)
    return [
        f"Method request path: {_braced(exchange.parameters.items())}",
        f"Method request query string: {_braced((query or {}).items())}",
        f"Method request headers: {_braced(headers.items())}",
        f"Method request body before transformations: {exchange.request.body.decode('utf-8', 'replace')}",
    ]


def _braced(pairs: Iterable[tuple[str, str]]) -> str:
    return "{" + ", ".join(f"{name}={_shown(name, value)}" for name, value in pairs) + "}"


def _shown(name: str, value: str) -> str:
    return "*" * 8 + value[-4:] if name.lower() in _SECRET and len(value) > 8 else value


def _cut(line: str) -> str:
    data = line.encode("utf-8", "replace")
    return line if len(data) <= EVENT_MAX_BYTES else data[:EVENT_MAX_BYTES].decode("utf-8", "ignore") + " [TRUNCATED]"
