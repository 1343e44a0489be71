"""What an answer tells beside its items: consumed capacity, item collections, the item that failed a condition.

AWS: ConsumedCapacity, ItemCollectionMetrics and ReturnValuesOnConditionCheckFailure in the API reference.
"""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.tables.world import Json, World

from freehold.aws.errors import AwsError

_KEY = {"id": {"S": "a"}, "at": {"N": "1"}}


@pytest.fixture(autouse=True)
async def _table(world: World) -> None:
    await world.create(
        KeySchema=keys("id", "at"),
        AttributeDefinitions=[
            {"AttributeName": name, "AttributeType": kind}
            for name, kind in {"id": "S", "at": "N", "level": "N", "group": "S"}.items()
        ],
        LocalSecondaryIndexes=[
            {"IndexName": "levels", "KeySchema": keys("id", "level"), "Projection": {"ProjectionType": "KEYS_ONLY"}}
        ],
        GlobalSecondaryIndexes=[
            {"IndexName": "groups", "KeySchema": keys("group"), "Projection": {"ProjectionType": "ALL"}}
        ],
    )


def keys(hash_: str, range_: str | None = None) -> list[Json]:
    found = [{"AttributeName": hash_, "KeyType": "HASH"}]
    return [*found, {"AttributeName": range_, "KeyType": "RANGE"}] if range_ else found


def item(**more: Json) -> Json:
    return {**_KEY, "level": {"N": "5"}, "group": {"S": "g"}, **more}


def units(told: Json) -> Json:
    """{"": of all, "table": ..., index: ...}"""
    found = {"": told["CapacityUnits"]}
    if "Table" in told:
        found["table"] = told["Table"]["CapacityUnits"]
    for member in ("LocalSecondaryIndexes", "GlobalSecondaryIndexes"):
        found |= {name: each["CapacityUnits"] for name, each in told.get(member, {}).items()}
    return found


async def test_a_write_costs_a_unit_a_kilobyte_in_the_table_and_in_each_index_that_it_changes(world: World) -> None:
    put: Json = {"TableName": "things", "Item": item(text={"S": "x" * 1500}), "ReturnConsumedCapacity": "INDEXES"}
    told = (await world("PutItem", **put))["ConsumedCapacity"]
    assert units(told) == {"": 6.0, "table": 2.0, "levels": 2.0, "groups": 2.0}
    told = (await world("PutItem", **{**put, "ReturnConsumedCapacity": "TOTAL"}))["ConsumedCapacity"]
    assert told == {"TableName": "things", "CapacityUnits": told["CapacityUnits"]}
    assert "ConsumedCapacity" not in await world("PutItem", **{**put, "ReturnConsumedCapacity": "NONE"})
    told = (await world("DeleteItem", TableName="things", Key=_KEY, ReturnConsumedCapacity="INDEXES"))[
        "ConsumedCapacity"
    ]
    assert units(told) == {"": 6.0, "table": 2.0, "levels": 2.0, "groups": 2.0}
    told = (await world("DeleteItem", TableName="things", Key=_KEY, ReturnConsumedCapacity="INDEXES"))[
        "ConsumedCapacity"
    ]
    assert units(told) == {"": 1.0, "table": 1.0}, "nothing was there"


async def test_a_read_costs_half_a_unit_for_4_kilobytes_or_a_whole_one_when_consistent(world: World) -> None:
    await world.put(**item(text={"S": "x" * 5000}))
    get = {"TableName": "things", "Key": _KEY, "ReturnConsumedCapacity": "INDEXES"}
    assert units((await world("GetItem", **get))["ConsumedCapacity"]) == {"": 1.0, "table": 1.0}
    assert units((await world("GetItem", **get, ConsistentRead=True))["ConsumedCapacity"]) == {"": 2.0, "table": 2.0}
    query = {
        "TableName": "things",
        "KeyConditionExpression": "#k = :k",
        "ReturnConsumedCapacity": "INDEXES",
    }
    by_group = {"ExpressionAttributeNames": {"#k": "group"}, "ExpressionAttributeValues": {":k": {"S": "g"}}}
    told = (await world("Query", **query, **by_group, IndexName="groups"))["ConsumedCapacity"]
    assert units(told) == {"": 1.0, "table": 0.0, "groups": 1.0}
    by_id = {"ExpressionAttributeNames": {"#k": "id"}, "ExpressionAttributeValues": {":k": {"S": "a"}}}
    told = (await world("Query", **query, **by_id, IndexName="levels"))["ConsumedCapacity"]
    assert units(told) == {"": 0.5, "table": 0.0, "levels": 0.5}, "the index has keys alone"
    told = (await world("Query", **query, **by_id, IndexName="levels", Select="ALL_ATTRIBUTES"))["ConsumedCapacity"]
    assert units(told) == {"": 1.5, "table": 1.0, "levels": 0.5}, "the item is fetched from the table"
    told = (await world("Scan", TableName="things", ReturnConsumedCapacity="INDEXES"))["ConsumedCapacity"]
    assert units(told) == {"": 1.0, "table": 1.0}


