"""The encoding application/vnd.amazon.eventstream: events of an answer, each a message with headers and checksums.

AWS: "Amazon Transcribe: Event stream encoding" has the format; botocore's models say which member is the payload.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import AsyncIterator
from typing import Any

import orjson

from freehold.aws.model import Shape
from freehold.aws.protocols import json_

CONTENT_TYPE = "application/vnd.amazon.eventstream"
_PRELUDE = struct.Struct(">II")  # Length of the message, of its headers.
_CHECKSUM = struct.Struct(">I")
_STRING = 7  # Type of a header's value.


class EncodedEvents:
    """Meets AsyncIterator: of events, each {its name: its members}, the messages. `aclose` ends their source."""

    def __init__(self, shape: Shape, events: AsyncIterator[dict[str, Any]]) -> None:
        self._shape = shape
        self._events = events

    def __aiter__(self) -> EncodedEvents:
        return self

    async def __anext__(self) -> bytes:
        ((name, members),) = (await anext(self._events)).items()
        return encode_event(self._shape.members[name], name, members)

    async def aclose(self) -> None:
        close = getattr(self._events, "aclose", None)
        if close is not None:
            await close()


def encode_event(shape: Shape, name: str, members: dict[str, Any]) -> bytes:
    """The members stand in the payload, as JSON, or one of them is it."""
    content_type, payload = "application/json", b""
    for member, inner in shape.members.items():
        if inner.serialization.get("eventpayload"):
            content_type, payload = "application/octet-stream", bytes(members.get(member, b""))
            break
    else:
        payload = orjson.dumps(json_.write_value(shape, members), default=json_.plain)
    return encode_message({":event-type": name, ":content-type": content_type, ":message-type": "event"}, payload)


def encode_message(headers: dict[str, str], payload: bytes) -> bytes:
    encoded = b"".join(_header(name, value) for name, value in headers.items())
    prelude = _PRELUDE.pack(16 + len(encoded) + len(payload), len(encoded))
    message = prelude + _CHECKSUM.pack(zlib.crc32(prelude)) + encoded + payload
    return message + _CHECKSUM.pack(zlib.crc32(message))


def _header(name: str, value: str) -> bytes:
    text = value.encode()
    return bytes([len(name)]) + name.encode() + struct.pack(">BH", _STRING, len(text)) + text
