"""AWS::Cognito::UserPoolUser"""

from __future__ import annotations

from freehold.aws.call import Aws, Json
from freehold.stacks.resources.types import Created, Name, ResourceType, pick

TYPE = "AWS::Cognito::UserPoolUser"


async def create(aws: Aws, properties: Json) -> Created:
    await aws("cognito-idp", "AdminCreateUser", properties)
    return Created(properties["Username"])


async def delete(aws: Aws, physical_id: str, properties: Json) -> None:
    await aws("cognito-idp", "AdminDeleteUser", {**pick(properties, "UserPoolId"), "Username": physical_id})


RESOURCE = ResourceType(TYPE, ("cognito-idp",), create, delete, name=Name("Username", 128))
