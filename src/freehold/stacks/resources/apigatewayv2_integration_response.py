"""AWS::ApiGatewayV2::IntegrationResponse"""

from __future__ import annotations

from freehold.aws.call import Aws, Json
from freehold.stacks.resources.types import Created, ResourceType, pick

TYPE = "AWS::ApiGatewayV2::IntegrationResponse"


async def create(aws: Aws, properties: Json) -> Created:
    made = await aws("apigatewayv2", "CreateIntegrationResponse", properties)
    return Created(made["IntegrationResponseId"], {"IntegrationResponseId": made["IntegrationResponseId"]})


async def update(aws: Aws, physical_id: str, properties: Json, previous: Json) -> Created:
    await aws("apigatewayv2", "UpdateIntegrationResponse", {**properties, "IntegrationResponseId": physical_id})
    return Created(physical_id, {"IntegrationResponseId": physical_id})


async def delete(aws: Aws, physical_id: str, properties: Json) -> None:
    owner = pick(properties, "ApiId", "IntegrationId")
    await aws("apigatewayv2", "DeleteIntegrationResponse", {**owner, "IntegrationResponseId": physical_id})


RESOURCE = ResourceType(TYPE, ("apigatewayv2",), create, delete, update)
