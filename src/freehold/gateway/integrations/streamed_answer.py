"""The answer of a function that streams, for HTTP: its head out of the first parts, then the body as it comes.

Lambda Developer Guide, "Response streaming for Lambda functions": with the content type below, a JSON head and eight
NUL bytes stand before the body; with any other, all of it is the body. Who fails midway cuts the connection.
"""

from __future__ import annotations

import orjson

from freehold.engine.answer_stream import AnswerStream
from freehold.engine.invocation import InvocationResult
from freehold.gateway.exchange import Refused
from freehold.gateway.payloads.v2 import explicit_response
from freehold.http.messages import CutShort, Response

WITH_HEAD = "application/vnd.awslambda.http-integration-response"
_HEAD_END = bytes(8)
_HEAD_MAX_BYTES = 1024 * 1024  # Believed: AWS says no limit; nobody may have us hold an endless head.


async def answer_of(result: InvocationResult) -> Response:
    """Raises Refused: INTEGRATION_FAILURE when it failed before its head was whole, INVALID_RESPONSE."""
    if result.function_error is not None:
        raise Refused("INTEGRATION_FAILURE")
    stream = result.stream
    if result.content_type != WITH_HEAD:
        # Also of a function that does not stream: what it returns is the body, whatever it looks like.
        body = None if stream is None else _Body(b"", stream)
        return Response(200, [("content-type", result.content_type)], result.payload, body)
    if stream is None:
        head, end, rest = result.payload.partition(_HEAD_END)
        if not end:
            raise Refused("INVALID_RESPONSE")
        return _with_head(head, rest)
    try:
        head, rest = await _read_head(stream)
        response = _with_head(head, b"")
    except BaseException:
        stream.leave()
        raise
    response.stream = _Body(rest, stream)
    return response


class _Body:
    """Meets AsyncIterator, with `aclose`."""

    def __init__(self, first: bytes, stream: AnswerStream) -> None:
        self._first = first
        self._stream = stream

    def __aiter__(self) -> _Body:
        return self

    async def __anext__(self) -> bytes:
        if self._first:
            first, self._first = self._first, b""
            return first
        try:
            return await anext(self._stream)
        except StopAsyncIteration:
            if self._stream.failure:
                raise CutShort from None
            raise

    async def aclose(self) -> None:
        self._stream.leave()


async def _read_head(stream: AnswerStream) -> tuple[bytes, bytes]:
    """The head, and what came behind it."""
    read = bytearray()
    async for part in stream:
        # Only where the mark can end: a head that comes a byte at a time is not searched anew for each of them.
        start = max(0, len(read) - len(_HEAD_END) + 1)
        read += part
        at = read.find(_HEAD_END, start)
        if at >= 0:
            return bytes(read[:at]), bytes(read[at + len(_HEAD_END) :])
        if len(read) > _HEAD_MAX_BYTES:
            raise Refused("INVALID_RESPONSE")
    raise Refused("INTEGRATION_FAILURE" if stream.failure else "INVALID_RESPONSE")


def _with_head(head: bytes, body: bytes) -> Response:
    try:
        answer = orjson.loads(head)
    except orjson.JSONDecodeError:
        raise Refused("INVALID_RESPONSE") from None
    if not isinstance(answer, dict):
        raise Refused("INVALID_RESPONSE")
    return explicit_response({"statusCode": 200, **answer}, body)
