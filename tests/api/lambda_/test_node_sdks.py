"""The AWS SDKs for JavaScript that a Node function finds without bringing them, and where they lead: to this server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from tests.api.lambda_.conftest import ROLE, zipped
from tests.live import LiveServer

from freehold.runtimes.node_packages import SDK

pytestmark = pytest.mark.skipif(SDK.directory is None, reason="the AWS SDKs for Node.js need npm: scripts/setup")

_VERSION_2 = {
    "index.js": """
const AWS = require('aws-sdk');
const documents = new AWS.DynamoDB.DocumentClient();
const s3 = new AWS.S3();
exports.handler = async ({ table, bucket }) => {
  await documents.put({ TableName: table, Item: { id: 'v2', at: 1 } }).promise();
  await s3.putObject({ Bucket: bucket, Key: 'v2', Body: 'two' }).promise();
  const kept = await documents.get({ TableName: table, Key: { id: 'v2' } }).promise();
  return { item: kept.Item, body: (await s3.getObject({ Bucket: bucket, Key: 'v2' }).promise()).Body.toString() };
};
"""
}
_VERSION_3 = {
    "index.js": """
const { DynamoDBClient } = require('@aws-sdk/client-dynamodb');
const { DynamoDBDocumentClient, PutCommand, GetCommand } = require('@aws-sdk/lib-dynamodb');
const { S3Client, PutObjectCommand, GetObjectCommand } = require('@aws-sdk/client-s3');
const documents = DynamoDBDocumentClient.from(new DynamoDBClient({}));
const s3 = new S3Client({});
exports.handler = async ({ table, bucket }) => {
  await documents.send(new PutCommand({ TableName: table, Item: { id: 'v3', at: 1 } }));
  await s3.send(new PutObjectCommand({ Bucket: bucket, Key: 'v3', Body: 'three' }));
  const kept = await documents.send(new GetCommand({ TableName: table, Key: { id: 'v3' } }));
  const object = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: 'v3' }));
  return { item: kept.Item, body: await object.Body.transformToString() };
};
"""
}
# ES modules resolve by other rules than require: no NODE_PATH.
_VERSION_3_MODULE = {
    "index.mjs": """
import { DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { S3 } from '@aws-sdk/client-s3';
const dynamodb = new DynamoDBClient();
const s3 = new S3();
export const handler = async ({ table, bucket }) => {
  await dynamodb.send(new PutItemCommand({ TableName: table, Item: { id: { S: 'mjs' }, at: { N: '1' } } }));
  await s3.putObject({ Bucket: bucket, Key: 'mjs', Body: 'module' });
  const kept = await dynamodb.send(new GetItemCommand({ TableName: table, Key: { id: { S: 'mjs' } } }));
  const object = await s3.getObject({ Bucket: bucket, Key: 'mjs' });
  return { item: { id: kept.Item.id.S, at: Number(kept.Item.at.N) }, body: await object.Body.transformToString() };
};
"""
}


@pytest.fixture
def places(server: LiveServer) -> Iterator[dict[str, str]]:
    tables, s3 = server.client("dynamodb"), server.client("s3")
    key = [{"AttributeName": "id", "AttributeType": "S"}]
    schema = [{"AttributeName": "id", "KeyType": "HASH"}]
    tables.create_table(
        TableName="node-sdks", AttributeDefinitions=key, KeySchema=schema, BillingMode="PAY_PER_REQUEST"
    )
    s3.create_bucket(Bucket="node-sdks")
    yield {"table": "node-sdks", "bucket": "node-sdks"}
    tables.delete_table(TableName="node-sdks")
    for one in s3.list_objects_v2(Bucket="node-sdks").get("Contents", []):
        s3.delete_object(Bucket="node-sdks", Key=one["Key"])
    s3.delete_bucket(Bucket="node-sdks")


@pytest.mark.parametrize(
    ("files", "item_id", "body"),
    [(_VERSION_2, "v2", "two"), (_VERSION_3, "v3", "three"), (_VERSION_3_MODULE, "mjs", "module")],
    ids=["aws-sdk v2", "@aws-sdk v3", "@aws-sdk v3 from an ES module"],
)
def test_an_sdk_that_the_runtime_brings_reaches_this_server(
    lambda_: Any, places: dict[str, str], files: dict[str, str], item_id: str, body: str
) -> None:
    lambda_.create_function(
        FunctionName="node-sdks", Runtime="nodejs20.x", Handler="index.handler", Role=ROLE, Timeout=20,
        Code={"ZipFile": zipped(files)},
    )  # fmt: skip
    try:
        answer = lambda_.invoke(FunctionName="node-sdks", Payload=json.dumps(places))
        assert json.load(answer["Payload"]) == {"item": {"id": item_id, "at": 1}, "body": body}
    finally:
        lambda_.delete_function(FunctionName="node-sdks")
