"""ListStreams, DescribeStream, GetShardIterator, GetRecords.

One decision to know: a stream is one shard here from its beginning to its end, since one disk takes its writes in one
order; an iterator says all that it needs, so the server keeps nothing for it.
AWS: "Amazon DynamoDB Streams" API reference, "Change data capture for DynamoDB Streams".
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from dataclasses import dataclass
from typing import Any

import orjson

from freehold.aws.arn import parse_arn
from freehold.aws.call import Call
from freehold.aws.errors import AwsError
from freehold.aws.raw_requests import check_request
from freehold.clock import Clock
from freehold.tables.storage import StoredRecord, TableStorage

ITERATOR_LIFETIME_S = 15 * 60
MAX_RECORDS = 1000
MAX_ANSWER_BYTES = 1024 * 1024
_LISTED = 100
_SEQUENCE_BASE = 10**20  # Sequence numbers have at least 21 digits.

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class DynamoDBStreams:
    storage: TableStorage
    clock: Clock


async def list_streams(streams: DynamoDBStreams, call: Call, request: Json) -> Json:
    check_request("dynamodbstreams", "ListStreams", request)
    wanted, start = request.get("TableName"), request.get("ExclusiveStartStreamArn")
    limit = _limit(request, _LISTED)
    if wanted is not None and wanted.startswith("arn:"):
        wanted = wanted.rpartition("/")[2]
    found = [
        {"StreamArn": each["StreamArn"], "TableName": each["TableName"], "StreamLabel": each["StreamLabel"]}
        for each in (await streams.storage.documents(f"stream/{call.region}/")).values()
        if wanted is None or each["TableName"] == wanted
    ]
    found.sort(key=lambda each: each["StreamArn"])
    if start is not None:
        found = [each for each in found if each["StreamArn"] > start]
    answer: Json = {"Streams": found[:limit]}
    if len(found) > limit:
        answer["LastEvaluatedStreamArn"] = found[limit - 1]["StreamArn"]
    return answer


async def describe_stream(streams: DynamoDBStreams, call: Call, request: Json) -> Json:
    check_request("dynamodbstreams", "DescribeStream", request)
    stream = await _find(streams, call, request["StreamArn"])
    is_ended = stream["DisabledS"] is not None
    sequences: Json = {"StartingSequenceNumber": _show(0)}
    if is_ended:
        sequences["EndingSequenceNumber"] = _show((await streams.storage.record_bounds(stream["Number"]))[1])
    shard = {"ShardId": _shard_id(stream), "SequenceNumberRange": sequences}
    _limit(request, _LISTED)
    leaves_out = request.get("ExclusiveStartShardId") == shard["ShardId"] or _asks_for_children(request, stream)
    return {
        "StreamDescription": {
            "StreamArn": stream["StreamArn"],
            "StreamLabel": stream["StreamLabel"],
            "StreamStatus": "DISABLED" if is_ended else "ENABLED",
            "StreamViewType": stream["StreamViewType"],
            "CreationRequestDateTime": stream["CreatedS"],
            "TableName": stream["TableName"],
            "KeySchema": stream["KeySchema"],
            "Shards": [] if leaves_out else [shard],
        }
    }


async def get_shard_iterator(streams: DynamoDBStreams, call: Call, request: Json) -> Json:
    check_request("dynamodbstreams", "GetShardIterator", request)
    stream = await _find(streams, call, request["StreamArn"])
    if request["ShardId"] != _shard_id(stream):
        raise AwsError(
            "ResourceNotFoundException",
            f"Requested resource not found: Shard: {request['ShardId']} in Stream: {stream['StreamArn']} not found",
        )
    kind, given = request["ShardIteratorType"], request.get("SequenceNumber")
    if kind in ("AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER"):
        if given is None:
            raise _invalid(f"Invalid request: SequenceNumber is required when ShardIteratorType is {kind}")
        if not given.isdigit() or int(given) < _SEQUENCE_BASE:
            raise _invalid("Invalid SequenceNumber")
        place = int(given) - _SEQUENCE_BASE
        await _check_is_kept(streams, stream, kind, place)
        after = place - (kind == "AT_SEQUENCE_NUMBER")
    elif given is not None:
        raise _invalid(f"Invalid request: SequenceNumber cannot be given when ShardIteratorType is {kind}")
    elif kind == "LATEST":
        after = (await streams.storage.record_bounds(stream["Number"]))[1]
    else:
        after = 0
    return {"ShardIterator": _iterator(streams, stream["StreamArn"], after)}


async def get_records(streams: DynamoDBStreams, call: Call, request: Json) -> Json:
    check_request("dynamodbstreams", "GetRecords", request)
    arn, after, made_s = _read_iterator(request["ShardIterator"])
    if streams.clock.now_s() - made_s > ITERATOR_LIFETIME_S:
        raise AwsError(
            "ExpiredIteratorException", "Iterator expired: The iterator was created more than 15 minutes ago"
        )
    # Read before the records: a stream that ends in between is then seen as ended by the next call, with all it has.
    stream = await _find(streams, call, arn)
    limit = _limit(request, MAX_RECORDS)
    stored = await streams.storage.read_records(stream["Number"], after, limit)
    records: list[Json] = []
    size = 0
    for each in stored:
        size += len(each.body)
        if records and size > MAX_ANSWER_BYTES:
            break
        records.append(_record(call.region, each))
        after = each.sequence
    answer: Json = {"Records": records}
    if stream["DisabledS"] is None or len(records) < len(stored) or len(stored) == limit:
        answer["NextShardIterator"] = _iterator(streams, arn, after)
    return answer


async def _check_is_kept(streams: DynamoDBStreams, stream: Json, kind: str, place: int) -> None:
    """AFTER a record that was trimmed is the first that was not; 0 is where the shard begins."""
    first, _ = await streams.storage.record_bounds(stream["Number"])
    if kind == "AT_SEQUENCE_NUMBER" and 0 < place < first:
        raise AwsError(
            "TrimmedDataAccessException",
            "The operation attempted to read past the oldest stream record in a shard. "
            f"Oldest sequence number: {_show(first)}",
        )


def _asks_for_children(request: Json, stream: Json) -> bool:
    """ShardFilter: the shards that follow another one; no shard is ever split here, so there are none."""
    shard_filter = request.get("ShardFilter")
    if shard_filter is None:
        return False
    for member in ("ShardId", "Type"):
        if shard_filter.get(member) is None:
            raise _invalid(f"ShardFilter.{member} must be given with a ShardFilter")
    if shard_filter["ShardId"] != _shard_id(stream):
        raise _invalid(f"ShardFilter.ShardId is no shard of the stream: {shard_filter['ShardId']}")
    return True


def _limit(request: Json, most: int) -> int:
    limit = request.get("Limit")
    if limit is not None and limit > most:
        raise _invalid(
            f"1 validation error detected: Value '{limit}' at 'limit' failed to satisfy constraint: "
            f"Member must have value less than or equal to {most}"
        )
    return limit or most


async def _find(streams: DynamoDBStreams, call: Call, text: str) -> Json:
    arn = parse_arn(text)
    parts = arn.resource.split("/") if arn is not None else []
    if arn is None or len(parts) != 4 or parts[0] != "table" or parts[2] != "stream":
        raise _invalid(f"Invalid StreamArn: {text}")
    key = f"stream/{arn.region}/{parts[1]}/{parts[3]}"
    document = (await streams.storage.documents(key)).get(key)
    if document is None:
        raise AwsError("ResourceNotFoundException", f"Requested resource not found: Stream: {text} not found")
    return document


def _record(region: str, stored: StoredRecord) -> Json:
    record: Json = orjson.loads(stored.body)
    told = {**record["dynamodb"], "SequenceNumber": _show(stored.sequence)}
    return {
        "eventID": f"{stored.sequence:032x}",
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": region,
        **record,
        "dynamodb": told,
    }


def _shard_id(stream: Json) -> str:
    return f"shardId-{int(stream['CreatedS'] * 1000):020d}-{stream['Number']:08x}"


def _show(sequence: int) -> str:
    return str(_SEQUENCE_BASE + sequence)


def _iterator(streams: DynamoDBStreams, arn: str, after: int) -> str:
    return f"{arn}|1|{urlsafe_b64encode(orjson.dumps([after, streams.clock.now_s()])).decode()}"


def _read_iterator(text: str) -> tuple[str, int, float]:
    try:
        arn, version, packed = text.split("|")
        after, made_s = orjson.loads(urlsafe_b64decode(packed))
        if version != "1" or not isinstance(after, int) or not isinstance(made_s, int | float):
            raise ValueError(text)
    except (ValueError, TypeError, Base64Error):
        raise _invalid("Invalid ShardIterator") from None
    return arn, after, made_s


def _invalid(message: str) -> AwsError:
    return AwsError("ValidationException", message)
