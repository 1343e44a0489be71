"""AWS::Lambda::LayerVersionPermission"""

from __future__ import annotations

from freehold.aws.call import Aws, Json
from freehold.stacks.resources.types import Created, Name, ResourceType, pick

TYPE = "AWS::Lambda::LayerVersionPermission"


async def create(aws: Aws, properties: Json) -> Created:
    request = {
        **_layer(properties),
        **pick(properties, "Action", "Principal", "OrganizationId"),
        "StatementId": properties["Id"],
    }
    await aws("lambda", "AddLayerVersionPermission", request)
    physical_id = f"{properties['LayerVersionArn']}#{properties['Id']}"
    return Created(physical_id, {"Id": physical_id})


async def delete(aws: Aws, physical_id: str, properties: Json) -> None:
    statement_id = physical_id.rpartition("#")[2]
    await aws("lambda", "RemoveLayerVersionPermission", {**_layer(properties), "StatementId": statement_id})


def _layer(properties: Json) -> Json:
    layer, _, version = properties["LayerVersionArn"].rpartition(":")
    return {"LayerName": layer, "VersionNumber": int(version)}


RESOURCE = ResourceType(TYPE, ("lambda",), create, delete, name=Name("Id", 100))
