"""Queues, their attributes and tags. Source: Amazon SQS API Reference, CreateQueue, SetQueueAttributes."""

from __future__ import annotations

import re

import orjson

from freehold.aws.arn import Arn, parse_arn
from freehold.aws.call import Call, Json
from freehold.aws.errors import AwsError
from freehold.services.sqs.record import QUEUE, Sqs, find_by_name, find_queue, invalid, queue_url
from freehold.state.store import Delete, Document, Put, Stored

_NAME = re.compile(r"[A-Za-z0-9_-]{1,80}")
_PAGE = 1000
_RANGES = {
    "DelaySeconds": (0, 900),
    "MaximumMessageSize": (1024, 1_048_576),
    "MessageRetentionPeriod": (60, 1_209_600),
    "ReceiveMessageWaitTimeSeconds": (0, 20),
    "VisibilityTimeout": (0, 43_200),
    "KmsDataKeyReusePeriodSeconds": (60, 86_400),
}
_DEFAULTS = {
    "DelaySeconds": "0",
    "MaximumMessageSize": "1048576",
    "MessageRetentionPeriod": "345600",
    "ReceiveMessageWaitTimeSeconds": "0",
    "VisibilityTimeout": "30",
    "SqsManagedSseEnabled": "true",
}
_FIFO_DEFAULTS = {
    "ContentBasedDeduplication": "false",
    "DeduplicationScope": "queue",
    "FifoThroughputLimit": "perQueue",
}
_OTHERS = frozenset({"Policy", "RedrivePolicy", "RedriveAllowPolicy", "KmsMasterKeyId", "SqsManagedSseEnabled"})


async def create_queue(sqs: Sqs, call: Call, request: Json) -> Json:
    name, given = request["QueueName"], dict(request.get("Attributes") or {})
    fifo = name.endswith(".fifo")
    if len(name) > 80 or not _NAME.fullmatch(name.removesuffix(".fifo")):
        raise invalid("Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length")
    if fifo != (given.get("FifoQueue") == "true") and (fifo or "FifoQueue" in given):
        raise invalid(
            "The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, must end with "
            ".fifo suffix and be 1 to 80 in length; its attribute FifoQueue is true."
        )
    _check(call, given, fifo)
    known = await sqs.store.read(QUEUE, f"{call.region}/{name}")
    if known is not None:
        for key, value in given.items():
            if known.document["Attributes"].get(key) != value:
                raise AwsError(
                    "QueueNameExists",
                    f"A queue already exists with the same name and a different value for attribute {key}",
                    status=400,
                )
        return {"QueueUrl": queue_url(call, name)}
    now = str(int(sqs.clock.now_s()))
    attributes = {**_DEFAULTS, **(_FIFO_DEFAULTS if fifo else {}), **{k: v for k, v in given.items() if v != ""}}
    attributes |= {"QueueArn": str(Arn("sqs", call.region, call.account, name))}
    attributes |= {"CreatedTimestamp": now, "LastModifiedTimestamp": now}
    document: Document = {"Name": name, "Attributes": attributes, "Tags": request.get("tags") or {}}
    await sqs.store.write(Put(QUEUE, f"{call.region}/{name}", document))
    return {"QueueUrl": queue_url(call, name)}


async def delete_queue(sqs: Sqs, call: Call, request: Json) -> Json:
    stored = await find_queue(sqs, call, request["QueueUrl"])
    await sqs.store.write(Delete(QUEUE, stored.key))
    await sqs.messages.purge(stored.key)
    return {}


async def get_queue_url(sqs: Sqs, call: Call, request: Json) -> Json:
    await find_by_name(sqs, call, request["QueueName"])
    return {"QueueUrl": queue_url(call, request["QueueName"])}


async def list_queues(sqs: Sqs, call: Call, request: Json) -> Json:
    prefix = f"{call.region}/{request.get('QueueNamePrefix') or ''}"
    found = [stored.document["Name"] for stored in await sqs.store.list_documents(QUEUE, prefix)]
    return _page(call, request, found, "QueueUrls")


async def list_dead_letter_source_queues(sqs: Sqs, call: Call, request: Json) -> Json:
    arn = (await find_queue(sqs, call, request["QueueUrl"])).document["Attributes"]["QueueArn"]
    found = []
    for stored in await sqs.store.list_documents(QUEUE, f"{call.region}/"):
        policy = stored.document["Attributes"].get("RedrivePolicy")
        if policy and orjson.loads(policy)["deadLetterTargetArn"] == arn:
            found.append(stored.document["Name"])
    return _page(call, request, found, "queueUrls")