async def test_batches_and_transactions_tell_each_table(world: World) -> None:
    put = {"PutRequest": {"Item": item()}}
    told = await world("BatchWriteItem", RequestItems={"things": [put]}, ReturnConsumedCapacity="INDEXES")
    assert [units(each) for each in told["ConsumedCapacity"]] == [{"": 3.0, "table": 1.0, "levels": 1.0, "groups": 1.0}]
    get = {"things": {"Keys": [_KEY], "ConsistentRead": True}}
    told = await world("BatchGetItem", RequestItems=get, ReturnConsumedCapacity="TOTAL")
    assert [units(each) for each in told["ConsumedCapacity"]] == [{"": 1.0}]
    write = {"Put": {"TableName": "things", "Item": item(level={"N": "6"})}}
    told = await world("TransactWriteItems", TransactItems=[write], ReturnConsumedCapacity="TOTAL")
    assert told["ConsumedCapacity"][0]["WriteCapacityUnits"] == told["ConsumedCapacity"][0]["CapacityUnits"] == 6.0
    read = {"Get": {"TableName": "things", "Key": _KEY}}
    told = await world("TransactGetItems", TransactItems=[read], ReturnConsumedCapacity="TOTAL")
    assert told["ConsumedCapacity"] == [{"TableName": "things", "CapacityUnits": 2.0, "ReadCapacityUnits": 2.0}]


async def test_partiql_tells_what_it_costs(world: World) -> None:
    await world.put(**item())
    select = "SELECT * FROM things WHERE id = 'a' AND at = 1"
    told = await world("ExecuteStatement", Statement=select, ReturnConsumedCapacity="TOTAL")
    assert told["ConsumedCapacity"] == {"TableName": "things", "CapacityUnits": 0.5}
    told = await world("BatchExecuteStatement", Statements=[{"Statement": select}] * 2, ReturnConsumedCapacity="TOTAL")
    assert told["ConsumedCapacity"] == [{"TableName": "things", "CapacityUnits": 1.0}]
    told = await world("ExecuteTransaction", TransactStatements=[{"Statement": select}], ReturnConsumedCapacity="TOTAL")
    assert told["ConsumedCapacity"] == [{"TableName": "things", "CapacityUnits": 2.0, "ReadCapacityUnits": 2.0}]


async def test_item_collections_are_told_of_tables_that_have_local_indexes(world: World) -> None:
    size = {"ReturnItemCollectionMetrics": "SIZE"}
    metrics = {"ItemCollectionKey": {"id": {"S": "a"}}, "SizeEstimateRangeGB": [0.0, 1.0]}
    for operation, request in (
        ("PutItem", {"Item": item()}),
        ("UpdateItem", {"Key": _KEY}),
        ("DeleteItem", {"Key": _KEY}),
    ):
        told = await world(operation, TableName="things", **request, **size)
        assert told["ItemCollectionMetrics"] == metrics, operation
        assert "ItemCollectionMetrics" not in await world(operation, TableName="things", **request)
    told = await world("BatchWriteItem", RequestItems={"things": [{"PutRequest": {"Item": item()}}]}, **size)
    assert told["ItemCollectionMetrics"] == {"things": [metrics]}
    write = {"Put": {"TableName": "things", "Item": item()}}
    told = await world("TransactWriteItems", TransactItems=[write], **size)
    assert told["ItemCollectionMetrics"] == {"things": [metrics]}
    await world.create("plain")
    assert "ItemCollectionMetrics" not in await world("PutItem", TableName="plain", Item={"id": {"S": "a"}}, **size)


@pytest.mark.parametrize(
    ("operation", "request_"),
    [("PutItem", {"Item": _KEY}), ("UpdateItem", {"Key": _KEY}), ("DeleteItem", {"Key": _KEY})],
)
async def test_the_item_that_failed_a_condition_is_told_to_who_asks(
    world: World, operation: str, request_: Json
) -> None:
    await world.put(**item())
    condition = {"TableName": "things", "ConditionExpression": "attribute_not_exists(id)"}
    assert (await fields(world, operation, **request_, **condition)) == {}
    told = await fields(world, operation, **request_, **condition, ReturnValuesOnConditionCheckFailure="ALL_OLD")
    assert told == {"Item": item()}


async def test_a_transaction_tells_the_item_in_its_reason(world: World) -> None:
    await world.put(**item())
    each = {
        "TableName": "things",
        "ConditionExpression": "attribute_not_exists(id)",
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    for kind, more in (
        ("Put", {"Item": _KEY}),
        ("Delete", {"Key": _KEY}),
        ("ConditionCheck", {"Key": _KEY}),
        (
            "Update",
            {"Key": _KEY, "UpdateExpression": "SET x = :x", "ExpressionAttributeValues": {":x": {"N": "1"}}},
        ),
    ):
        other = {"Put": {"TableName": "things", "Item": {"id": {"S": "b"}, "at": {"N": "1"}}}}
        told = await fields(world, "TransactWriteItems", TransactItems=[{kind: {**each, **more}}, other])
        assert told["CancellationReasons"] == [
            {"Code": "ConditionalCheckFailed", "Message": "The conditional request failed", "Item": item()},
            {"Code": "None"},
        ], kind


async def test_a_partiql_statement_tells_it_too(world: World) -> None:
    await world.put(**item())
    statement = {
        "Statement": "UPDATE things SET x = 1 WHERE id = 'a' AND at = 1 AND level = 9",
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    assert (await fields(world, "ExecuteStatement", **statement)) == {"Item": item()}
    (told,) = (await world("BatchExecuteStatement", Statements=[statement]))["Responses"]
    assert told["Error"] == {
        "Code": "ConditionalCheckFailed",
        "Message": "The conditional request failed",
        "Item": item(),
    }


async def fields(world: World, operation: str, **request: Any) -> Json:
    with pytest.raises(AwsError) as error:
        await world(operation, **request)
    return dict(error.value.fields)
