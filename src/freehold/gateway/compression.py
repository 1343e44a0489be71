"""Payload compression of REST APIs that set `minimumCompressionSize`: requests are unpacked before anything reads them,
answers are packed for clients that ask for it by name.

Developer Guide, "Enable payload compression for an API", "Call an API method with a compressed payload", "Receive an
API response with a compressed payload". Believed: without the setting, requests are handed on as they came.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace

from freehold.aws.encodings import decode_body, pack
from freehold.aws.errors import AwsError
from freehold.gateway.exchange import Exchange, Refused
from freehold.gateway.limits import BODY_MAX_BYTES
from freehold.http.messages import Response

_CODINGS = ("gzip", "deflate")
_BESIDE_BYTES = 64 * 1024  # From here on a thread packs: other requests go on.


def unpack_request(exchange: Exchange) -> None:
    """A step of the pipeline."""
    request = exchange.request
    if exchange.stage.compress_from_bytes is None or "content-encoding" not in request.lower:
        return
    coding = request.lower["content-encoding"].strip().lower()
    if coding not in _CODINGS:
        return  # "identity", and what the integration must know how to read.
    try:
        body = decode_body(coding, request.body, BODY_MAX_BYTES)
    except AwsError as error:
        if error.status == 413:
            message = f"HTTP content length exceeded {BODY_MAX_BYTES} bytes."
            raise Refused("REQUEST_TOO_LARGE", message) from None
        raise Refused("BAD_REQUEST_BODY") from None
    headers = [header for header in request.headers if header[0].lower() != "content-encoding"]
    lower = {name: value for name, value in request.lower.items() if name != "content-encoding"}
    exchange.request = replace(request, headers=headers, lower=lower, body=body)


async def packed(exchange: Exchange, response: Response) -> Response:
    """The answer, packed where it is large enough and the client asks for it; cached answers stay as they are."""
    least = exchange.stage.compress_from_bytes
    coding = _wanted(exchange.request.lower.get("accept-encoding", ""))
    body = response.body
    if least is None or coding is None or not body or len(body) < least or exchange.request.method == "HEAD":
        return response
    if any(name.lower() == "content-encoding" for name, _ in response.headers):
        return response
    smaller = await asyncio.to_thread(pack, coding, body) if len(body) >= _BESIDE_BYTES else pack(coding, body)
    return replace(response, headers=[*response.headers, ("Content-Encoding", coding)], body=smaller)


def _wanted(accepted: str) -> str | None:
    """The coding that the client wants most, by name; None where that is none of ours ("*" names none)."""
    best, most = None, 0.0
    for entry in accepted.split(","):
        name, _, parameters = entry.partition(";")
        weight = _weight(parameters)
        if name.strip() and weight > most:
            best, most = name.strip().lower(), weight
    return best if best in _CODINGS else None


def _weight(parameters: str) -> float:
    mark, _, text = parameters.strip().partition("=")
    if mark.strip() != "q":
        return 1.0
    try:
        return float(text)
    except ValueError:
        return 0.0
