"""AWS::ApiGateway::Account: the role by which API Gateway writes logs, of the account and region."""

from __future__ import annotations

from freehold.aws.call import Aws, Json
from freehold.stacks.resources.apigateway_patch import patch
from freehold.stacks.resources.types import Created, ResourceType

TYPE = "AWS::ApiGateway::Account"


async def create(aws: Aws, properties: Json) -> Created:
    role = properties.get("CloudWatchRoleArn", "")
    await patch(aws, "UpdateAccount", {}, [{"op": "replace", "path": "/cloudwatchRoleArn", "value": role}])
    identity = f"account-{aws.call.account}-{aws.call.region}"
    return Created(identity, {"Id": identity})


async def update(aws: Aws, physical_id: str, properties: Json, previous: Json) -> Created:
    return await create(aws, properties)


async def delete(aws: Aws, physical_id: str, properties: Json) -> None:
    # As on AWS the setting stays: other APIs of the account may use it.
    return None


RESOURCE = ResourceType(TYPE, ("apigateway",), create, delete, update)
