"""The wire of one service: a request in, the operation and its dict out; its answer or error, and bytes again."""

from __future__ import annotations

import zlib
from functools import lru_cache
from typing import Any

import orjson

from freehold.aws import chunked, routes
from freehold.aws.errors import AwsError
from freehold.aws.model import Shape, error_shapes, operation_model, service_model
from freehold.aws.protocols import json_, query, rest
from freehold.aws.protocols.values import Incoming, Outgoing

PROTOCOLS = ("json", "query", "rest-json", "rest-xml")
# The namespaces before the error's code in `__type`, as the services write them.
_TYPE_PREFIXES = {
    "dynamodb": "com.amazonaws.dynamodb.v20120810#",
    "dynamodbstreams": "com.amazonaws.dynamodb.v20120810#",
}
# Services that spoke the query protocol before: clients still know their errors by the codes of that time.
_QUERY_CODES = {
    "BatchEntryIdsNotDistinct": "AWS.SimpleQueueService.BatchEntryIdsNotDistinct",
    "EmptyBatchRequest": "AWS.SimpleQueueService.EmptyBatchRequest",
    "MessageNotInflight": "AWS.SimpleQueueService.MessageNotInflight",
    "QueueDoesNotExist": "AWS.SimpleQueueService.NonExistentQueue",
    "QueueNameExists": "QueueAlreadyExists",
    "TooManyEntriesInBatchRequest": "AWS.SimpleQueueService.TooManyEntriesInBatchRequest",
    "UnsupportedOperation": "AWS.SimpleQueueService.UnsupportedOperation",
}
# Raised for every operation, by the front of AWS rather than by the service: in the namespace of no service.
_FRONT_ERRORS = {
    "SerializationException": "com.amazon.coral.service#",
    "UnknownOperationException": "com.amazon.coral.service#",
    "ValidationException": "com.amazon.coral.validate#",
}


class Wire:
    """Reads and writes one service's protocol. Make it with `wire_of`."""

    def __init__(self, service: str) -> None:
        model = service_model(service)
        offered = model.metadata.get("protocols") or [model.metadata["protocol"]]
        self.service = service
        self.protocol = next(protocol for protocol in PROTOCOLS if protocol in offered)
        self._operations = frozenset(model.operation_names)
        self._target_prefix = model.metadata.get("targetPrefix", "")
        self._namespace = model.metadata.get("xmlNamespace", f"https://{service}.amazonaws.com/doc/")
        version = model.metadata.get("jsonVersion", "1.1")
        self._json_type = f"application/x-amz-json-{version}"
        self._was_query = "awsQueryCompatible" in model.metadata
        self._models: dict[str, Any] = {}

    def read(self, incoming: Incoming) -> tuple[str, dict[str, Any]]:
        """(operation, request). Raises AwsError when it is no operation of the service, or malformed."""
        if self.protocol == "json":
            operation = self.target(incoming)
            return operation, json_.read(self._model(operation).input_shape, incoming)
        if self.protocol == "query":
            form = query.read_form(incoming)
            operation = form.get("Action", "")
            return operation, query.read(self._model(operation).input_shape, form)
        found = routes.match(self.service, incoming.method, incoming.raw_path, incoming.query, incoming.lower)
        if found is None:
            raise _unknown(f"{incoming.method} {incoming.raw_path}")
        operation, labels = found
        shape = self._model(operation).input_shape
        return operation, rest.read(shape, incoming, rest.Bound(labels), is_xml=self.protocol == "rest-xml")

    def target(self, incoming: Incoming) -> str:
        """The operation that X-Amz-Target names."""
        prefix, _, operation = incoming.lower.get("x-amz-target", "").rpartition(".")
        if prefix != self._target_prefix or operation not in self._operations:
            raise _unknown(operation or "none", status=400)
        return operation

    def write(self, operation: str, answer: dict[str, Any], request_id: str) -> Outgoing:
        model = self._model(operation)
        if self.protocol == "json":
            outgoing = json_.write(model.output_shape, answer, self._json_type)
        elif self.protocol == "query":
            outgoing = query.write(operation, model.output_shape, self._namespace, answer, request_id)
        else:
            outgoing = rest.write(model, answer, is_xml=self.protocol == "rest-xml")
        outgoing.headers.append(("x-amzn-RequestId", request_id))
        if self.protocol == "rest-xml":
            outgoing.headers += [("x-amz-request-id", request_id), ("x-amz-id-2", request_id)]
        return outgoing

    def write_raw(self, operation: str, answer: dict[str, Any], request_id: str) -> Outgoing:
        """An answer that is JSON already, with the checksum that DynamoDB's clients verify."""
        # An operation whose model has no answer is answered with nothing, not with an empty object.
        body = orjson.dumps(answer) if answer or self._model(operation).output_shape is not None else b""
        return Outgoing(
            200,
            [
                ("Content-Type", self._json_type),
                ("x-amzn-RequestId", request_id),
                ("x-amz-crc32", str(zlib.crc32(body))),
            ],
            body,
        )

    def write_error(self, error: AwsError, request_id: str, resource: str = "") -> Outgoing:
        shape = error_shapes(self.service).get(error.code)
        status = error.status or _status(shape)
        if self.protocol == "json":
            namespace = _TYPE_PREFIXES.get(self.service)
            prefix = _FRONT_ERRORS.get(error.code, namespace) if namespace else ""
            outgoing = json_.write_error(shape, error, status, self._json_type, prefix)
            if self._was_query:
                fault = "Sender" if status < 500 else "Receiver"
                outgoing.headers.append(("x-amzn-query-error", f"{_QUERY_CODES.get(error.code, error.code)};{fault}"))
            if namespace:
                outgoing.headers.append(("x-amz-crc32", str(zlib.crc32(outgoing.body))))
        elif self.protocol == "query":
            outgoing = query.write_error(self._namespace, shape, error, status, request_id)
        elif self.protocol == "rest-json":
            outgoing = rest.write_json_error(shape, error, status)
        else:
            outgoing = rest.write_xml_error(error, status, request_id, resource)
            outgoing.headers += [("x-amz-request-id", request_id), ("x-amz-id-2", request_id)]
        outgoing.headers.append(("x-amzn-RequestId", request_id))
        return outgoing

    def _model(self, operation: str) -> Any:
        try:
            return operation_model(self.service, operation)
        except KeyError:
            raise _unknown(operation) from None


@lru_cache(maxsize=64)
def wire_of(service: str) -> Wire:
    """Raises KeyError for a service that botocore does not know."""
    return Wire(service)


def plain_body(incoming: Incoming) -> tuple[bytes, dict[str, str]]:
    """Body and headers with an aws-chunked framing taken off; its trailers stand among the headers."""
    if not chunked.is_chunked(incoming.lower):
        return incoming.body, incoming.lower
    body, trailers = chunked.decode(incoming.body)
    encoding = [part.strip() for part in incoming.lower.get("content-encoding", "").split(",")]
    kept = ",".join(part for part in encoding if part and part != "aws-chunked")
    headers = {**incoming.lower, **trailers, "content-length": str(len(body))}
    if kept:
        headers["content-encoding"] = kept
    else:
        headers.pop("content-encoding", None)
    return body, headers


def _status(shape: Shape | None) -> int:
    """The model's status of an error; 400 where it says none."""
    if shape is None:
        return 400
    error = shape.metadata.get("error", {})
    return int(error.get("httpStatusCode") or (500 if shape.metadata.get("fault") else 400))


def _unknown(operation: str, status: int = 404) -> AwsError:
    return AwsError("UnknownOperationException", f"The operation {operation} is not known.", status=status)
