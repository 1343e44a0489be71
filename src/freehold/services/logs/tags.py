"""Tags of log groups. Source: Amazon CloudWatch Logs API Reference, TagResource and the older TagLogGroup."""

from __future__ import annotations

from freehold.aws.call import Call, Json
from freehold.aws.errors import AwsError
from freehold.services.logs.record import Logs, change_settings, name_of, read_settings, require_group

_LIMIT = 50


async def tag_log_group(logs: Logs, call: Call, request: Json) -> Json:
    await _tag(logs, call, request["logGroupName"], request["tags"])
    return {}


async def untag_log_group(logs: Logs, call: Call, request: Json) -> Json:
    await _untag(logs, call, request["logGroupName"], request["tags"])
    return {}


async def list_tags_log_group(logs: Logs, call: Call, request: Json) -> Json:
    return {"tags": await _tags(logs, call, request["logGroupName"])}


async def tag_resource(logs: Logs, call: Call, request: Json) -> Json:
    await _tag(logs, call, name_of(request["resourceArn"]), request["tags"])
    return {}


async def untag_resource(logs: Logs, call: Call, request: Json) -> Json:
    await _untag(logs, call, name_of(request["resourceArn"]), request["tagKeys"])
    return {}


async def list_tags_for_resource(logs: Logs, call: Call, request: Json) -> Json:
    return {"tags": await _tags(logs, call, name_of(request["resourceArn"]))}


async def _tags(logs: Logs, call: Call, group: str) -> dict[str, str]:
    require_group(logs, call, group)
    tags: dict[str, str] = (await read_settings(logs, call, group)).get("tags", {})
    return tags


async def _tag(logs: Logs, call: Call, group: str, tags: dict[str, str]) -> None:
    merged = {**await _tags(logs, call, group), **tags}
    if len(merged) > _LIMIT:
        raise AwsError("TooManyTagsException", f"A log group can have up to {_LIMIT} tags.")
    await change_settings(logs, call, group, tags=merged)


async def _untag(logs: Logs, call: Call, group: str, keys: list[str]) -> None:
    kept = {key: value for key, value in (await _tags(logs, call, group)).items() if key not in keys}
    await change_settings(logs, call, group, tags=kept)
