"""AWS::ApiGateway::DocumentationVersion"""

from __future__ import annotations

from freehold.aws.call import Aws, Json
from freehold.stacks.resources.apigateway_patch import patch, scalars
from freehold.stacks.resources.types import Created, ResourceType, camel

TYPE = "AWS::ApiGateway::DocumentationVersion"


async def create(aws: Aws, properties: Json) -> Created:
    await aws("apigateway", "CreateDocumentationVersion", camel(properties))
    return Created(properties["DocumentationVersion"])


async def update(aws: Aws, physical_id: str, properties: Json, previous: Json) -> Created:
    patches = scalars(properties, previous, {"Description": "/description"})
    await patch(aws, "UpdateDocumentationVersion", _target(properties, physical_id), patches)
    return Created(physical_id)


async def delete(aws: Aws, physical_id: str, properties: Json) -> None:
    await aws("apigateway", "DeleteDocumentationVersion", _target(properties, physical_id))


def _target(properties: Json, version: str) -> Json:
    return {"restApiId": properties["RestApiId"], "documentationVersion": version}


RESOURCE = ResourceType(TYPE, ("apigateway",), create, delete, update)
