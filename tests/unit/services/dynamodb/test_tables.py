"""Tables and their indexes: made, changed while they hold items, described, protected, deleted.

AWS: "CreateTable", "UpdateTable" and "TagResource" in the API reference, "Managing Global Secondary Indexes".
"""

from __future__ import annotations

import asyncio

import pytest
from tests.unit.tables.world import Json, World


def keys(hash_: str, range_: str | None = None) -> list[Json]:
    found = [{"AttributeName": hash_, "KeyType": "HASH"}]
    return [*found, {"AttributeName": range_, "KeyType": "RANGE"}] if range_ else found


def definitions(**types: str) -> list[Json]:
    return [{"AttributeName": name, "AttributeType": kind} for name, kind in types.items()]


def index(name: str, schema: list[Json], projection: str = "ALL", *more: str) -> Json:
    project: Json = {"ProjectionType": projection}
    if more:
        project["NonKeyAttributes"] = list(more)
    return {"IndexName": name, "KeySchema": schema, "Projection": project}


async def described(world: World, name: str = "things") -> Json:
    found: Json = (await world("DescribeTable", TableName=name))["Table"]
    return found


async def finished(world: World, name: str) -> Json:
    """The index, once it is filled."""
    while True:
        table = await described(world)
        (found,) = [each for each in table["GlobalSecondaryIndexes"] if each["IndexName"] == name]
        if found["IndexStatus"] == "ACTIVE":
            return dict(found)
        await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("projection", "seen"),
    [
        (("ALL",), {"id", "at", "level", "group", "a", "b"}),
        (("KEYS_ONLY",), {"id", "at"}),
        (("INCLUDE", "a"), {"id", "at", "a"}),
    ],
)
async def test_an_index_shows_what_it_projects(world: World, projection: tuple[str, ...], seen: set[str]) -> None:
    await world.create(
        KeySchema=keys("id", "at"),
        AttributeDefinitions=definitions(id="S", at="N", level="N", group="S"),
        LocalSecondaryIndexes=[index("levels", keys("id", "level"), *projection)],
        GlobalSecondaryIndexes=[index("groups", keys("group", "at"), *projection)],
    )
    await world.put(id={"S": "x"}, at={"N": "1"}, level={"N": "9"}, group={"S": "g"}, a={"S": "a"}, b={"S": "b"})
    for name, own in (("levels", "level"), ("groups", "group")):
        (item,) = (await world("Scan", TableName="things", IndexName=name))["Items"]
        assert set(item) == seen | {own}, name
    # A local index fetches what it lacks from the table, a global one refuses.
    wanted: Json = {
        "TableName": "things",
        "KeyConditionExpression": "#k = :k",
        "ProjectionExpression": "b",
    }
    local = {"ExpressionAttributeNames": {"#k": "id"}, "ExpressionAttributeValues": {":k": {"S": "x"}}}
    assert (await world("Query", **wanted, **local, IndexName="levels"))["Items"] == [{"b": {"S": "b"}}]
    other = {"ExpressionAttributeNames": {"#k": "group"}, "ExpressionAttributeValues": {":k": {"S": "g"}}}
    if "b" in seen:
        assert (await world("Query", **wanted, **other, IndexName="groups"))["Items"] == [{"b": {"S": "b"}}]
    else:
        assert (await world.refused("Query", **wanted, **other, IndexName="groups"))[0] == "ValidationException"


async def test_a_global_index_is_added_to_a_table_that_is_written_to_and_removed_again(world: World) -> None:
    await world.create()
    for number in range(200):
        await world.put(id={"S": str(number)}, group={"S": f"g{number % 2}"})
    update = {"TableName": "things", "AttributeDefinitions": definitions(id="S", group="S")}
    create = {"Create": index("groups", keys("group"))}
    told = await world("UpdateTable", **update, GlobalSecondaryIndexUpdates=[create])
    (made,) = told["TableDescription"]["GlobalSecondaryIndexes"]
    assert (made["IndexStatus"], made["Backfilling"]) == ("CREATING", True)

    async def write() -> None:
        for number in range(0, 200, 3):
            await world.put(id={"S": str(number)}, group={"S": "moved"})
            await world("DeleteItem", TableName="things", Key={"id": {"S": str(number + 1)}})
            await world.put(id={"S": f"new-{number}"}, group={"S": "g0"})

    writing = asyncio.create_task(write())
    assert await world.refused("Scan", TableName="things", IndexName="groups") == (
        "ValidationException",
        "Cannot read from backfilling global secondary index: groups",
    )
    assert (await finished(world, "groups")).get("Backfilling") is None
    await writing
    assert await world.ids(IndexName="groups") == await world.ids()
    items = {item["id"]["S"]: item for item in (await world("Scan", TableName="things"))["Items"]}
    found = {item["id"]["S"]: item for item in (await world("Scan", TableName="things", IndexName="groups"))["Items"]}
    assert found == items
    assert (await described(world))["GlobalSecondaryIndexes"][0]["ItemCount"] == len(items)

    delete = {"Delete": {"IndexName": "groups"}}
    told = await world("UpdateTable", TableName="things", GlobalSecondaryIndexUpdates=[delete])
    assert "groups" not in {each["IndexName"] for each in (await described(world)).get("GlobalSecondaryIndexes", ())}
    assert await world.refused("Scan", TableName="things", IndexName="groups") == (
        "ValidationException",
        "The table does not have the specified index: groups",
    )
    assert (await described(world))["AttributeDefinitions"] == definitions(id="S")


