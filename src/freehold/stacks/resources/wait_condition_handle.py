"""AWS::CloudFormation::WaitConditionHandle: its `Ref` is the URL that a WaitCondition's signals go to.

Mostly used without a WaitCondition, as a resource that makes nothing, and that is what is supported: signals are not.
"""

from __future__ import annotations

from freehold.aws.call import Aws, Json
from freehold.stacks.names import random_part
from freehold.stacks.resources.types import Created, ResourceType

TYPE = "AWS::CloudFormation::WaitConditionHandle"


async def create(aws: Aws, properties: Json) -> Created:
    handle = random_part(aws.call.request_id).lower()
    return Created(f"https://cloudformation-waitcondition-{aws.call.region}.s3.amazonaws.com/{handle}")


async def update(aws: Aws, physical_id: str, properties: Json, previous: Json) -> Created:
    return Created(physical_id)


async def delete(aws: Aws, physical_id: str, properties: Json) -> None:
    return None


RESOURCE = ResourceType(TYPE, (), create, delete, update)
