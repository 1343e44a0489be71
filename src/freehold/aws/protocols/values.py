"""The exchange between wire and protocols: what came, what goes, and the scalars that they share."""

from __future__ import annotations

import base64
import binascii
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any, Protocol

from freehold.aws.errors import AwsError
from freehold.aws.model import Shape


class Incoming(Protocol):
    """What the protocols need of an HTTP request; `http.messages.Request` has it."""

    @property
    def method(self) -> str: ...
    @property
    def raw_path(self) -> str: ...
    @property
    def query(self) -> str: ...
    @property
    def headers(self) -> list[tuple[str, str]]: ...
    @property
    def lower(self) -> dict[str, str]: ...
    @property
    def body(self) -> bytes: ...


@dataclass(slots=True)
class Outgoing:
    status: int
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    stream: AsyncIterator[bytes] | None = None


def malformed(message: str) -> AwsError:
    """The body is not what the protocol says: AWS's common error for it."""
    return AwsError("SerializationException", message, status=400)


def read_scalar(shape: Shape, text: str) -> Any:
    """A scalar out of a header, a query string, a form or XML."""
    kind = shape.type_name
    try:
        if kind in ("integer", "long"):
            return int(text)
        if kind in ("float", "double"):
            return float(text)
        if kind == "boolean":
            return {"true": True, "false": False, "1": True, "0": False}[text.strip().lower()]
        if kind == "timestamp":
            return read_timestamp(text)
        if kind == "blob":
            return base64.b64decode(text, validate=True)
    except (ValueError, KeyError, binascii.Error) as error:
        raise malformed(f"{text!r} is not a {kind}") from error
    return text


def read_timestamp(value: Any) -> datetime:
    """From epoch seconds, ISO 8601 or an HTTP date. Raises ValueError."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return datetime.fromtimestamp(value, UTC)
    text = str(value)
    try:
        return datetime.fromtimestamp(float(text), UTC)
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = parsedate_to_datetime(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def write_scalar(shape: Shape, value: Any, timestamp_format: str) -> str:
    """The reverse of `read_scalar`; `timestamp_format` where the shape has none of its own."""
    kind = shape.type_name
    if kind == "boolean":
        return "true" if value else "false"
    if kind == "timestamp":
        return str(write_timestamp(value, shape.serialization.get("timestampFormat", timestamp_format)))
    if kind == "blob":
        data = value if isinstance(value, bytes | bytearray) else str(value).encode()
        return base64.b64encode(data).decode()
    return str(value)


def write_timestamp(value: Any, timestamp_format: str) -> str | float | int:
    """`value`: a datetime, epoch seconds or ISO text. unixTimestamp gives a number, the others text."""
    moment = value if isinstance(value, datetime) else read_timestamp(value)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    moment = moment.astimezone(UTC)
    if timestamp_format == "unixTimestamp":
        seconds = moment.timestamp()
        return int(seconds) if seconds == int(seconds) else round(seconds, 3)
    if timestamp_format == "rfc822":
        return format_datetime(moment, usegmt=True)
    milliseconds = moment.microsecond // 1000
    text = moment.strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{milliseconds:03d}Z" if milliseconds else f"{text}Z"


def error_document(shape: Shape | None, error: AwsError, message_key: str = "message") -> dict[str, Any]:
    """The members of an error, with the message under the name that its shape gives it."""
    if shape is not None:
        message_key = next((name for name in shape.members if name.lower() == "message"), message_key)
    return {message_key: error.message, **error.fields}
