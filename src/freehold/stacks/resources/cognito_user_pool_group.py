"""AWS::Cognito::UserPoolGroup"""

from __future__ import annotations

from freehold.aws.call import Aws, Json
from freehold.stacks.resources.types import Created, Name, ResourceType, pick

TYPE = "AWS::Cognito::UserPoolGroup"


async def create(aws: Aws, properties: Json) -> Created:
    await aws("cognito-idp", "CreateGroup", properties)
    return Created(properties["GroupName"])


async def update(aws: Aws, physical_id: str, properties: Json, previous: Json) -> Created:
    await aws("cognito-idp", "UpdateGroup", properties)
    return Created(physical_id)


async def delete(aws: Aws, physical_id: str, properties: Json) -> None:
    await aws("cognito-idp", "DeleteGroup", {**pick(properties, "UserPoolId"), "GroupName": physical_id})


RESOURCE = ResourceType(TYPE, ("cognito-idp",), create, delete, update, Name("GroupName", 128))
