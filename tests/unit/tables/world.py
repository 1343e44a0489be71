"""A DynamoDB without a server, on a clock that a test sets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest
from tests.clocks import SetClock

from freehold.aws.call import Call, OperationTable, Service
from freehold.aws.errors import AwsError
from freehold.clock import RandomIds
from freehold.services import dynamodb, dynamodbstreams
from freehold.services.dynamodb.running import RunningDynamoDB
from freehold.services.dynamodb.throttling import throttled
from freehold.services.dynamodbstreams.streams import DynamoDBStreams

Json = dict[str, Any]
_CALL = Call(region="us-east-1")


class World:
    """`await world("PutItem", ...)`. What goes on in the background waits until a test does it by hand."""

    def __init__(self, folder: Path, *, throttles: bool = False) -> None:
        self.clock = SetClock(at_s=1_700_000_000.0, longest_sleep_s=1.0)
        self.operations = OperationTable()
        self.running = RunningDynamoDB(folder / "tables.db", self.clock, RandomIds(), self.operations.bind)
        operations = throttled(dynamodb.OPERATIONS, self.clock) if throttles else dynamodb.OPERATIONS
        self.operations.add(Service("dynamodb", operations, self.running.record, raw_json=True))
        streams = DynamoDBStreams(self.running.storage, self.clock)
        self.operations.add(Service("dynamodbstreams", dynamodbstreams.OPERATIONS, streams, raw_json=True))

    async def __call__(self, operation: str, service: str = "dynamodb", **request: Any) -> Json:
        function, record = self.operations.find(service, operation)
        # As from the wire: a request is the operation's own, to change as it likes.
        return orjson.loads(orjson.dumps(await function(record, _CALL, orjson.loads(orjson.dumps(request)))))

    async def refused(self, operation: str, **request: Any) -> tuple[str, str]:
        """The error's name and its message."""
        with pytest.raises(AwsError) as error:
            await self(operation, **request)
        return error.value.code, error.value.message

    async def create(self, name: str = "things", **more: Any) -> None:
        usual: Json = {
            "BillingMode": "PAY_PER_REQUEST",
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
            "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        }
        await self("CreateTable", TableName=name, **{**usual, **more})

    async def put(self, table: str = "things", **attributes: Json) -> None:
        await self("PutItem", TableName=table, Item=attributes)

    async def ids(self, table: str = "things", **more: Any) -> set[str]:
        return {item["id"]["S"] for item in (await self("Scan", TableName=table, **more))["Items"]}

    async def records(self, arn: str, kind: str = "TRIM_HORIZON", **more: str) -> list[Json]:
        streams = "dynamodbstreams"
        described = await self("DescribeStream", streams, StreamArn=arn)
        shard = described["StreamDescription"]["Shards"][0]["ShardId"]
        start = {"StreamArn": arn, "ShardId": shard, "ShardIteratorType": kind, **more}
        iterator = (await self("GetShardIterator", streams, **start))["ShardIterator"]
        found: list[Json] = (await self("GetRecords", streams, ShardIterator=iterator))["Records"]
        return found

    async def stream_arn(self, table: str = "things") -> str:
        described = await self("DescribeTable", TableName=table)
        return str(described["Table"]["LatestStreamArn"])
