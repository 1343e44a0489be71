"""What becomes of asynchronous invocations: retries, age and destinations.

Serverless Framework documentation, "AWS Lambda Functions", sections "Destinations", "Maximum Event Age and Maximum
Retry Attempts".
"""

from __future__ import annotations

from typing import Any

from freehold.templates.serverless import names
from freehold.templates.serverless.compile.compilation import Compilation, alias_of, ref, resource, sub
from freehold.templates.serverless.service import Function

_ACTIONS = {
    "function": "lambda:InvokeFunction",
    "sqs": "sqs:SendMessage",
    "sns": "sns:Publish",
    "eventBus": "events:PutEvents",
}
_MARKS = {":function:": "function", ":sqs:": "sqs", ":sns:": "sns", ":event-bus/": "eventBus"}


def compile_event_invoke_config(compilation: Compilation, function: Function) -> None:
    settings = function.settings
    destinations = settings.get("destinations") or {}
    age, retries = settings.get("maximumEventAge"), settings.get("maximumRetryAttempts")
    if not destinations and not age and retries is None:
        return
    config = {}
    waits = [compilation.alias_id(function.key)]
    for key, property_ in (("onSuccess", "OnSuccess"), ("onFailure", "OnFailure")):
        destination = destinations.get(key)
        if not destination:
            continue
        where = ("functions", function.key, "destinations", key)
        config[property_] = {"Destination": _arn(compilation, destination, where)}
        if _is_function_key(destination):
            waits.append(compilation.alias_id(destination))
        if not compilation.role_of(function):
            _allow(compilation, destination, where)
    waiting = list(dict.fromkeys(each for each in waits if each))
    alias = alias_of(function)
    compilation.resources[f"{names.resource(function.key)}LambdaEvConf"] = resource(
        "AWS::Lambda::EventInvokeConfig",
        {
            "FunctionName": ref(function.logical_id),
            "DestinationConfig": config,
            "Qualifier": alias[0] if alias else "$LATEST",
            "MaximumEventAgeInSeconds": age or None,
            "MaximumRetryAttempts": retries,
        },
        DependsOn=(waiting[0] if len(waiting) == 1 else waiting) or None,
    )


def _is_function_key(destination: Any) -> bool:
    return isinstance(destination, str) and not destination.startswith("arn:")


def _arn(compilation: Compilation, destination: Any, where: tuple[str, ...]) -> Any:
    if isinstance(destination, dict):
        return destination["arn"]
    if _is_function_key(destination):
        compilation.function(destination, *where)
        return compilation.target(destination)
    return destination


def _allow(compilation: Compilation, destination: Any, where: tuple[str, ...]) -> None:
    if isinstance(destination, dict):
        kind = destination.get("type")
    elif _is_function_key(destination):
        kind = "function"
    else:
        kind = next((name for mark, name in _MARKS.items() if mark in destination), None)
    if kind not in _ACTIONS:
        raise compilation.wrong(f"The destination {destination} is none of: {', '.join(_ACTIONS)}.", *where)
    if isinstance(destination, dict):
        arn = destination["arn"]
    elif _is_function_key(destination):
        # Not Fn::GetAtt: the target may have this very role, and CloudFormation forbids circles.
        function = compilation.function(destination, *where)
        alias = alias_of(function)
        name = f"{function.name}:{alias[0]}" if alias else function.name
        arn = sub("arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:" + name)
    else:
        arn = destination
    compilation.allow_once(_ACTIONS[kind], arn)
