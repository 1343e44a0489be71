"""AWS::IAM::Policy: one inline policy on roles, users and groups."""

from __future__ import annotations

from freehold.aws.call import Aws, Json
from freehold.stacks.resources.iam_attachments import put_inline
from freehold.stacks.resources.types import Created, ResourceType, json_text

TYPE = "AWS::IAM::Policy"


async def create(aws: Aws, properties: Json) -> Created:
    await put_inline(aws, properties["PolicyName"], json_text(properties["PolicyDocument"]), properties, {})
    holders = [name for kind in ("Roles", "Users", "Groups") for name in properties.get(kind) or []]
    return _created(f"{properties['PolicyName']}|{'|'.join(holders)}")


async def update(aws: Aws, physical_id: str, properties: Json, previous: Json) -> Created:
    if properties["PolicyName"] != previous["PolicyName"]:
        await delete(aws, physical_id, previous)
        previous = {}
    await put_inline(aws, properties["PolicyName"], json_text(properties["PolicyDocument"]), properties, previous)
    return _created(physical_id)


async def delete(aws: Aws, physical_id: str, properties: Json) -> None:
    await put_inline(aws, properties["PolicyName"], "", {}, properties)


def _created(identity: str) -> Created:
    return Created(identity, {"Id": identity})


RESOURCE = ResourceType(TYPE, ("iam",), create, delete, update)
