"""kill -9 of a server that several clients write to: what was acknowledged is there, and nothing disagrees with itself.

A few rounds here; FREEHOLD_KILL_ROUNDS=200 asks for more.
"""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from tests.live import LiveServer

ROUNDS = int(os.environ.get("FREEHOLD_KILL_ROUNDS", "4"))
_CLIENTS = 4
_KEYS = 25  # Of each client: most writes change an item that is there.
_TABLE = "ledger"

Item = dict[str, Any]


class Writer(threading.Thread):
    """Writes versions of its own keys until the server is gone. `acked`: the last of each key that was answered;
    `asked`: the last that was sent."""

    def __init__(self, endpoint: str, name: str, acked: dict[str, int], total: threading.Semaphore) -> None:
        super().__init__(name=name)
        self.client = make_client("dynamodb", endpoint)
        self.acked = acked
        self.asked: dict[str, int] = {}
        self.total = total
        self.random = random.Random(name)

    def run(self) -> None:
        for version in range(max(self.acked.values(), default=0) + 1, 1_000_000):
            number = self.random.randrange(_KEYS)
            keys = [f"{self.name}-{number}"]
            if number % 5 == 0:  # A pair that only a transaction writes.
                keys = [f"{self.name}-{number}-a", f"{self.name}-{number}-b"]
            self.asked |= dict.fromkeys(keys, version)
            try:
                self.write(keys, version)
            except (ClientError, BotoCoreError):
                return
            self.acked |= dict.fromkeys(keys, version)
            self.total.release()

    def write(self, keys: list[str], version: int) -> None:
        items: list[Item] = [
            {"id": {"S": key}, "version": {"N": str(version)}, "group": {"S": f"g{version % 3}"}} for key in keys
        ]
        if len(items) == 2:
            puts = [{"Put": {"TableName": _TABLE, "Item": item}} for item in items]
            self.client.transact_write_items(TransactItems=puts)
        elif version % 4 == 0:
            requests = [{"PutRequest": {"Item": item}} for item in items]
            self.client.batch_write_item(RequestItems={_TABLE: requests})
        else:
            self.client.put_item(TableName=_TABLE, Item=items[0])


@pytest.fixture
def server(own_server: LiveServer) -> LiveServer:
    own_server.client("dynamodb").create_table(
        TableName=_TABLE,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("id", "group")],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "groups",
                "KeySchema": [{"AttributeName": "group", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )
    return own_server


def test_no_acknowledged_write_is_lost_and_no_index_or_stream_record_disagrees(server: LiveServer) -> None:
    chance = random.Random(20261124)
    acked: list[dict[str, int]] = [{} for _ in range(_CLIENTS)]
    replayed: dict[str, Item] = {}
    after: str | None = None
    for turn in range(ROUNDS):
        total = threading.Semaphore(0)
        writers = [Writer(server.endpoint, f"w{n}", acked[n], total) for n in range(_CLIENTS)]
        for writer in writers:
            writer.start()
        for _ in range(chance.randrange(20, 200)):
            assert total.acquire(timeout=30), f"round {turn}: writes stopped"
        server.kill()
        for writer in writers:
            writer.join(30)
        server.start()

        stored = {item["id"]["S"]: item for item in scan(server)}
        for writer in writers:
            check_versions(turn, writer, stored)
        assert {item["id"]["S"]: item for item in scan(server, IndexName="groups")} == stored, f"round {turn}: index"
        after = replay(server, replayed, after)
        assert replayed == stored, f"round {turn}: the stream tells another table"


def check_versions(turn: int, writer: Writer, stored: dict[str, Item]) -> None:
    for key, version in writer.acked.items():
        found = int(stored[key]["version"]["N"])
        # The write that was under way may be there or not.
        assert found in (version, writer.asked.get(key, version)), f"round {turn}: {key} is {found}, not {version}"
    for number in range(0, _KEYS, 5):
        pair = [stored.get(f"{writer.name}-{number}-{half}", {}).get("version") for half in "ab"]
        assert pair[0] == pair[1], f"round {turn}: half of a transaction"
    # What was written without an answer counts from now on: a later round must not lose it.
    for key in writer.asked:
        if key in stored:
            writer.acked[key] = int(stored[key]["version"]["N"])


def scan(server: LiveServer, **more: str) -> Iterator[Item]:
    for page in server.client("dynamodb").get_paginator("scan").paginate(TableName=_TABLE, **more):
        yield from page["Items"]


def replay(server: LiveServer, items: dict[str, Item], after: str | None) -> str | None:
    """The stream's records behind `after`, done to `items`; the last one's number. Each fits what the last one left."""
    streams = server.client("dynamodbstreams")
    arn = streams.list_streams(TableName=_TABLE)["Streams"][0]["StreamArn"]
    shard = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"][0]["ShardId"]
    start = {"ShardIteratorType": "TRIM_HORIZON"}
    if after is not None:
        start = {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": after}
    iterator = streams.get_shard_iterator(StreamArn=arn, ShardId=shard, **start)["ShardIterator"]
    while True:
        answer = streams.get_records(ShardIterator=iterator)
        if not answer["Records"]:
            return after
        for record in answer["Records"]:
            change = record["dynamodb"]
            key = change["Keys"]["id"]["S"]
            assert items.get(key) == change.get("OldImage")
            items[key] = change["NewImage"]
            after = change["SequenceNumber"]
        iterator = answer["NextShardIterator"]


def make_client(service: str, endpoint: str) -> Any:
    return boto3.client(
        service,
        region_name="us-east-1",
        endpoint_url=endpoint,
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": 1}, read_timeout=30),
    )
