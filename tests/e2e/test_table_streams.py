"""Functions behind a table's stream, from serverless.yml and a SAM template: deployed, fed, killed, started again."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import CommandLine
from tests.live import LiveServer

_HANDLER = """
import os
import boto3

seen = boto3.resource("dynamodb").Table(os.environ["SEEN"])


def handler(event, context):
    for record in event["Records"]:
        change = record["dynamodb"]
        if record["eventName"] == "INSERT" and "bad" in change["NewImage"]:
            return {"batchItemFailures": [{"itemIdentifier": change["SequenceNumber"]}]}
        seen.update_item(
            Key={"id": change["Keys"]["id"]["S"]},
            UpdateExpression="ADD times :one SET kind = :kind",
            ExpressionAttributeValues={":one": 1, ":kind": record["eventName"]},
        )
"""
_SERVERLESS = """
service: watcher
frameworkVersion: '3'
provider:
  name: aws
  runtime: python3.11
  environment:
    SEEN: seen
functions:
  watch:
    handler: handler.handler
    events:
      - stream:
          type: dynamodb
          arn: !GetAtt Orders.StreamArn
          batchSize: 5
          startingPosition: TRIM_HORIZON
          maximumRetryAttempts: 1
          bisectBatchOnFunctionError: true
          functionResponseType: ReportBatchItemFailures
          filterPatterns:
            - eventName: [INSERT]
resources:
  Resources:
"""
_TABLES = """
    Orders:
      Type: AWS::DynamoDB::Table
      Properties:
        TableName: orders
        BillingMode: PAY_PER_REQUEST
        KeySchema: [{AttributeName: id, KeyType: HASH}]
        AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
        StreamSpecification: {StreamViewType: NEW_AND_OLD_IMAGES}
    Seen:
      Type: AWS::DynamoDB::Table
      Properties:
        TableName: seen
        BillingMode: PAY_PER_REQUEST
        KeySchema: [{AttributeName: id, KeyType: HASH}]
        AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
"""
_SAM = """
Transform: AWS::Serverless-2016-10-31
Resources:
    Watch:
      Type: AWS::Serverless::Function
      Properties:
        Runtime: python3.11
        Handler: handler.handler
        CodeUri: .
        Environment: {Variables: {SEEN: seen}}
        Events:
          Changes:
            Type: DynamoDB
            Properties:
              Stream: !GetAtt Orders.StreamArn
              StartingPosition: TRIM_HORIZON
              BatchSize: 5
              MaximumRetryAttempts: 1
              BisectBatchOnFunctionError: true
              FunctionResponseTypes: [ReportBatchItemFailures]
              FilterCriteria: {Filters: [{Pattern: '{"eventName": ["INSERT"]}'}]}
"""


@pytest.fixture(params=["serverless.yml", "template.yaml"])
def server(own_server: LiveServer, tmp_path: Path, request: pytest.FixtureRequest) -> LiveServer:
    """With the service deployed."""
    text = _SERVERLESS + _TABLES if request.param == "serverless.yml" else _SAM + _TABLES
    service = tmp_path / "service"
    service.mkdir()
    (service / request.param).write_text(text)
    (service / "handler.py").write_text(_HANDLER)
    CommandLine(service)("deploy", ".", "--stack-name", "watcher-dev", "--endpoint-url", own_server.endpoint)
    return own_server


def test_every_wanted_change_reaches_the_function_and_a_bad_one_holds_back_no_other(server: LiveServer) -> None:
    orders = server.client("dynamodb")
    for number in range(12):
        bad = {"bad": {"BOOL": True}} if number == 3 else {}
        orders.put_item(TableName="orders", Item={"id": {"S": f"o{number}"}} | bad)
    orders.delete_item(TableName="orders", Key={"id": {"S": "o0"}})
    wanted = {f"o{number}" for number in range(12)} - {"o3"}
    seen = _wait(lambda: _seen(server), lambda found: set(found) == wanted)
    assert {item["kind"]["S"] for item in seen.values()} == {"INSERT"}


def test_after_a_kill_every_change_is_delivered_from_where_it_was(server: LiveServer) -> None:
    orders = server.client("dynamodb")
    for number in range(10):
        orders.put_item(TableName="orders", Item={"id": {"S": f"o{number}"}})
    _wait(lambda: _seen(server), bool)
    server.kill()
    server.start()
    orders.put_item(TableName="orders", Item={"id": {"S": "last"}})
    wanted = {f"o{number}" for number in range(10)} | {"last"}
    seen = _wait(lambda: _seen(server), lambda found: set(found) == wanted)
    assert seen["last"]["times"] == {"N": "1"}


def _seen(server: LiveServer) -> dict[str, Any]:
    return {item["id"]["S"]: item for item in server.client("dynamodb").scan(TableName="seen")["Items"]}


def _wait(read: Callable[[], dict[str, Any]], wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    end = time.monotonic() + 60
    while not wanted(found := read()):
        assert time.monotonic() < end, f"only {sorted(found)} came"
        time.sleep(0.05)
    return found
