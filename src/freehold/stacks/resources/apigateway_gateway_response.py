"""AWS::ApiGateway::GatewayResponse"""

from __future__ import annotations

from freehold.aws.call import Aws, Json
from freehold.stacks.resources.types import Created, ResourceType, camel, pick

TYPE = "AWS::ApiGateway::GatewayResponse"


async def create(aws: Aws, properties: Json) -> Created:
    # Put replaces the response as a whole.
    await aws("apigateway", "PutGatewayResponse", camel(properties))
    identity = f"{properties['RestApiId']}/{properties['ResponseType']}"
    return Created(identity, {"Id": identity})


async def update(aws: Aws, physical_id: str, properties: Json, previous: Json) -> Created:
    return await create(aws, properties)


async def delete(aws: Aws, physical_id: str, properties: Json) -> None:
    await aws("apigateway", "DeleteGatewayResponse", camel(pick(properties, "RestApiId", "ResponseType")))


RESOURCE = ResourceType(TYPE, ("apigateway",), create, delete, update)
