"""AWS::ApiGateway::DocumentationPart"""

from __future__ import annotations

from freehold.aws.call import Aws, Json
from freehold.stacks.resources.apigateway_patch import patch, scalars
from freehold.stacks.resources.types import Created, ResourceType, camel_deep

TYPE = "AWS::ApiGateway::DocumentationPart"


async def create(aws: Aws, properties: Json) -> Created:
    return _created((await aws("apigateway", "CreateDocumentationPart", camel_deep(properties)))["id"])


async def update(aws: Aws, physical_id: str, properties: Json, previous: Json) -> Created:
    patches = scalars(properties, previous, {"Properties": "/properties"})
    await patch(aws, "UpdateDocumentationPart", _target(properties, physical_id), patches)
    return _created(physical_id)


async def delete(aws: Aws, physical_id: str, properties: Json) -> None:
    await aws("apigateway", "DeleteDocumentationPart", _target(properties, physical_id))


def _target(properties: Json, identity: str) -> Json:
    return {"restApiId": properties["RestApiId"], "documentationPartId": identity}


def _created(identity: str) -> Created:
    return Created(identity, {"DocumentationPartId": identity})


RESOURCE = ResourceType(TYPE, ("apigateway",), create, delete, update)
