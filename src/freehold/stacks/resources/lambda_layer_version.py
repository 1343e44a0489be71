"""AWS::Lambda::LayerVersion: immutable, so every change publishes another version."""

from __future__ import annotations

from freehold.aws.call import Aws, Json
from freehold.stacks.resources.types import Created, Name, ResourceType

TYPE = "AWS::Lambda::LayerVersion"


async def create(aws: Aws, properties: Json) -> Created:
    layer = await aws("lambda", "PublishLayerVersion", properties)
    return Created(layer["LayerVersionArn"], {"LayerVersionArn": layer["LayerVersionArn"]})


async def delete(aws: Aws, physical_id: str, properties: Json) -> None:
    layer, _, version = physical_id.rpartition(":")
    await aws("lambda", "DeleteLayerVersion", {"LayerName": layer, "VersionNumber": int(version)})


RESOURCE = ResourceType(TYPE, ("lambda",), create, delete, name=Name("LayerName", 140))
