"""DynamoDB's protocol without an SDK: statuses, error types, checksums. AWS: "DynamoDB low-level API"."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.conftest import Answer, fetch
from tests.live import LiveServer

_HEADERS = {
    "Content-Type": "application/x-amz-json-1.0",
    "Authorization": "AWS4-HMAC-SHA256 Credential=t/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, "
    "Signature=0",
}
_TABLE = {
    "TableName": "wire",
    "BillingMode": "PAY_PER_REQUEST",
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
}


@pytest.fixture
def table(server: LiveServer) -> Iterator[str]:
    ask(server, "CreateTable", _TABLE)
    yield "wire"
    ask(server, "DeleteTable", {"TableName": "wire"})


def ask(server: LiveServer, operation: str, document: Any, headers: dict[str, str] | None = None) -> Answer:
    target = {"X-Amz-Target": f"DynamoDB_20120810.{operation}"}
    return fetch(server.endpoint, "POST", document, {**_HEADERS, **target, **(headers or {})})


@pytest.mark.parametrize(
    ("operation", "document", "type_"),
    [
        (
            "GetItem",
            {"TableName": "none", "Key": {"id": {"S": "a"}}},
            "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException",
        ),
        ("GetItem", {"TableName": "wire"}, "com.amazon.coral.validate#ValidationException"),
        ("GetItem", {"TableName": 5, "Key": {}}, "com.amazon.coral.service#SerializationException"),
        ("GetItem", [], "com.amazon.coral.service#SerializationException"),
        ("Dance", {}, "com.amazon.coral.service#UnknownOperationException"),
        (
            "PutItem",
            {"TableName": "wire", "Item": {"id": {"S": "a"}}, "ConditionExpression": "attribute_exists(id)"},
            "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException",
        ),
        ("CreateTable", _TABLE, "com.amazonaws.dynamodb.v20120810#ResourceInUseException"),
    ],
)
def test_an_error_has_its_type_its_status_and_its_checksum(
    server: LiveServer, table: str, operation: str, document: Any, type_: str
) -> None:
    answer = ask(server, operation, document)
    assert (answer.status, answer.json["__type"]) == (400, type_)
    assert answer.json["message"]
    assert answer.headers["content-type"] == "application/x-amz-json-1.0"
    assert answer.headers["x-amz-crc32"] == str(zlib.crc32(answer.body))
    assert answer.headers["x-amzn-requestid"]


def test_an_answer_has_its_checksum_also_when_it_is_compressed(server: LiveServer, table: str) -> None:
    item = {"id": {"S": "a"}, "text": {"S": "x" * 50_000}}
    assert ask(server, "PutItem", {"TableName": table, "Item": item}).body == b"{}"
    get = {"TableName": table, "Key": {"id": {"S": "a"}}}
    plain = ask(server, "GetItem", get)
    assert plain.json == {"Item": item}
    small = ask(server, "GetItem", get, {"Accept-Encoding": "gzip"})
    assert small.headers["content-encoding"] == "gzip"
    assert json.loads(gzip.decompress(small.body)) == {"Item": item}
    # What an SDK checks is the body as it came.
    for answer in (plain, small):
        assert answer.headers["x-amz-crc32"] == str(zlib.crc32(answer.body))


def test_a_server_that_was_told_to_keeps_tables_to_their_capacity(tmp_path: Path) -> None:
    live = LiveServer(tmp_path / "data", throttle_tables=True)
    live.start()
    try:
        throughput = {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1}
        ask(live, "CreateTable", {**_TABLE, "BillingMode": "PROVISIONED", "ProvisionedThroughput": throughput})
        large = {"TableName": "wire", "Item": {"id": {"S": "a"}, "text": {"S": "x" * 300_000}}}
        assert ask(live, "PutItem", large).status == 200
        answer = ask(live, "PutItem", large)
        assert (answer.status, answer.json["__type"].rpartition("#")[2]) == (
            400,
            "ProvisionedThroughputExceededException",
        )
    finally:
        live.stop()
