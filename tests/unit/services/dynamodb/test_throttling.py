"""Provisioned capacity as a limit. AWS: "Provisioned capacity mode", "Burst capacity"."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from tests.unit.tables.world import Json, World

from freehold.aws.errors import AwsError

_EXCEEDED = "ProvisionedThroughputExceededException"
_INDEX = {
    "IndexName": "groups",
    "KeySchema": [{"AttributeName": "group", "KeyType": "HASH"}],
    "Projection": {"ProjectionType": "ALL"},
}


@pytest_asyncio.fixture
async def throttled(tmp_path: Path) -> AsyncIterator[World]:
    made = World(tmp_path, throttles=True)
    await made.running.start()
    yield made
    await made.running.stop()


def units(read: int, write: int) -> Json:
    return {"ReadCapacityUnits": read, "WriteCapacityUnits": write}


async def create(world: World, read: int, write: int, index: Json | None = None, name: str = "things") -> None:
    more: Json = {"BillingMode": "PROVISIONED", "ProvisionedThroughput": units(read, write)}
    if index is not None:
        more["GlobalSecondaryIndexes"] = [{**_INDEX, "ProvisionedThroughput": index}]
        more["AttributeDefinitions"] = [{"AttributeName": each, "AttributeType": "S"} for each in ("id", "group")]
    await world.create(name, **more)


def put(name: str, size: int = 10, **more: Json) -> Json:
    return {"TableName": "things", "Item": {"id": {"S": name}, "text": {"S": "x" * size}, **more}}


async def test_a_table_takes_what_it_has_provisioned_and_more_a_second_later(throttled: World) -> None:
    await create(throttled, 5, 2)
    await throttled("PutItem", **put("a"))
    await throttled("PutItem", **put("b"))
    code, message = await throttled.refused("PutItem", **put("c"))
    assert code == _EXCEEDED
    assert message == (
        "The level of configured provisioned throughput for the table was exceeded. Consider increasing your "
        "provisioning level with the UpdateTable API."
    )
    assert await throttled.ids() == {"a", "b"}
    throttled.clock.at_s += 1
    await throttled("PutItem", **put("c"))


async def test_a_large_request_is_let_in_and_paid_for_afterwards(throttled: World) -> None:
    await create(throttled, 1, 1)
    await throttled("PutItem", **put("a", size=10 * 1024 - 100))
    throttled.clock.at_s += 8
    assert (await throttled.refused("PutItem", **put("b")))[0] == _EXCEEDED
    throttled.clock.at_s += 3
    await throttled("PutItem", **put("b"))


async def test_what_was_not_used_is_kept_for_five_minutes(throttled: World) -> None:
    await create(throttled, 1, 1)
    await throttled("PutItem", **put("a"))
    throttled.clock.at_s += 100_000
    for _ in range(300):
        await throttled("PutItem", **put("a"))
    assert (await throttled.refused("PutItem", **put("a")))[0] == _EXCEEDED


async def test_reads_and_writes_are_kept_apart_and_on_demand_has_no_limit(throttled: World) -> None:
    await create(throttled, 1, 1)
    await throttled("PutItem", **put("a"))
    assert (await throttled.refused("UpdateItem", TableName="things", Key={"id": {"S": "a"}}))[0] == _EXCEEDED
    get = {"TableName": "things", "Key": {"id": {"S": "a"}}, "ConsistentRead": True}
    await throttled("GetItem", **get)
    assert (await throttled.refused("GetItem", **get))[0] == _EXCEEDED
    assert (await throttled.refused("Scan", TableName="things"))[0] == _EXCEEDED
    statement = "SELECT * FROM things WHERE id = 'a'"
    assert (await throttled.refused("ExecuteStatement", Statement=statement))[0] == _EXCEEDED
    await throttled("UpdateTable", TableName="things", BillingMode="PAY_PER_REQUEST")
    for _ in range(50):
        await throttled("GetItem", **get)
        await throttled("PutItem", **put("a"))


async def test_an_index_has_a_capacity_of_its_own(throttled: World) -> None:
    await create(throttled, 100, 100, index=units(1, 1))
    await throttled("PutItem", **put("a", group={"S": "g"}))
    assert (await throttled.refused("PutItem", **put("b", group={"S": "g"})))[0] == _EXCEEDED
    scan = {"TableName": "things", "IndexName": "groups"}
    await throttled("Scan", **scan)
    await throttled("Scan", **scan)
    assert (await throttled.refused("Scan", **scan))[0] == _EXCEEDED
    await throttled("Scan", TableName="things")


async def test_a_batch_leaves_out_what_is_throttled(throttled: World) -> None:
    await create(throttled, 1, 1)
    await create(throttled, 100, 100, name="roomy")
    await throttled("PutItem", **put("a"))
    request = {"PutRequest": {"Item": {"id": {"S": "z"}}}}
    answer = await throttled("BatchWriteItem", RequestItems={"things": [request], "roomy": [request]})
    assert answer["UnprocessedItems"] == {"things": [request]}
    assert await throttled.ids("roomy") == {"z"}
    assert (await throttled.refused("BatchWriteItem", RequestItems={"things": [request]}))[0] == _EXCEEDED
    keys = {"Keys": [{"id": {"S": "z"}}], "ConsistentRead": True}
    await throttled("BatchGetItem", RequestItems={"things": keys})
    answer = await throttled("BatchGetItem", RequestItems={"things": keys, "roomy": keys})
    assert answer["UnprocessedKeys"] == {"things": keys}
    assert answer["Responses"]["roomy"] == [{"id": {"S": "z"}}]


async def test_a_transaction_says_which_item_was_throttled(throttled: World) -> None:
    await create(throttled, 1, 1)
    await create(throttled, 100, 100, name="roomy")
    await throttled("PutItem", **put("a"))
    items = [{"Put": {"TableName": name, "Item": {"id": {"S": "t"}}}} for name in ("roomy", "things")]
    with pytest.raises(AwsError) as error:
        await throttled("TransactWriteItems", TransactItems=items)
    assert error.value.code == "TransactionCanceledException"
    assert [reason["Code"] for reason in error.value.fields["CancellationReasons"]] == [
        "None",
        "ProvisionedThroughputExceeded",
    ]
    assert await throttled.ids("roomy") == set()


async def test_the_answer_tells_the_capacity_that_was_asked_for(throttled: World) -> None:
    await create(throttled, 100, 100)
    assert "ConsumedCapacity" not in await throttled("PutItem", **put("a"))
    told = await throttled("PutItem", **put("a"), ReturnConsumedCapacity="TOTAL")
    assert told["ConsumedCapacity"] == {"TableName": "things", "CapacityUnits": 1.0}
    told = await throttled("PutItem", **put("a"), ReturnConsumedCapacity="INDEXES")
    assert told["ConsumedCapacity"]["Table"] == {"CapacityUnits": 1.0}
    code, message = await throttled.refused("PutItem", **put("a"), ReturnConsumedCapacity="SOME")
    assert (code, "returnConsumedCapacity" in message) == ("ValidationException", True)


@pytest.mark.parametrize("broken", [{}, {"TableName": 5}, {"TableName": "nowhere", "Item": {"id": {"S": "a"}}}])
async def test_a_wrong_request_is_told_as_ever(throttled: World, world: World, broken: Json) -> None:
    assert await throttled.refused("PutItem", **broken) == await world.refused("PutItem", **broken)


async def test_without_the_setting_nothing_is_throttled(world: World) -> None:
    await create(world, 1, 1)
    for _ in range(20):
        await world("PutItem", **put("a"))
