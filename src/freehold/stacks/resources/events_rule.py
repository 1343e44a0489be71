"""AWS::Events::Rule, with its targets."""

from __future__ import annotations

from freehold.aws.call import Aws, Json
from freehold.aws.errors import AwsError
from freehold.stacks.resources.types import Created, Name, ResourceType, json_text, pick

TYPE = "AWS::Events::Rule"


async def create(aws: Aws, properties: Json) -> Created:
    created = await _put(aws, properties)
    try:
        await _put_targets(aws, properties, {})
    except AwsError:
        await delete(aws, created.physical_id, properties)
        raise
    return created


async def update(aws: Aws, physical_id: str, properties: Json, previous: Json) -> Created:
    created = await _put(aws, properties)
    await _put_targets(aws, properties, previous)
    return created


async def delete(aws: Aws, physical_id: str, properties: Json) -> None:
    bus = pick(properties, "EventBusName")
    name = _name(physical_id)
    ids = [target["Id"] for target in properties.get("Targets") or []]
    if ids:
        await _remove(aws, {"Rule": name, **bus}, ids)
    await aws("events", "DeleteRule", {"Name": name, **bus})


def _name(physical_id: str) -> str:
    """Of a rule on another bus `Ref` gives "bus|rule"."""
    return physical_id.rpartition("|")[2]


async def _put(aws: Aws, properties: Json) -> Created:
    request = pick(properties, "Name", "ScheduleExpression", "State", "Description", "RoleArn", "EventBusName", "Tags")
    if "EventPattern" in properties:
        request["EventPattern"] = json_text(properties["EventPattern"])
    rule = await aws("events", "PutRule", request)
    bus = properties.get("EventBusName", "default").rpartition("/")[2]
    name = properties["Name"] if bus == "default" else f"{bus}|{properties['Name']}"
    return Created(name, {"Arn": rule["RuleArn"]})


async def _put_targets(aws: Aws, properties: Json, previous: Json) -> None:
    rule = {"Rule": properties["Name"], **pick(properties, "EventBusName")}
    targets = properties.get("Targets") or []
    kept = {target["Id"] for target in targets}
    gone = [target["Id"] for target in previous.get("Targets") or [] if target["Id"] not in kept]
    if gone:
        await _remove(aws, rule, gone)
    if targets:
        answer = await aws("events", "PutTargets", {**rule, "Targets": targets})
        for failed in answer.get("FailedEntries") or []:
            raise AwsError(
                failed.get("ErrorCode", "InternalException"), failed.get("ErrorMessage", "PutTargets failed")
            )


async def _remove(aws: Aws, rule: Json, ids: list[str]) -> None:
    await aws("events", "RemoveTargets", {**rule, "Ids": ids})


RESOURCE = ResourceType(TYPE, ("events",), create, delete, update, Name("Name", 64))
