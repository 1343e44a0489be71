"""HTTP and HTTP_PROXY of WebSocket APIs: another server is sent a message and answers it.

API Gateway Developer Guide, "Integrations for WebSocket APIs", "Set up data mapping for WebSocket APIs". A proxy sends
the message as it came; HTTP what its template makes of it. Believed: of a handshake, headers and query string reach the
backend only where a parameter maps them.
"""

from __future__ import annotations

from dataclasses import dataclass

from freehold.aws.call import Json
from freehold.aws.errors import AwsError
from freehold.gateway.exchange import Exchange
from freehold.gateway.integrations.endpoints import fill_path, with_query
from freehold.gateway.integrations.http import send
from freehold.gateway.integrations.socket_mapped import Mapped
from freehold.gateway.parameters import Source, compile_source
from freehold.gateway.payloads.websocket import handshake_headers
from freehold.gateway.unsupported import unsupported
from freehold.http.messages import Headers, Response

_TO = "integration.request."
_FROM = "route.request."


@dataclass(frozen=True, slots=True)
class SocketHttp:
    uri: str  # Stage variables are in; `{variables}` are filled by parameters.
    method: str
    mapped: Mapped | None  # None: HTTP_PROXY.
    parameters: tuple[tuple[str, str, Source], ...]  # ("header", "X-Name", where its value comes from)
    timeout_s: float

    async def answer(self, exchange: Exchange) -> Response:
        body = exchange.request.body if self.mapped is None else self.mapped.ask(exchange).encode()
        values: dict[str, list[tuple[str, str]]] = {"header": [], "querystring": [], "path": []}
        for place, name, source in self.parameters:
            values[place] += [(name, value) for value in source(exchange)]
        url = with_query(fill_path(exchange, self.uri, dict(values["path"])), values["querystring"])
        response = await send(exchange, self.method, url, _headers(exchange, values["header"]), body, self.timeout_s)
        if self.mapped is None:
            return Response(response.status, handshake_headers(response.headers), response.body)
        text = response.body.decode("utf-8", "replace")
        return self.mapped.tell(exchange, response.status, str(response.status), text)


def _headers(exchange: Exchange, mapped: Headers) -> Headers:
    names = {name.lower() for name, _ in mapped}
    own = [("Content-Type", "application/json"), ("User-Agent", f"AmazonAPIGateway_{exchange.api.id}")]
    headers = [*mapped, ("X-Amzn-Apigateway-Api-Id", exchange.api.id)]
    return headers + [header for header in own if header[0].lower() not in names]


def compile_socket_http(integration: Json, uri: str, mapped: Mapped | None, timeout_s: float) -> SocketHttp:
    """Raises AwsError."""
    if not uri.startswith(("http://", "https://")):
        raise AwsError("BadRequestException", f"Invalid HTTP endpoint specified for URI {uri}", status=400)
    method = integration.get("IntegrationMethod")
    if not method:
        kind = integration["IntegrationType"]
        raise AwsError("BadRequestException", f"HttpMethod must be specified for {kind} integrations", status=400)
    parameters = tuple(
        _parameter(name, source) for name, source in (integration.get("RequestParameters") or {}).items()
    )
    return SocketHttp(uri, method.upper(), mapped, parameters, timeout_s)


def _parameter(parameter: str, source: str) -> tuple[str, str, Source]:
    what = "an integration of a WebSocket API"
    place, _, name = parameter.removeprefix(_TO).partition(".")
    place = place.removeprefix("multivalue")
    if not parameter.startswith(_TO) or place not in ("header", "querystring", "path") or not name:
        raise AwsError("BadRequestException", f"Invalid mapping expression specified: {parameter}", status=400)
    if source.startswith(("method.", f"{_FROM}path")):
        raise unsupported(f"the parameter mapping from {source} of {what}")
    # Mapped as in REST APIs, where a route is a method.
    renamed = f"method.request.{source.removeprefix(_FROM)}" if source.startswith(_FROM) else source
    return place, name, compile_source(renamed, what)
