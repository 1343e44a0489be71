"""A request to our own listener of AWS APIs, as a client of the service would send it."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass

from freehold.gateway.exchange import Exchange, Refused
from freehold.http.messages import Headers, Request, Response

ROLE = re.compile(r"^arn:aws[a-z-]*:iam::(\d{12}|\*):(role|user)/.+$")


@dataclass(frozen=True, slots=True)
class Place:
    signing_name: str
    region: str


def write_request(
    exchange: Exchange, place: Place, method: str, path: str, query: str, headers: Headers, body: bytes
) -> Request:
    scope = f"Credential=apigateway/20000101/{place.region}/{place.signing_name}/aws4_request"
    ours = {"host", "authorization"}
    kept = [header for header in headers if header[0].lower() not in ours]
    host = f"{place.signing_name}.{place.region}.amazonaws.com"
    signed = ("Authorization", f"AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0")
    return Request(method, path, query, [("Host", host), signed, *kept], body, client=exchange.request.client)


async def call_aws(exchange: Exchange, request: Request, timeout_s: float) -> Response:
    """With its whole body. Raises Refused."""
    try:
        async with asyncio.timeout(timeout_s):
            response = await exchange.means.call_aws(request)
            if response.stream is not None:
                response.body = b"".join([part async for part in response.stream])
                response.stream = None
    except TimeoutError:
        raise Refused("INTEGRATION_TIMEOUT") from None
    if exchange.notes is not None:
        exchange.notes.integration_status = response.status
    return response
