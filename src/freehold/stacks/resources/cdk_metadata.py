"""AWS::CDK::Metadata: what the CDK tells AWS about its use. It makes nothing, on AWS as here."""

from __future__ import annotations

from freehold.aws.call import Aws, Json
from freehold.stacks.resources.types import Created, ResourceType

TYPE = "AWS::CDK::Metadata"


async def create(aws: Aws, properties: Json) -> Created:
    return Created("cdk-metadata")


async def update(aws: Aws, physical_id: str, properties: Json, previous: Json) -> Created:
    return Created(physical_id)


async def delete(aws: Aws, physical_id: str, properties: Json) -> None:
    return None


RESOURCE = ResourceType(TYPE, (), create, delete, update)
