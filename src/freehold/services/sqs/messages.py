"""Messages sent: their contents, checksums, delays, and what makes two of a FIFO queue the same.

Source: Amazon SQS API Reference, SendMessage; Developer Guide, "Calculating the MD5 message digest for message
attributes", "Exactly-once processing in Amazon SQS".
"""

from __future__ import annotations

import base64
import hashlib
import re
import struct
import uuid

import orjson

from freehold.aws.call import Call, Json
from freehold.aws.errors import AwsError
from freehold.services.sqs.record import Sqs, find_queue, for_each, invalid
from freehold.state.message_queues import NewMessage
from freehold.state.store import Stored

_ATTRIBUTES = 10
_ONCE = uuid.UUID("5d9d9b1e-7f0f-4f5b-9a35-4f2a3f0f6c51")  # Of message ids that have to be the same when sent again.
# What XML 1.0 has: SQS takes no other characters.
_BODY = re.compile("[\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]*")


async def send_message(sqs: Sqs, call: Call, request: Json) -> Json:
    queue = await find_queue(sqs, call, request["QueueUrl"])
    answer = await _send(sqs, call, queue, request)
    sqs.arrivals.tell(queue.key)
    return answer


async def send_message_batch(sqs: Sqs, call: Call, request: Json) -> Json:
    queue = await find_queue(sqs, call, request["QueueUrl"])
    answer = await for_each(request["Entries"], lambda entry: _send(sqs, call, queue, entry))
    sqs.arrivals.tell(queue.key)
    return answer


async def _send(sqs: Sqs, call: Call, queue: Stored, request: Json) -> Json:
    settings, body = queue.document["Attributes"], request["MessageBody"]
    attributes, system = request.get("MessageAttributes") or {}, request.get("MessageSystemAttributes") or {}
    _check(body, attributes, int(settings["MaximumMessageSize"]))
    fifo = settings.get("FifoQueue") == "true"
    group, deduplication = _order(settings, request, attributes) if fifo else (request.get("MessageGroupId"), None)
    if not fifo and request.get("MessageDeduplicationId"):
        raise invalid("The request include parameter that is not valid for this queue type")
    delay = request.get("DelaySeconds")
    if delay is not None and (not 0 <= delay <= 900 or (fifo and delay)):
        raise invalid(
            f"Value {delay} for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= 900."
        )
    now_s = sqs.clock.now_s()
    content = {
        "Body": body,
        "MessageAttributes": _plain(attributes),
        "SenderId": call.access_key or call.account,
        "Group": group,
        "Deduplication": deduplication,
        "Trace": (system.get("AWSTraceHeader") or {}).get("StringValue") or call.trace_id or None,
    }
    once = f"{call.once}/{request.get('Id', '')}" if call.once else ""
    new = NewMessage(
        str(uuid.uuid5(_ONCE, once)) if once else sqs.ids.uuid(),
        orjson.dumps(content),
        now_s,
        now_s + (int(settings["DelaySeconds"]) if delay is None else delay),
        group,
        deduplication,
        once,
    )
    (sent,) = await sqs.messages.send(queue.key, [new])
    answer = {"MessageId": sent.message_id, "MD5OfMessageBody": hashlib.md5(body.encode()).hexdigest()}
    if attributes:
        answer["MD5OfMessageAttributes"] = attributes_md5(attributes)
    if system:
        answer["MD5OfMessageSystemAttributes"] = attributes_md5(system)
    return {**answer, "SequenceNumber": sequence_number(sent.number)} if fifo else answer


def sequence_number(number: int) -> str:
    return f"{number:020}"


def attributes_md5(attributes: Json) -> str:
    digest = hashlib.md5()
    for name in sorted(attributes):
        value = attributes[name]
        kind = value["DataType"]
        for text in (name, kind):
            digest.update(struct.pack(">I", len(text.encode())) + text.encode())
        binary = kind.startswith("Binary")
        data = value["BinaryValue"] if binary else value["StringValue"].encode()
        digest.update((b"\x02" if binary else b"\x01") + struct.pack(">I", len(data)) + data)
    return digest.hexdigest()


def _order(settings: Json, request: Json, attributes: Json) -> tuple[str, str]:
    """(group, deduplication id) of a FIFO queue's message."""
    group = request.get("MessageGroupId")
    if not group:
        raise AwsError("MissingParameter", "The request must contain the parameter MessageGroupId.", status=400)
    deduplication = request.get("MessageDeduplicationId")
    if deduplication:
        return group, deduplication
    if settings.get("ContentBasedDeduplication") != "true":
        raise invalid(
            "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided "
            "explicitly"
        )
    return group, hashlib.sha256(request["MessageBody"].encode()).hexdigest()


def _check(body: str, attributes: Json, most_bytes: int) -> None:
    if not body:
        raise AwsError("MissingParameter", "The request must contain the parameter MessageBody.", status=400)
    if not _BODY.fullmatch(body):
        raise AwsError(
            "InvalidMessageContents",
            "Invalid characters found. Valid unicode characters are "
            "#x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF",
            status=400,
        )
    if len(attributes) > _ATTRIBUTES:
        raise invalid(f"Number of message attributes [{len(attributes)}] exceeds the allowed maximum [{_ATTRIBUTES}].")
    size = len(body.encode())
    for name, value in attributes.items():
        kind = value.get("DataType") or ""
        if kind.split(".")[0] not in ("String", "Number", "Binary"):
            raise invalid(
                f"The message attribute '{name}' has an invalid message attribute type, the set of supported type "
                "prefixes is Binary, Number, and String."
            )
        data = value.get("BinaryValue") if kind.startswith("Binary") else value.get("StringValue")
        if not data:
            raise invalid(
                f"The message attribute '{name}' must contain non-empty message attribute value for "
                f"message attribute type '{kind}'."
            )
        size += len(name.encode()) + len(kind) + len(data.encode() if isinstance(data, str) else data)
    if size > most_bytes:
        raise invalid(f"One or more parameters are invalid. Reason: Message must be shorter than {most_bytes} bytes.")


def _plain(attributes: Json) -> Json:
    return {
        name: {
            "DataType": value["DataType"],
            **(
                {"BinaryValue": base64.b64encode(value["BinaryValue"]).decode()}
                if value["DataType"].startswith("Binary")
                else {"StringValue": value["StringValue"]}
            ),
        }
        for name, value in attributes.items()
    }
