"""Where the outcome of an asynchronous invocation goes: on-success and on-failure destinations, the dead-letter queue.

AWS: "Capturing records of Lambda asynchronous invocations". Each is told by that service's own AWS operation.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import orjson

from freehold.aws.arn import Arn, parse_arn
from freehold.aws.call import Bind, Call, Json
from freehold.aws.errors import AwsError
from freehold.clock import Clock
from freehold.engine.invocation import InvocationResult

_log = logging.getLogger(__name__)
_ERROR_MESSAGE_BYTES = 1024


@dataclass(frozen=True, slots=True)
class Outcome:
    condition: str  # "Success", "RetriesExhausted", "EventAgeExceeded"
    count: int  # Attempts so far.
    result: InvocationResult | None  # None: the function did not run.


class Destinations:
    """`dead_letter` gives the ARN of a function's dead-letter queue, or empty."""

    def __init__(self, bind: Bind, clock: Clock, dead_letter: Callable[[str], str]) -> None:
        self._bind = bind
        self._clock = clock
        self._dead_letter = dead_letter

    async def tell(self, function_arn: str, request_id: str, payload: bytes, outcome: Outcome, config: Json) -> None:
        destinations = config.get("DestinationConfig") or {}
        which = "OnSuccess" if outcome.condition == "Success" else "OnFailure"
        if target := (destinations.get(which) or {}).get("Destination"):
            record = make_record(function_arn, request_id, payload, outcome, self._clock.now_s())
            await self._try(target, self._send, function_arn, record)
        if outcome.condition != "Success" and (queue := self._dead_letter(function_arn)):
            await self._try(queue, self._send_dead_letter, request_id, payload, outcome)

    async def _try(self, target: str, send: object, *arguments: object) -> None:
        arn = parse_arn(target)
        assert arn is not None
        assert callable(send)
        try:
            await send(arn, *arguments)
        except AwsError as error:
            # As on AWS: the record is lost, and somebody who looks can see that it was.
            _log.warning("The destination %s did not take an invocation record: %s", target, error)

    async def _send(self, arn: Arn, function_arn: str, record: Json) -> None:
        aws = self._bind(Call(arn.region, arn.account, service_principal="lambda.amazonaws.com"))
        text = orjson.dumps(record).decode()
        match arn.service:
            case "lambda":
                request: Json = {"FunctionName": str(arn), "InvocationType": "Event", "Payload": text.encode()}
                await aws("lambda", "Invoke", request)
            case "sqs":
                url = (await aws("sqs", "GetQueueUrl", {"QueueName": arn.resource}))["QueueUrl"]
                await aws("sqs", "SendMessage", {"QueueUrl": url, "MessageBody": text})
            case "sns":
                await aws("sns", "Publish", {"TopicArn": str(arn), "Message": text})
            case "events":
                success = record["requestContext"]["condition"] == "Success"
                entry = {
                    "Source": "lambda",
                    "DetailType": f"Lambda Function Invocation Result - {'Success' if success else 'Failure'}",
                    "Resources": [str(arn), record["requestContext"]["functionArn"]],
                    "Detail": text,
                    "EventBusName": str(arn),
                }
                await aws("events", "PutEvents", {"Entries": [entry]})
            case _:
                raise AwsError("InvalidParameterValueException", f"{arn} is no destination.")

    async def _send_dead_letter(self, arn: Arn, request_id: str, payload: bytes, outcome: Outcome) -> None:
        aws = self._bind(Call(arn.region, arn.account, service_principal="lambda.amazonaws.com"))
        message = outcome.result.payload.decode("utf-8", "replace") if outcome.result else outcome.condition
        values = {
            "RequestID": ("String", request_id),
            "ErrorCode": ("Number", "200" if outcome.result else "429"),
            "ErrorMessage": ("String", _error_message(message)),
        }
        attributes = {name: {"DataType": kind, "StringValue": value} for name, (kind, value) in values.items()}
        body = payload.decode("utf-8", "replace")
        if arn.service == "sqs":
            url = (await aws("sqs", "GetQueueUrl", {"QueueName": arn.resource}))["QueueUrl"]
            await aws("sqs", "SendMessage", {"QueueUrl": url, "MessageBody": body, "MessageAttributes": attributes})
        else:
            await aws("sns", "Publish", {"TopicArn": str(arn), "Message": body, "MessageAttributes": attributes})


def make_record(function_arn: str, request_id: str, payload: bytes, outcome: Outcome, now_s: float) -> Json:
    """The invocation record, version 1.0."""
    qualified = function_arn if function_arn.count(":") > 6 else f"{function_arn}:$LATEST"
    record: Json = {
        "version": "1.0",
        "timestamp": datetime.fromtimestamp(now_s, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z",
        "requestContext": {
            "requestId": request_id,
            "functionArn": qualified,
            "condition": outcome.condition,
            "approximateInvokeCount": outcome.count,
        },
        "requestPayload": _json(payload),
    }
    if outcome.result is not None:
        context: Json = {"statusCode": 200, "executedVersion": outcome.result.executed_version}
        if outcome.result.function_error:
            context["functionError"] = outcome.result.function_error
        record["responseContext"] = context
        record["responsePayload"] = _json(outcome.result.payload)
    return record


def _json(data: bytes) -> object:
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        return data.decode("utf-8", "replace")


def _error_message(text: str) -> str:
    try:
        text = orjson.loads(text).get("errorMessage") or text
    except (orjson.JSONDecodeError, AttributeError):
        pass
    return str(text).encode()[:_ERROR_MESSAGE_BYTES].decode("utf-8", "ignore") or "-"
