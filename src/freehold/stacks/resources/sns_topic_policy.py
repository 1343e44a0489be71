"""AWS::SNS::TopicPolicy"""

from __future__ import annotations

from freehold.aws.call import Aws, Json
from freehold.stacks.names import random_part
from freehold.stacks.resources.types import Created, ResourceType, json_text

TYPE = "AWS::SNS::TopicPolicy"


async def create(aws: Aws, properties: Json) -> Created:
    await _put(aws, properties["Topics"], json_text(properties["PolicyDocument"]))
    identity = random_part(",".join(properties["Topics"]))
    return Created(identity, {"Id": identity})


async def update(aws: Aws, physical_id: str, properties: Json, previous: Json) -> Created:
    await _put(aws, [arn for arn in previous["Topics"] if arn not in properties["Topics"]], "")
    await _put(aws, properties["Topics"], json_text(properties["PolicyDocument"]))
    return Created(physical_id, {"Id": physical_id})


async def delete(aws: Aws, physical_id: str, properties: Json) -> None:
    await _put(aws, properties["Topics"], "")


async def _put(aws: Aws, arns: list[str], policy: str) -> None:
    for arn in arns:
        request = {"TopicArn": arn, "AttributeName": "Policy", "AttributeValue": policy}
        await aws("sns", "SetTopicAttributes", request)


RESOURCE = ResourceType(TYPE, ("sns",), create, delete, update)
