"""DynamoDB Streams by boto3: what a stream tells of the writes to its table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.live import LiveServer


def table_with_stream(tables: Any, name: str, view: str) -> str:
    made = tables.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": view},
    )
    return str(made["TableDescription"]["LatestStreamArn"])


def records(streams: Any, arn: str, kind: str = "TRIM_HORIZON", **more: Any) -> list[dict[str, Any]]:
    shard = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"][0]["ShardId"]
    iterator = streams.get_shard_iterator(StreamArn=arn, ShardId=shard, ShardIteratorType=kind, **more)["ShardIterator"]
    return list(streams.get_records(ShardIterator=iterator)["Records"])


@pytest.mark.parametrize(
    ("view", "images"),
    [
        ("KEYS_ONLY", set()),
        ("NEW_IMAGE", {"NewImage"}),
        ("OLD_IMAGE", {"OldImage"}),
        ("NEW_AND_OLD_IMAGES", {"NewImage", "OldImage"}),
    ],
)
def test_a_record_has_the_images_of_its_view(client: Callable[..., Any], view: str, images: set[str]) -> None:
    tables, streams = client("dynamodb"), client("dynamodbstreams")
    name = f"stream-{view}"
    arn = table_with_stream(tables, name, view)
    tables.put_item(TableName=name, Item={"id": {"S": "a"}, "n": {"N": "1"}})
    tables.put_item(TableName=name, Item={"id": {"S": "a"}, "n": {"N": "2"}})
    tables.delete_item(TableName=name, Key={"id": {"S": "a"}})
    found = records(streams, arn)
    assert [each["eventName"] for each in found] == ["INSERT", "MODIFY", "REMOVE"]
    changed = found[1]["dynamodb"]
    assert changed["Keys"] == {"id": {"S": "a"}}
    assert changed["StreamViewType"] == view
    assert {"NewImage", "OldImage"} & set(changed) == images
    if "NewImage" in images:
        assert changed["NewImage"] == {"id": {"S": "a"}, "n": {"N": "2"}}
    numbers = [each["dynamodb"]["SequenceNumber"] for each in found]
    assert numbers == sorted(numbers, key=int)


def test_a_write_that_changes_nothing_leaves_no_record(client: Callable[..., Any]) -> None:
    tables, streams = client("dynamodb"), client("dynamodbstreams")
    arn = table_with_stream(tables, "stream-same", "NEW_IMAGE")
    for _ in range(2):
        tables.put_item(TableName="stream-same", Item={"id": {"S": "a"}})
    assert len(records(streams, arn)) == 1


def test_iterators_start_where_they_are_told(client: Callable[..., Any]) -> None:
    tables, streams = client("dynamodb"), client("dynamodbstreams")
    arn = table_with_stream(tables, "stream-start", "KEYS_ONLY")
    for number in range(3):
        tables.put_item(TableName="stream-start", Item={"id": {"S": str(number)}})
    everything = records(streams, arn)
    second = everything[1]["dynamodb"]["SequenceNumber"]
    assert records(streams, arn, "LATEST") == []
    assert records(streams, arn, "AT_SEQUENCE_NUMBER", SequenceNumber=second) == everything[1:]
    assert records(streams, arn, "AFTER_SEQUENCE_NUMBER", SequenceNumber=second) == everything[2:]


def test_a_stream_is_listed_and_ends_with_its_table(client: Callable[..., Any]) -> None:
    tables, streams = client("dynamodb"), client("dynamodbstreams")
    arn = table_with_stream(tables, "stream-ends", "KEYS_ONLY")
    assert [each["StreamArn"] for each in streams.list_streams(TableName="stream-ends")["Streams"]] == [arn]
    tables.put_item(TableName="stream-ends", Item={"id": {"S": "a"}})
    tables.delete_table(TableName="stream-ends")
    described = streams.describe_stream(StreamArn=arn)["StreamDescription"]
    assert described["StreamStatus"] == "DISABLED"
    assert len(records(streams, arn)) == 1


def test_what_is_not_there_is_told(client: Callable[..., Any]) -> None:
    arn = "arn:aws:dynamodb:us-east-1:000000000000:table/none/stream/2026-01-01T00:00:00.000"
    with pytest.raises(ClientError) as error:
        client("dynamodbstreams").describe_stream(StreamArn=arn)
    assert error.value.response["Error"]["Code"] == "ResourceNotFoundException"


def test_records_are_there_after_a_kill(own_server: LiveServer) -> None:
    arn = table_with_stream(own_server.client("dynamodb"), "kept", "NEW_IMAGE")
    own_server.client("dynamodb").put_item(TableName="kept", Item={"id": {"S": "a"}})
    own_server.kill()
    own_server.start()
    assert [each["eventName"] for each in records(own_server.client("dynamodbstreams"), arn)] == ["INSERT"]
