"""AWS::ApiGatewayV2::ApiMapping"""

from __future__ import annotations

from freehold.aws.call import Aws, Json
from freehold.stacks.resources.types import Created, ResourceType, pick

TYPE = "AWS::ApiGatewayV2::ApiMapping"


async def create(aws: Aws, properties: Json) -> Created:
    made = await aws("apigatewayv2", "CreateApiMapping", properties)
    return Created(made["ApiMappingId"], {"ApiMappingId": made["ApiMappingId"]})


async def update(aws: Aws, physical_id: str, properties: Json, previous: Json) -> Created:
    await aws("apigatewayv2", "UpdateApiMapping", {"ApiMappingKey": "", **properties, "ApiMappingId": physical_id})
    return Created(physical_id, {"ApiMappingId": physical_id})


async def delete(aws: Aws, physical_id: str, properties: Json) -> None:
    await aws("apigatewayv2", "DeleteApiMapping", {**pick(properties, "DomainName"), "ApiMappingId": physical_id})


RESOURCE = ResourceType(TYPE, ("apigatewayv2",), create, delete, update)
