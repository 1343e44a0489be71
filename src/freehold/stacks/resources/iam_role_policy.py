"""AWS::IAM::RolePolicy"""

from __future__ import annotations

from freehold.aws.call import Aws, Json
from freehold.stacks.resources.types import Created, ResourceType, json_text, pick

TYPE = "AWS::IAM::RolePolicy"


async def create(aws: Aws, properties: Json) -> Created:
    document = json_text(properties.get("PolicyDocument", {}))
    await aws("iam", "PutRolePolicy", {**pick(properties, "RoleName", "PolicyName"), "PolicyDocument": document})
    return Created(f"{properties['PolicyName']}|{properties['RoleName']}")


async def update(aws: Aws, physical_id: str, properties: Json, previous: Json) -> Created:
    return await create(aws, properties)


async def delete(aws: Aws, physical_id: str, properties: Json) -> None:
    await aws("iam", "DeleteRolePolicy", pick(properties, "RoleName", "PolicyName"))


RESOURCE = ResourceType(TYPE, ("iam",), create, delete, update)
