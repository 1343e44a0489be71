"""AWS::ApiGatewayV2::Deployment"""

from __future__ import annotations

from freehold.aws.call import Aws, Json
from freehold.stacks.resources.types import Created, ResourceType, pick, without

TYPE = "AWS::ApiGatewayV2::Deployment"


async def create(aws: Aws, properties: Json) -> Created:
    made = await aws("apigatewayv2", "CreateDeployment", properties)
    return Created(made["DeploymentId"], {"DeploymentId": made["DeploymentId"]})


async def update(aws: Aws, physical_id: str, properties: Json, previous: Json) -> Created:
    await aws("apigatewayv2", "UpdateDeployment", {**without(properties, "StageName"), "DeploymentId": physical_id})
    return Created(physical_id, {"DeploymentId": physical_id})


async def delete(aws: Aws, physical_id: str, properties: Json) -> None:
    await aws("apigatewayv2", "DeleteDeployment", {**pick(properties, "ApiId"), "DeploymentId": physical_id})


RESOURCE = ResourceType(TYPE, ("apigatewayv2",), create, delete, update)
