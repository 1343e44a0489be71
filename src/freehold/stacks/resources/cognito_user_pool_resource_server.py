"""AWS::Cognito::UserPoolResourceServer"""

from __future__ import annotations

from freehold.aws.call import Aws, Json
from freehold.stacks.resources.types import Created, ResourceType, pick

TYPE = "AWS::Cognito::UserPoolResourceServer"


async def create(aws: Aws, properties: Json) -> Created:
    await aws("cognito-idp", "CreateResourceServer", properties)
    return Created(properties["Identifier"])


async def update(aws: Aws, physical_id: str, properties: Json, previous: Json) -> Created:
    await aws("cognito-idp", "UpdateResourceServer", properties)
    return Created(physical_id)


async def delete(aws: Aws, physical_id: str, properties: Json) -> None:
    await aws("cognito-idp", "DeleteResourceServer", pick(properties, "Identifier", "UserPoolId"))


RESOURCE = ResourceType(TYPE, ("cognito-idp",), create, delete, update)
