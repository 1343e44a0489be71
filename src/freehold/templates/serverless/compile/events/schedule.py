"""`schedule` events: EventBridge rules, or EventBridge Scheduler with `method: scheduler`.

Serverless Framework documentation, "Schedule".
"""

from __future__ import annotations

import json
from typing import Any

from freehold.aws.call import Json
from freehold.aws.schedule_expressions import InvalidSchedule, parse_schedule
from freehold.templates.serverless import names
from freehold.templates.serverless.compile.compilation import Compilation, get_att, present, resource, sub
from freehold.templates.serverless.compile.inputs import to_json, transformer
from freehold.templates.serverless.service import Event, Function


def compile_events(compilation: Compilation) -> None:
    called: list[Json] = []
    for function in compilation.functions:
        number = 0
        scheduled = False
        for event in function.of_kind("schedule"):
            settings = event.settings if isinstance(event.settings, dict) else {"rate": event.settings}
            rates = settings["rate"] if isinstance(settings.get("rate"), list) else [settings.get("rate")]
            _check(compilation, function, event, settings, rates)
            for rate in rates:
                number += 1
                if settings.get("method") == "scheduler":
                    scheduled = True
                    _compile_schedule(compilation, function, settings, rate, number)
                else:
                    _compile_rule(compilation, function, settings, rate, number)
        if scheduled:
            arn = f"arn:${{AWS::Partition}}:lambda:${{AWS::Region}}:${{AWS::AccountId}}:function:{function.name}"
            called += [sub(arn), sub(f"{arn}:*")]
    if called and compilation.role_statements is not None:
        role = compilation.resources[names.ROLE]["Properties"]["AssumeRolePolicyDocument"]["Statement"][0]
        role["Principal"]["Service"].append("scheduler.amazonaws.com")
        compilation.allow(["lambda:InvokeFunction"], called)


def _check(compilation: Compilation, function: Function, event: Event, settings: Json, rates: list[Any]) -> None:
    problem = None
    scheduler = settings.get("method") == "scheduler"
    if not rates or not all(rates):
        problem = "A schedule needs a rate, like rate(5 minutes) or cron(0 12 * * ? *)."
    elif len(rates) > 1 and settings.get("name"):
        problem = "A schedule with several rates cannot have a name: each rate makes a rule of its own."
    elif scheduler and (settings.get("inputTransformer") or settings.get("inputPath")):
        problem = "A schedule with method: scheduler has no inputPath and no inputTransformer."
    elif not scheduler and settings.get("timezone"):
        problem = "The timezone of a schedule needs method: scheduler."
    elif not scheduler and settings.get("groupName"):
        problem = "The groupName of a schedule needs method: scheduler."
    elif not scheduler:
        problem = next((found for rate in rates if (found := _misread(rate))), None)
    if problem:
        raise compilation.wrong_event(function, event.position, problem)


def _misread(rate: Any) -> str | None:
    """A mapping is an intrinsic function: its value is known later."""
    if isinstance(rate, str):
        try:
            parse_schedule(rate)
        except InvalidSchedule:
            return f'"{rate}" is no schedule: say it like rate(1 minute), rate(5 minutes) or cron(0 12 * * ? *).'
    return None


def _input(settings: Json) -> str | None:
    given = settings.get("input")
    if not isinstance(given, dict | list):
        return given or None
    if isinstance(given, dict) and isinstance(given.get("body"), str):
        given = {**given, "body": json.loads(given["body"])}
    return to_json(given)


def _state(settings: Json) -> str:
    return "DISABLED" if settings.get("enabled") is False else "ENABLED"


def _compile_schedule(compilation: Compilation, function: Function, settings: Json, rate: Any, number: int) -> None:
    role = settings.get("roleArn") or compilation.resources[function.logical_id]["Properties"]["Role"]
    compilation.resources[f"{names.resource(function.key)}SchedulerSchedule{number}"] = resource(
        "AWS::Scheduler::Schedule",
        {
            "ScheduleExpression": rate,
            "State": _state(settings),
            "Target": present({"Arn": compilation.target(function.key), "RoleArn": role, "Input": _input(settings)}),
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "Name": settings.get("name"),
            "GroupName": settings.get("groupName"),
            "Description": settings.get("description"),
            "ScheduleExpressionTimezone": settings.get("timezone"),
        },
        DependsOn=compilation.alias_id(function.key),
    )


def _compile_rule(compilation: Compilation, function: Function, settings: Json, rate: Any, number: int) -> None:
    rule = f"{names.resource(function.key)}EventsRuleSchedule{number}"
    target = {
        "Input": _input(settings),
        "InputPath": settings.get("inputPath") or None,
        "InputTransformer": transformer(settings),
        "Arn": compilation.target(function.key),
        "Id": f"{function.key}Schedule",
    }
    compilation.resources[rule] = resource(
        "AWS::Events::Rule",
        {
            "ScheduleExpression": rate,
            "State": _state(settings),
            "Name": settings.get("name") or None,
            "Description": settings.get("description") or None,
            "Targets": [present(target)],
        },
        DependsOn=compilation.alias_id(function.key),
    )
    compilation.resources[names.permission(function.key, f"EventsRuleSchedule{number}")] = compilation.permission(
        function.key, "events.amazonaws.com", SourceArn=get_att(rule, "Arn")
    )
