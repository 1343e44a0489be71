"""AWS::ApiGateway::UsagePlanKey"""

from __future__ import annotations

from freehold.aws.call import Aws, Json
from freehold.stacks.resources.types import Created, ResourceType, camel, pick

TYPE = "AWS::ApiGateway::UsagePlanKey"


async def create(aws: Aws, properties: Json) -> Created:
    await aws("apigateway", "CreateUsagePlanKey", camel(properties))
    identity = f"{properties['KeyId']}:{properties['UsagePlanId']}"
    return Created(identity, {"Id": identity})


async def delete(aws: Aws, physical_id: str, properties: Json) -> None:
    await aws("apigateway", "DeleteUsagePlanKey", camel(pick(properties, "KeyId", "UsagePlanId")))


RESOURCE = ResourceType(TYPE, ("apigateway",), create, delete)
