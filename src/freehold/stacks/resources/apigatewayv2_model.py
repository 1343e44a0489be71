"""AWS::ApiGatewayV2::Model"""

from __future__ import annotations

from freehold.aws.call import Aws, Json
from freehold.stacks.resources.types import Created, ResourceType, json_text, pick

TYPE = "AWS::ApiGatewayV2::Model"


async def create(aws: Aws, properties: Json) -> Created:
    made = await aws("apigatewayv2", "CreateModel", _request(properties))
    return Created(made["ModelId"], {"ModelId": made["ModelId"]})


async def update(aws: Aws, physical_id: str, properties: Json, previous: Json) -> Created:
    await aws("apigatewayv2", "UpdateModel", {**_request(properties), "ModelId": physical_id})
    return Created(physical_id, {"ModelId": physical_id})


async def delete(aws: Aws, physical_id: str, properties: Json) -> None:
    await aws("apigatewayv2", "DeleteModel", {**pick(properties, "ApiId"), "ModelId": physical_id})


def _request(properties: Json) -> Json:
    return {**properties, "Schema": json_text(properties["Schema"])}


RESOURCE = ResourceType(TYPE, ("apigatewayv2",), create, delete, update)
