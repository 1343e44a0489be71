"""Items by boto3's client and resource: what the article's apps do, with AWS's errors."""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import boto3
import pytest
from boto3.dynamodb.conditions import Attr, Key
from botocore.exceptions import ClientError
from tests.e2e.conftest import fetch
from tests.live import LiveServer

_number = itertools.count()


@pytest.fixture
def tables(server: LiveServer) -> Any:
    return server.client("dynamodb")


@pytest.fixture
def resource(server: LiveServer) -> Iterator[Any]:
    made = boto3.resource(
        "dynamodb",
        region_name="us-east-1",
        endpoint_url=server.endpoint,
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    yield made
    made.meta.client.close()


@pytest.fixture
def table(tables: Any, resource: Any) -> Any:
    """By user and id, with an index by userId, as the article's template has it."""
    name = f"items-{next(_number)}"
    tables.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}, {"AttributeName": "at", "KeyType": "RANGE"}],
        AttributeDefinitions=[
            {"AttributeName": "id", "AttributeType": "S"},
            {"AttributeName": "at", "AttributeType": "N"},
            {"AttributeName": "userId", "AttributeType": "S"},
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "by-user",
                "KeySchema": [
                    {"AttributeName": "userId", "KeyType": "HASH"},
                    {"AttributeName": "at", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["name"]},
            }
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    tables.get_waiter("table_exists").wait(TableName=name)
    yield resource.Table(name)
    tables.delete_table(TableName=name)


def refused(call: Callable[..., Any], /, **request: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as error:
        call(**request)
    found = error.value.response["Error"]
    return found["Code"], found["Message"]


def test_every_type_comes_back_as_it_went_in(table: Any) -> None:
    item = {
        "id": "types",
        "at": Decimal(0),
        "text": "ü😀",
        "empty": "",
        "number": Decimal("1234567890123456789012345678901234567.8"),
        "small": Decimal("1E-130"),
        "yes": True,
        "nothing": None,
        "bytes": b"\x00\xff",
        "list": [Decimal(1), "a", [None]],
        "map": {"deep": {"er": {"est": Decimal("-0.5")}}},
        "texts": {"a", "b"},
        "numbers": {Decimal(1), Decimal("2.5")},
        "blobs": {b"a", b"b"},
    }
    table.put_item(Item=item)
    found = table.get_item(Key={"id": "types", "at": 0}, ConsistentRead=True)["Item"]
    assert {**found, "bytes": found["bytes"].value, "blobs": {each.value for each in found["blobs"]}} == item


def test_a_table_is_described_as_it_was_made(tables: Any, table: Any) -> None:
    described = tables.describe_table(TableName=table.name)["Table"]
    assert (described["TableStatus"], described["ItemCount"]) == ("ACTIVE", 0)
    assert described["TableArn"] == f"arn:aws:dynamodb:us-east-1:000000000000:table/{table.name}"
    assert described["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    index = described["GlobalSecondaryIndexes"][0]
    assert (index["IndexName"], index["IndexStatus"]) == ("by-user", "ACTIVE")
    assert table.name in tables.list_tables()["TableNames"]


def test_returned_values_are_those_that_were_asked_for(table: Any) -> None:
    key = {"id": "values", "at": Decimal(1)}
    table.put_item(Item={**key, "n": 1, "kept": "k"})
    assert table.put_item(Item={**key, "n": 2, "kept": "k"}, ReturnValues="ALL_OLD")["Attributes"]["n"] == 1
    update = {
        "Key": key,
        "UpdateExpression": "SET n = n + :one, #l = list_append(if_not_exists(#l, :none), :more) REMOVE kept "
        "ADD seen :one",
        "ExpressionAttributeNames": {"#l": "list"},
        "ExpressionAttributeValues": {":one": 1, ":none": [], ":more": ["x"]},
    }
    assert table.update_item(**update, ReturnValues="UPDATED_NEW")["Attributes"] == {"n": 3, "list": ["x"], "seen": 1}
    assert table.update_item(**update, ReturnValues="UPDATED_OLD")["Attributes"] == {"n": 3, "list": ["x"], "seen": 1}
    gone = table.delete_item(Key=key, ReturnValues="ALL_OLD")["Attributes"]
    assert gone == {**key, "n": 4, "list": ["x", "x"], "seen": 2}
    assert "Attributes" not in table.delete_item(Key=key, ReturnValues="ALL_OLD")


def test_a_condition_that_does_not_hold_changes_nothing(tables: Any, table: Any) -> None:
    key = {"id": "condition", "at": 1}
    table.put_item(Item={**key, "version": 1}, ConditionExpression=Attr("id").not_exists())
    assert refused(table.put_item, Item=key, ConditionExpression=Attr("id").not_exists()) == (
        "ConditionalCheckFailedException",
        "The conditional request failed",
    )
    with pytest.raises(ClientError) as error:
        tables.delete_item(
            TableName=table.name,
            Key={"id": {"S": "condition"}, "at": {"N": "1"}},
            ConditionExpression="version > :v",
            ExpressionAttributeValues={":v": {"N": "1"}},
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    assert error.value.response["Item"]["version"] == {"N": "1"}
    assert table.get_item(Key=key)["Item"]["version"] == 1


def test_a_query_goes_by_key_in_order_and_by_pages(table: Any) -> None:
    with table.batch_writer() as batch:
        for at in range(10):
            batch.put_item(Item={"id": "query", "at": at, "odd": bool(at % 2)})
    wanted = Key("id").eq("query") & Key("at").between(2, 8)
    assert [int(item["at"]) for item in table.query(KeyConditionExpression=wanted)["Items"]] == [2, 3, 4, 5, 6, 7, 8]
    page = table.query(KeyConditionExpression=wanted, Limit=3, ScanIndexForward=False)
    assert [int(item["at"]) for item in page["Items"]] == [8, 7, 6]
    more = table.query(
        KeyConditionExpression=wanted, ScanIndexForward=False, ExclusiveStartKey=page["LastEvaluatedKey"]
    )
    assert [int(item["at"]) for item in more["Items"]] == [5, 4, 3, 2]
    odd = table.query(KeyConditionExpression=wanted, FilterExpression=Attr("odd").eq(True), Select="COUNT")
    assert (odd["Count"], odd["ScannedCount"]) == (3, 7)


def test_an_index_follows_its_items_and_shows_its_projection(table: Any) -> None:
    table.put_item(Item={"id": "a", "at": 1, "userId": "u1", "name": "first", "secret": "s"})
    table.put_item(Item={"id": "b", "at": 2, "userId": "u1", "name": "second"})
    table.put_item(Item={"id": "c", "at": 3, "name": "nobody's"})
    by_user = {"IndexName": "by-user", "KeyConditionExpression": Key("userId").eq("u1")}
    assert table.query(**by_user)["Items"] == [
        {"id": "a", "at": 1, "userId": "u1", "name": "first"},
        {"id": "b", "at": 2, "userId": "u1", "name": "second"},
    ]
    table.update_item(
        Key={"id": "a", "at": 1}, UpdateExpression="SET userId = :u", ExpressionAttributeValues={":u": "u2"}
    )
    assert [item["id"] for item in table.query(**by_user)["Items"]] == ["b"]
    assert refused(table.query, **by_user, ConsistentRead=True)[0] == "ValidationException"


def test_a_scan_sees_everything_also_in_segments(table: Any) -> None:
    with table.batch_writer() as batch:
        for number in range(40):
            batch.put_item(Item={"id": f"scan-{number}", "at": 0})
    segments = [table.scan(Segment=segment, TotalSegments=4)["Items"] for segment in range(4)]
    found = [item["id"] for items in segments for item in items]
    assert sorted(found) == sorted({f"scan-{number}" for number in range(40)})
    assert table.scan(FilterExpression=Attr("id").begins_with("scan-1"), ProjectionExpression="id")["Count"] == 11


def test_a_page_ends_at_one_megabyte(table: Any) -> None:
    for number in range(4):
        table.put_item(Item={"id": "large", "at": number, "data": "x" * 380_000})
    page = table.query(KeyConditionExpression=Key("id").eq("large"))
    assert page["Count"] == 3
    assert page["LastEvaluatedKey"] == {"id": "large", "at": 2}


def test_batches_have_dynamodbs_limits(tables: Any, table: Any) -> None:
    put = {"PutRequest": {"Item": {"id": {"S": "x"}, "at": {"N": "1"}}}}
    assert refused(tables.batch_write_item, RequestItems={table.name: [put, put]}) == (
        "ValidationException",
        "Provided list of item keys contains duplicates",
    )
    many = [{"PutRequest": {"Item": {"id": {"S": str(each)}, "at": {"N": "1"}}}} for each in range(26)]
    assert refused(tables.batch_write_item, RequestItems={table.name: many})[0] == "ValidationException"
    tables.batch_write_item(RequestItems={table.name: many[:25]})
    keys = [{"id": {"S": str(each)}, "at": {"N": "1"}} for each in range(30)]
    assert len(tables.batch_get_item(RequestItems={table.name: {"Keys": keys}})["Responses"][table.name]) == 25


def test_a_transaction_happens_whole_or_not_at_all(tables: Any, table: Any) -> None:
    def put(identity: str, **more: Any) -> dict[str, Any]:
        return {"Put": {"TableName": table.name, "Item": {"id": {"S": identity}, "at": {"N": "1"}}, **more}}

    tables.transact_write_items(TransactItems=[put("t1"), put("t2")], ClientRequestToken="once")
    tables.transact_write_items(TransactItems=[put("t1"), put("t2")], ClientRequestToken="once")
    with pytest.raises(ClientError) as error:
        tables.transact_write_items(
            TransactItems=[put("t3"), put("t1", ConditionExpression="attribute_not_exists(id)")]
        )
    response = error.value.response
    assert response["Error"]["Code"] == "TransactionCanceledException"
    assert [reason["Code"] for reason in response["CancellationReasons"]] == ["None", "ConditionalCheckFailed"]
    assert "Item" not in table.get_item(Key={"id": "t3", "at": 1})


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        ({"Item": {"id": {"S": "a"}}}, "One or more parameter values were invalid: Missing the key at in the item"),
        ({"Item": {"id": {"N": "1"}, "at": {"N": "1"}}}, "Type mismatch for key id expected: S actual: N"),
        ({"Item": {"id": {"S": ""}, "at": {"N": "1"}}}, "empty string value"),
        ({"Item": {"id": {"S": "a"}, "at": {"N": "1e400"}}}, "Number overflow"),
        ({"Item": {"id": {"S": "a"}, "at": {"N": "1"}, "s": {"SS": ["x", "x"]}}}, "duplicates"),
        ({"Item": {"id": {"S": "a"}, "at": {"N": "1"}, "x": {"S": "x" * 410_000}}}, "Item size has exceeded"),
        (
            {"Item": {"id": {"S": "a"}, "at": {"N": "1"}}, "ConditionExpression": "attribute_exists(thing"},
            "Syntax error",
        ),
        (
            {"Item": {"id": {"S": "a"}, "at": {"N": "1"}}, "ConditionExpression": "name = :x"},
            "reserved keyword; reserved keyword: name",
        ),
    ],
    ids=["key", "type", "empty", "number", "set", "size", "syntax", "reserved"],
)
def test_what_dynamodb_refuses_is_refused_in_its_words(
    tables: Any, table: Any, request_: dict[str, Any], words: str
) -> None:
    code, message = refused(tables.put_item, TableName=table.name, **request_)
    assert code == "ValidationException"
    assert words in message


def test_a_table_that_is_not_there_is_told(tables: Any) -> None:
    assert refused(tables.get_item, TableName="nowhere", Key={"id": {"S": "a"}}) == (
        "ResourceNotFoundException",
        "Requested resource not found",
    )


def test_an_answer_carries_its_checksum(server: LiveServer) -> None:
    headers = {
        "X-Amz-Target": "DynamoDB_20120810.ListTables",
        "Content-Type": "application/x-amz-json-1.0",
        "Authorization": "AWS4-HMAC-SHA256 Credential=t/20260101/us-east-1/dynamodb/aws4_request, "
        "SignedHeaders=host, Signature=0",
    }
    answer = fetch(server.endpoint, "POST", {}, headers)
    assert answer.headers["x-amz-crc32"] == str(zlib.crc32(answer.body))


def test_acknowledged_writes_survive_a_kill(own_server: LiveServer) -> None:
    tables = own_server.client("dynamodb")
    tables.create_table(
        TableName="kept",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    for number in range(50):
        tables.put_item(TableName="kept", Item={"id": {"S": str(number)}})
    own_server.kill()
    own_server.start()
    assert tables.scan(TableName="kept", Select="COUNT")["Count"] == 50
