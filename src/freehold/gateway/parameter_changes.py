"""Parameter mapping of HTTP APIs: what a route's integration is sent, and what its answer becomes, compiled.

API Gateway Developer Guide, "Transform API requests and responses for HTTP APIs". One decision to know: `overwrite`
with a value that the request does not have takes the client's own away, so that nobody can pass for another by sending
a header which the gateway is told to write.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote

import orjson

from freehold.aws.call import Json
from freehold.aws.errors import AwsError
from freehold.gateway.exchange import Exchange, Refused
from freehold.gateway.integrations.endpoints import climbs, write_query
from freehold.gateway.payloads import v1, v2
from freehold.gateway.payloads.parts import header_name, header_text, query_pairs, status_code
from freehold.gateway.selection import Selection, Variable, compile_selection
from freehold.http.messages import Headers, Request, Response

REQUEST_ROOTS = (
    "request.header",
    "request.querystring",
    "request.path",
    "request.body",
    "context",
    "stageVariables",
)
_ANSWER_ROOTS = ("response.header", "response.body", "context", "stageVariables")
_TWO_FOLD = ("request.body", "request.path", "response.body")
_BODY_MAX_BYTES = 100 * 1024  # Of a body that a path looks into; the rest is cut off, as on AWS.
_REQUEST_KEY = re.compile(r"^(?P<action>append|overwrite|remove):(?P<place>header|querystring)\.(?P<name>\S+)$")
_ANSWER_KEY = re.compile(r"^(?P<action>append|overwrite|remove):(?P<place>header)\.(?P<name>\S+)$")
_HEADER_NAME = re.compile(r"^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$")
_RESERVED = frozenset(
    {
        "authorization",
        "connection",
        "content-encoding",
        "content-length",
        "content-location",
        "forwarded",
        "keep-alive",
        "origin",
        "proxy-authenticate",
        "proxy-authorization",
        "te",
        "trailers",
        "transfer-encoding",
        "upgrade",
        "via",
        "x-forwarded-for",
        "x-forwarded-host",
        "x-forwarded-proto",
    }
)
_RESERVED_STARTS = ("access-control-", "apigw-", "x-amz-", "x-amzn-")
_FRAME = "Invalid mapping expression specified: Validation Result: warnings : [], errors : [{}]"
_BAD_KEY = "Invalid {} Actioned Parameter destination specified: {}"  # As AWS words it.
_RESTRICTED = "Operations on header {} are restricted"  # Believed.


@dataclass(frozen=True, slots=True)
class Change:
    action: str  # "append", "overwrite", "remove".
    place: str  # "header", "querystring", "path", "statuscode".
    name: str  # Of the header, in lower case, or of the parameter; else "".
    value: Selection | None  # None of "remove".


Changes = tuple[Change, ...]


def compile_request_changes(parameters: Mapping[str, Any]) -> Changes:
    """`{"overwrite:header.x-user": "$context.authorizer.claims.sub", ...}`. Raises AwsError, BadRequestException."""
    return tuple(_change("Request", key, value) for key, value in parameters.items())


def compile_answer_changes(by_status: Mapping[str, Any]) -> Mapping[int, Changes]:
    """`{"200": {"overwrite:statuscode": "201", ...}}`. Raises AwsError, BadRequestException."""
    changes = {}
    for status, parameters in by_status.items():
        if not status.isdigit() or not 200 <= int(status) <= 599:
            raise _bad(f"Invalid status code {status} in ResponseParameters: it must be between 200 and 599")
        changes[int(status)] = tuple(_change("Response", key, value) for key, value in (parameters or {}).items())
    return changes


def compile_value(text: Any, roots: tuple[str, ...] = REQUEST_ROOTS) -> Selection:
    """Raises AwsError, BadRequestException."""
    refused = _bad(f"Invalid mapping expression specified: {text}")
    if not isinstance(text, str) or (".." in text and "$" in text) or "?(" in text:
        raise refused
    try:
        selection = compile_selection(text, "", roots)
    except AwsError:
        raise refused from None
    return Selection(tuple(part if isinstance(part, str) else _below(part) for part in selection.parts))


def request_value(exchange: Exchange, value: Selection) -> str | None:
    """None: the request does not have what it names."""
    return value.evaluate(lambda root: _look(exchange, root))


def change_request(exchange: Exchange, changes: Changes) -> tuple[Request, str | None]:
    """What the integration is sent instead of the client's request, and the path for it if that is changed. All values
    are of the client's own request. Raises Refused."""
    request = exchange.request
    headers: Headers = list(request.headers)
    pairs: list[tuple[str, str]] | None = None
    path = None
    for change in changes:
        text = None if change.value is None else request_value(exchange, change.value)
        if change.place == "path":
            path = _path(text)
        elif change.place == "header":
            _apply(headers, change, text)
        else:
            pairs = query_pairs(request.query) if pairs is None else pairs
            _apply(pairs, change, text)
    query = request.query if pairs is None else write_query(pairs)
    changed = Request(
        request.method, request.raw_path, query, headers, request.body, request.client, request.scheme,
        request.http_version,
    )  # fmt: skip
    return changed, path


