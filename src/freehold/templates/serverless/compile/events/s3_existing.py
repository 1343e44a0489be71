"""`s3` events with `existing: true`: a helper function adds the notification to a bucket that is not of this stack."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

from freehold.aws.call import Json
from freehold.templates.serverless import names
from freehold.templates.serverless.compile.compilation import ACCOUNT, PARTITION, REGION, Compilation, get_att
from freehold.templates.serverless.compile.custom_resources import HELPERS, add_helper
from freehold.templates.serverless.service import Event, Function


def compile_events(compilation: Compilation) -> None:
    statements: list[Json] = []
    by_bucket: dict[str, list[str]] = {}
    for function in compilation.functions:
        events = [each for each in function.of_kind("s3") if _is_existing(each)]
        if not events:
            continue
        bucket = _bucket(compilation, function, events)
        logical_id = f"{names.resource(function.key)}CustomS31"
        compilation.resources[logical_id] = _custom_resource(function, bucket, events)
        by_bucket.setdefault(json.dumps(bucket), []).append(logical_id)
        statements.append(
            {
                "Effect": "Allow",
                "Resource": {"Fn::Join": [":", ["arn", PARTITION, "s3", "", "", bucket]]},
                "Action": ["s3:PutBucketNotification", "s3:GetBucketNotification"],
            }
        )
    for users in by_bucket.values():
        # One after the other: each reads the bucket's configuration, changes it and writes it back.
        for before, after in pairwise(users):
            compilation.resources[after]["DependsOn"].append(before)
    if statements:
        functions = ["arn", PARTITION, "lambda", REGION, ACCOUNT, "function", "*"]
        statements.append(
            {
                "Effect": "Allow",
                "Resource": {"Fn::Join": [":", functions]},
                "Action": ["lambda:AddPermission", "lambda:RemovePermission"],
            }
        )
        add_helper(compilation, "s3", statements)


def _is_existing(event: Event) -> bool:
    return isinstance(event.settings, dict) and bool(event.settings.get("existing"))


def _bucket(compilation: Compilation, function: Function, events: list[Event]) -> Any:
    bucket = events[0].settings.get("bucket")
    for event in events:
        if event.settings.get("bucket") != bucket:
            raise compilation.wrong_event(
                function,
                event.position,
                f'The function "{function.key}" can have events of one existing bucket, not of several.',
            )
    return bucket


def _custom_resource(function: Function, bucket: Any, events: list[Event]) -> Json:
    helper = names.lambda_function(names.resource(HELPERS["s3"].name))
    configurations = []
    for event in events:
        rules = [
            {names.start_case(key): value for key, value in list(rule.items())[:1]}
            for rule in event.settings.get("rules") or []
        ]
        configurations.append({"Event": event.settings.get("event") or "s3:ObjectCreated:*", "Rules": rules})
    return {
        "Type": "Custom::S3",
        "Version": 1,
        "DependsOn": [function.logical_id, helper],
        "Properties": {
            "ServiceToken": get_att(helper, "Arn"),
            "FunctionName": function.name,
            "BucketName": bucket,
            "BucketConfigs": configurations,
        },
    }
