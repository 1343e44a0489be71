"""Log streams. Source: Amazon CloudWatch Logs API Reference, the actions' pages."""

from __future__ import annotations

from freehold.aws.call import Call, Json
from freehold.aws.errors import AwsError
from freehold.services.logs.record import Logs, group_arn, group_name, page_after, require_group
from freehold.state.logs import StreamInfo

_BY_TIME = "LastEventTime"


async def create_log_stream(logs: Logs, call: Call, request: Json) -> Json:
    group, stream = request["logGroupName"], request["logStreamName"]
    require_group(logs, call, group)
    if not await logs.logs.create_stream(call.region, group, stream):
        raise AwsError("ResourceAlreadyExistsException", "The specified log stream already exists")
    return {}


async def delete_log_stream(logs: Logs, call: Call, request: Json) -> Json:
    group = request["logGroupName"]
    require_group(logs, call, group)
    if not await logs.logs.delete_stream(call.region, group, request["logStreamName"]):
        raise AwsError("ResourceNotFoundException", "The specified log stream does not exist.")
    return {}


async def describe_log_streams(logs: Logs, call: Call, request: Json) -> Json:
    group = group_name(request)
    require_group(logs, call, group)
    prefix = request.get("logStreamNamePrefix") or ""
    by_time = request.get("orderBy") == _BY_TIME
    if by_time and prefix:
        raise AwsError(
            "InvalidParameterException",
            "Cannot order by LastEventTime with a logStreamNamePrefix.",
        )
    found = [stream for stream in await logs.logs.streams(call.region, group) if stream.name.startswith(prefix)]
    descending = bool(request.get("descending"))
    # A token is the sort key of the page's last stream; descending pages count from the other end.
    found.sort(key=_time_key if by_time else _name_key, reverse=descending)
    limit, token = request.get("limit", 50), request.get("nextToken")
    if not descending:
        page, next_token = page_after(found, _time_key if by_time else _name_key, token, limit)
    else:
        key = _time_key if by_time else _name_key
        rest = [stream for stream in found if token is None or key(stream) < token]
        page = rest[:limit]
        next_token = key(page[-1]) if len(rest) > limit else None
    arn = group_arn(call, group)
    answer: Json = {"logStreams": [_describe(arn, stream) for stream in page]}
    return {**answer, "nextToken": next_token} if next_token else answer


def _name_key(stream: StreamInfo) -> str:
    return stream.name


def _time_key(stream: StreamInfo) -> str:
    return f"{stream.last_ms or 0:020d}/{stream.name}"


def _describe(arn: str, stream: StreamInfo) -> Json:
    described: Json = {
        "logStreamName": stream.name,
        "creationTime": stream.created_ms,
        "arn": f"{arn}:log-stream:{stream.name}",
        "storedBytes": 0,  # AWS stopped counting for streams in 2019 and answers 0.
    }
    times = {
        "firstEventTimestamp": stream.first_ms,
        "lastEventTimestamp": stream.last_ms,
        "lastIngestionTime": stream.last_ingestion_ms,
    }
    described.update({name: value for name, value in times.items() if value is not None})
    if stream.last_ms is not None:
        # Ignored since 2023; older clients still look for it.
        described["uploadSequenceToken"] = f"{stream.last_ingestion_ms:056d}"
    return described