async def get_queue_attributes(sqs: Sqs, call: Call, request: Json) -> Json:
    stored = await find_queue(sqs, call, request["QueueUrl"])
    names = set(request.get("AttributeNames") or [])
    counts = await sqs.messages.count(stored.key, sqs.clock.now_s())
    attributes = {
        **stored.document["Attributes"],
        "ApproximateNumberOfMessages": str(counts.visible),
        "ApproximateNumberOfMessagesNotVisible": str(counts.in_flight),
        "ApproximateNumberOfMessagesDelayed": str(counts.delayed),
    }
    return {"Attributes": {key: value for key, value in attributes.items() if "All" in names or key in names}}


async def set_queue_attributes(sqs: Sqs, call: Call, request: Json) -> Json:
    stored = await find_queue(sqs, call, request["QueueUrl"])
    given = request["Attributes"]
    if "FifoQueue" in given:
        raise AwsError("InvalidAttributeName", "Unknown Attribute FifoQueue.", status=400)
    _check(call, given, stored.document["Name"].endswith(".fifo"))
    attributes = {**stored.document["Attributes"], **given, "LastModifiedTimestamp": str(int(sqs.clock.now_s()))}
    # An empty text takes a policy away.
    attributes = {key: value for key, value in attributes.items() if value != ""}
    await _write(sqs, stored, Attributes=attributes)
    return {}


async def purge_queue(sqs: Sqs, call: Call, request: Json) -> Json:
    await sqs.messages.purge((await find_queue(sqs, call, request["QueueUrl"])).key)
    return {}


async def tag_queue(sqs: Sqs, call: Call, request: Json) -> Json:
    stored = await find_queue(sqs, call, request["QueueUrl"])
    await _write(sqs, stored, Tags={**stored.document["Tags"], **request["Tags"]})
    return {}


async def untag_queue(sqs: Sqs, call: Call, request: Json) -> Json:
    stored = await find_queue(sqs, call, request["QueueUrl"])
    tags = {key: value for key, value in stored.document["Tags"].items() if key not in request["TagKeys"]}
    await _write(sqs, stored, Tags=tags)
    return {}


async def list_queue_tags(sqs: Sqs, call: Call, request: Json) -> Json:
    return {"Tags": (await find_queue(sqs, call, request["QueueUrl"])).document["Tags"]}


async def _write(sqs: Sqs, stored: Stored, **changes: Json) -> None:
    await sqs.store.write(Put(QUEUE, stored.key, {**stored.document, **changes}, stored.revision))


def _page(call: Call, request: Json, names: list[str], member: str) -> Json:
    after, size = request.get("NextToken") or "", request.get("MaxResults") or _PAGE
    rest = [name for name in names if name > after]
    shown = [queue_url(call, name) for name in rest[:size]]
    return {member: shown, **({"NextToken": rest[size - 1]} if len(rest) > size else {})}


def _check(call: Call, attributes: dict[str, str], fifo: bool) -> None:
    for name, value in attributes.items():
        if name in _RANGES:
            least, most = _RANGES[name]
            if not value.isdigit() or not least <= int(value) <= most:
                raise _bad_value(name)
        elif name == "FifoQueue" or name in _FIFO_DEFAULTS:
            if not fifo:
                raise AwsError("InvalidAttributeName", f"Unknown Attribute {name}.", status=400)
        elif name not in _OTHERS:
            raise AwsError("InvalidAttributeName", f"Unknown Attribute {name}.", status=400)
    if attributes.get("DeduplicationScope") == "messageGroup":
        raise invalid("Freehold does not support DeduplicationScope messageGroup yet.")
    if attributes.get("RedrivePolicy"):
        _check_redrive(call, attributes["RedrivePolicy"], fifo)


def _check_redrive(call: Call, text: str, fifo: bool) -> None:
    try:
        policy = orjson.loads(text)
        arn, most = parse_arn(policy["deadLetterTargetArn"]), int(policy["maxReceiveCount"])
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        raise _bad_value("RedrivePolicy") from error
    if arn is None or arn.service != "sqs" or arn.region != call.region or not 1 <= most <= 1000:
        raise _bad_value("RedrivePolicy")
    if arn.resource.endswith(".fifo") != fifo:
        raise invalid(
            f"Value {text} for parameter RedrivePolicy is invalid. Reason: "
            "Dead-letter queue must be same type of queue as the source."
        )


def _bad_value(name: str) -> AwsError:
    return AwsError("InvalidAttributeValue", f"Invalid value for the parameter {name}.", status=400)
