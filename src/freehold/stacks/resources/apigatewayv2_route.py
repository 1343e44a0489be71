"""AWS::ApiGatewayV2::Route"""

from __future__ import annotations

from freehold.aws.call import Aws, Json
from freehold.stacks.resources.types import Created, ResourceType, pick

TYPE = "AWS::ApiGatewayV2::Route"


async def create(aws: Aws, properties: Json) -> Created:
    made = await aws("apigatewayv2", "CreateRoute", properties)
    return Created(made["RouteId"], {"RouteId": made["RouteId"]})


async def update(aws: Aws, physical_id: str, properties: Json, previous: Json) -> Created:
    await aws("apigatewayv2", "UpdateRoute", {**properties, "RouteId": physical_id})
    return Created(physical_id, {"RouteId": physical_id})


async def delete(aws: Aws, physical_id: str, properties: Json) -> None:
    await aws("apigatewayv2", "DeleteRoute", {**pick(properties, "ApiId"), "RouteId": physical_id})


RESOURCE = ResourceType(TYPE, ("apigatewayv2",), create, delete, update)
