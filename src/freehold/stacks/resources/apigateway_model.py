"""AWS::ApiGateway::Model"""

from __future__ import annotations

from freehold.aws.call import Aws, Json
from freehold.stacks.resources.apigateway_patch import patch, scalars
from freehold.stacks.resources.types import Created, Name, ResourceType, camel, json_text, without

TYPE = "AWS::ApiGateway::Model"


async def create(aws: Aws, properties: Json) -> Created:
    request = {"contentType": "application/json", **camel(without(properties, "Schema"))}
    if "Schema" in properties:
        request["schema"] = json_text(properties["Schema"])
    return Created((await aws("apigateway", "CreateModel", request))["name"])


async def update(aws: Aws, physical_id: str, properties: Json, previous: Json) -> Created:
    patches = scalars(properties, previous, {"Description": "/description"})
    if properties.get("Schema") != previous.get("Schema"):
        patches.append({"op": "replace", "path": "/schema", "value": json_text(properties.get("Schema", {}))})
    await patch(aws, "UpdateModel", _target(properties, physical_id), patches)
    return Created(physical_id)


async def delete(aws: Aws, physical_id: str, properties: Json) -> None:
    await aws("apigateway", "DeleteModel", _target(properties, physical_id))


def _target(properties: Json, name: str) -> Json:
    return {"restApiId": properties["RestApiId"], "modelName": name}


RESOURCE = ResourceType(TYPE, ("apigateway",), create, delete, update, Name("Name", 128, letters_only=True))
