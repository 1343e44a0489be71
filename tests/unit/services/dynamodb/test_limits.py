"""How large and how deep things may be. AWS: "Constraints in Amazon DynamoDB", "Quotas in Amazon DynamoDB"."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.tables.world import Json, World


async def create(world: World, types: str = "SS", **more: Any) -> None:
    roles = list(zip(("id", "at"), ("HASH", "RANGE"), types, strict=False))
    shape: Json = {
        "KeySchema": [{"AttributeName": name, "KeyType": role} for name, role, _ in roles],
        "AttributeDefinitions": [{"AttributeName": name, "AttributeType": kind} for name, _, kind in roles],
    }
    await world.create(**{**shape, **more})


async def value_of(world: World, value: Json) -> Json:
    await world.put(id={"S": "a"}, value=value)
    found: Json = (await world("GetItem", TableName="things", Key={"id": {"S": "a"}}))["Item"]["value"]
    return found


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("12345678901234567890123456789012345678", "12345678901234567890123456789012345678"),
        ("0.12345678901234567890123456789012345678", "0.12345678901234567890123456789012345678"),
        ("1.50", "1.5"),
        ("-0", "0"),
        ("00012", "12"),
        ("1e3", "1000"),
        ("9.9999999999999999999999999999999999999E+125", f"99999999999999999999999999999999999999{'0' * 88}"),
        ("1E-130", f"0.{'0' * 129}1"),
    ],
)
async def test_a_number_has_38_digits_and_one_form(world: World, sent: str, kept: str) -> None:
    await world.create()
    assert await value_of(world, {"N": sent}) == {"N": kept}


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ("1E126", "Number overflow. Attempting to store a number with magnitude larger than supported range"),
        ("-1E126", "Number overflow. Attempting to store a number with magnitude larger than supported range"),
        ("1E-131", "Number underflow. Attempting to store a number with magnitude smaller than supported range"),
        ("123456789012345678901234567890123456789", "Attempting to store more than 38 significant digits in a Number"),
        ("", "The parameter cannot be converted to a numeric value"),
        ("abc", "The parameter cannot be converted to a numeric value: abc"),
    ],
)
async def test_a_number_past_its_limits_is_refused(world: World, sent: str, words: str) -> None:
    await world.create()
    code, message = await world.refused("PutItem", TableName="things", Item={"id": {"S": "a"}, "n": {"N": sent}})
    assert code == "ValidationException"
    assert words in message


def nested(levels: int, kind: str) -> Json:
    value: Json = {"S": "bottom"}
    for _ in range(levels):
        value = {"L": [value]} if kind == "L" else {"M": {"m": value}}
    return value


@pytest.mark.parametrize("kind", ["L", "M"])
async def test_a_document_has_32_levels_with_the_item_itself(world: World, kind: str) -> None:
    await world.create()
    assert await value_of(world, nested(31, kind)) == nested(31, kind)
    code, message = await world.refused(
        "PutItem", TableName="things", Item={"id": {"S": "b"}, "value": nested(32, kind)}
    )
    assert (code, "Nesting Levels have exceeded supported limits" in message) == ("ValidationException", True)


@pytest.mark.parametrize(("kind", "letter"), [("S", "x"), ("B", "AAAA")])
async def test_a_partition_key_has_2048_bytes_and_a_sort_key_1024(world: World, kind: str, letter: str) -> None:
    await create(world, kind * 2)
    size = 1 if kind == "S" else 3
    hash_, range_ = letter * (2048 // size), letter * (1024 // size)
    item = {"id": {kind: hash_}, "at": {kind: range_}}
    await world.put(**item)
    for read in ("GetItem", "DeleteItem"):
        await world(read, TableName="things", Key=item)
    for key, words in (
        ({**item, "id": {kind: hash_ + letter}}, "Size of hashkey has exceeded the maximum size limit of2048 bytes"),
        (
            {**item, "at": {kind: range_ + letter}},
            "Aggregated size of all range keys has exceeded the size limit of 1024",
        ),
    ):
        for operation, member in (
            ("PutItem", "Item"),
            ("GetItem", "Key"),
            ("DeleteItem", "Key"),
            ("UpdateItem", "Key"),
        ):
            code, message = await world.refused(operation, TableName="things", **{member: key})
            assert (code, words in message) == ("ValidationException", True), (operation, message)


async def test_letters_of_several_bytes_count_as_such_in_a_key(world: World) -> None:
    await world.create()
    await world.put(id={"S": "\U0001f603" * 512})
    longer = {"id": {"S": "x" + "\U0001f603" * 512}}
    assert (await world.refused("PutItem", TableName="things", Item=longer))[0] == "ValidationException"
    await world.put(id={"S": "ü" * 1024})
    assert (await world.refused("PutItem", TableName="things", Item={"id": {"S": "ü" * 1025}}))[
        0
    ] == "ValidationException"


@pytest.mark.parametrize("value", [{"S": ""}, {"B": ""}, {"L": []}, {"M": {}}])
async def test_empty_values_are_kept(world: World, value: Json) -> None:
    await world.create()
    assert await value_of(world, value) == value


async def test_an_empty_name_is_refused(world: World) -> None:
    await world.create()
    item = {"id": {"S": "a"}, "": {"S": "x"}}
    assert "Empty attribute name" in (await world.refused("PutItem", TableName="things", Item=item))[1]


@pytest.mark.parametrize(("kind", "word"), [("SS", "string"), ("NS", "number"), ("BS", "binary")])
async def test_an_empty_set_is_refused(world: World, kind: str, word: str) -> None:
    await world.create()
    code, message = await world.refused("PutItem", TableName="things", Item={"id": {"S": "a"}, "value": {kind: []}})
    assert code == "ValidationException"
    assert f"An {word} set  may not be empty" in message or f"{word.capitalize()} set" in message


@pytest.mark.parametrize(("kind", "word"), [("S", "string"), ("B", "binary")])
async def test_an_empty_key_is_refused_also_in_a_transaction_and_of_an_index(
    world: World, kind: str, word: str
) -> None:
    await create(
        world,
        kind,
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": kind} for name in ("id", "group")],
        GlobalSecondaryIndexes=[index("groups", "group")],
    )
    words = (
        "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty "
        f"{word} value. Key: id"
    )
    empty = {"id": {kind: ""}}
    assert await world.refused("PutItem", TableName="things", Item=empty) == ("ValidationException", words)
    assert await world.refused("GetItem", TableName="things", Key=empty) == ("ValidationException", words)
    put = {"Put": {"TableName": "things", "Item": empty}}
    assert await world.refused("TransactWriteItems", TransactItems=[put]) == ("ValidationException", words)
    code, message = await world.refused("PutItem", TableName="things", Item={"id": {kind: "AAAA"}, "group": {kind: ""}})
    assert (code, f"empty {word} value. IndexName: groups, IndexKey: group" in message) == ("ValidationException", True)


async def test_an_update_that_empties_an_index_key_is_refused(world: World) -> None:
    names = [{"AttributeName": name, "AttributeType": "S"} for name in ("id", "group")]
    await world.create(AttributeDefinitions=names, GlobalSecondaryIndexes=[index("groups", "group")])
    assert await world.refused(
        "UpdateItem",
        TableName="things",
        Key={"id": {"S": "a"}},
        UpdateExpression="SET #g = :g",
        ExpressionAttributeNames={"#g": "group"},
        ExpressionAttributeValues={":g": {"S": ""}},
    ) == (
        "ValidationException",
        "One or more parameter values are not valid. The update expression attempted to update a secondary index "
        "key to a value that is not supported. The AttributeValue for a key attribute cannot contain an empty string "
        "value.",
    )


def index(name: str, key: str) -> Json:
    keys = [{"AttributeName": key, "KeyType": "HASH"}]
    return {"IndexName": name, "KeySchema": keys, "Projection": {"ProjectionType": "ALL"}}


async def test_an_item_has_400_kilobytes_names_included(world: World) -> None:
    await world.create()
    fits = 400 * 1024 - len("id") - len("a") - len("text")
    await world.put(id={"S": "a"}, text={"S": "x" * fits})
    assert await world.refused(
        "PutItem", TableName="things", Item={"id": {"S": "a"}, "text": {"S": "x" * (fits + 1)}}
    ) == ("ValidationException", "Item size has exceeded the maximum allowed size")
    assert await world.refused(
        "UpdateItem",
        TableName="things",
        Key={"id": {"S": "a"}},
        UpdateExpression="SET more = :m",
        ExpressionAttributeValues={":m": {"BOOL": True}},
    ) == ("ValidationException", "Item size to update has exceeded the maximum allowed size")
    assert len((await world("GetItem", TableName="things", Key={"id": {"S": "a"}}))["Item"]["text"]["S"]) == fits


async def test_a_batch_of_reads_ends_at_16_megabytes_and_says_what_is_left(world: World) -> None:
    await world.create()
    for number in range(45):
        await world.put(id={"S": str(number)}, text={"S": "x" * 390_000})
    keys = [{"id": {"S": str(number)}} for number in range(45)]
    found, asked = [], {"things": {"Keys": keys}}
    pages = 0
    while asked:
        answer = await world("BatchGetItem", RequestItems=asked)
        found += [item["id"]["S"] for item in answer["Responses"]["things"]]
        asked = answer["UnprocessedKeys"]
        pages += 1
    assert (pages, sorted(map(int, found))) == (2, list(range(45)))


async def test_a_transaction_has_100_items_and_4_megabytes(world: World) -> None:
    await world.create()

    def puts(count: int, size: int) -> list[Json]:
        text = {"S": "x" * size}
        return [{"Put": {"TableName": "things", "Item": {"id": {"S": str(n)}, "text": text}}} for n in range(count)]

    await world("TransactWriteItems", TransactItems=puts(100, 10))
    code, message = await world.refused("TransactWriteItems", TransactItems=puts(101, 10))
    assert (code, "Member must have length less than or equal to 100" in message) == ("ValidationException", True)
    code, message = await world.refused("TransactWriteItems", TransactItems=puts(12, 390_000))
    assert (code, "Transaction payload size cannot exceed 4194304 bytes" in message) == ("ValidationException", True)
