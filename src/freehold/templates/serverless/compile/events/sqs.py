"""`sqs` events: a queue's messages in batches. Serverless Framework documentation, "SQS Queues"."""

from __future__ import annotations

from typing import Any

from freehold.aws.call import Json
from freehold.templates.serverless import names
from freehold.templates.serverless.compile.compilation import Compilation, resource
from freehold.templates.serverless.compile.filters import filter_criteria

_ACTIONS = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]


def compile_events(compilation: Compilation) -> None:
    queues: list[Any] = []
    for function in compilation.functions:
        for event in function.of_kind("sqs"):
            settings: Json = event.settings if isinstance(event.settings, dict) else {"arn": event.settings}
            arn = settings.get("arn")
            if not arn or (isinstance(arn, str) and not arn.startswith("arn:")):
                raise compilation.wrong_event(
                    function, event.position, f"An sqs event needs the ARN of a queue, not {arn}."
                )
            if "functionArn" in settings:
                raise compilation.wrong_event(function, event.position, "An sqs event has no functionArn.")
            kind = settings.get("functionResponseType")
            concurrency = settings.get("maximumConcurrency")
            logical_id = names.event_source(function.key, "SQS", names.last_of_intrinsic(arn, separator=":"))
            compilation.resources[logical_id] = resource(
                "AWS::Lambda::EventSourceMapping",
                {
                    "BatchSize": settings.get("batchSize") or 10,
                    "MaximumBatchingWindowInSeconds": settings.get("maximumBatchingWindow"),
                    "EventSourceArn": arn,
                    "FunctionName": compilation.target(function.key),
                    "Enabled": settings.get("enabled", True),
                    "FunctionResponseTypes": [kind] if kind else None,
                    "FilterCriteria": filter_criteria(settings),
                    "ScalingConfig": {"MaximumConcurrency": concurrency} if concurrency else None,
                },
                DependsOn=compilation.source_dependencies(function),
            )
            queues.append(arn)
    if queues:
        compilation.allow(_ACTIONS, queues)
