"""AWS::ApiGatewayV2::Integration"""

from __future__ import annotations

from freehold.aws.call import Aws, Json
from freehold.stacks.resources.types import Created, ResourceType, pick

TYPE = "AWS::ApiGatewayV2::Integration"


async def create(aws: Aws, properties: Json) -> Created:
    made = await aws("apigatewayv2", "CreateIntegration", properties)
    return Created(made["IntegrationId"], {"IntegrationId": made["IntegrationId"]})


async def update(aws: Aws, physical_id: str, properties: Json, previous: Json) -> Created:
    await aws("apigatewayv2", "UpdateIntegration", {**properties, "IntegrationId": physical_id})
    return Created(physical_id, {"IntegrationId": physical_id})


async def delete(aws: Aws, physical_id: str, properties: Json) -> None:
    await aws("apigatewayv2", "DeleteIntegration", {**pick(properties, "ApiId"), "IntegrationId": physical_id})


RESOURCE = ResourceType(TYPE, ("apigatewayv2",), create, delete, update)
