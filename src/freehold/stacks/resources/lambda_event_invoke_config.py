"""AWS::Lambda::EventInvokeConfig"""

from __future__ import annotations

from freehold.aws.call import Aws, Json
from freehold.stacks.resources.types import Created, ResourceType, pick

TYPE = "AWS::Lambda::EventInvokeConfig"


async def create(aws: Aws, properties: Json) -> Created:
    await aws("lambda", "PutFunctionEventInvokeConfig", properties)
    return Created(f"{properties['FunctionName']}|{properties['Qualifier']}")


async def update(aws: Aws, physical_id: str, properties: Json, previous: Json) -> Created:
    # Put replaces the whole configuration.
    await aws("lambda", "PutFunctionEventInvokeConfig", properties)
    return Created(physical_id)


async def delete(aws: Aws, physical_id: str, properties: Json) -> None:
    await aws("lambda", "DeleteFunctionEventInvokeConfig", pick(properties, "FunctionName", "Qualifier"))


RESOURCE = ResourceType(TYPE, ("lambda",), create, delete, update)
