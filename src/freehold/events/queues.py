"""Reads a queue for an event source mapping: receive, invoke, delete what the function took.

One decision to know: a message that was not taken is left alone. It comes again when its visibility timeout is over,
and the queue's own redrive policy counts it, as on AWS. AWS: "Using Lambda with Amazon SQS".
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from freehold.aws.arn import parse_arn
from freehold.aws.call import Aws, Bind, Call, Json
from freehold.aws.errors import AwsError
from freehold.clock import Clock, Ids
from freehold.engine.invocation import Invocation, Invoker
from freehold.engine.recursion import chain_length
from freehold.events.dynamodb_streams import compile_filters

_BROKEN_S = 5.0  # Until a queue that could not be read is tried again.
_LONG_POLL_S = 20
_RECEIVED = 10  # SQS gives no more at a time.
_POLLERS = 5
"""Batches side by side for a standard queue: AWS begins with five."""


@dataclass(frozen=True, slots=True)
class QueueSource:
    bind: Bind
    invoker: Invoker
    clock: Clock
    ids: Ids

    async def serve(self, key: str, mapping: Json) -> None:
        """Until it is cancelled."""
        arn = parse_arn(mapping["EventSourceArn"])
        assert arn is not None
        aws = self.bind(Call(arn.region, arn.account, service_principal="lambda.amazonaws.com"))
        url = await self._url(aws, arn.resource)
        scaling = mapping.get("ScalingConfig") or {}
        # A FIFO queue gives each group's messages in order; one poller keeps it simple, and the order whole.
        pollers = 1 if arn.resource.endswith(".fifo") else min(scaling.get("MaximumConcurrency") or _POLLERS, _POLLERS)
        async with asyncio.TaskGroup() as group:
            for _ in range(pollers):
                group.create_task(self._poll(aws, url, mapping))

    async def _url(self, aws: Aws, name: str) -> str:
        while True:
            try:
                return str((await aws("sqs", "GetQueueUrl", {"QueueName": name}))["QueueUrl"])
            except AwsError:
                await self.clock.sleep(_BROKEN_S)

    async def _poll(self, aws: Aws, url: str, mapping: Json) -> None:
        matches = compile_filters(mapping)
        while True:
            try:
                messages = await self._gather(aws, url, mapping)
                wanted = [each for each in messages if matches(_filtered(each))]
                # What no filter wants is done with, as on AWS.
                await self._delete(aws, url, [each for each in messages if each not in wanted])
                if wanted:
                    await self._delete(aws, url, await self._deliver(mapping, wanted))
            except AwsError:
                await self.clock.sleep(_BROKEN_S)

    async def _gather(self, aws: Aws, url: str, mapping: Json) -> list[Json]:
        """At least one message: as many as a batch takes, or as came within the window."""
        size, window_s = mapping["BatchSize"], mapping.get("MaximumBatchingWindowInSeconds") or 0
        messages = await self._receive(aws, url, size, _LONG_POLL_S)
        end = self.clock.monotonic_s() + window_s
        while messages and len(messages) < size and window_s and (left := end - self.clock.monotonic_s()) > 0:
            wait_s = max(min(int(left), _LONG_POLL_S), 1)
            messages += await self._receive(aws, url, size - len(messages), wait_s)
        return messages

    async def _receive(self, aws: Aws, url: str, size: int, wait_s: int) -> list[Json]:
        request = {
            "QueueUrl": url,
            "MaxNumberOfMessages": min(size, _RECEIVED),
            "WaitTimeSeconds": wait_s,
            "AttributeNames": ["All"],
            "MessageAttributeNames": ["All"],
        }
        return list((await aws("sqs", "ReceiveMessage", request)).get("Messages") or [])

    async def _deliver(self, mapping: Json, messages: Sequence[Json]) -> list[Json]:
        """Those that the function took."""
        records = [event_record(each, mapping["EventSourceArn"]) for each in messages]
        payload = orjson.dumps({"Records": records})
        # Of several chains of invocations the one that is longest, as far as the function's own SDK told of them.
        traces = [(each.get("Attributes") or {}).get("AWSTraceHeader") or "" for each in messages]
        trace_id = max(traces, key=lambda each: chain_length(each, mapping["FunctionArn"]))
        arn, source = mapping["FunctionArn"], "lambda.amazonaws.com"
        invocation = Invocation(arn, payload, self.ids.uuid(), trace_id, source=source)
        try:
            result = await self.invoker.invoke(invocation)
        except AwsError as error:
            if error.code == "RecursiveInvocationException" and len(messages) > 1:
                # Only those that are in the loop stay, and end in the dead-letter queue.
                return [took for each in messages for took in await self._deliver(mapping, [each])]
            return []
        if result.function_error:
            return []
        if "ReportBatchItemFailures" not in (mapping.get("FunctionResponseTypes") or ()):
            return list(messages)
        failed = failed_identifiers(result.payload)
        known = {each["MessageId"] for each in messages}
        if failed is None or not failed <= known:
            return []
        return [each for each in messages if each["MessageId"] not in failed]

    async def _delete(self, aws: Aws, url: str, messages: Sequence[Json]) -> None:
        for start in range(0, len(messages), _RECEIVED):
            entries = [
                {"Id": str(number), "ReceiptHandle": each["ReceiptHandle"]}
                for number, each in enumerate(messages[start : start + _RECEIVED])
            ]
            await aws("sqs", "DeleteMessageBatch", {"QueueUrl": url, "Entries": entries})


def event_record(message: Json, arn: str) -> Json:
    """A message as the function receives it."""
    attributes = {
        name: {
            "stringValue": value.get("StringValue"),
            "binaryValue": value.get("BinaryValue"),
            "stringListValues": [],
            "binaryListValues": [],
            "dataType": value["DataType"],
        }
        for name, value in (message.get("MessageAttributes") or {}).items()
    }
    for value in attributes.values():
        if isinstance(value["binaryValue"], bytes):
            value["binaryValue"] = base64.b64encode(value["binaryValue"]).decode()
        for name in ("stringValue", "binaryValue"):
            if value[name] is None:
                del value[name]
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message.get("Attributes") or {},
        "messageAttributes": attributes,
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": arn,
        "awsRegion": arn.split(":")[3],
    }


def failed_identifiers(payload: bytes) -> set[str] | None:
    """Of `batchItemFailures`; None where the answer is no such document, which fails the whole batch."""
    try:
        answer = orjson.loads(payload)
    except orjson.JSONDecodeError:
        return None
    if answer in (None, ""):
        return set()
    if not isinstance(answer, dict):
        return None
    found = set()
    for each in answer.get("batchItemFailures") or []:
        identifier = each.get("itemIdentifier") if isinstance(each, dict) else None
        if not isinstance(identifier, str) or not identifier:
            return None
        found.add(identifier)
    return found


def _filtered(message: Json) -> Json:
    """What a filter sees: the body as JSON where it is some. AWS: "Properly filtering Amazon SQS messages"."""
    try:
        body = orjson.loads(message["Body"])
    except orjson.JSONDecodeError:
        body = message["Body"]
    return {"body": body, "messageId": message["MessageId"], "attributes": message.get("Attributes") or {}}
