"""Publish and PublishBatch. Source: Amazon SNS API Reference, Publish, PublishBatch; "Message attributes".

One decision to know: a message is handed over to every subscriber's own durable queue before Publish answers, so that
an accepted message is lost by no crash; a publisher that got no answer publishes again.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from datetime import UTC, datetime

import orjson

from freehold.aws.call import Call, Json
from freehold.aws.errors import AwsError
from freehold.services.sns.delivery import Message, deliver
from freehold.services.sns.filters import compile_filter
from freehold.services.sns.record import Sns, find_topic, invalid, subscriptions_of
from freehold.state.store import Stored

_BYTES = 256 * 1024
_BATCH = 10
_SUBJECT_CHARACTERS = 100


async def publish(sns: Sns, call: Call, request: Json) -> Json:
    if request.get("PhoneNumber"):
        raise invalid("PhoneNumber Reason: Freehold does not send text messages.")
    arn = request.get("TopicArn") or request.get("TargetArn")
    if not arn:
        raise invalid("TopicArn or TargetArn Reason: no value for required parameter")
    topic = await find_topic(sns, arn)
    message = _read(sns, topic, request)
    if _size(request) > _BYTES:
        raise invalid("Message too long")
    return await _hand_over(sns, call, topic, message)


async def publish_batch(sns: Sns, call: Call, request: Json) -> Json:
    topic, entries = await find_topic(sns, request["TopicArn"]), request["PublishBatchRequestEntries"]
    _check_batch(entries)
    successful, failed = [], []
    for entry in entries:
        try:
            done = await _hand_over(sns, call, topic, _read(sns, topic, entry))
            successful.append({"Id": entry["Id"], **done})
        except AwsError as error:
            if (error.status or 400) >= 500:
                raise
            code = error.code.removesuffix("Exception")
            failed.append({"Id": entry["Id"], "Code": code, "Message": error.message, "SenderFault": True})
    return {"Successful": successful, "Failed": failed}


def _check_batch(entries: list[Json]) -> None:
    if not entries:
        raise AwsError("EmptyBatchRequestException", "The batch request doesn't contain any entries.", status=400)
    if len(entries) > _BATCH:
        message = f"The batch request contains more entries than permissible (it has {len(entries)}; {_BATCH} may be)."
        raise AwsError("TooManyEntriesInBatchRequestException", message, status=400)
    if max(Counter(entry["Id"] for entry in entries).values()) > 1:
        message = "Two or more batch entries in the request have the same Id."
        raise AwsError("BatchEntryIdsNotDistinctException", message, status=400)
    if sum(_size(entry) for entry in entries) > _BYTES:
        message = "The length of all the batch messages put together is more than the limit."
        raise AwsError("BatchRequestTooLongException", message, status=400)


async def _hand_over(sns: Sns, call: Call, topic: Stored, message: Message) -> Json:
    for stored in await subscriptions_of(sns, topic):
        attributes = stored.document["Attributes"]
        if policy := attributes.get("FilterPolicy"):
            wants = compile_filter(policy, attributes.get("FilterPolicyScope") or "MessageAttributes")
            if not wants(str(message.texts["default"]), message.attributes):
                continue
        await deliver(sns, call, stored.document, message)
    answer = {"MessageId": message.message_id}
    if message.group is not None:
        # Grows with every message, as far as the clock does.
        answer["SequenceNumber"] = f"{int(sns.clock.now_s() * 1_000_000):020}"
    return answer


def _read(sns: Sns, topic: Stored, request: Json) -> Message:
    texts, attributes = _texts(request), request.get("MessageAttributes") or {}
    subject = request.get("Subject")
    if subject is not None and (not 0 < len(subject) <= _SUBJECT_CHARACTERS or not subject.isprintable()):
        raise invalid("Subject")
    for name, value in attributes.items():
        _check_attribute(name, value)
    group, deduplication = _order(topic, request)
    now = datetime.fromtimestamp(sns.clock.now_s(), UTC)
    return Message(
        sns.ids.uuid(),
        topic.document["Attributes"]["TopicArn"],
        texts,
        subject,
        attributes,
        now.strftime("%Y-%m-%dT%H:%M:%S.") + f"{now.microsecond // 1000:03}Z",
        group,
        deduplication,
    )


def _texts(request: Json) -> Json:
    message = request["Message"]
    if not message:
        raise invalid("Empty message")
    if not request.get("MessageStructure"):
        return {"default": message}
    if request["MessageStructure"] != "json":
        raise invalid("MessageStructure")
    try:
        texts = orjson.loads(message)
    except orjson.JSONDecodeError as error:
        raise invalid("Message Structure - JSON message body failed to parse") from error
    if not isinstance(texts, dict) or not isinstance(texts.get("default"), str):
        raise invalid("Message Structure - No default entry in JSON message body")
    return {protocol: text for protocol, text in texts.items() if isinstance(text, str)}


def _check_attribute(name: str, value: Json) -> None:
    kind = value.get("DataType") or ""
    if kind.split(".")[0] not in ("String", "Number", "Binary"):
        raise _bad_attribute(f"The message attribute '{name}' has an invalid message attribute type, the set of "
                             "supported type prefixes is Binary, Number, and String.")  # fmt: skip
    if not value.get("BinaryValue" if kind.startswith("Binary") else "StringValue"):
        raise _bad_attribute(f"The message attribute '{name}' must contain non-empty message attribute value for "
                             f"message attribute type '{kind}'.")  # fmt: skip


def _bad_attribute(message: str) -> AwsError:
    return AwsError("InvalidParameterValueException", message, status=400)


def _order(topic: Stored, request: Json) -> tuple[str | None, str | None]:
    """(group, deduplication id) of a FIFO topic's message."""
    settings = topic.document["Attributes"]
    group, deduplication = request.get("MessageGroupId"), request.get("MessageDeduplicationId")
    if settings.get("FifoTopic") != "true":
        if deduplication:
            raise invalid("MessageDeduplicationId Reason: The request includes MessageDeduplicationId parameter that "
                          "is not valid for this topic type")  # fmt: skip
        return None, None
    if not group:
        raise invalid("The MessageGroupId parameter is required for FIFO topics")
    if not deduplication:
        if settings.get("ContentBasedDeduplication") != "true":
            raise invalid("The topic should either have ContentBasedDeduplication enabled or MessageDeduplicationId "
                          "provided explicitly")  # fmt: skip
        deduplication = hashlib.sha256(request["Message"].encode()).hexdigest()
    return group, deduplication


def _size(request: Json) -> int:
    size = len(request["Message"].encode())
    for name, value in (request.get("MessageAttributes") or {}).items():
        data = value.get("BinaryValue") or (value.get("StringValue") or "").encode()
        size += len(name.encode()) + len(value.get("DataType") or "") + len(data)
    return size
