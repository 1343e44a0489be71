"""SQS as API Gateway calls it: a form in, and JSON out that has the form's XML answer as its shape.

Most integrations with SQS were written for its query protocol: `Action=SendMessage&MessageBody=$input.body`, to
`path/{account}/{queue}`. API Gateway asks for the answer in JSON: `{"SendMessageResponse": {"SendMessageResult": ...}}`
(recorded). Our SQS speaks JSON, so form and answer are translated here, by botocore's model of the operation.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

import orjson

from freehold.aws.call import Json
from freehold.aws.errors import AwsError
from freehold.aws.model import Shape, operation_model, service_model
from freehold.aws.protocols import query
from freehold.aws.protocols.query import tree
from freehold.gateway.exchange import Refused

SERVICE = "sqs"

# What the form calls the entries of a list or map, without their numbers -> the member.
_LISTS = {
    "AttributeName": "AttributeNames",
    "ChangeMessageVisibilityBatchRequestEntry": "Entries",
    "DeleteMessageBatchRequestEntry": "Entries",
    "MessageAttributeName": "MessageAttributeNames",
    "SendMessageBatchRequestEntry": "Entries",
    "TagKey": "TagKeys",
}
_MAPS = {
    "Attribute": "Attributes",
    "MessageAttribute": "MessageAttributes",
    "MessageSystemAttribute": "MessageSystemAttributes",
    "Tag": "Tags",
}
_ELEMENTS = {"Messages": "Message", **{member: name for name, member in _MAPS.items()}}
_ENTRY = " entry"  # No element's name has a blank: it marks what is no map any more.
_NAMESPACE = "http://queue.amazonaws.com/doc/2012-11-05/"
_XML = b'<?xml version="1.0"?>'


def read_form(action: str, path: str, pairs: list[tuple[str, str]], body: bytes) -> tuple[str, bytes]:
    """The operation and its JSON request. `path` is "/" or "/{account}/{queue}". Raises Refused for no operation."""
    form = dict(pairs)
    if b"=" in body:
        form |= dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
    operation = action or form.get("Action", "")
    if operation not in service_model(SERVICE).operation_names:
        raise Refused("API_CONFIGURATION_ERROR")
    if path.strip("/") and "QueueUrl" not in form:
        form["QueueUrl"] = f"https://sqs.amazonaws.com{path}"
    shape = operation_model(SERVICE, operation).input_shape
    return operation, orjson.dumps(_structure(shape, tree(form)))


def wrap_answer(operation: str, status: int, body: bytes, request_id: str) -> bytes:
    answer: Json = orjson.loads(body or b"{}")
    if status >= 400:
        code = str(answer.get("__type", "")).rpartition("#")[2]
        error = {"Code": code, "Message": answer.get("message", answer.get("Message")), "Type": "Sender"}
        return orjson.dumps({"Error": error, "RequestId": request_id})
    shape = operation_model(SERVICE, operation).output_shape
    wrapped: Json = {"ResponseMetadata": {"RequestId": request_id}}
    if shape is not None:
        # What is not there is null; the messages' name is written small.
        result = {name: answer.get(name) for name in shape.members}
        wrapped[f"{operation}Result"] = {("messages" if n == "Messages" else n): v for n, v in result.items()}
    return orjson.dumps({f"{operation}Response": wrapped})


def write_xml(operation: str, status: int, body: bytes, request_id: str) -> bytes:
    """The answer as the query protocol has it, which is what HTTP APIs hand on (recorded)."""
    answer: Json = orjson.loads(body or b"{}")
    if status >= 400:
        code = str(answer.get("__type", "")).rpartition("#")[2]
        error = AwsError(code, str(answer.get("message", answer.get("Message")) or ""), status=status)
        return _XML + query.write_error(_NAMESPACE, None, error, status, request_id).body
    shape = operation_model(SERVICE, operation).output_shape
    result = ""
    if shape is not None and shape.members:
        members = "".join(_element(_ELEMENTS.get(name) or name, value) for name, value in answer.items())
        result = f"<{operation}Result>{members}</{operation}Result>"
    told = f"<ResponseMetadata><RequestId>{escape(request_id)}</RequestId></ResponseMetadata>"
    return _XML + f'<{operation}Response xmlns="{_NAMESPACE}">{result}{told}</{operation}Response>'.encode()


def _element(name: str, value: Any) -> str:
    """Lists and maps are written flat: an element for each entry."""
    if isinstance(value, list):
        return "".join(_element(name, each) for each in value)
    if isinstance(value, dict) and name in _MAPS:
        return "".join(_element(name + _ENTRY, {"Name": each, "Value": inner}) for each, inner in value.items())
    if isinstance(value, dict):
        inner = "".join(_element(_ELEMENTS.get(each) or each, of) for each, of in value.items())
        return f"<{name.removesuffix(_ENTRY)}>{inner}</{name.removesuffix(_ENTRY)}>"
    return f"<{name}>{escape(str(value))}</{name}>"


def _structure(shape: Shape | None, node: Json) -> Json:
    found: Json = {}
    members = shape.members if shape is not None else {}
    for name, inner in node.items():
        member = _LISTS.get(name) or _MAPS.get(name) or name
        if member in members:
            found[member] = _value(members[member], inner)
    return found


def _value(shape: Shape, node: Json) -> Any:
    match shape.type_name:
        case "structure":
            return _structure(shape, node)
        case "list":
            return [_value(shape.member, node[number]) for number in sorted(filter(str.isdigit, node), key=int)]
        case "map":
            entries = [node[number] for number in sorted(filter(str.isdigit, node), key=int)]
            named = [(entry.get("Name") or entry.get("Key") or {}, entry.get("Value") or {}) for entry in entries]
            return {name.get("", ""): _value(shape.value, value) for name, value in named}
        case "integer" | "long":
            text = str(node.get("", ""))
            return int(text) if text.lstrip("-").isdigit() else text
        case "boolean":
            return node.get("") == "true"
    return node.get("", "")
