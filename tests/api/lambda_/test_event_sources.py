"""A table's stream invokes a function, as its event source mapping says."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.api.lambda_.conftest import ROLE, zipped
from tests.live import LiveServer

_COPY = """
import boto3
table = boto3.resource('dynamodb').Table('copied')
def handler(event, context):
    for record in event['Records']:
        table.put_item(Item={
            'id': record['eventName'] + record['dynamodb']['Keys']['id']['S'],
            'arn': record['eventSourceARN'],
        })
"""


def table(server: LiveServer, name: str, stream: bool) -> str:
    more = {"StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}} if stream else {}
    made = server.client("dynamodb").create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        **more,
    )
    return str(made["TableDescription"].get("LatestStreamArn", ""))


def put(server: LiveServer, name: str, item: str) -> None:
    server.client("dynamodb").put_item(TableName=name, Item={"id": {"S": item}})


def copied(server: LiveServer) -> set[str]:
    return {item["id"]["S"] for item in server.client("dynamodb").scan(TableName="copied")["Items"]}


def until(condition: Callable[[], bool], limit_s: float = 30.0) -> None:
    end = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < end, "it did not come"


@pytest.fixture
def stream(own_server: LiveServer) -> str:
    """Of the table "written", beside a table "copied" and the function "copy"."""
    table(own_server, "copied", stream=False)
    own_server.client("lambda").create_function(
        FunctionName="copy",
        Runtime="python3.11",
        Handler="app.handler",
        Role=ROLE,
        Timeout=20,
        Code={"ZipFile": zipped({"app.py": _COPY})},
    )
    return table(own_server, "written", stream=True)


def test_writes_reach_the_function_also_over_a_kill(own_server: LiveServer, stream: str) -> None:
    put(own_server, "written", "before")
    lambda_ = own_server.client("lambda")
    made = lambda_.create_event_source_mapping(FunctionName="copy", EventSourceArn=stream, StartingPosition="LATEST")
    assert made["State"] == "Creating"
    put(own_server, "written", "first")
    until(lambda: "INSERTfirst" in copied(own_server))
    put(own_server, "written", "second")
    own_server.kill()
    own_server.start()
    put(own_server, "written", "third")
    until(lambda: {"INSERTsecond", "INSERTthird"} <= copied(own_server))
    assert "INSERTbefore" not in copied(own_server)
    found = own_server.client("lambda").get_event_source_mapping(UUID=made["UUID"])
    assert (found["State"], found["LastProcessingResult"]) == ("Enabled", "OK")


def test_a_filter_lets_some_through(own_server: LiveServer, stream: str) -> None:
    pattern = '{"eventName": ["INSERT"], "dynamodb": {"Keys": {"id": {"S": [{"prefix": "yes"}]}}}}'
    own_server.client("lambda").create_event_source_mapping(
        FunctionName="copy",
        EventSourceArn=stream,
        StartingPosition="TRIM_HORIZON",
        FilterCriteria={"Filters": [{"Pattern": pattern}]},
    )
    put(own_server, "written", "no-1")
    put(own_server, "written", "yes-1")
    until(lambda: "INSERTyes-1" in copied(own_server))
    assert copied(own_server) == {"INSERTyes-1"}


def test_a_disabled_mapping_rests_and_goes_on_where_it_was(own_server: LiveServer, stream: str) -> None:
    lambda_ = own_server.client("lambda")
    uuid = lambda_.create_event_source_mapping(
        FunctionName="copy", EventSourceArn=stream, StartingPosition="TRIM_HORIZON"
    )["UUID"]
    put(own_server, "written", "one")
    until(lambda: copied(own_server) == {"INSERTone"})
    lambda_.update_event_source_mapping(UUID=uuid, Enabled=False)
    put(own_server, "written", "two")
    assert lambda_.get_event_source_mapping(UUID=uuid)["State"] == "Disabled"
    lambda_.update_event_source_mapping(UUID=uuid, Enabled=True)
    until(lambda: copied(own_server) == {"INSERTone", "INSERTtwo"})


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"TumblingWindowInSeconds": 30}, "TumblingWindowInSeconds"),
        ({"FilterCriteria": {"Filters": [{"Pattern": "{"}]}}, "Invalid filter pattern definition."),
        ({"DestinationConfig": {"OnFailure": {"Destination": "arn:aws:s3:::bucket"}}}, "arn:aws:s3:::bucket"),
    ],
    ids=["window", "pattern", "destination"],
)
def test_what_cannot_be_honoured_is_refused_by_name(
    own_server: LiveServer, stream: str, settings: dict[str, Any], words: str
) -> None:
    lambda_ = own_server.client("lambda")
    with pytest.raises(ClientError, match="InvalidParameterValueException") as error:
        lambda_.create_event_source_mapping(
            FunctionName="copy", EventSourceArn=stream, StartingPosition="LATEST", **settings
        )
    assert words in error.value.response["Error"]["Message"]
    assert lambda_.list_event_source_mappings()["EventSourceMappings"] == []
