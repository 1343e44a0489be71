"""AWS::ApiGateway::Stage"""

from __future__ import annotations

from freehold.aws.call import Aws, Json
from freehold.aws.errors import AwsError
from freehold.stacks.resources.apigateway_patch import patch, retag
from freehold.stacks.resources.apigateway_stage_settings import stage_patches
from freehold.stacks.resources.types import Created, ResourceType, camel, pick, tag_map

TYPE = "AWS::ApiGateway::Stage"

# What CreateStage takes; the rest is patched.
_AT_ONCE = (
    "CacheClusterEnabled",
    "CacheClusterSize",
    "DeploymentId",
    "Description",
    "DocumentationVersion",
    "RestApiId",
    "StageName",
    "TracingEnabled",
    "Variables",
)


async def create(aws: Aws, properties: Json) -> Created:
    made = pick(properties, *_AT_ONCE)
    request = camel(made)
    if properties.get("Tags"):
        request["tags"] = tag_map(properties["Tags"])
    stage = await aws("apigateway", "CreateStage", request)
    target = _target(properties, stage["stageName"])
    try:
        await patch(aws, "UpdateStage", target, stage_patches(properties, made))
    except AwsError:
        await aws("apigateway", "DeleteStage", target)
        raise
    return Created(stage["stageName"])


async def update(aws: Aws, physical_id: str, properties: Json, previous: Json) -> Created:
    await patch(aws, "UpdateStage", _target(properties, physical_id), stage_patches(properties, previous))
    await retag(aws, f"/restapis/{properties['RestApiId']}/stages/{physical_id}", properties, previous)
    return Created(physical_id)


async def delete(aws: Aws, physical_id: str, properties: Json) -> None:
    await aws("apigateway", "DeleteStage", _target(properties, physical_id))


def _target(properties: Json, stage_name: str) -> Json:
    return {"restApiId": properties["RestApiId"], "stageName": stage_name}


RESOURCE = ResourceType(TYPE, ("apigateway",), create, delete, update)
