"""A queue invokes a function, as its event source mapping says."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from tests.api.lambda_.conftest import ROLE, zipped
from tests.live import LiveServer

from freehold.events.queues import failed_identifiers

_KEEP = """
import boto3
table = boto3.resource('dynamodb').Table('kept')
def handler(event, context):
    failures = []
    for record in event['Records']:
        if record['body'] == 'bad':
            failures.append({'itemIdentifier': record['messageId']})
        else:
            table.put_item(Item={'id': record['body'], 'source': record['eventSource'], 'of': record['eventSourceARN'],
                                 'colour': record['messageAttributes'].get('colour', {}).get('stringValue', '')})
    return {'batchItemFailures': failures}
"""


@pytest.fixture
def queue(own_server: LiveServer) -> tuple[str, str, str]:
    """A queue whose messages are given up after two attempts: its URL, its ARN, and the URL of where they go then."""
    sqs = own_server.client("sqs")
    own_server.client("dynamodb").create_table(
        TableName="kept",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    own_server.client("lambda").create_function(
        FunctionName="keep",
        Runtime="python3.11",
        Handler="app.handler",
        Role=ROLE,
        Timeout=5,
        Code={"ZipFile": zipped({"app.py": _KEEP})},
    )
    dead = sqs.create_queue(QueueName="dead")["QueueUrl"]
    dead_arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = json.dumps({"deadLetterTargetArn": dead_arn, "maxReceiveCount": 2})
    url = sqs.create_queue(QueueName="work", Attributes={"RedrivePolicy": policy, "VisibilityTimeout": "5"})["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    return url, arn, dead


def until(condition: Callable[[], bool], limit_s: float = 40.0) -> None:
    end = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < end, "it did not come"


def kept(server: LiveServer) -> dict[str, dict[str, Any]]:
    return {item["id"]["S"]: item for item in server.client("dynamodb").scan(TableName="kept")["Items"]}


def test_messages_reach_the_function_and_a_bad_one_ends_in_the_dead_letter_queue(
    own_server: LiveServer, queue: tuple[str, str, str]
) -> None:
    url, arn, dead = queue
    sqs = own_server.client("sqs")
    own_server.client("lambda").create_event_source_mapping(
        FunctionName="keep", EventSourceArn=arn, FunctionResponseTypes=["ReportBatchItemFailures"]
    )
    sqs.send_message(
        QueueUrl=url, MessageBody="good", MessageAttributes={"colour": {"DataType": "String", "StringValue": "red"}}
    )
    sqs.send_message(QueueUrl=url, MessageBody="bad")
    until(lambda: "good" in kept(own_server))
    assert kept(own_server)["good"]["colour"] == {"S": "red"}
    assert kept(own_server)["good"]["of"] == {"S": arn}
    found = sqs.receive_message(QueueUrl=dead, WaitTimeSeconds=20)["Messages"]
    assert [each["Body"] for each in found] == ["bad"]


def test_a_message_must_not_show_again_while_its_function_runs(
    own_server: LiveServer, queue: tuple[str, str, str]
) -> None:
    _, arn, _ = queue
    lambda_ = own_server.client("lambda")
    lambda_.update_function_configuration(FunctionName="keep", Timeout=6)
    with pytest.raises(lambda_.exceptions.InvalidParameterValueException) as refused:
        lambda_.create_event_source_mapping(FunctionName="keep", EventSourceArn=arn)
    assert refused.value.response["Error"]["Message"] == (
        "Queue visibility timeout: 5 seconds is less than Function timeout: 6 seconds"
    )
    with pytest.raises(lambda_.exceptions.InvalidParameterValueException, match="NonExistentQueue"):
        lambda_.create_event_source_mapping(FunctionName="keep", EventSourceArn=arn.replace("work", "gone"))
    assert lambda_.list_event_source_mappings()["EventSourceMappings"] == []


def test_what_no_filter_wants_is_dropped_and_a_kill_loses_nothing(
    own_server: LiveServer, queue: tuple[str, str, str]
) -> None:
    url, arn, _ = queue
    sqs = own_server.client("sqs")
    own_server.client("lambda").create_event_source_mapping(
        FunctionName="keep",
        EventSourceArn=arn,
        FilterCriteria={"Filters": [{"Pattern": '{"body": [{"prefix": "yes"}]}'}]},
    )
    for body in ("no-1", "yes-1", "yes-2"):
        sqs.send_message(QueueUrl=url, MessageBody=body)
    own_server.kill()
    own_server.start()
    until(lambda: {"yes-1", "yes-2"} <= set(kept(own_server)))
    assert "no-1" not in kept(own_server)


@pytest.mark.parametrize(
    ("answer", "failed"),
    [
        (b"null", set()),
        (b"{}", set()),
        (b'{"batchItemFailures": [{"itemIdentifier": "a"}]}', {"a"}),
        (b'{"batchItemFailures": [{"itemIdentifier": ""}]}', None),
        (b'{"batchItemFailures": [{}]}', None),
        (b"[1]", None),
        (b"not json", None),
    ],
)
def test_an_answer_names_the_messages_that_failed(answer: bytes, failed: set[str] | None) -> None:
    """AWS: "Implementing partial batch responses", success and failure conditions."""
    assert failed_identifiers(answer) == failed