def change_answer(exchange: Exchange, response: Response, changes: Changes) -> Response:
    """Raises Refused where a header's value or a status is none."""
    headers, status = list(response.headers), response.status
    known: dict[str, Any] = {}

    def look(root: str) -> Any:
        if root not in known:
            known[root] = _look_at_answer(exchange, response, root)
        return known[root]

    for change in changes:
        text = None if change.value is None else change.value.evaluate(look)
        if change.place == "statuscode":
            status = status if text is None else status_code(text)
        else:
            _apply(headers, change, None if text is None else header_text(text))
    return Response(status, headers, response.body, response.stream)


def _change(side: str, key: str, text: Any) -> Change:
    is_request = side == "Request"
    alone = "overwrite:path" if is_request else "overwrite:statuscode"
    match = (_REQUEST_KEY if is_request else _ANSWER_KEY).match(key)
    if key == alone:
        action, _, place = key.partition(":")
        name = ""
    elif match is not None:
        action, place, name = match["action"], match["place"], match["name"]
    else:
        raise _bad(_BAD_KEY.format(side, key))
    if place == "header":
        name = name.lower()
        if not _HEADER_NAME.match(name):
            raise _bad(_BAD_KEY.format(side, key))
        if name in _RESERVED or name.startswith(_RESERVED_STARTS):
            raise _bad(_RESTRICTED.format(name))
    value = None if action == "remove" else compile_value(text, REQUEST_ROOTS if is_request else _ANSWER_ROOTS)
    return Change(action, place, name, value)


def _below(variable: Variable) -> Variable:
    """A whole body is its text and a whole path what was called; below them there are values: `_look` tells them apart
    by the dot."""
    is_below = variable.path and variable.root in _TWO_FOLD
    return Variable(f"{variable.root}.", variable.path) if is_below else variable


def _apply(entries: list[tuple[str, str]], change: Change, text: str | None) -> None:
    if change.action != "append":
        is_header = change.place == "header"
        entries[:] = [entry for entry in entries if (entry[0].lower() if is_header else entry[0]) != change.name]
    if text is not None:
        entries.append((header_name(change.name) if change.place == "header" else change.name, text))


def _path(text: str | None) -> str:
    """Percent-encoded. What callers sent in it can neither climb out of a folder nor begin a query."""
    if text is None or climbs(unquote(text)):
        raise Refused("API_CONFIGURATION_ERROR")
    return quote("/" + text.removeprefix("/"), safe="/%:@!$&'()*+,;=~")


def _look(exchange: Exchange, root: str) -> Any:
    request = exchange.request
    match root:
        case "request.header":
            return request.lower
        case "request.querystring":
            return v2.join_query(request.query)
        case "request.path":
            return exchange.path
        case "request.path.":
            return exchange.parameters
        case "request.body":
            return request.body.decode("utf-8", "replace")
        case "request.body.":
            return _document(request.body)
    return _look_around(exchange, root)


def _look_at_answer(exchange: Exchange, response: Response, root: str) -> Any:
    if root == "response.header":
        return Request("", "", "", response.headers, b"").lower
    if root == "response.body":
        return response.body.decode("utf-8", "replace")
    if root == "response.body.":
        return _document(response.body)
    return _look_around(exchange, root)


def _look_around(exchange: Exchange, root: str) -> Json:
    if root == "context":
        return {**v1.build_context(exchange), "routeKey": exchange.route.key if exchange.route else None}
    return dict(exchange.stage.variables or {})


def _document(body: bytes) -> Any:
    """Of JSON, else None."""
    try:
        return orjson.loads(body[:_BODY_MAX_BYTES])
    except orjson.JSONDecodeError:
        return None


def _bad(error: str) -> AwsError:
    return AwsError("BadRequestException", _FRAME.format(error), status=400)
