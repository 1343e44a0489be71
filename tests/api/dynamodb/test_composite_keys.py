"""Global secondary indexes with several attributes in a role. AWS: "Multi-attribute keys pattern"."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

TABLE = "tournaments"
_KEY = [("year", "HASH"), ("region", "HASH"), ("round", "RANGE"), ("bracket", "RANGE")]


@pytest.fixture
def table(client: Any) -> Iterator[Any]:
    dynamodb = client("dynamodb")
    types = {"id": "S", "year": "N", "region": "S", "round": "S", "bracket": "S"}
    dynamodb.create_table(
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": kind} for name, kind in types.items()],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "matches",
                "KeySchema": [{"AttributeName": name, "KeyType": role} for name, role in _KEY],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
    )
    for number, (year, region, stage, bracket) in enumerate(
        [
            (2025, "west", "final", "a"),
            (2025, "west", "semi", "b"),
            (2025, "west", "semi", "a"),
            (2025, "east", "x", "a"),
        ]
    ):
        _put(dynamodb, str(number), year, region, round=stage, bracket=bracket)
    _put(dynamodb, "4", 2025, "west", round="semi")
    yield dynamodb
    dynamodb.delete_table(TableName=TABLE)


def test_a_query_names_every_hash_attribute_and_sorts_by_the_range_ones(table: Any) -> None:
    found = _query(table, "#y = :y AND #r = :r", {":y": {"N": "2025"}, ":r": {"S": "west"}})
    assert [item["id"]["S"] for item in found] == ["0", "2", "1"]


def test_range_attributes_are_conditions_from_the_left(table: Any) -> None:
    values = {":y": {"N": "2025"}, ":r": {"S": "west"}, ":s": {"S": "semi"}, ":b": {"S": "b"}}
    names = {"#y": "year", "#r": "region", "#s": "round", "#b": "bracket"}
    found = _query(table, "#y = :y AND #r = :r AND #s = :s AND #b >= :b", values, names)
    assert [item["id"]["S"] for item in found] == ["1"]
    with pytest.raises(ClientError, match="RANGE key attribute"):
        _query(table, "#y = :y AND #r = :r AND #b = :b", {k: values[k] for k in (":y", ":r", ":b")}, _without(names))


def test_a_hash_attribute_left_out_is_refused(table: Any) -> None:
    with pytest.raises(ClientError, match="every HASH key attribute"):
        _query(table, "#y = :y", {":y": {"N": "2025"}}, {"#y": "year"})


def test_an_item_without_one_of_the_attributes_is_not_in_the_index(table: Any) -> None:
    scanned = table.scan(TableName=TABLE, IndexName="matches")["Items"]
    assert sorted(item["id"]["S"] for item in scanned) == ["0", "1", "2", "3"]


def test_pages_go_on_where_the_last_one_ended(table: Any) -> None:
    pages = table.get_paginator("query").paginate(
        TableName=TABLE,
        IndexName="matches",
        KeyConditionExpression="#y = :y AND #r = :r",
        ExpressionAttributeNames={"#y": "year", "#r": "region"},
        ExpressionAttributeValues={":y": {"N": "2025"}, ":r": {"S": "west"}},
        PaginationConfig={"PageSize": 1},
    )
    assert [item["id"]["S"] for page in pages for item in page["Items"]] == ["0", "2", "1"]


def _put(dynamodb: Any, number: str, year: int, region: str, **rest: str) -> None:
    item = {"id": {"S": number}, "year": {"N": str(year)}, "region": {"S": region}}
    dynamodb.put_item(TableName=TABLE, Item=item | {name: {"S": value} for name, value in rest.items()})


def _query(dynamodb: Any, condition: str, values: Any, names: dict[str, str] | None = None) -> list[Any]:
    return dynamodb.query(  # type: ignore[no-any-return]
        TableName=TABLE,
        IndexName="matches",
        KeyConditionExpression=condition,
        ExpressionAttributeNames=names or {"#y": "year", "#r": "region"},
        ExpressionAttributeValues=values,
    )["Items"]


def _without(names: dict[str, str]) -> dict[str, str]:
    return {key: name for key, name in names.items() if key != "#s"}
