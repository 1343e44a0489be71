"""AWS::ApiGatewayV2::Model"""

from __future__ import annotations

import json

from freehold.aws.call import Aws, Json
from freehold.stacks.resources.types import Created, ResourceType, pick

TYPE = "AWS::ApiGatewayV2::Model"


async def create(aws: Aws, properties: Json) -> Created:
    made = await aws("apigatewayv2", "CreateModel", _request(properties))
    return Created(made["ModelId"], {"ModelId": made["ModelId"]})


async def update(aws: Aws, physical_id: str, properties: Json, previous: Json) -> Created:
    await aws("apigatewayv2", "UpdateModel", {**_request(properties), "ModelId": physical_id})
    return Created(physical_id, {"ModelId": physical_id})


async def delete(aws: Aws, physical_id: str, properties: Json) -> None:
    owner = pick(properties, "ApiId")
    await aws("apigatewayv2", "DeleteModel", {**owner, "ModelId": physical_id})


def _request(properties: Json) -> Json:
    """CloudFormation takes the schema as an object too."""
    schema = properties["Schema"]
    return {**properties, "Schema": schema if isinstance(schema, str) else json.dumps(schema)}


RESOURCE = ResourceType(TYPE, ("apigatewayv2",), create, delete, update)
