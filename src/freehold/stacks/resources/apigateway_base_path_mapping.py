"""AWS::ApiGateway::BasePathMapping"""

from __future__ import annotations

from freehold.aws.call import Aws, Json
from freehold.stacks.resources.apigateway_patch import patch
from freehold.stacks.resources.types import Created, ResourceType, camel

TYPE = "AWS::ApiGateway::BasePathMapping"
_NONE = "(none)"


async def create(aws: Aws, properties: Json) -> Created:
    await aws("apigateway", "CreateBasePathMapping", camel({"RestApiId": "", **properties}))
    return _created(properties)


async def update(aws: Aws, physical_id: str, properties: Json, previous: Json) -> Created:
    patches = [
        {"op": "replace", "path": path, "value": properties.get(name) or ""}
        for name, path in (("RestApiId", "/restapiId"), ("Stage", "/stage"))
        if properties.get(name) != previous.get(name)
    ]
    await patch(aws, "UpdateBasePathMapping", _where(properties), patches)
    return _created(properties)


async def delete(aws: Aws, physical_id: str, properties: Json) -> None:
    await aws("apigateway", "DeleteBasePathMapping", _where(properties))


def _where(properties: Json) -> Json:
    return {"domainName": properties["DomainName"], "basePath": properties.get("BasePath") or _NONE}


def _created(properties: Json) -> Created:
    return Created(f"{properties['DomainName']}|{properties.get('BasePath') or _NONE}")


RESOURCE = ResourceType(
    TYPE, ("apigateway",), create, delete, update, more_replaced_by=frozenset({"BasePath", "DomainName"})
)
