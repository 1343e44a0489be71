"""Event streams, read by botocore's own reader."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from botocore.eventstream import EventStreamBuffer

from freehold.aws.wire import wire_of


async def _events() -> AsyncIterator[dict[str, Any]]:
    yield {"PayloadChunk": {"Payload": b"\0\xff"}}
    yield {"PayloadChunk": {"Payload": b""}}
    yield {"InvokeComplete": {"ErrorCode": "Ü", "ErrorDetails": "{}"}}


async def test_events_are_messages_with_their_type_and_payload() -> None:
    outgoing = wire_of("lambda").write(
        "InvokeWithResponseStream", {"StatusCode": 200, "ExecutedVersion": "7", "EventStream": _events()}, "id"
    )
    assert (outgoing.status, dict(outgoing.headers)["X-Amz-Executed-Version"]) == (200, "7")
    assert dict(outgoing.headers)["Content-Type"] == "application/vnd.amazon.eventstream"
    buffer = EventStreamBuffer()
    assert outgoing.stream is not None
    async for message in outgoing.stream:
        buffer.add_data(message)
    found = [(message.headers[":event-type"], message.headers[":content-type"], message.payload) for message in buffer]
    assert found == [
        ("PayloadChunk", "application/octet-stream", b"\0\xff"),
        ("PayloadChunk", "application/octet-stream", b""),
        ("InvokeComplete", "application/json", '{"ErrorCode":"Ü","ErrorDetails":"{}"}'.encode()),
    ]


async def test_who_reads_no_further_ends_the_source() -> None:
    ended = []

    async def endless() -> AsyncIterator[dict[str, Any]]:
        try:
            while True:
                yield {"PayloadChunk": {"Payload": b"x"}}
        finally:
            ended.append(True)

    outgoing = wire_of("lambda").write("InvokeWithResponseStream", {"EventStream": endless()}, "id")
    stream: Any = outgoing.stream
    await anext(stream)
    await stream.aclose()
    assert ended == [True]
    with pytest.raises(StopAsyncIteration):
        await anext(stream)
