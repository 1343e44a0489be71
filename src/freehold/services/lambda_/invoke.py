"""Invoke: a function is run now, later, or only in thought. AWS: Invoke, "Invocation types"."""

from __future__ import annotations

import base64
import binascii
import json

import orjson

from freehold.aws.call import Call, Json
from freehold.aws.errors import AwsError
from freehold.engine.invocation import Invocation, InvocationResult
from freehold.engine.limits import ASYNC_PAYLOAD_BYTES, REQUEST_BYTES
from freehold.services.lambda_.record import Lambda, Name, find_version, read_name
from freehold.services.lambda_.states import refuse_pending

_CLIENT_CONTEXT_BYTES = 3583


async def invoke(lambda_: Lambda, call: Call, request: Json) -> Json:
    name = read_name(call, request["FunctionName"], request.get("Qualifier"))
    kind = request.get("InvocationType") or "RequestResponse"
    payload = _payload(request, kind)
    context = _client_context(request.get("ClientContext")) if kind == "RequestResponse" else b""
    invocation = _invocation(lambda_, call, request, name, payload, context)
    if kind != "RequestResponse":
        stored, version = await find_version(lambda_, name)
        refuse_pending(stored.document["configuration"])
        if kind == "DryRun":
            return {"StatusCode": 204, "ExecutedVersion": version, "Payload": b""}
        await lambda_.async_invoker.enqueue(invocation, call.once)
        return {"StatusCode": 202, "Payload": b""}
    result = await lambda_.invoker.invoke(invocation)
    answer: Json = {"StatusCode": 200, "ExecutedVersion": result.executed_version, "Payload": result.payload}
    if result.function_error:
        answer["FunctionError"] = result.function_error
    if invocation.log_tail:
        answer["LogResult"] = base64.b64encode(result.log_tail).decode()
    return answer


async def invoke_with_response_stream(lambda_: Lambda, call: Call, request: Json) -> Json:
    """The answer's parts as they come, and what became of it. AWS: InvokeWithResponseStream."""
    name = read_name(call, request["FunctionName"], request.get("Qualifier"))
    kind = request.get("InvocationType") or "RequestResponse"
    payload = _payload(request, kind)
    context = _client_context(request.get("ClientContext"))
    invocation = _invocation(lambda_, call, request, name, payload, context, streams=True)
    if kind == "DryRun":
        _, version = await find_version(lambda_, name)
        return {"StatusCode": 204, "ExecutedVersion": version}
    result = await lambda_.invoker.invoke(invocation)
    return {"StatusCode": 200, "ExecutedVersion": result.executed_version, "EventStream": StreamedEvents(result)}


def _invocation(
    lambda_: Lambda, call: Call, request: Json, name: Name, payload: bytes, client_context: bytes, streams: bool = False
) -> Invocation:
    return Invocation(
        function_arn=name.qualified_arn,
        payload=payload,
        request_id=call.request_id or lambda_.ids.uuid(),
        trace_id=call.trace_id,
        client_context=client_context,
        source=call.service_principal,
        log_tail=request.get("LogType") == "Tail",
        streams=streams,
    )


class StreamedEvents:
    """Meets AsyncIterator: PayloadChunk for each part, InvokeComplete at the end."""

    def __init__(self, result: InvocationResult) -> None:
        self._result = result
        self._is_sent = False
        self._is_over = False

    def __aiter__(self) -> StreamedEvents:
        return self

    async def __anext__(self) -> Json:
        if self._is_over:
            raise StopAsyncIteration
        result, stream = self._result, self._result.stream
        if stream is not None:
            async for part in stream:
                return {"PayloadChunk": {"Payload": part}}
            self._is_over = True
            return {"InvokeComplete": _completion(stream.failure, stream.log_tail)}
        if result.function_error is None and not self._is_sent:
            self._is_sent = True
            return {"PayloadChunk": {"Payload": result.payload}}
        self._is_over = True
        return {"InvokeComplete": _completion(result.payload if result.function_error else b"", result.log_tail)}

    async def aclose(self) -> None:
        if self._result.stream is not None:
            self._result.stream.leave()


def _completion(failure: bytes, log_tail: bytes) -> Json:
    """Believed: the code is the error's type; the reference says only that it is one."""
    complete: Json = {"LogResult": base64.b64encode(log_tail).decode()} if log_tail else {}
    if failure:
        try:
            document = orjson.loads(failure)
        except orjson.JSONDecodeError:
            document = None
        error_type = document.get("errorType") if isinstance(document, dict) else None
        complete["ErrorCode"] = str(error_type or "Unhandled")
        complete["ErrorDetails"] = failure.decode("utf-8", "replace")
    return complete


async def invoke_async(lambda_: Lambda, call: Call, request: Json) -> Json:
    """The old operation of this name; only Event."""
    await invoke(lambda_, call, {**request, "InvocationType": "Event", "Payload": request["InvokeArgs"]})
    return {"Status": 202}


def _payload(request: Json, kind: str) -> bytes:
    payload = request.get("Payload") or b""
    data = payload if isinstance(payload, bytes) else bytes(payload)
    if kind == "Event" and len(data) > ASYNC_PAYLOAD_BYTES:
        raise _too_large(
            f"{len(data)} byte payload is too large for the Event invocation type (limit {ASYNC_PAYLOAD_BYTES} bytes)"
        )
    if len(data) > REQUEST_BYTES:
        raise _too_large(f"Request must be smaller than {REQUEST_BYTES} bytes for the InvokeFunction operation")
    if not data:
        return b"{}"
    try:
        orjson.loads(data)
    except orjson.JSONDecodeError as error:
        # Python's reader, as AWS's, takes a few things that the strict one does not, NaN among them.
        try:
            json.loads(data)
        except (ValueError, RecursionError):
            raise AwsError(
                "InvalidRequestContentException",
                f"Could not parse request body into json: Could not parse payload into json: {error}",
                status=400,
                fields={"Type": "User"},
            ) from error
    return data


def _client_context(text: str | None) -> bytes:
    if not text:
        return b""
    try:
        decoded = base64.b64decode(text, validate=True)
        if len(text) > _CLIENT_CONTEXT_BYTES or not isinstance(orjson.loads(decoded), dict):
            raise ValueError
    except (binascii.Error, ValueError) as error:
        raise AwsError(
            "InvalidRequestContentException", "Client context must be a valid Base64-encoded JSON object.", status=400
        ) from error
    return decoded


def _too_large(message: str) -> AwsError:
    """Both as AWS answers them: github.com/ASFHyP3/hyp3/issues/2241, github.com/pelmers/streetwarp-web/issues/14."""
    return AwsError("RequestEntityTooLargeException", message, status=413, fields={"Type": "User"})
