"""`s3` events: a bucket that the stack makes and that calls functions. Serverless Framework documentation, "S3".

With `existing: true` the bucket is somebody else's: s3_existing.py.
"""

from __future__ import annotations

import re
from typing import Any

from freehold.aws.call import Json
from freehold.templates.serverless import names
from freehold.templates.serverless.compile.compilation import ACCOUNT, PARTITION, Compilation, join, resource
from freehold.templates.serverless.compile.events import s3_existing
from freehold.templates.serverless.service import Event, Function

# S3 User Guide, "Bucket naming rules".
_NAME = re.compile(r"^(?!(\d{1,3}\.){3}\d{1,3}$)(?=.{3,63}$)[a-z0-9]([a-z0-9.-]*[a-z0-9])?$")


def compile_events(compilation: Compilation) -> None:
    buckets: dict[str, list[tuple[Function, Json, str]]] = {}
    for function in compilation.functions:
        for event in function.of_kind("s3"):
            if isinstance(event.settings, dict) and event.settings.get("existing"):
                continue
            key, name, configuration = _read(compilation, function, event)
            buckets.setdefault(name, []).append((function, configuration, key))
    for name, uses in buckets.items():
        _compile_bucket(compilation, name, uses)
    s3_existing.compile_events(compilation)


def _read(compilation: Compilation, function: Function, event: Event) -> tuple[str, str, Json]:
    """The bucket's key in serverless.yml, its name, and what it shall tell the function."""
    settings: Json = event.settings if isinstance(event.settings, dict) else {"bucket": event.settings}
    key = settings.get("bucket")
    if not isinstance(key, str):
        raise compilation.wrong_event(
            function, event.position, "An s3 event with a bucket that is not plain text needs `existing: true`."
        )
    name = ((compilation.provider.get("s3") or {}).get(key) or {}).get("name") or key
    if not _NAME.match(name):
        raise compilation.wrong_event(
            function,
            event.position,
            f'"{name}" is not a valid bucket name: 3 to 63 lower-case letters, digits, - and .',
        )
    configuration: Json = {
        "Event": settings.get("event") or "s3:ObjectCreated:*",
        "Function": compilation.target(function.key),
    }
    if settings.get("rules"):
        rules = [{"Name": each, "Value": value} for rule in settings["rules"] for each, value in rule.items()]
        configuration["Filter"] = {"S3Key": {"Rules": rules}}
    return key, name, configuration


def _compile_bucket(compilation: Compilation, name: str, uses: list[tuple[Function, Json, str]]) -> None:
    buckets: Json = compilation.provider.get("s3") or {}
    own: Json = {}
    key = name
    for _, _, used_key in uses:
        if used_key in buckets:
            key = used_key
            own = {names.upper_first(each): value for each, value in buckets[key].items() if each != "name"}
    more: Any = own.pop("NotificationConfiguration", {})
    waits: list[str] = []
    for function, _, _ in uses:
        permission = names.permission(function.key, f"{names.alphanumeric(key)}S3")
        alias = compilation.alias_id(function.key)
        waits += [permission, *([alias] if alias else [])]
        compilation.resources[permission] = compilation.permission(
            function.key,
            "s3.amazonaws.com",
            SourceArn=join("arn:", PARTITION, f":s3:::{name}"),
            SourceAccount=ACCOUNT,
        )
    compilation.resources[f"S3Bucket{names.alphanumeric(key)}"] = resource(
        "AWS::S3::Bucket",
        {
            "BucketName": name,
            "NotificationConfiguration": {"LambdaConfigurations": [each for _, each, _ in uses], **more},
            **own,
        },
        DependsOn=waits,
    )
