"""Where a mapped value of a REST or WebSocket API comes from: its request, `$context`, stage variables, or quoted text.

API Gateway Developer Guide, "Parameter mapping examples for REST APIs" and "API Gateway mapping template variables".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from freehold.gateway.compiled import Kind
from freehold.gateway.exchange import Exchange
from freehold.gateway.mapping.jsonpath import check_path, find
from freehold.gateway.mapping.methods import TemplateFailure, java_text
from freehold.gateway.mapping.variables import Input, json_text
from freehold.gateway.payloads import v1, websocket
from freehold.gateway.payloads.parts import query_pairs
from freehold.gateway.unsupported import unsupported

Source = Callable[[Exchange], list[str]]
"""No value: the request does not have it. Several: of a multivalue parameter."""

_REQUEST = "method.request."


def compile_source(text: str, what: str) -> Source:
    """`what` names the mapping in the refusal. Raises AwsError for what is no source."""
    if len(text) >= 2 and text.startswith("'") and text.endswith("'"):
        quoted = [text[1:-1]]
        return lambda exchange: quoted
    if text.startswith(_REQUEST):
        source = _request_source(text.removeprefix(_REQUEST))
        if source is not None:
            return source
    kind, _, name = text.partition(".")
    if kind == "stageVariables" and name:
        return lambda exchange: _listed((exchange.stage.variables or {}).get(name))
    if kind == "context" and name:
        return lambda exchange: _listed(context_value(exchange, name))
    raise unsupported(f"the parameter mapping from {text} of {what}")


def context_value(exchange: Exchange, path: str) -> str | None:
    """`$context.` and a path, as text."""
    is_socket = exchange.api.kind is Kind.WEBSOCKET
    found = find(websocket.build_context(exchange) if is_socket else v1.build_context(exchange), path)
    return None if found is None else java_text(found)


def _request_source(place: str) -> Source | None:
    where, _, name = place.partition(".")
    match where:
        case "header" if name:
            lower = name.lower()
            return lambda exchange: _listed(exchange.request.lower.get(lower))
        case "multivalueheader" if name:
            lower = name.lower()
            return lambda exchange: [value for each, value in exchange.request.headers if each.lower() == lower]
        case "path" if name:
            return lambda exchange: _listed(exchange.parameters.get(name))
        case "querystring" if name:
            return lambda exchange: _query_values(exchange, name)[-1:]
        case "multivaluequerystring" if name:
            return lambda exchange: _query_values(exchange, name)
        case "body" if not name:
            return lambda exchange: [exchange.request.body.decode("utf-8", "replace")]
        case "body":
            return _body_source(f"$.{name}")
    return None


def _body_source(path: str) -> Source | None:
    try:
        check_path(path)
    except TemplateFailure:
        return None

    def read(exchange: Exchange) -> list[str]:
        return _listed(body_value(exchange.request.body.decode("utf-8", "replace"), path))

    return read


def body_value(body: str, path: str) -> str | None:
    """What a JSONPath finds in a body of JSON: text as it is, anything else as JSON."""
    found = Input(body, {}, {}, dict).template_call("path", [path])
    if found is None:
        return None
    return found if isinstance(found, str) else json_text(found)


def _query_values(exchange: Exchange, name: str) -> list[str]:
    return [value for each, value in query_pairs(exchange.request.query) if each == name]


def _listed(value: Any) -> list[str]:
    return [] if value is None else [value]
