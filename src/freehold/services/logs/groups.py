"""Log groups. Source: Amazon CloudWatch Logs API Reference, the actions' pages."""

from __future__ import annotations

from freehold.aws.call import Call, Json
from freehold.aws.errors import AwsError
from freehold.services.logs.record import (
    GROUP,
    Logs,
    change_settings,
    group_arn,
    group_name,
    name_of,
    page_after,
    read_settings,
    require_group,
)
from freehold.state.logs import GroupInfo
from freehold.state.store import Delete, Put

_RETENTION_DAYS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
    *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
)


async def create_log_group(logs: Logs, call: Call, request: Json) -> Json:
    name = request["logGroupName"]
    if not await logs.logs.create_group(call.region, name):
        raise AwsError("ResourceAlreadyExistsException", "The specified log group already exists")
    kept = ("kmsKeyId", "tags", "logGroupClass", "deletionProtectionEnabled")
    settings = {key: request[key] for key in kept if request.get(key)}
    await logs.store.write(Put(GROUP, f"{call.region}/{name}", settings))
    return {}


async def delete_log_group(logs: Logs, call: Call, request: Json) -> Json:
    name = request["logGroupName"]
    require_group(logs, call, name)
    if (await read_settings(logs, call, name)).get("deletionProtectionEnabled"):
        raise AwsError("ValidationException", f"The log group {name} is protected from deletion.")
    await logs.store.write(Delete(GROUP, f"{call.region}/{name}"))
    await logs.logs.delete_group(call.region, name)
    return {}


async def describe_log_groups(logs: Logs, call: Call, request: Json) -> Json:
    prefix, pattern = request.get("logGroupNamePrefix"), request.get("logGroupNamePattern")
    if prefix and pattern:
        raise AwsError(
            "InvalidParameterException",
            "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.",
        )
    groups = _chosen(logs, call, prefix or "", pattern or "")
    if request.get("logGroupIdentifiers"):
        names = {name_of(text) for text in request["logGroupIdentifiers"]}
        groups = [group for group in groups if group.name in names]
    described = [(group, await read_settings(logs, call, group.name)) for group in groups]
    if request.get("logGroupClass"):
        described = [
            (group, settings)
            for group, settings in described
            if settings.get("logGroupClass", "STANDARD") == request["logGroupClass"]
        ]
    page, token = page_after(described, lambda pair: pair[0].name, request.get("nextToken"), request.get("limit", 50))
    answer: Json = {"logGroups": [await _describe(logs, call, group, settings) for group, settings in page]}
    return {**answer, "nextToken": token} if token else answer


async def list_log_groups(logs: Logs, call: Call, request: Json) -> Json:
    groups = _chosen(logs, call, "", request.get("logGroupNamePattern") or "")
    page, token = page_after(groups, lambda group: group.name, request.get("nextToken"), request.get("limit", 50))
    found = []
    for group in page:
        settings = await read_settings(logs, call, group.name)
        found.append(
            {
                "logGroupName": group.name,
                "logGroupArn": group_arn(call, group.name),
                "logGroupClass": settings.get("logGroupClass", "STANDARD"),
            }
        )
    return {"logGroups": found, **({"nextToken": token} if token else {})}


async def put_retention_policy(logs: Logs, call: Call, request: Json) -> Json:
    days = request["retentionInDays"]
    if days not in _RETENTION_DAYS:
        raise AwsError(
            "InvalidParameterException",
            f"1 validation error detected: Value '{days}' at 'retentionInDays' failed to satisfy constraint: "
            f"Member must satisfy enum value set: [{', '.join(map(str, _RETENTION_DAYS))}]",
        )
    await change_settings(logs, call, request["logGroupName"], retentionInDays=days)
    return {}


async def delete_retention_policy(logs: Logs, call: Call, request: Json) -> Json:
    await change_settings(logs, call, request["logGroupName"], retentionInDays=None)
    return {}


async def associate_kms_key(logs: Logs, call: Call, request: Json) -> Json:
    await change_settings(logs, call, _keyed_group(request), kmsKeyId=request["kmsKeyId"])
    return {}


async def disassociate_kms_key(logs: Logs, call: Call, request: Json) -> Json:
    await change_settings(logs, call, _keyed_group(request), kmsKeyId=None)
    return {}


async def put_log_group_deletion_protection(logs: Logs, call: Call, request: Json) -> Json:
    protected = request["deletionProtectionEnabled"] or None
    await change_settings(logs, call, name_of(request["logGroupIdentifier"]), deletionProtectionEnabled=protected)
    return {}


def _keyed_group(request: Json) -> str:
    return group_name(request, identifier="resourceIdentifier")


def _chosen(logs: Logs, call: Call, prefix: str, pattern: str) -> list[GroupInfo]:
    """A pattern matches anywhere in the name, whatever the case."""
    return [
        group
        for group in logs.logs.groups(call.region)
        if group.name.startswith(prefix) and pattern.lower() in group.name.lower()
    ]


async def _describe(logs: Logs, call: Call, group: GroupInfo, settings: Json) -> Json:
    arn = group_arn(call, group.name)
    described = {
        "logGroupName": group.name,
        "creationTime": group.created_ms,
        "metricFilterCount": 0,
        "arn": f"{arn}:*",
        "logGroupArn": arn,
        "storedBytes": await logs.logs.stored_bytes(call.region, group.name),
        "logGroupClass": settings.get("logGroupClass", "STANDARD"),
        "deletionProtectionEnabled": settings.get("deletionProtectionEnabled", False),
    }
    for name in ("retentionInDays", "kmsKeyId"):
        if name in settings:
            described[name] = settings[name]
    return described
