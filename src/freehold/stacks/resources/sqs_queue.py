"""AWS::SQS::Queue"""

from __future__ import annotations

from freehold.aws.call import Aws, Json
from freehold.stacks.resources.types import (
    Created,
    Name,
    ResourceType,
    attribute_changes,
    attribute_text,
    tag_changes,
    tag_map,
    without,
)

TYPE = "AWS::SQS::Queue"


async def create(aws: Aws, properties: Json) -> Created:
    name = _full_name(properties)
    attributes = _attributes(without(properties, "QueueName", "Tags"))
    request: Json = {"QueueName": name, "Attributes": attributes}
    if properties.get("Tags"):
        request["tags"] = tag_map(properties["Tags"])
    return _created(aws, (await aws("sqs", "CreateQueue", request))["QueueUrl"])


async def update(aws: Aws, physical_id: str, properties: Json, previous: Json) -> Created:
    new = _attributes(without(properties, "QueueName", "Tags", "FifoQueue"))
    old = _attributes(without(previous, "QueueName", "Tags", "FifoQueue"))
    if changes := attribute_changes(new, old, _DEFAULTS):
        await aws("sqs", "SetQueueAttributes", {"QueueUrl": physical_id, "Attributes": changes})
    gone, tags = tag_changes(properties, previous)
    if gone:
        await aws("sqs", "UntagQueue", {"QueueUrl": physical_id, "TagKeys": gone})
    if tags:
        await aws("sqs", "TagQueue", {"QueueUrl": physical_id, "Tags": tags})
    return _created(aws, physical_id)


async def delete(aws: Aws, physical_id: str, properties: Json) -> None:
    await aws("sqs", "DeleteQueue", {"QueueUrl": physical_id})


# What a property that the template no longer has goes back to.
_DEFAULTS = {
    "ContentBasedDeduplication": "false",
    "DelaySeconds": "0",
    "MaximumMessageSize": "1048576",
    "MessageRetentionPeriod": "345600",
    "ReceiveMessageWaitTimeSeconds": "0",
    "SqsManagedSseEnabled": "true",
    "VisibilityTimeout": "30",
}


def _full_name(properties: Json) -> str:
    name = str(properties["QueueName"])
    fifo = str(properties.get("FifoQueue", "")).lower() == "true"
    # A made-up name of a FIFO queue ends as all of them must.
    return f"{name[:75]}.fifo" if fifo and not name.endswith(".fifo") else name


def _attributes(properties: Json) -> dict[str, str]:
    return {name: attribute_text(value) for name, value in properties.items()}


def _created(aws: Aws, url: str) -> Created:
    name = url.rpartition("/")[2]
    arn = f"arn:aws:sqs:{aws.call.region}:{aws.call.account}:{name}"
    return Created(url, {"Arn": arn, "QueueName": name, "QueueUrl": url})


RESOURCE = ResourceType(TYPE, ("sqs",), create, delete, update, Name("QueueName", 80), frozenset({"QueueName"}))
