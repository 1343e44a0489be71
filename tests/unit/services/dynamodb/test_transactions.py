"""Transactions: client tokens, conflicts, several operations on one item.

AWS: "TransactWriteItems" in the API reference, "Managing complex workflows with DynamoDB transactions".
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tests.unit.tables.world import Json, World

from freehold.services.dynamodb.idempotency import Tokens
from freehold.tables.sqlite import SqliteTables
from freehold.tables.storage import Changes


def add(name: str = "a") -> Json:
    return {
        "Update": {
            "TableName": "things",
            "Key": {"id": {"S": name}},
            "UpdateExpression": "ADD n :one",
            "ExpressionAttributeValues": {":one": {"N": "1"}},
        }
    }


async def count(world: World, name: str = "a") -> int:
    item = (await world("GetItem", TableName="things", Key={"id": {"S": name}})).get("Item", {"n": {"N": "0"}})
    return int(item["n"]["N"])


async def test_a_transaction_with_the_same_token_is_done_once_in_ten_minutes(world: World) -> None:
    await world.create()
    request: Json = {"TransactItems": [add()], "ClientRequestToken": "once", "ReturnConsumedCapacity": "TOTAL"}
    first = await world("TransactWriteItems", **request)
    assert await world("TransactWriteItems", **request) == first
    assert await count(world) == 1
    code, message = await world.refused("TransactWriteItems", **{**request, "TransactItems": [add("b")]})
    assert code == "IdempotentParameterMismatchException"
    assert "same client token" in message
    world.clock.at_s += 601
    await world("TransactWriteItems", **request)
    assert await count(world) == 2


async def test_many_at_once_with_one_token_are_one(world: World) -> None:
    await world.create()
    request = {"TransactItems": [add()], "ClientRequestToken": "together"}
    await asyncio.gather(*(world("TransactWriteItems", **request) for _ in range(20)))
    assert await count(world) == 1


async def test_partiql_transactions_have_tokens_too(world: World) -> None:
    await world.create()
    await world.put(id={"S": "a"}, n={"N": "0"})
    statement = {"Statement": "UPDATE things SET n = n + 1 WHERE id = 'a'"}
    for _ in range(2):
        await world("ExecuteTransaction", TransactStatements=[statement], ClientRequestToken="once")
    assert await count(world) == 1


async def test_transactions_on_the_same_items_wait_for_each_other_instead_of_failing(world: World) -> None:
    await world.create()
    pairs = [[add("a"), add("b")], [add("b"), add("a")]] * 50
    await asyncio.gather(*(world("TransactWriteItems", TransactItems=pair) for pair in pairs))
    assert (await count(world, "a"), await count(world, "b")) == (100, 100)


async def test_one_item_has_one_operation_in_a_transaction(world: World) -> None:
    await world.create()
    check = {
        "ConditionCheck": {
            "TableName": "things",
            "Key": {"id": {"S": "a"}},
            "ConditionExpression": "attribute_exists(id)",
        }
    }
    assert await world.refused("TransactWriteItems", TransactItems=[add(), check]) == (
        "ValidationException",
        "Transaction request cannot include multiple operations on one item",
    )


@pytest.mark.parametrize("loaded", [True, False])
async def test_tokens_of_before_a_start_are_known_also_while_they_are_still_being_read(
    world: World, tmp_path: Path, loaded: bool
) -> None:
    folder = tmp_path / "kept"
    folder.mkdir()
    storage = SqliteTables(folder / "tables.db")
    before = Tokens(storage, world.clock)
    await before.load()
    request = {"n": 1}
    for number in range(1000):
        documents = before.remember(f"token/us-east-1/{number}", request, {"answer": number})
        await storage.write((), lambda rows: (Changes(documents=documents), None))  # noqa: B023 - it is awaited.
    after = Tokens(storage, world.clock)
    if loaded:
        await after.load()
    for number in (0, 500, 999):
        await after.recall(f"token/us-east-1/{number}")
        assert after.find(f"token/us-east-1/{number}", request) == {"answer": number}
    await after.recall("token/us-east-1/none")
    assert after.find("token/us-east-1/none", request) is None
    # What is out of date goes from the disk as new ones come.
    world.clock.at_s += 601
    gone = [key for key, document in after.remember("token/us-east-1/new", request, {}) if document is None]
    assert len(gone) == (1000 if loaded else 3)
    await storage.close()
