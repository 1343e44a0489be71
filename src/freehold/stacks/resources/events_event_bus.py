"""AWS::Events::EventBus"""

from __future__ import annotations

from freehold.aws.call import Aws, Json
from freehold.stacks.resources.types import Created, ResourceType, json_text, pick

TYPE = "AWS::Events::EventBus"

_SETTINGS = ("Name", "Description", "KmsKeyIdentifier", "DeadLetterConfig", "LogConfig")


async def create(aws: Aws, properties: Json) -> Created:
    bus = await aws("events", "CreateEventBus", pick(properties, *_SETTINGS, "EventSourceName", "Tags"))
    await _permit(aws, properties)
    return _created(properties["Name"], bus["EventBusArn"])


async def update(aws: Aws, physical_id: str, properties: Json, previous: Json) -> Created:
    bus = await aws("events", "UpdateEventBus", pick(properties, *_SETTINGS))
    await _permit(aws, properties)
    return _created(physical_id, bus["Arn"])


async def delete(aws: Aws, physical_id: str, properties: Json) -> None:
    await aws("events", "DeleteEventBus", {"Name": physical_id})


async def _permit(aws: Aws, properties: Json) -> None:
    if properties.get("Policy"):
        policy = json_text(properties["Policy"])
        await aws("events", "PutPermission", {"EventBusName": properties["Name"], "Policy": policy})


def _created(name: str, arn: str) -> Created:
    return Created(name, {"Arn": arn, "Name": name})


RESOURCE = ResourceType(TYPE, ("events",), create, delete, update, more_attributes=frozenset({"Name"}))
