"""AWS::ApiGateway::Resource: one step of a REST API's paths; it cannot be changed."""

from __future__ import annotations

from freehold.aws.call import Aws, Json
from freehold.stacks.resources.types import Created, ResourceType, camel

TYPE = "AWS::ApiGateway::Resource"


async def create(aws: Aws, properties: Json) -> Created:
    resource = await aws("apigateway", "CreateResource", camel(properties))
    return Created(resource["id"], {"ResourceId": resource["id"]})


async def delete(aws: Aws, physical_id: str, properties: Json) -> None:
    request = {"restApiId": properties["RestApiId"], "resourceId": physical_id}
    await aws("apigateway", "DeleteResource", request)


RESOURCE = ResourceType(TYPE, ("apigateway",), create, delete)
