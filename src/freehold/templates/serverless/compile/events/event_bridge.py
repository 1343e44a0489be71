"""`eventBridge` events: rules on the default bus, a named one or an existing one.

Serverless Framework documentation, "EventBridge". The old way through a custom resource
(`provider.eventBridge.useCloudFormation: false`) makes the same rules here.
"""

from __future__ import annotations

from typing import Any

from freehold.aws.call import Json
from freehold.templates.serverless import names
from freehold.templates.serverless.compile.compilation import (
    ACCOUNT,
    PARTITION,
    REGION,
    Compilation,
    present,
    resource,
)
from freehold.templates.serverless.compile.events.cloudwatch import check_inputs
from freehold.templates.serverless.compile.inputs import to_json
from freehold.templates.serverless.service import Event, Function


def compile_events(compilation: Compilation) -> None:
    for function in compilation.functions:
        for event in function.of_kind("eventBridge"):
            _compile(compilation, function, event, event.position + 1)


def _compile(compilation: Compilation, function: Function, event: Event, number: int) -> None:
    settings: Json = event.settings if isinstance(event.settings, dict) else {}
    if not settings.get("pattern") and not settings.get("schedule"):
        raise compilation.wrong_event(function, event.position, "An eventBridge event needs a pattern or a schedule.")
    check_inputs(compilation, function, event, settings)
    usual = f"{function.name}-rule-{number}"
    name = settings.get("name") or names.shortened(usual, f"rule-{number}")
    bus, new_bus = _bus(compilation, settings.get("eventBus"))
    alias = compilation.alias_id(function.key)
    waits = [each for each in (alias, new_bus) if each]
    compilation.resources[f"{names.alphanumeric(usual)}EventBridgeRule"] = resource(
        "AWS::Events::Rule",
        {
            "Description": settings.get("description") or None,
            "EventBusName": bus,
            "EventPattern": settings.get("pattern"),
            "Name": name,
            "ScheduleExpression": settings.get("schedule"),
            "State": "DISABLED" if settings.get("enabled") is False else "ENABLED",
            "Targets": [_target(compilation, function, settings, name)],
        },
        DependsOn=(waits[0] if len(waits) == 1 else waits) or None,
    )
    path = [bus, name] if bus else [name]
    arn = ["arn", PARTITION, "events", REGION, ACCOUNT, {"Fn::Join": ["/", ["rule", *path]]}]
    compilation.resources[f"{names.resource(function.key)}EventBridgeLambdaPermission{number}"] = (
        compilation.permission(function.key, "events.amazonaws.com", SourceArn={"Fn::Join": [":", arn]})
    )


def _bus(compilation: Compilation, given: Any) -> tuple[Any, str | None]:
    """The bus's name (None: the default one), and the logical id of the bus when this stack makes it."""
    if not given or given == "default":
        return None, None
    if isinstance(given, dict):
        return given, None
    if str(given).startswith("arn"):
        name = given[given.find("/") + 1 :]
        return (None if name == "default" else name), None
    logical_id = f"{names.resource(given)}EventBridgeEventBus"
    compilation.resources[logical_id] = resource("AWS::Events::EventBus", {"Name": given})
    return given, logical_id


def _target(compilation: Compilation, function: Function, settings: Json, rule: Any) -> Json:
    retry, dead = settings.get("retryPolicy"), settings.get("deadLetterQueueArn")
    transformer = settings.get("inputTransformer") or {}
    target: Json = {
        "Arn": compilation.target(function.key),
        "Id": names.shortened(f"{rule}-target", "target"),
        "DeadLetterConfig": {"Arn": dead} if dead else None,
        "Input": to_json(settings["input"]) if settings.get("input") else None,
        "InputPath": settings.get("inputPath") or None,
        "InputTransformer": {names.upper_first(key): value for key, value in transformer.items()} or None,
    }
    if retry:
        target["RetryPolicy"] = present(
            {
                "MaximumEventAgeInSeconds": retry.get("maximumEventAge"),
                "MaximumRetryAttempts": retry.get("maximumRetryAttempts"),
            }
        )
    return present(target)
