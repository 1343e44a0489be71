"""Protocols rest-json and rest-xml: members bound to the path, the query, headers, the status, and the body."""

from __future__ import annotations

import base64
import inspect
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote
from xml.sax.saxutils import escape

import orjson

from freehold.aws.errors import AwsError
from freehold.aws.event_stream import CONTENT_TYPE as EVENT_STREAM
from freehold.aws.event_stream import EncodedEvents
from freehold.aws.model import Shape
from freehold.aws.protocols import json_, xml
from freehold.aws.protocols.values import Incoming, Outgoing, error_document, malformed, read_scalar, write_scalar

# S3's root elements that are not named after the shape (Amazon S3 API Reference, response syntax of each action).
_S3_ROOTS = {
    "ListBucketsOutput": "ListAllMyBucketsResult",
    "ListObjectsOutput": "ListBucketResult",
    "ListObjectsV2Output": "ListBucketResult",
    "ListObjectVersionsOutput": "ListVersionsResult",
    "ListMultipartUploadsOutput": "ListMultipartUploadsResult",
    "ListPartsOutput": "ListPartsResult",
    "CreateMultipartUploadOutput": "InitiateMultipartUploadResult",
    "CompleteMultipartUploadOutput": "CompleteMultipartUploadResult",
    "CopyObjectOutput": "CopyObjectResult",
    "DeleteObjectsOutput": "DeleteResult",
    "GetBucketTaggingOutput": "Tagging",
    "GetObjectTaggingOutput": "Tagging",
    "GetBucketVersioningOutput": "VersioningConfiguration",
    "GetBucketNotificationConfigurationOutput": "NotificationConfiguration",
    "NotificationConfiguration": "NotificationConfiguration",
    "GetBucketCorsOutput": "CORSConfiguration",
    "GetBucketLifecycleConfigurationOutput": "LifecycleConfiguration",
    "GetBucketAclOutput": "AccessControlPolicy",
    "GetObjectAclOutput": "AccessControlPolicy",
    "GetBucketWebsiteOutput": "WebsiteConfiguration",
    "GetBucketLoggingOutput": "BucketLoggingStatus",
}


@dataclass(frozen=True, slots=True)
class Bound:
    """Where a request carries what, from the matched route."""

    path: dict[str, str]  # Still percent-encoded.


def read(shape: Shape | None, incoming: Incoming, bound: Bound, *, is_xml: bool) -> dict[str, Any]:
    if shape is None:
        return {}
    found: dict[str, Any] = {}
    query = parse_qsl(incoming.query, keep_blank_values=True)
    payload = shape.serialization.get("payload")
    for name, member in shape.members.items():
        location = member.serialization.get("location")
        value: Any = None
        if location is None:
            continue
        wire_name = member.serialization.get("name", name)
        if location == "uri":
            text = bound.path.get(wire_name)
            value = None if text is None else read_scalar(member, unquote(text))
        elif location == "querystring":
            value = _from_query(member, wire_name, query)
        elif location == "header":
            value = _from_header(member, incoming.lower.get(wire_name.lower()))
        elif location == "headers":
            prefix = wire_name.lower()
            value = {key[len(prefix) :]: text for key, text in incoming.lower.items() if key.startswith(prefix)} or None
        if value is not None:
            found[name] = value
    if payload:
        _read_payload(shape.members[payload], payload, incoming.body, found, is_xml=is_xml)
    else:
        _read_body(shape, incoming.body, found, is_xml=is_xml)
    return found


def _from_query(member: Shape, name: str, query: list[tuple[str, str]]) -> Any:
    if member.type_name == "map":
        is_list = member.value.type_name == "list"
        found: dict[str, Any] = {}
        for key, value in query:
            if is_list:
                found.setdefault(key, []).append(value)
            else:
                found[key] = value
        return found or None
    values = [value for key, value in query if key == name]
    if not values:
        return None
    if member.type_name == "list":
        return [read_scalar(member.member, value) for value in values]
    return read_scalar(member, values[-1])


def _from_header(member: Shape, text: str | None) -> Any:
    if text is None:
        return None
    if member.type_name == "list":
        return [read_scalar(member.member, part.strip()) for part in text.split(",") if part.strip()]
    if member.serialization.get("jsonvalue") or getattr(member, "metadata", {}).get("jsonvalue"):
        try:
            return orjson.loads(base64.b64decode(text))
        except ValueError as error:
            raise malformed(f"A header that should be base64 JSON is not: {error}") from error
    return read_scalar(member, text)


def _read_payload(member: Shape, name: str, body: bytes, found: dict[str, Any], *, is_xml: bool) -> None:
    if member.type_name == "blob":
        found[name] = body
    elif member.type_name == "string":
        found[name] = body.decode("utf-8", "replace")
    elif body.strip():
        if is_xml:
            found[name] = xml.read_value(member, xml.parse(body))
        else:
            found[name] = json_.read_value(member, json_.read_document(body))


def _read_body(shape: Shape, body: bytes, found: dict[str, Any], *, is_xml: bool) -> None:
    members = {name: member for name, member in shape.members.items() if "location" not in member.serialization}
    if not members or not body.strip():
        return
    if is_xml:
        found.update(xml.read_value(shape, xml.parse(body)))
        return
    document = json_.read_document(body)
    for name, member in members.items():
        value = document.get(member.serialization.get("name", name))
        if value is not None:
            found[name] = json_.read_value(member, value)


