"""Messages received, held, deleted. Source: Amazon SQS API Reference, ReceiveMessage; Developer Guide, "Amazon SQS
visibility timeout", "Amazon SQS short and long polling", "Using dead-letter queues in Amazon SQS"."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib

import orjson

from freehold.aws.arn import Arn, parse_arn
from freehold.aws.call import Call, Json
from freehold.aws.errors import AwsError
from freehold.services.sqs.messages import attributes_md5, sequence_number
from freehold.services.sqs.record import Sqs, find_queue, for_each, invalid
from freehold.state.message_queues import Received, Taking
from freehold.state.store import Stored

_MOST_VISIBILITY_S = 43_200
_RECEIPT = 32


async def receive_message(sqs: Sqs, call: Call, request: Json) -> Json:
    limit, wait_s = request.get("MaxNumberOfMessages") or 1, request.get("WaitTimeSeconds")
    queue = await find_queue(sqs, call, request["QueueUrl"])
    if not 1 <= limit <= 10:
        raise invalid(
            f"Value {limit} for parameter MaxNumberOfMessages is invalid. Reason: "
            "Must be between 1 and 10, if provided."
        )
    settings = queue.document["Attributes"]
    wait_s = int(settings["ReceiveMessageWaitTimeSeconds"]) if wait_s is None else wait_s
    if not 0 <= wait_s <= 20:
        raise invalid(
            f"Value {wait_s} for parameter WaitTimeSeconds is invalid. Reason: Must be >= 0 and <= 20, if provided."
        )
    visibility_s = request.get("VisibilityTimeout")
    visibility_s = _visibility(int(settings["VisibilityTimeout"]) if visibility_s is None else visibility_s)
    ends_s = sqs.clock.monotonic_s() + wait_s
    arrived = sqs.arrivals.begin(queue.key)
    try:
        while True:
            arrived.clear()
            found = await sqs.messages.receive(_taking(sqs, queue, limit, visibility_s))
            left_s = ends_s - sqs.clock.monotonic_s()
            if found or left_s <= 0:
                break
            await _wait(sqs, queue.key, arrived, left_s)
    finally:
        sqs.arrivals.end(queue.key, arrived)
    return {"Messages": [_shown(call, queue, each, request) for each in found]} if found else {}


async def delete_message(sqs: Sqs, call: Call, request: Json) -> Json:
    queue = await find_queue(sqs, call, request["QueueUrl"])
    return await _delete(sqs, queue, request)


async def delete_message_batch(sqs: Sqs, call: Call, request: Json) -> Json:
    queue = await find_queue(sqs, call, request["QueueUrl"])
    return await for_each(request["Entries"], lambda entry: _delete(sqs, queue, entry))


async def change_message_visibility(sqs: Sqs, call: Call, request: Json) -> Json:
    return await _hide(sqs, await find_queue(sqs, call, request["QueueUrl"]), request)


async def change_message_visibility_batch(sqs: Sqs, call: Call, request: Json) -> Json:
    queue = await find_queue(sqs, call, request["QueueUrl"])
    return await for_each(request["Entries"], lambda entry: _hide(sqs, queue, entry))


async def _delete(sqs: Sqs, queue: Stored, request: Json) -> Json:
    await sqs.messages.delete(queue.key, *_read_handle(request["ReceiptHandle"]))
    # The next message of its group may be received now.
    sqs.arrivals.tell(queue.key)
    return {}


async def _hide(sqs: Sqs, queue: Stored, request: Json) -> Json:
    handle, now_s = request["ReceiptHandle"], sqs.clock.now_s()
    number, receipt = _read_handle(handle)
    visible_s = now_s + _visibility(request.get("VisibilityTimeout") or 0)
    if not await sqs.messages.hide(queue.key, number, receipt, now_s, visible_s):
        raise invalid(
            f"Value {handle} for parameter ReceiptHandle is invalid. Reason: Message does not exist or is not "
            "available for visibility timeout change."
        )
    sqs.arrivals.tell(queue.key)
    return {}


async def _wait(sqs: Sqs, queue: str, arrived: asyncio.Event, left_s: float) -> None:
    """Until a message was sent, the first hidden one comes back, or the time is over."""
    due_s, now_s = await sqs.messages.next_visible_s(queue, sqs.clock.now_s()), sqs.clock.now_s()
    if due_s is not None:
        left_s = min(left_s, max(due_s - now_s, 0.001))
    tasks = [asyncio.ensure_future(sqs.clock.sleep(left_s)), asyncio.ensure_future(arrived.wait())]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()


def _taking(sqs: Sqs, queue: Stored, limit: int, visibility_s: int) -> Taking:
    settings, now_s = queue.document["Attributes"], sqs.clock.now_s()
    most, failed_to = None, ""
    if settings.get("RedrivePolicy"):
        policy = orjson.loads(settings["RedrivePolicy"])
        arn = parse_arn(policy["deadLetterTargetArn"])
        assert arn is not None
        most, failed_to = int(policy["maxReceiveCount"]), f"{arn.region}/{arn.resource}"
    return Taking(
        queue.key,
        now_s,
        limit,
        now_s + visibility_s,
        now_s - int(settings["MessageRetentionPeriod"]),
        tuple(sqs.ids.hex(_RECEIPT) for _ in range(limit)),
        settings.get("FifoQueue") == "true",
        most,
        failed_to,
    )


def _shown(call: Call, queue: Stored, message: Received, request: Json) -> Json:
    content = orjson.loads(message.content)
    shown = {
        "MessageId": message.message_id,
        "ReceiptHandle": base64.b64encode(f"{message.number}:{message.receipt}".encode()).decode(),
        "MD5OfBody": hashlib.md5(content["Body"].encode()).hexdigest(),
        "Body": content["Body"],
    }
    system = _system(call, queue, message, content)
    wanted = {*(request.get("AttributeNames") or []), *(request.get("MessageSystemAttributeNames") or [])}
    chosen = {name: value for name, value in system.items() if "All" in wanted or name in wanted}
    if chosen:
        shown["Attributes"] = chosen
    names = request.get("MessageAttributeNames") or []
    attributes = {
        name: {**value, "BinaryValue": base64.b64decode(value["BinaryValue"])} if "BinaryValue" in value else value
        for name, value in content["MessageAttributes"].items()
        if any(_names(pattern, name) for pattern in names)
    }
    if attributes:
        shown |= {"MessageAttributes": attributes, "MD5OfMessageAttributes": attributes_md5(attributes)}
    return shown


def _system(call: Call, queue: Stored, message: Received, content: Json) -> dict[str, str]:
    system = {
        "SenderId": content["SenderId"],
        "SentTimestamp": str(int(message.sent_s * 1000)),
        "ApproximateReceiveCount": str(message.receives),
        "ApproximateFirstReceiveTimestamp": str(int(message.first_received_s * 1000)),
    }
    if queue.document["Attributes"].get("FifoQueue") == "true":
        system["SequenceNumber"] = sequence_number(message.number)
    for name, member in (
        ("MessageGroupId", "Group"),
        ("MessageDeduplicationId", "Deduplication"),
        ("AWSTraceHeader", "Trace"),
    ):
        if content.get(member):
            system[name] = content[member]
    if message.source:
        region, _, name = message.source.partition("/")
        system["DeadLetterQueueSourceArn"] = str(Arn("sqs", region, call.account, name))
    return system


def _names(pattern: str, name: str) -> bool:
    if pattern in ("All", ".*"):
        return True
    return name.startswith(pattern[:-2]) if pattern.endswith(".*") else name == pattern


def _read_handle(handle: str) -> tuple[int, str]:
    try:
        number, _, receipt = base64.b64decode(handle, validate=True).decode().partition(":")
        return int(number), receipt
    except (binascii.Error, UnicodeError, ValueError) as error:
        raise AwsError(
            "ReceiptHandleIsInvalid", f'The input receipt handle "{handle}" is not a valid receipt handle.', status=400
        ) from error


def _visibility(seconds: int) -> int:
    if not 0 <= seconds <= _MOST_VISIBILITY_S:
        raise invalid(
            f"Value {seconds} for parameter VisibilityTimeout is invalid. Reason: Must be >= 0 and <= "
            f"{_MOST_VISIBILITY_S}, if provided."
        )
    return seconds
