"""DynamoDB as the SDKs for JavaScript speak to it: types, pages, errors by name, reasons of transactions, checksums."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.live import LiveServer

from freehold.runtimes.node_packages import SDK

pytestmark = pytest.mark.skipif(SDK.directory is None, reason="the AWS SDKs for Node.js need npm: scripts/setup")

# Version 2 checks x-amz-crc32 of each answer.
_VERSION_2 = """
const AWS = require('aws-sdk');
const settings = { endpoint: process.env.ENDPOINT, region: 'us-east-1', maxRetries: 0 };
const low = new AWS.DynamoDB(settings);
const documents = new AWS.DynamoDB.DocumentClient(settings);
exports.set = (values) => documents.createSet(values);
exports.plain = (set) => set.values.sort();
exports.put = (input) => documents.put(input).promise();
exports.get = (input) => documents.get(input).promise();
exports.query = (input) => documents.query(input).promise();
exports.transact = (input) => low.transactWriteItems(input).promise();
exports.told = (error) => [error.code, error.statusCode, error.message];
"""
_VERSION_3 = """
const { DynamoDBClient, TransactWriteItemsCommand } = require('@aws-sdk/client-dynamodb');
const { DynamoDBDocumentClient, PutCommand, GetCommand, QueryCommand } = require('@aws-sdk/lib-dynamodb');
const low = new DynamoDBClient({ endpoint: process.env.ENDPOINT, region: 'us-east-1', maxAttempts: 1 });
const documents = DynamoDBDocumentClient.from(low);
exports.set = (values) => new Set(values);
exports.plain = (set) => [...set].sort();
exports.put = (input) => documents.send(new PutCommand(input));
exports.get = (input) => documents.send(new GetCommand(input));
exports.query = (input) => documents.send(new QueryCommand(input));
exports.transact = (input) => low.send(new TransactWriteItemsCommand(input));
exports.told = (error) => [error.name, error.$metadata.httpStatusCode, error.message];
"""
_PROGRAM = """
const sdk = require('./sdk.js');
const TableName = process.env.TABLE;
const failed = async (promise) => { try { await promise; return null; } catch (error) { return sdk.told(error); } };
(async () => {
  const found = {};
  const item = { id: 'types', at: 0, bytes: Buffer.from([0, 255]), names: sdk.set(['b', 'a']), none: null, yes: true,
    nested: { list: [1, 'two', { three: 3.25 }] }, empty: '' };
  await sdk.put({ TableName, Item: item });
  const kept = (await sdk.get({ TableName, Key: { id: 'types', at: 0 }, ConsistentRead: true })).Item;
  found.types = { ...kept, bytes: [...kept.bytes], names: sdk.plain(kept.names) };
  for (let at = 1; at <= 5; at++) await sdk.put({ TableName, Item: { id: 'pages', at } });
  const query = { TableName, KeyConditionExpression: '#i = :i', ExpressionAttributeNames: { '#i': 'id' },
    ExpressionAttributeValues: { ':i': 'pages' }, Limit: 2 };
  found.pages = [];
  for (let start; ;) {
    const page = await sdk.query({ ...query, ExclusiveStartKey: start });
    found.pages.push(page.Items.map((each) => each.at));
    start = page.LastEvaluatedKey;
    if (!start) break;
  }
  const absent = { TableName, Item: { id: 'pages', at: 1 }, ConditionExpression: 'attribute_not_exists(id)' };
  found.condition = await failed(sdk.put(absent));
  found.missing = await failed(sdk.get({ TableName: 'no-such-table', Key: { id: 'a', at: 0 } }));
  const ConditionExpression = 'attribute_not_exists(id)';
  const Put = (at) => ({ Put: { TableName, Item: { id: { S: 'pages' }, at: { N: at } }, ConditionExpression } });
  found.cancelled = await failed(sdk.transact({ TransactItems: [Put('1'), Put('9')] }));
  found.unwritten = (await sdk.get({ TableName, Key: { id: 'pages', at: 9 } })).Item === undefined;
  console.log(JSON.stringify(found));
})();
"""


@pytest.fixture
def table(server: LiveServer) -> Iterator[str]:
    client = server.client("dynamodb")
    client.create_table(
        TableName="javascript",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}, {"AttributeName": "at", "KeyType": "RANGE"}],
        AttributeDefinitions=[
            {"AttributeName": "id", "AttributeType": "S"},
            {"AttributeName": "at", "AttributeType": "N"},
        ],
    )
    yield "javascript"
    client.delete_table(TableName="javascript")


@pytest.mark.parametrize("version", [_VERSION_2, _VERSION_3], ids=["version 2", "version 3"])
def test_the_sdks_for_javascript_find_a_dynamodb(server: LiveServer, table: str, tmp_path: Path, version: str) -> None:
    (tmp_path / "sdk.js").write_text(version)
    (tmp_path / "main.js").write_text(_PROGRAM)
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "NODE_PATH": str(SDK.directory),
        "ENDPOINT": server.endpoint,
        "TABLE": table,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_SDK_JS_SUPPRESS_MAINTENANCE_MODE_MESSAGE": "1",
    }
    command = ["node", str(tmp_path / "main.js")]
    ended = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60, check=False)
    assert ended.returncode == 0, ended.stderr
    found: dict[str, Any] = json.loads(ended.stdout)
    assert found["types"] == {
        "id": "types",
        "at": 0,
        "bytes": [0, 255],
        "names": ["a", "b"],
        "none": None,
        "yes": True,
        "nested": {"list": [1, "two", {"three": 3.25}]},
        "empty": "",
    }
    assert found["pages"] == [[1, 2], [3, 4], [5]]
    assert found["condition"] == ["ConditionalCheckFailedException", 400, "The conditional request failed"]
    assert found["missing"] == ["ResourceNotFoundException", 400, "Requested resource not found"]
    name, status, message = found["cancelled"]
    assert (name, status) == ("TransactionCanceledException", 400)
    assert "[ConditionalCheckFailed, None]" in message
    assert found["unwritten"]
