"""`activemq`, `rabbitmq`, `msk` and `kafka` events share how a broker is reached."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from freehold.aws.call import Json
from freehold.templates.serverless.compile.compilation import Compilation, resource
from freehold.templates.serverless.compile.filters import filter_criteria
from freehold.templates.serverless.service import Event, Function

# Lambda Developer Guide, "Using Lambda with Apache Kafka" and "with Amazon MQ": the broker is in a network.
NETWORK_ACTIONS = [
    "ec2:CreateNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeVpcs",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeSubnets",
    "ec2:DescribeSecurityGroups",
]


def require(compilation: Compilation, function: Function, event: Event, keys: Iterable[str]) -> Json:
    settings: Json = event.settings if isinstance(event.settings, dict) else {}
    missing = [key for key in keys if not settings.get(key)]
    if missing:
        raise compilation.wrong_event(
            function, event.position, f"The event {event.kind} needs {' and '.join(missing)}."
        )
    if settings.get("startingPosition") == "AT_TIMESTAMP" and settings.get("startingPositionTimestamp") is None:
        raise compilation.wrong_event(
            function, event.position, "startingPosition: AT_TIMESTAMP needs a startingPositionTimestamp."
        )
    return settings


def mapping(compilation: Compilation, function: Function, settings: Json, **properties: Any) -> Json:
    return resource(
        "AWS::Lambda::EventSourceMapping",
        {
            "FunctionName": compilation.target(function.key),
            "BatchSize": settings.get("batchSize") or None,
            "MaximumBatchingWindowInSeconds": settings.get("maximumBatchingWindow") or None,
            "Enabled": settings.get("enabled"),
            "FilterCriteria": filter_criteria(settings),
            **properties,
        },
        DependsOn=compilation.source_dependencies(function),
    )


def pollers(settings: Json) -> Json | None:
    given = settings.get("provisionedPollerConfig")
    names = {"minimumPollers": "MinimumPollers", "maximumPollers": "MaximumPollers"}
    return {new: given[old] for old, new in names.items() if given.get(old) is not None} if given else None
