"""AWS::ApiGateway::Deployment: a snapshot of a REST API, and of a stage with it where StageName says so."""

from __future__ import annotations

from freehold.aws.call import Aws, Json
from freehold.aws.errors import AwsError
from freehold.stacks.resources.apigateway_patch import patch, retag
from freehold.stacks.resources.apigateway_stage_settings import stage_patches
from freehold.stacks.resources.types import Created, ResourceType, camel, pick

TYPE = "AWS::ApiGateway::Deployment"


async def create(aws: Aws, properties: Json) -> Created:
    request = camel(pick(properties, "RestApiId", "Description", "StageName"))
    stage = properties.get("StageDescription") or {}
    request.update(camel(pick(stage, "CacheClusterEnabled", "CacheClusterSize", "TracingEnabled", "Variables")))
    if "Description" in stage:
        request["stageDescription"] = stage["Description"]
    if properties.get("DeploymentCanarySettings"):
        request["canarySettings"] = camel(properties["DeploymentCanarySettings"])
    deployment = await aws("apigateway", "CreateDeployment", request)
    await _set_stage(aws, properties, stage, {})
    return Created(deployment["id"], {"DeploymentId": deployment["id"]})


async def update(aws: Aws, physical_id: str, properties: Json, previous: Json) -> Created:
    target = {"restApiId": properties["RestApiId"], "deploymentId": physical_id}
    if properties.get("Description") != previous.get("Description"):
        value = properties.get("Description", "")
        await patch(aws, "UpdateDeployment", target, [{"op": "replace", "path": "/description", "value": value}])
    new, old = properties.get("StageDescription") or {}, previous.get("StageDescription") or {}
    await _set_stage(aws, properties, new, old)
    return Created(physical_id, {"DeploymentId": physical_id})


async def delete(aws: Aws, physical_id: str, properties: Json) -> None:
    api = {"restApiId": properties["RestApiId"]}
    if "StageName" in properties:
        # The stage came with the deployment; it goes with it, unless a later deployment has taken it over.
        stage = {**api, "stageName": properties["StageName"]}
        served, canary = await _deployments_of(aws, stage)
        if served == physical_id:
            await aws("apigateway", "DeleteStage", stage)
        elif canary == physical_id:
            await patch(aws, "UpdateStage", stage, [{"op": "remove", "path": "/canarySettings"}])
    await aws("apigateway", "DeleteDeployment", {**api, "deploymentId": physical_id})


async def _set_stage(aws: Aws, properties: Json, settings: Json, previous: Json) -> None:
    if "StageName" not in properties:
        return
    target = camel(pick(properties, "RestApiId", "StageName"))
    # The settings of all methods stand directly in a StageDescription.
    every_method = {"ResourcePath": "/*", "HttpMethod": "*", **settings}
    wanted = {**settings, "MethodSettings": [every_method, *(settings.get("MethodSettings") or [])]}
    await patch(aws, "UpdateStage", target, stage_patches(wanted, {}))
    await retag(aws, f"/restapis/{properties['RestApiId']}/stages/{properties['StageName']}", settings, previous)


async def _deployments_of(aws: Aws, stage: Json) -> tuple[str, str]:
    """The stage's own and its canary's; "" for none."""
    try:
        found = await aws("apigateway", "GetStage", stage)
    except AwsError as error:
        if error.code == "NotFoundException":
            return "", ""
        raise
    return found["deploymentId"], (found.get("canarySettings") or {}).get("deploymentId", "")


RESOURCE = ResourceType(TYPE, ("apigateway",), create, delete, update)