def write(operation: Any, answer: dict[str, Any], *, is_xml: bool) -> Outgoing:
    """`operation`: botocore's model. A streaming payload may be bytes or an async iterator of bytes."""
    shape = operation.output_shape
    outgoing = Outgoing(operation.http.get("responseCode", 200))
    if shape is None:
        return outgoing
    body_members: dict[str, Any] = {}
    payload = shape.serialization.get("payload")
    for name, member in shape.members.items():
        value = answer.get(name)
        if value is None:
            continue
        location = member.serialization.get("location")
        wire_name = member.serialization.get("name", name)
        if location == "header":
            outgoing.headers.append((wire_name, _to_header(member, value)))
        elif location == "headers":
            outgoing.headers += [(f"{wire_name}{key}", str(text)) for key, text in value.items()]
        elif location == "statusCode":
            outgoing.status = int(value)
        elif name != payload:
            body_members[name] = value
    if "ContentRange" in answer:
        outgoing.status = 206  # A part of an S3 object; the model does not know the status.
    if payload:
        _write_payload(outgoing, shape.members[payload], answer.get(payload), is_xml=is_xml)
    elif any("location" not in member.serialization for member in shape.members.values()):
        _write_body(outgoing, shape, body_members, is_xml=is_xml)
    return outgoing


def _to_header(member: Shape, value: Any) -> str:
    if member.type_name == "list":
        return ",".join(write_scalar(member.member, inner, "rfc822") for inner in value)
    if member.serialization.get("jsonvalue"):
        return base64.b64encode(orjson.dumps(value)).decode()
    return write_scalar(member, value, "rfc822")


def _write_payload(outgoing: Outgoing, member: Shape, value: Any, *, is_xml: bool) -> None:
    if value is None:
        return
    if member.serialization.get("eventstream"):
        outgoing.stream = EncodedEvents(member, value)
        _default_type(outgoing, EVENT_STREAM)
    elif inspect.isasyncgen(value) or hasattr(value, "__aiter__"):
        outgoing.stream = value
        _default_type(outgoing, "application/octet-stream")
    elif member.type_name == "blob":
        outgoing.body = value.encode() if isinstance(value, str) else bytes(value)
        _default_type(outgoing, "application/octet-stream" if is_xml else "application/json")
    elif member.type_name == "string":
        outgoing.body = str(value).encode()
        _default_type(outgoing, "text/plain")
    elif is_xml:
        _write_xml(outgoing, member.serialization.get("name", member.name), member, value)
    else:
        outgoing.body = orjson.dumps(json_.write_value(member, value), default=json_.plain)
        _default_type(outgoing, "application/json")


def _write_body(outgoing: Outgoing, shape: Shape, members: dict[str, Any], *, is_xml: bool) -> None:
    if is_xml:
        _write_xml(outgoing, _S3_ROOTS.get(shape.name, shape.name), shape, members)
    else:
        outgoing.body = orjson.dumps(json_.write_value(shape, members), default=json_.plain)
        _default_type(outgoing, "application/json")


def _write_xml(outgoing: Outgoing, root: str, shape: Shape, value: dict[str, Any]) -> None:
    if shape.name == "GetBucketLocationOutput":
        # The one answer whose root element is itself the text (Amazon S3 API Reference, GetBucketLocation).
        inner, root = escape(value.get("LocationConstraint") or ""), "LocationConstraint"
    else:
        inner = xml.write_members(shape, value)
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n<{root} xmlns="http://s3.amazonaws.com/doc/2006-03-01/">{inner}</{root}>'
    outgoing.body = text.encode()
    _default_type(outgoing, "application/xml")


def _default_type(outgoing: Outgoing, content_type: str) -> None:
    if not any(name.lower() == "content-type" for name, _ in outgoing.headers):
        outgoing.headers.append(("Content-Type", content_type))


def write_json_error(shape: Shape | None, error: AwsError, status: int) -> Outgoing:
    """rest-json: the code goes into a header, members of the shape that are headers too."""
    document = error_document(shape, error)
    headers = [("Content-Type", "application/json"), ("x-amzn-ErrorType", error.code)]
    if shape is not None:
        for name, member in shape.members.items():
            if member.serialization.get("location") == "header" and name in document:
                headers.append((member.serialization.get("name", name), str(document.pop(name))))
    return Outgoing(status, headers, orjson.dumps(document, default=json_.plain))


def write_xml_error(error: AwsError, status: int, request_id: str, resource: str) -> Outgoing:
    """S3's error document (Amazon S3 API Reference, Error responses)."""
    fields = "".join(f"<{name}>{escape(str(value))}</{name}>" for name, value in error.fields.items())
    text = (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{escape(error.code)}</Code>'
        f"<Message>{escape(error.message)}</Message>{fields}<Resource>{escape(resource)}</Resource>"
        f"<RequestId>{escape(request_id)}</RequestId><HostId>{escape(request_id)}</HostId></Error>"
    )
    return Outgoing(status, [("Content-Type", "application/xml")], text.encode())
