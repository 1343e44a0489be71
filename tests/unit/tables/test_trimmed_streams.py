"""How long stream records are kept. AWS: "Data retention limit for DynamoDB Streams"."""

from __future__ import annotations

import pytest
from tests.unit.tables.world import World

from freehold.aws.errors import AwsError
from freehold.tables.streams import RETENTION_S, trim

_STREAM = {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}


async def test_records_are_kept_for_a_day_and_iterators_go_on_with_what_is_left(world: World) -> None:
    await world.create(StreamSpecification=_STREAM)
    arn = await world.stream_arn()
    await world.put(id={"S": "old"})
    old = (await world.records(arn))[0]["dynamodb"]["SequenceNumber"]
    world.clock.at_s += RETENTION_S - 10
    await world.put(id={"S": "new"})
    await trim(world.running.storage, world.clock)
    assert len(await world.records(arn)) == 2

    world.clock.at_s += 20
    await trim(world.running.storage, world.clock)
    (left,) = await world.records(arn)
    assert left["dynamodb"]["Keys"] == {"id": {"S": "new"}}
    assert await world.records(arn, "AFTER_SEQUENCE_NUMBER", SequenceNumber=old) == [left]


async def test_a_place_that_was_trimmed_away_is_told(world: World) -> None:
    await world.create(StreamSpecification=_STREAM)
    arn = await world.stream_arn()
    await world.put(id={"S": "old"})
    old = (await world.records(arn))[0]["dynamodb"]["SequenceNumber"]
    world.clock.at_s += RETENTION_S + 10
    await world.put(id={"S": "new"})
    await trim(world.running.storage, world.clock)
    with pytest.raises(AwsError) as refused:
        await world.records(arn, "AT_SEQUENCE_NUMBER", SequenceNumber=old)
    assert refused.value.code == "TrimmedDataAccessException"


async def test_a_stream_that_ended_is_gone_a_day_later(world: World) -> None:
    await world.create(StreamSpecification=_STREAM)
    arn = await world.stream_arn()
    await world.put(id={"S": "a"})
    await world("DeleteTable", TableName="things")
    assert len(await world.records(arn)) == 1
    world.clock.at_s += RETENTION_S + 10
    await trim(world.running.storage, world.clock)
    with pytest.raises(AwsError) as refused:
        await world.records(arn)
    assert refused.value.code == "ResourceNotFoundException"


async def test_an_iterator_lives_for_fifteen_minutes(world: World) -> None:
    await world.create(StreamSpecification=_STREAM)
    arn = await world.stream_arn()
    shard = (await world("DescribeStream", "dynamodbstreams", StreamArn=arn))["StreamDescription"]["Shards"][0]
    start = {"StreamArn": arn, "ShardId": shard["ShardId"], "ShardIteratorType": "LATEST"}
    iterator = (await world("GetShardIterator", "dynamodbstreams", **start))["ShardIterator"]
    world.clock.at_s += 14 * 60
    assert (await world("GetRecords", "dynamodbstreams", ShardIterator=iterator))["Records"] == []
    world.clock.at_s += 2 * 60
    with pytest.raises(AwsError) as refused:
        await world("GetRecords", "dynamodbstreams", ShardIterator=iterator)
    assert refused.value.code == "ExpiredIteratorException"
