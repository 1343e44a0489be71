"""AWS::Logs::LogStream"""

from __future__ import annotations

from freehold.aws.call import Aws, Json
from freehold.stacks.resources.types import Created, Name, ResourceType, camel

TYPE = "AWS::Logs::LogStream"


async def create(aws: Aws, properties: Json) -> Created:
    await aws("logs", "CreateLogStream", camel(properties))
    return Created(properties["LogStreamName"])


async def delete(aws: Aws, physical_id: str, properties: Json) -> None:
    request = {"logGroupName": properties["LogGroupName"], "logStreamName": physical_id}
    await aws("logs", "DeleteLogStream", request)


RESOURCE = ResourceType(TYPE, ("logs",), create, delete, name=Name("LogStreamName", 512))
