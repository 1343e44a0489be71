"""The schedules of a stack, to be fired by hand: what each would send to which function."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import orjson

from freehold.aws.call import Json
from freehold.cli.stacks import Resource
from freehold.http.aws_client import AwsClient


@dataclass(frozen=True, slots=True)
class Schedule:
    expression: str  # "rate(1 day)"
    rule: str  # Logical id.
    function: str  # FunctionName.
    input: Json | None  # What the target gets instead of the usual event.

    def event(self, aws: AwsClient) -> bytes:
        """Amazon EventBridge User Guide, "Creating a rule that runs on a schedule": the event that a target gets."""
        if self.input is not None:
            return orjson.dumps(self.input)
        call = aws.call
        return orjson.dumps(
            {
                "version": "0",
                "id": "00000000-0000-0000-0000-000000000000",
                "detail-type": "Scheduled Event",
                "source": "aws.events",
                "account": call.account,
                "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
                "region": call.region,
                "resources": [f"arn:aws:events:{call.region}:{call.account}:rule/{self.rule}"],
                "detail": {},
            }
        )


def find_schedules(template: Json, resources: Sequence[Resource]) -> list[Schedule]:
    """Of a processed template: rules with a schedule and their functions."""
    names = {each.logical_id: each.physical_id for each in resources}
    found = []
    for logical_id, resource in (template.get("Resources") or {}).items():
        properties = resource.get("Properties") or {}
        if resource.get("Type") == "AWS::Events::Rule" and properties.get("ScheduleExpression"):
            targets = properties.get("Targets") or []
        elif resource.get("Type") == "AWS::Scheduler::Schedule":
            targets = [properties.get("Target") or {}]
        else:
            continue
        for target in targets:
            function = names.get(_referred(target.get("Arn")))
            if function:
                expression = properties["ScheduleExpression"]
                found.append(Schedule(str(expression), logical_id, function, _input(target.get("Input"))))
    return found


async def fire(aws: AwsClient, schedule: Schedule) -> None:
    request = {"FunctionName": schedule.function, "InvocationType": "Event", "Payload": schedule.event(aws)}
    await aws("lambda", "Invoke", request)


def _referred(value: object) -> str:
    """The logical id of {"Fn::GetAtt": [id, "Arn"]} or {"Ref": id}, also behind an alias."""
    if isinstance(value, Mapping):
        attribute = value.get("Fn::GetAtt")
        if isinstance(attribute, list):
            return str(attribute[0])
        if isinstance(attribute, str):
            return attribute.partition(".")[0]
        return str(value.get("Ref", ""))
    return ""


def _input(text: object) -> Json | None:
    if not isinstance(text, str):
        return None
    try:
        found: Json = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return found
