"""`cloudwatchEvent` and `cloudwatchLog` events. Serverless Framework docs, "CloudWatch Event", "CloudWatch Log"."""

from __future__ import annotations

import re
from typing import Any

from freehold.aws.call import Json
from freehold.templates.serverless import names
from freehold.templates.serverless.compile.compilation import (
    ACCOUNT,
    PARTITION,
    REGION,
    Compilation,
    get_att,
    join,
    present,
    resource,
)
from freehold.templates.serverless.compile.inputs import to_json, transformer
from freehold.templates.serverless.service import Event, Function

# CloudWatch Logs quotas: subscription filters of a log group.
_MOST_FILTERS = 2


def compile_events(compilation: Compilation) -> None:
    for function in compilation.functions:
        for number, event in enumerate(function.of_kind("cloudwatchEvent"), 1):
            _compile_rule(compilation, function, event, number)
    _compile_subscriptions(compilation)


def check_inputs(compilation: Compilation, function: Function, event: Event, settings: Json) -> None:
    if sum(bool(settings.get(key)) for key in ("input", "inputPath", "inputTransformer")) > 1:
        raise compilation.wrong_event(
            function, event.position, "Set one of input, inputPath and inputTransformer, not several."
        )


def _compile_rule(compilation: Compilation, function: Function, event: Event, number: int) -> None:
    settings: Json = event.settings if isinstance(event.settings, dict) else {}
    check_inputs(compilation, function, event, settings)
    given: Any = settings.get("input")
    target = {
        "Input": to_json(given) if isinstance(given, dict | list) else given or None,
        "InputPath": settings.get("inputPath") or None,
        "InputTransformer": transformer(settings),
        "Arn": compilation.target(function.key),
        "Id": f"{function.key}CloudWatchEvent",
    }
    rule = f"{names.resource(function.key)}EventsRuleCloudWatchEvent{number}"
    compilation.resources[rule] = resource(
        "AWS::Events::Rule",
        {
            "EventPattern": settings.get("event"),
            "State": "DISABLED" if settings.get("enabled") is False else "ENABLED",
            "Description": settings.get("description") or None,
            "Name": settings.get("name") or None,
            "Targets": [present(target)],
        },
        DependsOn=compilation.alias_id(function.key),
    )
    compilation.resources[names.permission(function.key, f"EventsRuleCloudWatchEvent{number}")] = (
        compilation.permission(function.key, "events.amazonaws.com", SourceArn=get_att(rule, "Arn"))
    )


def _compile_subscriptions(compilation: Compilation) -> None:
    used: dict[str, int] = {}
    for function in compilation.functions:
        groups: list[str] = []
        permission = names.permission(function.key, "LogsSubscriptionFilterCloudWatchLog")
        for number, event in enumerate(function.of_kind("cloudwatchLog"), 1):
            settings: Json = event.settings if isinstance(event.settings, dict) else {"logGroup": event.settings}
            group = re.sub(r"\r?\n", "", str(settings.get("logGroup") or ""))
            used[group] = used.get(group, 0) + 1
            if used[group] > _MOST_FILTERS:
                raise compilation.wrong_event(
                    function, event.position, f"A log group has {_MOST_FILTERS} subscription filters at most: {group}."
                )
            groups.append(group)
            alias = compilation.alias_id(function.key)
            compilation.resources[f"{names.resource(function.key)}LogsSubscriptionFilterCloudWatchLog{number}"] = (
                resource(
                    "AWS::Logs::SubscriptionFilter",
                    {
                        "LogGroupName": group,
                        "FilterPattern": _filter(settings.get("filter") or ""),
                        "DestinationArn": compilation.target(function.key),
                    },
                    DependsOn=[permission, *([alias] if alias else [])],
                )
            )
        if groups:
            allowed = compilation.permission(
                function.key, join("logs.", REGION, ".amazonaws.com"), SourceArn=_log_arn(groups)
            )
            if "DependsOn" in allowed:
                allowed["DependsOn"] = [allowed["DependsOn"]]
            compilation.resources[permission] = allowed


def _filter(text: str) -> str:
    """A filter that was written with escaped quotes loses one level of them."""
    text = re.sub(r"\r?\n", "", text)
    slash, quote = text.find("\\"), text.find('"')
    return re.sub(r"""\\("|\\|')""", r"\1", text) if 0 <= slash < quote else text


def _log_arn(groups: list[str]) -> Json:
    """One permission for all groups of a function: what their names begin with."""
    shared = groups[0]
    while not all(group.startswith(shared) for group in groups):
        shared = shared[:-1]
    if len(groups) > 1 and not shared.endswith("*"):
        shared += "*"
    return join("arn:", PARTITION, ":logs:", REGION, ":", ACCOUNT, ":log-group:", shared, ":*")
