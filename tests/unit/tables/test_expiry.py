"""Time to live. AWS: "Using time to live (TTL) in DynamoDB", "DynamoDB Streams and Time to Live"."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.tables.world import World

from freehold.tables.expiry import expire

_YEAR_S = 365 * 86400


async def enable(world: World) -> None:
    ttl = {"Enabled": True, "AttributeName": "expiresAt"}
    await world("UpdateTimeToLive", TableName="things", TimeToLiveSpecification=ttl)


async def run(world: World) -> int:
    table = world.running.catalog.get("us-east-1", "things")
    return await expire(world.running.catalog, table, world.clock)


def at(world: World, seconds: int) -> dict[str, str]:
    return {"N": str(int(world.clock.at_s) + seconds)}


async def test_an_item_goes_when_its_second_has_passed_and_no_other_does(world: World) -> None:
    await world.create()
    await enable(world)
    await world.put(id={"S": "past"}, expiresAt=at(world, -1))
    await world.put(id={"S": "soon"}, expiresAt=at(world, 60))
    await world.put(id={"S": "never"})
    await world.put(id={"S": "not a number"}, expiresAt={"S": "1"})
    await world.put(id={"S": "longer ago than five years"}, expiresAt=at(world, -6 * _YEAR_S))

    assert await run(world) == 1
    assert await world.ids() == {"soon", "never", "not a number", "longer ago than five years"}

    world.clock.at_s += 61
    assert await run(world) == 1
    assert await world.ids() == {"never", "not a number", "longer ago than five years"}


async def test_items_from_before_time_to_live_was_turned_on_go_too(world: World) -> None:
    await world.create()
    for number in range(120):  # More than one write takes.
        await world.put(id={"S": str(number)}, expiresAt=at(world, -1 - number))
    await enable(world)
    assert await run(world) == 120
    assert await world.ids() == set()


async def test_an_item_whose_moment_was_moved_stays(world: World) -> None:
    await world.create()
    await enable(world)
    await world.put(id={"S": "a"}, expiresAt=at(world, -1))
    await world.put(id={"S": "a"}, expiresAt=at(world, 500))
    await world.put(id={"S": "b"}, expiresAt=at(world, -1))
    await world("UpdateItem", TableName="things", Key={"id": {"S": "b"}}, UpdateExpression="REMOVE expiresAt")
    assert await run(world) == 0
    assert await world.ids() == {"a", "b"}


async def test_the_stream_tells_that_the_service_deleted_it_and_the_index_forgets_it(world: World) -> None:
    names = [{"AttributeName": name, "AttributeType": "S"} for name in ("id", "group")]
    await world.create(
        AttributeDefinitions=names,
        GlobalSecondaryIndexes=[
            {
                "IndexName": "groups",
                "KeySchema": [{"AttributeName": "group", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )
    await enable(world)
    item: dict[str, Any] = {"id": {"S": "a"}, "group": {"S": "g"}, "expiresAt": at(world, -1)}
    await world.put(**item)
    assert await run(world) == 1
    assert await world.ids(IndexName="groups") == set()
    by_us, by_service = await world.records(await world.stream_arn())
    assert "userIdentity" not in by_us
    assert by_service["eventName"] == "REMOVE"
    assert by_service["userIdentity"] == {"Type": "Service", "PrincipalId": "dynamodb.amazonaws.com"}
    assert by_service["dynamodb"]["OldImage"] == item


@pytest.mark.parametrize("on", [True, False])
async def test_turning_it_off_keeps_the_items(world: World, on: bool) -> None:
    await world.create()
    await enable(world)
    await world.put(id={"S": "a"}, expiresAt=at(world, 10))
    if not on:
        off = {"Enabled": False, "AttributeName": "expiresAt"}
        await world("UpdateTimeToLive", TableName="things", TimeToLiveSpecification=off)
    world.clock.at_s += 60
    if on:
        assert await run(world) == 1
    else:
        assert world.running.catalog.get("us-east-1", "things").expiry is None
        assert await world.ids() == {"a"}
