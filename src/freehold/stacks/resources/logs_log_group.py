"""AWS::Logs::LogGroup"""

from __future__ import annotations

from freehold.aws.call import Aws, Json
from freehold.stacks.resources.types import Created, Name, ResourceType, changed, tag_map

TYPE = "AWS::Logs::LogGroup"


async def create(aws: Aws, properties: Json) -> Created:
    name = properties["LogGroupName"]
    request: Json = {"logGroupName": name}
    if properties.get("KmsKeyId"):
        request["kmsKeyId"] = properties["KmsKeyId"]
    if properties.get("LogGroupClass"):
        request["logGroupClass"] = properties["LogGroupClass"]
    if properties.get("Tags"):
        request["tags"] = tag_map(properties["Tags"])
    await aws("logs", "CreateLogGroup", request)
    await _retain(aws, name, properties, {})
    return _created(aws, name)


async def update(aws: Aws, physical_id: str, properties: Json, previous: Json) -> Created:
    await _retain(aws, physical_id, properties, previous)
    new, old = tag_map(properties.get("Tags")), tag_map(previous.get("Tags"))
    arn = f"arn:aws:logs:{aws.call.region}:{aws.call.account}:log-group:{physical_id}"
    gone = [key for key in old if key not in new]
    if gone:
        await aws("logs", "UntagResource", {"resourceArn": arn, "tagKeys": gone})
    if new != old and new:
        await aws("logs", "TagResource", {"resourceArn": arn, "tags": new})
    return _created(aws, physical_id)


async def delete(aws: Aws, physical_id: str, properties: Json) -> None:
    await aws("logs", "DeleteLogGroup", {"logGroupName": physical_id})


async def _retain(aws: Aws, name: str, properties: Json, previous: Json) -> None:
    if "RetentionInDays" not in changed(properties, previous):
        return
    days = properties.get("RetentionInDays")
    if days:
        await aws("logs", "PutRetentionPolicy", {"logGroupName": name, "retentionInDays": days})
    else:
        await aws("logs", "DeleteRetentionPolicy", {"logGroupName": name})


def _created(aws: Aws, name: str) -> Created:
    return Created(name, {"Arn": f"arn:aws:logs:{aws.call.region}:{aws.call.account}:log-group:{name}:*"})


RESOURCE = ResourceType(TYPE, ("logs",), create, delete, update, Name("LogGroupName", 512))
