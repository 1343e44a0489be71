"""AWS::Lambda::EventSourceMapping"""

from __future__ import annotations

from datetime import UTC, datetime

from freehold.aws.call import Aws, Json
from freehold.stacks.resources.types import Created, ResourceType, retag, tag_map, without

TYPE = "AWS::Lambda::EventSourceMapping"

# Of the source itself: UpdateEventSourceMapping does not take them.
_FIXED = (
    "EventSourceArn",
    "StartingPosition",
    "StartingPositionTimestamp",
    "SelfManagedEventSource",
    "Queues",
    "Topics",
    "AmazonManagedKafkaEventSourceConfig",
    "SelfManagedKafkaEventSourceConfig",
    "Tags",
)


async def create(aws: Aws, properties: Json) -> Created:
    request = _renamed(properties)
    if "Tags" in request:
        request["Tags"] = tag_map(request["Tags"])
    if "StartingPositionTimestamp" in request:
        request["StartingPositionTimestamp"] = datetime.fromtimestamp(float(request["StartingPositionTimestamp"]), UTC)
    return _created(await aws("lambda", "CreateEventSourceMapping", request))


async def update(aws: Aws, physical_id: str, properties: Json, previous: Json) -> Created:
    request = {"FilterCriteria": {}, "FunctionResponseTypes": [], **without(_renamed(properties), *_FIXED)}
    mapping = await aws("lambda", "UpdateEventSourceMapping", {**request, "UUID": physical_id})
    created = _created(mapping)
    arn = created.attributes["EventSourceMappingArn"]
    await retag(aws, "lambda", arn, properties, previous, ("Resource", "Tags", "TagKeys"))
    return created


async def delete(aws: Aws, physical_id: str, properties: Json) -> None:
    await aws("lambda", "DeleteEventSourceMapping", {"UUID": physical_id})


def _renamed(properties: Json) -> Json:
    return {"KMSKeyArn" if name == "KmsKeyArn" else name: value for name, value in properties.items()}


def _created(mapping: Json) -> Created:
    identity = mapping["UUID"]
    return Created(identity, {"Id": identity, "EventSourceMappingArn": mapping.get("EventSourceMappingArn", "")})


RESOURCE = ResourceType(TYPE, ("lambda",), create, delete, update)
