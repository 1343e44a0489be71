"""Identity sources: where an authorizer finds what identifies the caller.

HTTP APIs write `$request.header.Authorization`, REST APIs `method.request.header.Authorization`, WebSocket APIs
`route.request.header.Authorization`; the rest is the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from freehold.aws.errors import AwsError
from freehold.gateway.compiled import Kind
from freehold.gateway.exchange import Exchange
from freehold.gateway.payloads import v1, v2, websocket
from freehold.gateway.payloads.parts import query_pairs

_CONTEXTS = {Kind.REST: v1.build_context, Kind.WEBSOCKET: websocket.build_context}

Source = Callable[[Exchange], str | None]
"""None or "" when the request does not have it."""


def compile_source(text: str) -> Source:
    """Raises AwsError, BadRequestException, for what is not an identity source."""
    expression = text.strip().removeprefix("$").removeprefix("method.").removeprefix("route.")
    if expression.startswith("request.header."):
        header = expression.removeprefix("request.header.").lower()
        return lambda exchange: exchange.request.lower.get(header)
    if expression.startswith("request.querystring."):
        name = expression.removeprefix("request.querystring.")
        return lambda exchange: dict(query_pairs(exchange.request.query)).get(name)
    if expression.startswith("stageVariables."):
        variable = expression.removeprefix("stageVariables.")
        return lambda exchange: (exchange.stage.variables or {}).get(variable)
    if expression.startswith("context."):
        path = expression.removeprefix("context.").split(".")
        return lambda exchange: _context(exchange, path)
    raise AwsError("BadRequestException", f"Invalid identity source: {text}", status=400)


def _context(exchange: Exchange, path: list[str]) -> str | None:
    value: Any = _CONTEXTS.get(exchange.api.kind, v2.build_context)(exchange)
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return None if value is None else str(value)
