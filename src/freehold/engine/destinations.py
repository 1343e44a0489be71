"""Where the outcome of an asynchronous invocation goes: on-success and on-failure destinations, the dead-letter queue.

AWS: "Capturing records of Lambda asynchronous invocations". Each is told by that service's own AWS operation. One
decision to know: what is to be told is written down first, and told under a name, so that telling it again after a
crash adds nothing to what is there.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import orjson

from freehold.aws.arn import parse_arn
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


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message for one destination, as it is written down."""

    target: str  # ARN.
    function_arn: str
    succeeded: bool
    text: str
    attributes: dict[str, tuple[str, str]]  # Name -> type, value: of dead letters.


class Destinations:
    """`dead_letter` gives the ARN of a function's dead-letter queue, or empty."""

    def __init__(self, bind: Bind, clock: Clock, dead_letter: Callable[[str], str]) -> None:
        self._bind = bind
        self._clock = clock
        self._dead_letter = dead_letter

    def deliveries(
        self, function_arn: str, request_id: str, payload: bytes, outcome: Outcome, config: Json
    ) -> list[Delivery]:
        """Who is to be told, and what."""
        found = []
        destinations = config.get("DestinationConfig") or {}
        succeeded = outcome.condition == "Success"
        if target := (destinations.get("OnSuccess" if succeeded else "OnFailure") or {}).get("Destination"):
            record = make_record(function_arn, request_id, payload, outcome, self._clock.now_s())
            found.append(Delivery(target, function_arn, succeeded, orjson.dumps(record).decode(), {}))
        if not succeeded and (queue := self._dead_letter(function_arn)):
            text = payload.decode("utf-8", "replace")
            found.append(Delivery(queue, function_arn, succeeded, text, _letter_attributes(request_id, outcome)))
        return found

    async def tell(self, deliveries: Sequence[Delivery], name: str, trace_id: str = "") -> None:
        """`name` is the same when they are told again after a crash, and nothing else's."""
        for number, delivery in enumerate(deliveries):
            try:
                await self._send(delivery, f"{name}/{number}", trace_id)
            except AwsError as error:
                # As on AWS: the record is lost, and somebody who looks can see that it was.
                _log.warning("The destination %s did not take an invocation record: %s", delivery.target, error)

    async def _send(self, delivery: Delivery, once: str, trace_id: str) -> None:
        arn = parse_arn(delivery.target)
        assert arn is not None
        principal = "lambda.amazonaws.com"
        aws = self._bind(Call(arn.region, arn.account, service_principal=principal, once=once, trace_id=trace_id))
        text = delivery.text
        told = {name: {"DataType": kind, "StringValue": value} for name, (kind, value) in delivery.attributes.items()}
        attributes = {"MessageAttributes": told} if told else {}
        match arn.service:
            case "lambda":
                request: Json = {"FunctionName": str(arn), "InvocationType": "Event", "Payload": text.encode()}
                await aws("lambda", "Invoke", request)
            case "sqs":
                url = (await aws("sqs", "GetQueueUrl", {"QueueName": arn.resource}))["QueueUrl"]
                await aws("sqs", "SendMessage", {"QueueUrl": url, "MessageBody": text, **attributes})
            case "sns":
                await aws("sns", "Publish", {"TopicArn": str(arn), "Message": text, **attributes})
            case "events":
                result = "Success" if delivery.succeeded else "Failure"
                entry = {
                    "Source": "lambda",
                    "DetailType": f"Lambda Function Invocation Result - {result}",
                    "Resources": [str(arn), qualified(delivery.function_arn)],
                    "Detail": text,
                    "EventBusName": str(arn),
                }
                await aws("events", "PutEvents", {"Entries": [entry]})
            case _:
                raise AwsError("InvalidParameterValueException", f"{arn} is no destination.")


def qualified(function_arn: str) -> str:
    return function_arn if function_arn.count(":") > 6 else f"{function_arn}:$LATEST"


def make_record(function_arn: str, request_id: str, payload: bytes, outcome: Outcome, now_s: float) -> Json:
    """The invocation record, version 1.0."""
    record: Json = {
        "version": "1.0",
        "timestamp": datetime.fromtimestamp(now_s, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z",
        "requestContext": {
            "requestId": request_id,
            "functionArn": qualified(function_arn),
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


def _letter_attributes(request_id: str, outcome: Outcome) -> dict[str, tuple[str, str]]:
    message = outcome.result.payload.decode("utf-8", "replace") if outcome.result else outcome.condition
    return {
        "RequestID": ("String", request_id),
        "ErrorCode": ("Number", "200" if outcome.result else "429"),
        "ErrorMessage": ("String", _error_message(message)),
    }


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
