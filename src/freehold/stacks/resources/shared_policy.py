"""Policies that one resource puts on several others: AWS::SNS::TopicPolicy and AWS::SQS::QueuePolicy."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from freehold.aws.call import Aws, Json
from freehold.stacks.names import random_part
from freehold.stacks.resources.types import Created, ResourceType, json_text


def policy_of_many(
    type_name: str, service: str, member: str, put: Callable[[Aws, str, str], Awaitable[object]]
) -> ResourceType:
    """`member`: the property with the list of what has the policy; `put` sets it on one, empty text takes it away."""

    async def put_all(aws: Aws, those: list[str], policy: str) -> None:
        for one in those:
            await put(aws, one, policy)

    async def create(aws: Aws, properties: Json) -> Created:
        await put_all(aws, properties[member], json_text(properties["PolicyDocument"]))
        identity = random_part(",".join(properties[member]))
        return Created(identity, {"Id": identity})

    async def update(aws: Aws, physical_id: str, properties: Json, previous: Json) -> Created:
        await put_all(aws, [one for one in previous[member] if one not in properties[member]], "")
        await put_all(aws, properties[member], json_text(properties["PolicyDocument"]))
        return Created(physical_id, {"Id": physical_id})

    async def delete(aws: Aws, physical_id: str, properties: Json) -> None:
        await put_all(aws, properties[member], "")

    return ResourceType(type_name, (service,), create, delete, update)
