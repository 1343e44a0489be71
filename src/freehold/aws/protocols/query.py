"""Protocol query: forms in, XML out (IAM, STS, CloudFormation, SNS)."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from freehold.aws.errors import AwsError
from freehold.aws.model import Shape
from freehold.aws.protocols import xml
from freehold.aws.protocols.values import Incoming, Outgoing, read_scalar

_CONTENT = [("Content-Type", "text/xml")]


def read_form(incoming: Incoming) -> dict[str, str]:
    """The fields of the form, or of the query string of a GET."""
    text = incoming.body.decode("utf-8", "replace") if incoming.body else incoming.query
    return dict(parse_qsl(text, keep_blank_values=True))


def read(shape: Shape | None, form: dict[str, str]) -> dict[str, Any]:
    if shape is None:
        return {}
    return _read_structure(shape, "", tree(form))


def tree(form: dict[str, str]) -> dict[str, Any]:
    """`{"Tags.member.1.Key": "a"}` -> `{"Tags": {"member": {"1": {"Key": "a"}}}}`; a leaf's text lies under ""."""
    root: dict[str, Any] = {}
    for name, value in form.items():
        node = root
        for part in name.split("."):
            node = node.setdefault(part, {})
        node[""] = value
    return root


def _read_structure(shape: Shape, _: str, node: dict[str, Any]) -> dict[str, Any]:
    found = {}
    for name, member in shape.members.items():
        wire_name = member.serialization.get("name", name)
        flattened = member.type_name == "list" and member.serialization.get("flattened")
        if flattened:
            wire_name = member.member.serialization.get("name", wire_name)
        inner = node.get(wire_name)
        if inner is not None:
            found[name] = _read_value(member, inner)
    return found


def _read_value(shape: Shape, node: dict[str, Any]) -> Any:
    kind = shape.type_name
    if kind == "structure":
        return _read_structure(shape, "", node)
    if kind == "list":
        if not shape.serialization.get("flattened"):
            node = node.get(shape.member.serialization.get("name", "member"), node.get("member", {}))
        return [_read_value(shape.member, inner) for _, inner in _numbered(node)]
    if kind == "map":
        if not shape.serialization.get("flattened"):
            node = node.get("entry", {})
        key, value = shape.key.serialization.get("name", "key"), shape.value.serialization.get("name", "value")
        return {
            entry.get(key, {}).get("", ""): _read_value(shape.value, entry.get(value, {"": ""}))
            for _, entry in _numbered(node)
        }
    return read_scalar(shape, node.get("", ""))


def _numbered(node: dict[str, Any]) -> list[tuple[int, dict[str, Any]]]:
    return sorted((int(key), inner) for key, inner in node.items() if key.isdigit())


def write(operation: str, shape: Shape | None, namespace: str, answer: dict[str, Any], request_id: str) -> Outgoing:
    result = ""
    if shape is not None:
        wrapper = shape.serialization.get("resultWrapper", f"{operation}Result")
        result = f"<{wrapper}>{xml.write_members(shape, answer)}</{wrapper}>"
    body = (
        f'<{operation}Response xmlns="{namespace}">{result}'
        f"<ResponseMetadata><RequestId>{escape(request_id)}</RequestId></ResponseMetadata></{operation}Response>"
    )
    return Outgoing(200, list(_CONTENT), body.encode())


def write_error(namespace: str, shape: Shape | None, error: AwsError, status: int, request_id: str) -> Outgoing:
    code = (shape.metadata.get("error", {}).get("code") if shape is not None else None) or error.code
    fault = "Sender" if status < 500 else "Receiver"
    body = (
        f'<ErrorResponse xmlns="{namespace}"><Error><Type>{fault}</Type><Code>{escape(code)}</Code>'
        f"<Message>{escape(error.message)}</Message></Error>"
        f"<RequestId>{escape(request_id)}</RequestId></ErrorResponse>"
    )
    return Outgoing(status, list(_CONTENT), body.encode())
