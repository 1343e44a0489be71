"""Log events: put, read one stream, search a group.

Source: Amazon CloudWatch Logs API Reference, PutLogEvents, GetLogEvents, FilterLogEvents. One decision to know: a page
token is the event id that the page ends with, so it stays valid and a follower never reads an event twice.
"""

from __future__ import annotations

from freehold.aws.call import Call, Json
from freehold.aws.errors import AwsError
from freehold.clock import now_ms
from freehold.services.logs.filter_pattern import compile_pattern
from freehold.services.logs.record import DAY_MS, Logs, group_name, require_group
from freehold.state.log_segments import EVENT_OVERHEAD_BYTES
from freehold.state.logs import LogEvent, LogPage, LogQuery, StoredEvent

_BATCH_EVENTS = 10_000
_BATCH_BYTES = 1_048_576
_PAGE_EVENTS = 10_000
_PAGE_BYTES = 1_048_576
_OLDEST_MS = 14 * DAY_MS
_NEWEST_MS = 2 * 60 * 60 * 1000
_SPAN_MS = DAY_MS


async def put_log_events(logs: Logs, call: Call, request: Json) -> Json:
    group, stream = request["logGroupName"], request["logStreamName"]
    require_group(logs, call, group)
    if not any(found.name == stream for found in await logs.logs.streams(call.region, group)):
        raise AwsError("ResourceNotFoundException", "The specified log stream does not exist.")
    events = [LogEvent(event["timestamp"], event["message"]) for event in request["logEvents"]]
    _check_batch(events)
    at_ms = now_ms(logs.clock)
    keep_ms = logs.logs.retention_ms(call.region, group)
    too_old = sum(event.timestamp_ms < at_ms - _OLDEST_MS for event in events)
    expired = sum(keep_ms is not None and event.timestamp_ms < at_ms - keep_ms for event in events)
    too_new = sum(event.timestamp_ms > at_ms + _NEWEST_MS for event in events)
    accepted = events[max(too_old, expired) : len(events) - too_new]
    if accepted:
        await logs.logs.put(call.region, group, stream, accepted)
    answer: Json = {"nextSequenceToken": f"{at_ms:056d}"}
    rejected: Json = {}
    if too_new:
        rejected["tooNewLogEventStartIndex"] = len(events) - too_new
    if too_old:
        rejected["tooOldLogEventEndIndex"] = too_old
    if expired:
        rejected["expiredLogEventEndIndex"] = expired
    return {**answer, "rejectedLogEventsInfo": rejected} if rejected else answer


async def get_log_events(logs: Logs, call: Call, request: Json) -> Json:
    group, stream = group_name(request), request["logStreamName"]
    require_group(logs, call, group)
    if not any(found.name == stream for found in await logs.logs.streams(call.region, group)):
        raise AwsError("ResourceNotFoundException", "The specified log stream does not exist.")
    token = request.get("nextToken")
    direction, cursor = _read_token(token) if token else ("f" if request.get("startFromHead") else "b", None)
    query = LogQuery(
        streams=frozenset([stream]),
        start_ms=request.get("startTime"),
        end_ms=request.get("endTime"),
        cursor=cursor,
        newest_first=direction == "b",
        limit=request.get("limit", _PAGE_EVENTS),
    )
    page = _within_bytes(await logs.logs.read(call.region, group, query))
    events = page.events[::-1] if direction == "b" else page.events
    first, last = _edges(events, direction, cursor)
    return {
        "events": [
            {"timestamp": event.timestamp_ms, "message": event.message, "ingestionTime": event.ingestion_ms}
            for event in events
        ],
        "nextForwardToken": f"f/{last:056d}/s",
        "nextBackwardToken": f"b/{first:056d}/s",
    }


async def filter_log_events(logs: Logs, call: Call, request: Json) -> Json:
    group = group_name(request)
    require_group(logs, call, group)
    names, prefix = request.get("logStreamNames"), request.get("logStreamNamePrefix")
    if names and prefix:
        raise AwsError(
            "InvalidParameterException",
            "Cannot specify both logStreamNames and logStreamNamePrefix in the same request.",
        )
    streams = frozenset(names) if names else None
    if streams is not None or prefix:
        known = {stream.name for stream in await logs.logs.streams(call.region, group)}
        if streams is not None and not streams <= known:
            raise AwsError("ResourceNotFoundException", "The specified log stream does not exist.")
        if prefix:
            streams = frozenset(name for name in known if name.startswith(prefix))
    token = request.get("nextToken")
    query = LogQuery(
        streams=streams,
        start_ms=request.get("startTime"),
        end_ms=None if request.get("endTime") is None else request["endTime"] + 1,  # Here the end is included.
        cursor=_read_number(token) if token else None,
        limit=request.get("limit", _PAGE_EVENTS),
        matches=compile_pattern(request.get("filterPattern") or ""),
    )
    page = _within_bytes(await logs.logs.read(call.region, group, query))
    answer: Json = {
        "events": [
            {
                "logStreamName": event.stream,
                "timestamp": event.timestamp_ms,
                "message": event.message,
                "ingestionTime": event.ingestion_ms,
                "eventId": f"{event.id:056d}",
            }
            for event in page.events
        ],
        "searchedLogStreams": [],  # Empty since AWS deprecated it.
    }
    return {**answer, "nextToken": f"{page.events[-1].id:056d}"} if page.has_more else answer


def _check_batch(events: list[LogEvent]) -> None:
    size = sum(len(event.message.encode()) + EVENT_OVERHEAD_BYTES for event in events)
    if size > _BATCH_BYTES or len(events) > _BATCH_EVENTS:
        raise AwsError(
            "InvalidParameterException",
            f"Upload too large: {size} bytes exceeds limit of {_BATCH_BYTES}"
            if size > _BATCH_BYTES
            else f"A batch holds at most {_BATCH_EVENTS} log events.",
        )
    times = [event.timestamp_ms for event in events]
    if times != sorted(times):
        raise AwsError(
            "InvalidParameterException",
            "Log events in a single PutLogEvents request must be in chronological order.",
        )
    if times and times[-1] - times[0] > _SPAN_MS:
        raise AwsError(
            "InvalidParameterException",
            "The batch of log events in a single PutLogEvents request cannot span more than 24 hours.",
        )


def _within_bytes(page: LogPage) -> LogPage:
    """The first event always fits: a page that holds nothing would never end."""
    size = 0
    for index, event in enumerate(page.events):
        size += len(event.message.encode()) + EVENT_OVERHEAD_BYTES
        if size > _PAGE_BYTES and index:
            return LogPage(page.events[:index], has_more=True)
    return page


def _edges(events: list[StoredEvent], direction: str, cursor: int | None) -> tuple[int, int]:
    """The cursors of the pages before and after. An empty page hands the caller's own token back."""
    if events:
        return events[0].id, events[-1].id
    if cursor is None:
        return 0, 0
    # Cursors are exclusive: turning round at the end meets the event that the last page ended with.
    return (cursor + 1, cursor) if direction == "f" else (cursor, max(cursor - 1, 0))


def _read_token(token: str) -> tuple[str, int]:
    direction, _, rest = token.partition("/")
    if direction not in ("f", "b"):
        raise AwsError("InvalidParameterException", "The specified nextToken is invalid.")
    return direction, _read_number(rest.removesuffix("/s"))


def _read_number(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise AwsError("InvalidParameterException", "The specified nextToken is invalid.")
    return int(text)
