"""AWS::ApiGateway::RequestValidator"""

from __future__ import annotations

from freehold.aws.call import Aws, Json
from freehold.stacks.resources.apigateway_patch import patch, scalars
from freehold.stacks.resources.types import Created, ResourceType, camel

TYPE = "AWS::ApiGateway::RequestValidator"

_PATHS = {
    "ValidateRequestBody": "/validateRequestBody",
    "ValidateRequestParameters": "/validateRequestParameters",
}
_DEFAULTS = {"ValidateRequestBody": False, "ValidateRequestParameters": False}


async def create(aws: Aws, properties: Json) -> Created:
    return _created((await aws("apigateway", "CreateRequestValidator", camel(properties)))["id"])


async def update(aws: Aws, physical_id: str, properties: Json, previous: Json) -> Created:
    patches = scalars({**_DEFAULTS, **properties}, {**_DEFAULTS, **previous}, _PATHS)
    await patch(aws, "UpdateRequestValidator", _target(properties, physical_id), patches)
    return _created(physical_id)


async def delete(aws: Aws, physical_id: str, properties: Json) -> None:
    await aws("apigateway", "DeleteRequestValidator", _target(properties, physical_id))


def _target(properties: Json, identity: str) -> Json:
    return {"restApiId": properties["RestApiId"], "requestValidatorId": identity}


def _created(identity: str) -> Created:
    return Created(identity, {"RequestValidatorId": identity})


RESOURCE = ResourceType(TYPE, ("apigateway",), create, delete, update)
