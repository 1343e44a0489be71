"""HTTP and HTTP_PROXY: another server answers. Developer Guide, "HTTP integrations for REST APIs in API Gateway".

A proxy hands the request on as it came, with what the parameters change; HTTP sends what template and parameters make.
One decision to know: any address may be a backend, also one of this machine or its network, as whoever deploys says; a
caller can change neither its host nor its port.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NoReturn

from freehold.aws.call import Json
from freehold.aws.errors import AwsError
from freehold.gateway.exchange import Exchange, Refused
from freehold.gateway.integrations.endpoints import fill_path, with_query
from freehold.gateway.integrations.mapped import (
    AnswerMapping,
    MappedRequest,
    RequestMapping,
    compile_answers,
    compile_request,
    map_answer,
    map_request,
    select,
)
from freehold.gateway.payloads.parts import HOP_BY_HOP, forwarded, query_pairs
from freehold.gateway.payloads.v1 import answer_name
from freehold.http.client import HttpError
from freehold.http.messages import Headers, Response

# Not handed on: they belong to this connection, or are ours to say.
NOT_FORWARDED = HOP_BY_HOP | {
    "expect",
    "host",
    "max-forwards",
    "proxy-authenticate",
    "server",
    "www-authenticate",
    "x-amzn-trace-id",
    "x-forwarded-for",
    "x-forwarded-port",
    "x-forwarded-proto",
}


@dataclass(frozen=True, slots=True)
class HttpProxy:
    uri: str
    method: str  # "ANY": the request's own.
    request: RequestMapping
    timeout_s: float

    async def answer(self, exchange: Exchange) -> Response:
        mapped = map_request(exchange, self.request)
        names = {name.lower() for name, _ in mapped.headers}
        headers = [
            (name, value)
            for name, value in exchange.request.headers
            if name.lower() not in names and name.lower() not in NOT_FORWARDED
        ]
        client, port, scheme = forwarded(exchange)
        headers += [("X-Forwarded-For", client), ("X-Forwarded-Port", port), ("X-Forwarded-Proto", scheme)]
        query = {name for name, _ in mapped.query}
        sent = [pair for pair in query_pairs(exchange.request.query) if pair[0] not in query]
        mapped.headers[:0] = headers
        mapped.query[:0] = sent
        response = await _send(exchange, self.uri, self.method, mapped, self.timeout_s)
        response.headers = [
            (answer_name(name), value) for name, value in response.headers if name.lower() not in HOP_BY_HOP
        ]
        return response


@dataclass(frozen=True, slots=True)
class Http:
    uri: str
    method: str
    request: RequestMapping
    answers: tuple[AnswerMapping, ...]
    timeout_s: float

    async def answer(self, exchange: Exchange) -> Response:
        mapped = map_request(exchange, self.request)
        if mapped.header("content-type") is None:
            content_type = exchange.request.lower.get("content-type", "application/json")
            mapped.headers.append(("Content-Type", content_type))
        response = await _send(exchange, self.uri, self.method, mapped, self.timeout_s)
        headers = {name.lower(): value for name, value in response.headers}
        return map_answer(exchange, select(self.answers, str(response.status)), response.body, headers)


async def _send(exchange: Exchange, uri: str, method: str, mapped: MappedRequest, timeout_s: float) -> Response:
    url = with_query(fill_path(exchange, uri, mapped.path), mapped.query)
    headers: Headers = [*mapped.headers, ("X-Amzn-Apigateway-Api-Id", exchange.api.id)]
    if mapped.header("user-agent") is None:
        headers.append(("User-Agent", f"AmazonAPIGateway_{exchange.api.id}"))
    return await send(exchange, method, url, headers, mapped.body, timeout_s)


async def send(exchange: Exchange, method: str, url: str, headers: Headers, body: bytes, timeout_s: float) -> Response:
    """`method`: "ANY" is the request's own. Raises Refused."""
    verb = exchange.request.method if method == "ANY" else method
    headers = [*headers, ("X-Amzn-Trace-Id", exchange.trace_id)]
    try:
        response = await exchange.means.http.send(verb, url, headers, body, timeout_s=timeout_s)
    except HttpError as error:
        _refuse(error)
    if exchange.notes is not None:
        exchange.notes.integration_status = response.status
    return response


def _refuse(error: HttpError) -> NoReturn:
    if isinstance(error.__cause__, TimeoutError):
        raise Refused("INTEGRATION_TIMEOUT") from error
    raise Refused("INTEGRATION_UNREACHABLE") from error


def compile_http(integration: Json, uri: str, timeout_s: float, what: str) -> Http | HttpProxy:
    """`uri` with its stage variables in. Raises AwsError."""
    if not uri.startswith(("http://", "https://")):
        raise AwsError("BadRequestException", f"Invalid HTTP endpoint specified for URI ({what})", status=400)
    method = integration["httpMethod"].upper()
    if integration["type"] == "HTTP_PROXY":
        # Templates are no part of a proxy: the body goes as it came.
        plain = {name: value for name, value in integration.items() if name != "requestTemplates"}
        return HttpProxy(uri, method, compile_request({**plain, "passthroughBehavior": ""}, what), timeout_s)
    return Http(uri, method, compile_request(integration, what), compile_answers(integration, what), timeout_s)
