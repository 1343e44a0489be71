"""The JSON bodies of the protocols json and rest-json."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime
from typing import Any

import orjson

from freehold.aws.errors import AwsError
from freehold.aws.model import Shape
from freehold.aws.protocols.values import Incoming, Outgoing, error_document, malformed, read_timestamp, write_timestamp

_TEXT_TYPES = frozenset({"string", "character"})


def read(shape: Shape | None, incoming: Incoming) -> dict[str, Any]:
    """The operation's dict out of the body of a json request."""
    document = read_document(incoming.body)
    return read_value(shape, document) if shape is not None else {}


def read_document(body: bytes) -> dict[str, Any]:
    if not body.strip():
        return {}
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise malformed("The request body is not valid JSON.") from error
    if not isinstance(document, dict):
        raise malformed("The request body must be a JSON object.")
    return document


def read_value(shape: Shape, value: Any) -> Any:
    """By the shape: blobs decoded, timestamps read, unknown members left out as AWS leaves them out."""
    kind = shape.type_name
    if kind == "structure":
        if getattr(shape, "is_document_type", False):
            return value
        if not isinstance(value, dict):
            raise malformed(f"Expected an object for {shape.name}.")
        found = {}
        for name, member in shape.members.items():
            inner = value.get(member.serialization.get("name", name))
            if inner is not None:
                found[name] = read_value(member, inner)
        return found
    if kind == "list":
        if not isinstance(value, list):
            raise malformed(f"Expected a list for {shape.name}.")
        return [read_value(shape.member, inner) for inner in value]
    if kind == "map":
        if not isinstance(value, dict):
            raise malformed(f"Expected a map for {shape.name}.")
        return {key: read_value(shape.value, inner) for key, inner in value.items() if inner is not None}
    return _read_json_scalar(shape, kind, value)


def _read_json_scalar(shape: Shape, kind: str, value: Any) -> Any:
    try:
        if kind == "blob":
            return base64.b64decode(value, validate=False)
        if kind == "timestamp":
            return read_timestamp(value)
        if kind in _TEXT_TYPES and not isinstance(value, str):
            if isinstance(value, dict | list):
                raise malformed(f"Expected a string for {shape.name}.")
            return orjson.dumps(value).decode()
        if kind in ("integer", "long"):
            if isinstance(value, bool) or (isinstance(value, float) and value != int(value)):
                raise malformed(f"Expected an integer for {shape.name}.")
            return int(value)
        if kind in ("float", "double"):
            return float(value)
        if kind == "boolean" and not isinstance(value, bool):
            raise malformed(f"Expected a boolean for {shape.name}.")
    except (ValueError, TypeError, binascii.Error) as error:
        raise malformed(f"Expected a {kind} for {shape.name}.") from error
    return value


def write_value(shape: Shape, value: Any) -> Any:
    """By the shape: names of the wire, timestamps in the shape's format, None left out, blobs as base64."""
    kind = shape.type_name
    if kind == "structure" and isinstance(value, dict) and not getattr(shape, "is_document_type", False):
        members = shape.members
        return {
            member.serialization.get("name", name): write_value(member, value[name])
            for name, member in members.items()
            if value.get(name) is not None
        }
    if kind == "list":
        return [write_value(shape.member, inner) for inner in value]
    if kind == "map":
        return {key: write_value(shape.value, inner) for key, inner in value.items()}
    if kind == "timestamp":
        return write_timestamp(value, shape.serialization.get("timestampFormat", "unixTimestamp"))
    if kind == "blob":
        return base64.b64encode(value.encode() if isinstance(value, str) else value).decode()
    return value


def write(shape: Shape | None, answer: dict[str, Any], content_type: str) -> Outgoing:
    body = orjson.dumps(write_value(shape, answer), default=plain) if shape is not None else b"{}"
    return Outgoing(200, [("Content-Type", content_type)], body)


def write_error(shape: Shape | None, error: AwsError, status: int, content_type: str, prefix: str = "") -> Outgoing:
    """Protocol json: the code goes into `__type`, behind the service's namespace where it has one (DynamoDB)."""
    document = {"__type": f"{prefix}{error.code}", **error_document(shape, error)}
    return Outgoing(status, [("Content-Type", content_type)], orjson.dumps(document, default=plain))


def plain(value: Any) -> Any:
    """orjson's `default`: what JSON has no form for."""
    if isinstance(value, datetime):
        return write_timestamp(value, "unixTimestamp")
    if isinstance(value, bytes | bytearray):
        return base64.b64encode(value).decode()
    raise TypeError(type(value).__name__)
