"""`stream` events: DynamoDB and Kinesis streams. Serverless Framework documentation, "DynamoDB / Kinesis Streams"."""

from __future__ import annotations

from typing import Any

from freehold.aws.call import Json
from freehold.templates.serverless import names
from freehold.templates.serverless.compile.compilation import Compilation, ref, resource
from freehold.templates.serverless.compile.filters import filter_criteria
from freehold.templates.serverless.service import Event, Function

# What each source and destination needs; in the order of the role's statements.
_ACTIONS: dict[str, list[str]] = {
    "dynamodb": [
        "dynamodb:GetRecords",
        "dynamodb:GetShardIterator",
        "dynamodb:DescribeStream",
        "dynamodb:ListStreams",
    ],
    "kinesis": ["kinesis:GetRecords", "kinesis:GetShardIterator", "kinesis:DescribeStream", "kinesis:ListStreams"],
    "consumed": [
        "kinesis:GetRecords",
        "kinesis:GetShardIterator",
        "kinesis:DescribeStreamSummary",
        "kinesis:ListShards",
    ],
    "consumer": ["kinesis:SubscribeToShard"],
    "sns": ["sns:Publish"],
    "sqs": ["sqs:ListQueues", "sqs:SendMessage"],
}
_COPIED = {
    "parallelizationFactor": "ParallelizationFactor",
    "batchWindow": "MaximumBatchingWindowInSeconds",
    "maximumRetryAttempts": "MaximumRetryAttempts",
    "bisectBatchOnFunctionError": "BisectBatchOnFunctionError",
    "maximumRecordAgeInSeconds": "MaximumRecordAgeInSeconds",
    "tumblingWindowInSeconds": "TumblingWindowInSeconds",
}


def compile_events(compilation: Compilation) -> None:
    for function in compilation.functions:
        used: dict[str, list[Any]] = {kind: [] for kind in _ACTIONS}
        for event in function.of_kind("stream"):
            _compile(compilation, function, event, used)
        for kind, arns in used.items():
            if arns:
                compilation.allow(_ACTIONS[kind], arns)


def _compile(compilation: Compilation, function: Function, event: Event, used: dict[str, list[Any]]) -> None:
    settings: Json = event.settings if isinstance(event.settings, dict) else {"arn": event.settings}
    arn = settings.get("arn")
    kind = settings.get("type") or (str(arn).split(":")[2] if isinstance(arn, str) and arn.count(":") > 2 else None)
    if not arn or kind not in ("dynamodb", "kinesis"):
        problem = (
            "A stream event needs the arn of a stream, and a type (dynamodb or kinesis) when it is not plain text."
        )
        raise compilation.wrong_event(function, event.position, problem)
    name = _name(arn)
    consumer = settings.get("consumer") if kind == "kinesis" else None
    used["consumed" if settings.get("consumer") and kind == "kinesis" else kind].append(arn)
    response = settings.get("functionResponseType")
    properties: Json = {
        "BatchSize": settings.get("batchSize") or 10,
        "Enabled": settings.get("enabled", True),
        "EventSourceArn": arn,
        "FunctionName": compilation.target(function.key),
        "StartingPosition": settings.get("startingPosition") or "TRIM_HORIZON",
        "FunctionResponseTypes": [response] if response else None,
        "FilterCriteria": filter_criteria(settings),
        "DestinationConfig": _destination(settings, used),
        **{new: settings.get(old) for old, new in _COPIED.items()},
    }
    depends = compilation.source_dependencies(function)
    if consumer:
        if settings.get("startingPosition") == "AT_TIMESTAMP" and not settings.get("startingPositionTimestamp"):
            raise compilation.wrong_event(
                function, event.position, "startingPosition: AT_TIMESTAMP needs a startingPositionTimestamp."
            )
        properties["StartingPositionTimestamp"] = settings.get("startingPositionTimestamp") or None
        properties["EventSourceArn"] = consumer
        if consumer is True:
            logical_id = _compile_consumer(compilation, function, name, arn)
            depends.append(logical_id)
            properties["EventSourceArn"] = ref(logical_id)
        used["consumer"].append(properties["EventSourceArn"])
    logical_id = names.event_source(function.key, names.upper_first(kind), name)
    compilation.resources[logical_id] = resource("AWS::Lambda::EventSourceMapping", properties, DependsOn=depends)


def _name(arn: Any) -> str:
    if isinstance(arn, str):
        return arn.split("/")[1] if "/" in arn else arn
    return names.last_of_intrinsic(arn, separator="/").split("/")[-1]


def _destination(settings: Json, used: dict[str, list[Any]]) -> Json | None:
    destination = (settings.get("destinations") or {}).get("onFailure")
    if not destination:
        return None
    options: Json = destination if isinstance(destination, dict) else {"arn": destination}
    kind = options.get("type") or str(options["arn"]).split(":")[2]
    used["sns" if kind == "sns" else "sqs"].append(options["arn"])
    return {"OnFailure": {"Destination": options["arn"]}}


def _compile_consumer(compilation: Compilation, function: Function, stream: str, arn: Any) -> str:
    name = f"{function.key}{stream}Consumer"
    if (compilation.provider.get("kinesis") or {}).get("consumerNamingMode"):
        name = f"{function.key}{stream}{compilation.service.name}{compilation.service.stage}Consumer"
    logical_id = f"{names.resource(name)}StreamConsumer"
    compilation.resources[logical_id] = resource(
        "AWS::Kinesis::StreamConsumer", {"StreamARN": arn, "ConsumerName": name}
    )
    return logical_id
