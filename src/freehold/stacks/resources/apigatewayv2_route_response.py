"""AWS::ApiGatewayV2::RouteResponse"""

from __future__ import annotations

from freehold.aws.call import Aws, Json
from freehold.stacks.resources.types import Created, ResourceType, pick

TYPE = "AWS::ApiGatewayV2::RouteResponse"


async def create(aws: Aws, properties: Json) -> Created:
    made = await aws("apigatewayv2", "CreateRouteResponse", properties)
    return Created(made["RouteResponseId"], {"RouteResponseId": made["RouteResponseId"]})


async def update(aws: Aws, physical_id: str, properties: Json, previous: Json) -> Created:
    await aws("apigatewayv2", "UpdateRouteResponse", {**properties, "RouteResponseId": physical_id})
    return Created(physical_id, {"RouteResponseId": physical_id})


async def delete(aws: Aws, physical_id: str, properties: Json) -> None:
    owner = pick(properties, "ApiId", "RouteId")
    await aws("apigatewayv2", "DeleteRouteResponse", {**owner, "RouteResponseId": physical_id})


RESOURCE = ResourceType(TYPE, ("apigatewayv2",), create, delete, update)
