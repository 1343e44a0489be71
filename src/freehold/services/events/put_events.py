"""PutEvents and TestEventPattern. Source: Amazon EventBridge API Reference, PutEvents."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson

from freehold.aws.call import Call, Json
from freehold.aws.errors import AwsError
from freehold.aws.event_patterns import parse_pattern
from freehold.services.events.record import BUS, DEFAULT_BUS, Events, bus_name, invalid
from freehold.services.events.rules import check_pattern
from freehold.services.events.targets import deliver

_BYTES = 1024 * 1024  # Of all entries together; 256 KB until January 2026.
_REQUIRED_OF_AN_EVENT = ("id", "account", "source", "time", "region", "resources", "detail-type")


async def put_events(events: Events, call: Call, request: Json) -> Json:
    """Each entry is answered for itself: an id, or why it is refused."""
    if sum(_size(entry) for entry in request["Entries"]) > _BYTES:
        raise invalid("Total size of the entries in the request is over the limit.")
    results: list[Json] = []
    for entry in request["Entries"]:
        results.append(await _put(events, call, entry))
    failed = sum("ErrorCode" in result for result in results)
    return {"FailedEntryCount": failed, "Entries": results}


async def test_event_pattern(events: Events, call: Call, request: Json) -> Json:
    check_pattern(request["EventPattern"])
    try:
        event = orjson.loads(request["Event"])
    except orjson.JSONDecodeError:
        event = None
    if not isinstance(event, dict):
        raise invalid("Parameter Event is not valid. Reason: JSON syntax error.")
    for name in _REQUIRED_OF_AN_EVENT:
        if name not in event:
            raise invalid(f"Parameter Event is not valid. Reason: {name} is a required field.")
    return {"Result": parse_pattern(request["EventPattern"])(event)}


async def _put(events: Events, call: Call, entry: Json) -> Json:
    refusal = _check(entry)
    if refusal:
        return refusal
    bus = bus_name(entry.get("EventBusName"))
    at = entry.get("Time") or datetime.fromtimestamp(events.clock.now_s(), UTC)
    event_id = events.ids.uuid()
    if bus != DEFAULT_BUS and await events.store.read(BUS, f"{call.region}/{bus}") is None:
        # AWS takes events for a bus that is not there, and drops them.
        return {"EventId": event_id}
    event = build_event(
        event_id,
        entry["DetailType"],
        entry["Source"],
        call,
        at,
        entry.get("Resources") or [],
        orjson.loads(entry["Detail"]),
    )
    for rule in events.router.matching(call.region, bus, event):
        try:
            await deliver(events, call, rule, event)
        except AwsError as error:
            return {"ErrorCode": "InternalFailure", "ErrorMessage": error.message}
    return {"EventId": event_id}


def build_event(
    event_id: str, detail_type: str, source: str, call: Call, at: datetime, resources: list[str], detail: Any
) -> Json:
    """The event that rules match and targets receive."""
    return {
        "version": "0",
        "id": event_id,
        "detail-type": detail_type,
        "source": source,
        "account": call.account,
        "time": at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": call.region,
        "resources": resources,
        "detail": detail,
    }


def _check(entry: Json) -> Json:
    for name in ("Source", "DetailType", "Detail"):
        if not entry.get(name):
            return {
                "ErrorCode": "InvalidArgument",
                "ErrorMessage": f"Parameter {name} is not valid. Reason: {name} is a required argument.",
            }
    try:
        detail = orjson.loads(entry["Detail"])
    except orjson.JSONDecodeError:
        detail = None
    if not isinstance(detail, dict):
        return {"ErrorCode": "MalformedDetail", "ErrorMessage": "Detail is malformed."}
    return {}


def _size(entry: Json) -> int:
    """As the User Guide counts: 14 bytes for a time, and the UTF-8 of all texts."""
    texts = [entry.get("Source"), entry.get("DetailType"), entry.get("Detail"), *(entry.get("Resources") or [])]
    return (14 if entry.get("Time") else 0) + sum(len(text.encode()) for text in texts if text)
