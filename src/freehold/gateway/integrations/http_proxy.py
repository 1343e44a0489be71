"""HTTP_PROXY of HTTP APIs: another server answers the request as it came.

API Gateway Developer Guide, "Create HTTP proxy integrations for HTTP APIs", and "Amazon API Gateway important notes" of
HTTP APIs: X-Forwarded-* headers become the standard Forwarded header, with what this gateway adds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from freehold.gateway.exchange import Exchange
from freehold.gateway.integrations.endpoints import fill_path, with_query
from freehold.gateway.integrations.http import NOT_FORWARDED, send
from freehold.gateway.payloads.parts import HOP_BY_HOP, query_pairs
from freehold.http.messages import Headers, Request, Response

_NOT_FORWARDED = NOT_FORWARDED | {"forwarded", "via", "x-forwarded-host"}
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_VIA = "HTTP/1.1 AmazonAPIGateway"


@dataclass(frozen=True, slots=True)
class HttpApiProxy:
    uri: str  # Stage variables are in; `{variables}` of the route's path are not.
    method: str  # "ANY": the request's own.
    timeout_s: float
    host: str = ""  # What a mapping says instead of the backend's own name.

    async def answer(self, exchange: Exchange) -> Response:
        request = exchange.request
        url = fill_path(exchange, self.uri, exchange.parameters)
        url = with_query(url, query_pairs(request.query))
        response = await send(exchange, self.method, url, _headers(exchange, self.host), request.body, self.timeout_s)
        response.headers = [header for header in response.headers if header[0].lower() not in HOP_BY_HOP]
        return response

    def changed(self, path: str | None, host: str) -> HttpApiProxy:
        """The same backend by another path (percent-encoded) and another name, where there are such."""
        uri = self.uri
        if path is not None:
            parts = urlsplit(uri)
            uri = f"{parts.scheme}://{parts.netloc}{path}{'?' if parts.query else ''}{parts.query}"
        return replace(self, uri=uri, host=host)


def _headers(exchange: Exchange, host: str) -> Headers:
    request = exchange.request
    headers = [header for header in request.headers if header[0].lower() not in _NOT_FORWARDED]
    via = request.lower.get("via")
    headers.append(("Forwarded", _forwarded(request)))
    headers.append(("Via", f"{via}, {_VIA}" if via else _VIA))
    if host:
        headers.append(("Host", host))
    return headers


def _forwarded(request: Request) -> str:
    """RFC 7239: who asked for whom, the nearest last."""
    before = [request.lower["forwarded"]] if "forwarded" in request.lower else []
    chain = [each.strip() for each in request.lower.get("x-forwarded-for", "").split(",")]
    before += [f"for={_node(each)}" for each in chain if each]
    return ",".join([*before, f"for={_node(request.client)};host={_quoted(request.host)};proto={request.scheme}"])


def _node(address: str) -> str:
    return f'"[{address}]"' if address.count(":") > 1 and "[" not in address else _quoted(address)


def _quoted(text: str) -> str:
    """A token as it is, all else in quotes."""
    if _TOKEN.fullmatch(text):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
