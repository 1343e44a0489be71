"""AWS::Logs::SubscriptionFilter"""

from __future__ import annotations

from freehold.aws.call import Aws, Json
from freehold.stacks.resources.types import Created, Name, ResourceType, camel

TYPE = "AWS::Logs::SubscriptionFilter"


async def create(aws: Aws, properties: Json) -> Created:
    # Put replaces the filter of that name.
    await aws("logs", "PutSubscriptionFilter", camel(properties))
    return Created(properties["FilterName"])


async def update(aws: Aws, physical_id: str, properties: Json, previous: Json) -> Created:
    return await create(aws, properties)


async def delete(aws: Aws, physical_id: str, properties: Json) -> None:
    request = {"logGroupName": properties["LogGroupName"], "filterName": physical_id}
    await aws("logs", "DeleteSubscriptionFilter", request)


RESOURCE = ResourceType(TYPE, ("logs",), create, delete, update, Name("FilterName", 512))
