"""AWS::ApiGatewayV2::Authorizer"""

from __future__ import annotations

from freehold.aws.call import Aws, Json
from freehold.stacks.resources.types import Created, ResourceType, pick

TYPE = "AWS::ApiGatewayV2::Authorizer"


async def create(aws: Aws, properties: Json) -> Created:
    made = await aws("apigatewayv2", "CreateAuthorizer", properties)
    return Created(made["AuthorizerId"], {"AuthorizerId": made["AuthorizerId"]})


async def update(aws: Aws, physical_id: str, properties: Json, previous: Json) -> Created:
    await aws("apigatewayv2", "UpdateAuthorizer", {**properties, "AuthorizerId": physical_id})
    return Created(physical_id, {"AuthorizerId": physical_id})


async def delete(aws: Aws, physical_id: str, properties: Json) -> None:
    await aws("apigatewayv2", "DeleteAuthorizer", {**pick(properties, "ApiId"), "AuthorizerId": physical_id})


RESOURCE = ResourceType(TYPE, ("apigatewayv2",), create, delete, update)
