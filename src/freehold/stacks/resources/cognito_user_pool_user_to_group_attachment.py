"""AWS::Cognito::UserPoolUserToGroupAttachment"""

from __future__ import annotations

from freehold.aws.call import Aws, Json
from freehold.stacks.resources.types import Created, ResourceType

TYPE = "AWS::Cognito::UserPoolUserToGroupAttachment"


async def create(aws: Aws, properties: Json) -> Created:
    await aws("cognito-idp", "AdminAddUserToGroup", properties)
    return Created(f"{properties['UserPoolId']}/{properties['GroupName']}/{properties['Username']}")


async def delete(aws: Aws, physical_id: str, properties: Json) -> None:
    await aws("cognito-idp", "AdminRemoveUserFromGroup", properties)


RESOURCE = ResourceType(TYPE, ("cognito-idp",), create, delete)
