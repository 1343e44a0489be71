"""AWS::SQS::QueuePolicy"""

from __future__ import annotations

from freehold.aws.call import Aws, Json
from freehold.stacks.names import random_part
from freehold.stacks.resources.types import Created, ResourceType, json_text

TYPE = "AWS::SQS::QueuePolicy"


async def create(aws: Aws, properties: Json) -> Created:
    await _put(aws, properties["Queues"], json_text(properties["PolicyDocument"]))
    identity = random_part(",".join(properties["Queues"]))
    return Created(identity, {"Id": identity})


async def update(aws: Aws, physical_id: str, properties: Json, previous: Json) -> Created:
    await _put(aws, [url for url in previous["Queues"] if url not in properties["Queues"]], "")
    await _put(aws, properties["Queues"], json_text(properties["PolicyDocument"]))
    return Created(physical_id, {"Id": physical_id})


async def delete(aws: Aws, physical_id: str, properties: Json) -> None:
    await _put(aws, properties["Queues"], "")


async def _put(aws: Aws, urls: list[str], policy: str) -> None:
    for url in urls:
        await aws("sqs", "SetQueueAttributes", {"QueueUrl": url, "Attributes": {"Policy": policy}})


RESOURCE = ResourceType(TYPE, ("sqs",), create, delete, update)
