"""Reads a table's stream for an event source mapping: a task a mapping, its position on disk after each batch.

One decision to know: a position is written after the function took the batch. A server that dies in between delivers
the batch again, so nothing is lost and something may come twice, as on AWS. AWS: "Using Lambda with DynamoDB".
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from freehold.aws.arn import parse_arn
from freehold.aws.call import Aws, Bind, Call, Json
from freehold.aws.errors import AwsError
from freehold.aws.event_patterns import compile_pattern
from freehold.clock import Clock, Ids
from freehold.engine.invocation import Invoker
from freehold.events.batches import POSITION, Delivery, StreamRecord
from freehold.state.store import Put, Store

_POLL_S = 0.2  # AWS reads a shard four times a second.
_BROKEN_S = 5.0  # Until a stream that could not be read is tried again.
_BATCH_BYTES = 6 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class DynamoDBStreamSource:
    store: Store
    bind: Bind
    invoker: Invoker
    clock: Clock
    ids: Ids

    async def serve(self, key: str, mapping: Json) -> None:
        """Until it is cancelled."""
        arn = parse_arn(mapping["EventSourceArn"])
        assert arn is not None
        aws = self.bind(Call(arn.region, arn.account, service_principal="lambda.amazonaws.com"))
        shard = await self._shard(aws, mapping["EventSourceArn"])
        delivery = Delivery(mapping, "DDBStreamBatchInfo", shard, self.invoker, self.bind, self.clock, self.ids)
        reader = _Reader(aws, mapping, shard, await self._position(key, mapping))
        matches = compile_filters(mapping)
        size = mapping["BatchSize"]
        window_s = mapping.get("MaximumBatchingWindowInSeconds") or 0
        while True:
            read = await self._gather(reader, size, window_s)
            wanted = [record for record in read if matches(record.event)]
            result = "OK"
            for batch in split(wanted, size):
                result = await self._deliver(delivery, batch, mapping.get("ParallelizationFactor") or 1)
            if read:
                position = {"after": read[-1].sequence, "result": result if wanted else "OK"}
                await self.store.write(Put(POSITION, key, position))

    async def _gather(self, reader: _Reader, size: int, window_s: float) -> Sequence[StreamRecord]:
        """At least one record: as many as a batch takes, or as came within the window."""
        read = list(await self._read(reader, size))
        end = self.clock.monotonic_s() + window_s
        while len(read) < size and window_s and (left := end - self.clock.monotonic_s()) > 0:
            await self.clock.sleep(min(left, _POLL_S))
            read += await reader.read(size - len(read))
        return read

    async def _read(self, reader: _Reader, size: int) -> Sequence[StreamRecord]:
        while not (read := await reader.read(size)):
            await self.clock.sleep(_POLL_S)
        return read

    async def _deliver(self, delivery: Delivery, batch: Sequence[StreamRecord], factor: int) -> str:
        """With a parallelization factor, items go side by side, and each item's own records in order."""
        if factor == 1:
            return await delivery.deliver(batch)
        lanes: dict[int, list[StreamRecord]] = {}
        for record in batch:
            lanes.setdefault(hash(record.lane) % factor, []).append(record)
        results = await asyncio.gather(*(delivery.deliver(lane) for lane in lanes.values()))
        return next((result for result in results if result != "OK"), "OK")

    async def _shard(self, aws: Aws, arn: str) -> str:
        while True:
            try:
                found = await aws("dynamodbstreams", "DescribeStream", {"StreamArn": arn})
                return str(found["StreamDescription"]["Shards"][0]["ShardId"])
            except AwsError:
                # The table is being made again, or is gone: its stack deletes the mapping too.
                await self.clock.sleep(_BROKEN_S)

    async def _position(self, key: str, mapping: Json) -> Json:
        """Where reading begins: behind the last batch, else where the mapping says."""
        stored = await self.store.read(POSITION, key)
        return stored.document if stored is not None else {"sinceS": mapping.get("sinceS", 0)}


@dataclass(slots=True)
class _Reader:
    aws: Aws
    mapping: Json
    shard: str
    position: Json
    iterator: str | None = None
    is_started: bool = False

    async def read(self, limit: int) -> list[StreamRecord]:
        """What is there now, perhaps nothing."""
        if self.iterator is None:
            self.iterator = await self._start()
        try:
            request = {"ShardIterator": self.iterator, "Limit": min(limit, 1000)}
            answer = await self.aws("dynamodbstreams", "GetRecords", request)
        except AwsError:
            # An iterator that is too old, or a stream that is gone: from the last record on, a little later.
            self.iterator = None
            return []
        self.iterator = answer.get("NextShardIterator", self.iterator)
        since_s = self.position.get("sinceS", 0) if "after" not in self.position else 0
        found = [_record(self.mapping, each) for each in answer["Records"]]
        if found:
            self.position = {"after": found[-1].sequence}
        return [record for record in found if record.at_s >= int(since_s)]

    async def _start(self) -> str | None:
        request: Json = {"StreamArn": self.mapping["EventSourceArn"], "ShardId": self.shard}
        if "after" in self.position:
            request |= {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": self.position["after"]}
        elif self.mapping.get("iterator") and not self.is_started:
            # LATEST, as it was when the mapping was made. Where it expired, "sinceS" tells old records from new ones.
            self.is_started = True
            return str(self.mapping["iterator"])
        else:
            request["ShardIteratorType"] = "TRIM_HORIZON"
        try:
            return str((await self.aws("dynamodbstreams", "GetShardIterator", request))["ShardIterator"])
        except AwsError:
            return None


def _record(mapping: Json, record: Json) -> StreamRecord:
    change = record["dynamodb"]
    at = change["ApproximateCreationDateTime"]
    at_s = at.timestamp() if isinstance(at, datetime) else float(at)
    event = {
        **record,
        "dynamodb": {**change, "ApproximateCreationDateTime": at_s},
        "eventSourceARN": mapping["EventSourceArn"],
    }
    lane = orjson.dumps(change["Keys"], option=orjson.OPT_SORT_KEYS).decode()
    return StreamRecord(change["SequenceNumber"], at_s, lane, event)


def compile_filters(mapping: Json) -> Callable[[Any], bool]:
    """A record is taken when one of the filters matches, or there is none."""
    filters = (mapping.get("FilterCriteria") or {}).get("Filters") or []
    tests = [compile_pattern(orjson.loads(each["Pattern"])) for each in filters if each.get("Pattern")]
    return lambda event: not tests or any(test(event) for test in tests)


def split(records: Sequence[StreamRecord], size: int) -> list[Sequence[StreamRecord]]:
    """Batches of at most `size` records that fit an invocation."""
    batches: list[Sequence[StreamRecord]] = []
    batch: list[StreamRecord] = []
    held_bytes = 0
    for record in records:
        record_bytes = len(orjson.dumps(record.event))
        if batch and (len(batch) == size or held_bytes + record_bytes > _BATCH_BYTES):
            batches.append(batch)
            batch, held_bytes = [], 0
        batch.append(record)
        held_bytes += record_bytes
    return [*batches, batch] if batch else batches