async def test_an_index_is_made_or_removed_one_at_a_time(world: World) -> None:
    await world.create()
    code, message = await world.refused(
        "UpdateTable",
        TableName="things",
        AttributeDefinitions=definitions(id="S", a="S", b="S"),
        GlobalSecondaryIndexUpdates=[{"Create": index(f"by-{name}", keys(name))} for name in ("a", "b")],
    )
    assert (code, "Only 1 online index can be created or deleted" in message) == ("LimitExceededException", True)


async def test_throughput_and_billing_change_and_are_described(world: World) -> None:
    units = {"ReadCapacityUnits": 5, "WriteCapacityUnits": 7}
    await world.create(BillingMode="PROVISIONED", ProvisionedThroughput=units)
    before = await described(world)
    assert {name: before["ProvisionedThroughput"][name] for name in units} == units
    warm = before["WarmThroughput"]
    assert (warm["ReadUnitsPerSecond"], warm["WriteUnitsPerSecond"], warm["Status"]) == (5, 7, "ACTIVE")
    same = await world.refused("UpdateTable", TableName="things", ProvisionedThroughput=units)
    assert "The provisioned throughput for the table will not change" in same[1]
    await world("UpdateTable", TableName="things", ProvisionedThroughput={**units, "ReadCapacityUnits": 9})
    assert "LastIncreaseDateTime" in (await described(world))["ProvisionedThroughput"]
    await world("UpdateTable", TableName="things", BillingMode="PAY_PER_REQUEST")
    after = await described(world)
    assert after["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    assert after["WarmThroughput"]["ReadUnitsPerSecond"] == 12000
    assert (await world.refused("UpdateTable", TableName="things", BillingMode="PROVISIONED"))[0] == (
        "ValidationException"
    )


async def test_a_protected_table_is_not_deleted(world: World) -> None:
    await world.create(DeletionProtectionEnabled=True)
    await world.put(id={"S": "a"})
    assert await world.refused("DeleteTable", TableName="things") == (
        "ValidationException",
        "Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.",
    )
    assert await world.ids() == {"a"}
    await world("UpdateTable", TableName="things", DeletionProtectionEnabled=False)
    await world("DeleteTable", TableName="things")
    assert (await world.refused("DescribeTable", TableName="things"))[0] == "ResourceNotFoundException"


async def test_tags_are_added_changed_and_removed(world: World) -> None:
    await world.create(Tags=[{"Key": "made", "Value": "with it"}])
    arn = (await described(world))["TableArn"]
    many = [{"Key": f"k{number:02d}", "Value": "v"} for number in range(23)]
    await world("TagResource", ResourceArn=arn, Tags=[*many, {"Key": "made", "Value": "later"}])
    await world("UntagResource", ResourceArn=arn, TagKeys=["k00", "not there"])
    told = await world("ListTagsOfResource", ResourceArn=arn)
    assert told == {"Tags": [{"Key": "made", "Value": "later"}, *many[1:]]}
    more = [{"Key": f"m{number:02d}", "Value": "v"} for number in range(28)]
    assert "Too many tags" in (await world.refused("TagResource", ResourceArn=arn, Tags=more))[1]


async def test_tables_are_listed_by_pages(world: World) -> None:
    for number in range(5):
        await world.create(f"table-{number}")
    first = await world("ListTables", Limit=3)
    assert first["LastEvaluatedTableName"] == "table-2"
    rest = await world("ListTables", ExclusiveStartTableName="table-2")
    assert first["TableNames"] + rest["TableNames"] == [f"table-{number}" for number in range(5)]
    assert "LastEvaluatedTableName" not in rest


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"KeySchema": keys("other")}, "Some index key attributes are not defined in AttributeDefinitions"),
        ({"AttributeDefinitions": definitions(id="S", spare="S")}, "does not exactly match number of attributes"),
        ({"BillingMode": "PROVISIONED"}, "ReadCapacityUnits and WriteCapacityUnits must both be specified"),
        (
            {"LocalSecondaryIndexes": [index("levels", keys("id", "id"))]},
            "does not have a range key, which is required when specifying a LocalSecondaryIndex",
        ),
        ({"GlobalSecondaryIndexes": []}, "List of GlobalSecondaryIndexes is empty"),
        ({"StreamSpecification": {"StreamEnabled": True}}, "StreamViewType must be specified"),
        (
            {"WarmThroughput": {"ReadUnitsPerSecond": 12000, "WriteUnitsPerSecond": 1}},
            "Requested WriteUnitsPerSecond for WarmThroughput for table is lower than initial throughput for OnDemand",
        ),
    ],
)
async def test_a_table_that_cannot_be_is_refused(world: World, more: Json, words: str) -> None:
    request = {
        "TableName": "things",
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": keys("id"),
        "AttributeDefinitions": definitions(id="S"),
    }
    code, message = await world.refused("CreateTable", **{**request, **more})
    assert (code, words in message) == ("ValidationException", True), message
