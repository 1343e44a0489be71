"""AWS::ApiGateway::ApiKey"""

from __future__ import annotations

from freehold.aws.call import Aws, Json
from freehold.stacks.resources.apigateway_patch import patch, retag, scalars
from freehold.stacks.resources.types import Created, Name, ResourceType, camel, tag_map, without

TYPE = "AWS::ApiGateway::ApiKey"

_PATHS = {"CustomerId": "/customerId", "Description": "/description", "Enabled": "/enabled"}
_DEFAULTS = {"Enabled": False}


async def create(aws: Aws, properties: Json) -> Created:
    request = camel(without(properties, "Tags", "StageKeys"))
    if "StageKeys" in properties:
        request["stageKeys"] = [camel(key) for key in properties["StageKeys"]]
    if properties.get("Tags"):
        request["tags"] = tag_map(properties["Tags"])
    return _created((await aws("apigateway", "CreateApiKey", request))["id"])


async def update(aws: Aws, physical_id: str, properties: Json, previous: Json) -> Created:
    patches = scalars({**_DEFAULTS, **properties}, {**_DEFAULTS, **previous}, _PATHS)
    for op, keys, others in (
        ("remove", previous.get("StageKeys") or [], properties.get("StageKeys") or []),
        ("add", properties.get("StageKeys") or [], previous.get("StageKeys") or []),
    ):
        for key in keys:
            if key not in others:
                value = f"{key.get('RestApiId', '')}/{key.get('StageName', '')}"
                patches.append({"op": op, "path": "/stages", "value": value})
    await patch(aws, "UpdateApiKey", {"apiKey": physical_id}, patches)
    await retag(aws, f"/apikeys/{physical_id}", properties, previous)
    return _created(physical_id)


async def delete(aws: Aws, physical_id: str, properties: Json) -> None:
    await aws("apigateway", "DeleteApiKey", {"apiKey": physical_id})


def _created(identity: str) -> Created:
    return Created(identity, {"APIKeyId": identity})


RESOURCE = ResourceType(TYPE, ("apigateway",), create, delete, update, Name("Name", 1024))
