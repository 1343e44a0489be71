"""Schedules of a template, and what they send."""

from __future__ import annotations

import json

from tests.unit.cli.aws_stub import StubAws

from freehold.cli.dev.schedules import Schedule, find_schedules
from freehold.cli.stacks import Resource

FUNCTION = Resource("CleanupLambdaFunction", "app-dev-cleanup", "AWS::Lambda::Function", "CREATE_COMPLETE")


def test_rules_with_a_schedule_are_found_with_their_functions() -> None:
    target = {"Arn": {"Fn::GetAtt": ["CleanupLambdaFunction", "Arn"]}, "Id": "t"}
    template = {
        "Resources": {
            "Daily": {
                "Type": "AWS::Events::Rule",
                "Properties": {"ScheduleExpression": "rate(1 day)", "Targets": [{**target, "Input": '{"a": 1}'}]},
            },
            "OnEvent": {"Type": "AWS::Events::Rule", "Properties": {"EventPattern": {}, "Targets": [target]}},
            "New": {
                "Type": "AWS::Scheduler::Schedule",
                "Properties": {"ScheduleExpression": "cron(0 0 * * ? *)", "Target": target},
            },
        }
    }
    assert find_schedules(template, [FUNCTION]) == [
        Schedule("rate(1 day)", "Daily", "app-dev-cleanup", {"a": 1}),
        Schedule("cron(0 0 * * ? *)", "New", "app-dev-cleanup", None),
    ]


def test_the_event_is_the_input_or_that_of_a_schedule() -> None:
    aws = StubAws()
    assert Schedule("rate(1 day)", "Daily", "f", {"a": 1}).event(aws) == b'{"a":1}'
    event = json.loads(Schedule("rate(1 day)", "Daily", "f", None).event(aws))
    assert event["detail-type"] == "Scheduled Event"
    assert event["resources"] == ["arn:aws:events:us-east-1:000000000000:rule/Daily"]
