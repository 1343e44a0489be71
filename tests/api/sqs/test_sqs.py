from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.live import LiveServer

Client = Callable[..., Any]


def made(sqs: Any, name: str, **attributes: str) -> str:
    if name.endswith(".fifo"):
        attributes["FifoQueue"] = "true"
    return str(sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"])


def received(sqs: Any, url: str, **more: Any) -> list[Any]:
    found: list[Any] = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, **more).get("Messages", [])
    return found


def bodies(sqs: Any, url: str, **more: Any) -> list[str]:
    return [each["Body"] for each in received(sqs, url, **more)]


def arn_of(sqs: Any, url: str) -> str:
    return str(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"])


def test_a_message_is_sent_received_hidden_and_deleted(client: Client) -> None:
    sqs = client("sqs")
    url = made(sqs, "plain")
    assert sqs.get_queue_url(QueueName="plain")["QueueUrl"] == url
    attributes = {
        "kind": {"DataType": "String", "StringValue": "order"},
        "raw": {"DataType": "Binary", "BinaryValue": b"\x00\x01"},
    }
    sent = sqs.send_message(QueueUrl=url, MessageBody="hello", MessageAttributes=attributes)
    assert sent["MD5OfMessageBody"] == hashlib.md5(b"hello").hexdigest()
    (message,) = received(sqs, url, MessageAttributeNames=["All"], MessageSystemAttributeNames=["All"])
    assert (message["Body"], message["MessageId"]) == ("hello", sent["MessageId"])
    assert message["MessageAttributes"] == attributes
    assert message["MD5OfMessageAttributes"] == sent["MD5OfMessageAttributes"]
    assert message["Attributes"]["ApproximateReceiveCount"] == "1"
    assert received(sqs, url) == []
    counts = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert (counts["ApproximateNumberOfMessages"], counts["ApproximateNumberOfMessagesNotVisible"]) == ("0", "1")
    sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0)
    (again,) = received(sqs, url)
    # The receipt of an earlier receive deletes nothing.
    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    sqs.delete_message(QueueUrl=url, ReceiptHandle=again["ReceiptHandle"])
    with pytest.raises(ClientError, match="not available for visibility timeout change"):
        sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=again["ReceiptHandle"], VisibilityTimeout=0)
    assert received(sqs, url) == []


def test_errors_carry_the_names_that_clients_know(client: Client) -> None:
    sqs = client("sqs")
    with pytest.raises(sqs.exceptions.QueueDoesNotExist) as raised:
        sqs.get_queue_url(QueueName="none")
    assert raised.value.response["Error"]["Code"] == "AWS.SimpleQueueService.NonExistentQueue"
    url = made(sqs, "errors", VisibilityTimeout="10")
    with pytest.raises(sqs.exceptions.QueueNameExists, match="different value for attribute VisibilityTimeout"):
        made(sqs, "errors", VisibilityTimeout="11")
    with pytest.raises(sqs.exceptions.ReceiptHandleIsInvalid):
        sqs.delete_message(QueueUrl=url, ReceiptHandle="no handle")
    with pytest.raises(ClientError, match="Can only include alphanumeric"):
        made(sqs, "bad name")
    with pytest.raises(ClientError, match="Invalid value for the parameter DelaySeconds"):
        made(sqs, "bad", DelaySeconds="901")
    with pytest.raises(sqs.exceptions.BatchEntryIdsNotDistinct):
        sqs.send_message_batch(QueueUrl=url, Entries=[{"Id": "a", "MessageBody": "x"}] * 2)


def test_a_batch_tells_which_entries_failed(client: Client) -> None:
    sqs = client("sqs")
    url = made(sqs, "batches", MaximumMessageSize="1024")
    answer = sqs.send_message_batch(
        QueueUrl=url, Entries=[{"Id": "a", "MessageBody": "x"}, {"Id": "b", "MessageBody": "y" * 1025}]
    )
    assert [each["Id"] for each in answer["Successful"]] == ["a"]
    assert [(each["Id"], each["SenderFault"]) for each in answer["Failed"]] == [("b", True)]
    (message,) = received(sqs, url)
    entry = {"Id": "1", "ReceiptHandle": message["ReceiptHandle"]}
    assert sqs.delete_message_batch(QueueUrl=url, Entries=[entry])["Successful"] == [{"Id": "1"}]


def test_a_waiting_receive_gets_a_delayed_message_when_it_is_due(client: Client) -> None:
    sqs = client("sqs")
    url = made(sqs, "delayed")
    sqs.send_message(QueueUrl=url, MessageBody="later", DelaySeconds=1)
    assert received(sqs, url) == []
    assert bodies(sqs, url, WaitTimeSeconds=10) == ["later"]


def test_what_fails_too_often_goes_to_the_dead_letter_queue(client: Client) -> None:
    sqs = client("sqs")
    dead = made(sqs, "dead")
    policy = {"deadLetterTargetArn": arn_of(sqs, dead), "maxReceiveCount": 2}
    url = made(sqs, "failing", RedrivePolicy=json.dumps(policy), VisibilityTimeout="0")
    sqs.send_message(QueueUrl=url, MessageBody="bad")
    assert bodies(sqs, url) == ["bad"]
    assert bodies(sqs, url) == ["bad"]
    assert bodies(sqs, url) == []
    (message,) = received(sqs, dead, MessageSystemAttributeNames=["All"])
    assert message["Attributes"]["DeadLetterQueueSourceArn"] == arn_of(sqs, url)
    assert sqs.list_dead_letter_source_queues(QueueUrl=dead)["queueUrls"] == [url]


def test_a_fifo_queue_keeps_each_groups_order_and_takes_a_message_once(client: Client) -> None:
    sqs = client("sqs")
    url = made(sqs, "ordered.fifo", ContentBasedDeduplication="true")
    for group, body in (("a", "1"), ("a", "2"), ("b", "3"), ("a", "1")):
        sqs.send_message(QueueUrl=url, MessageBody=body, MessageGroupId=group)
    (first,) = sqs.receive_message(QueueUrl=url)["Messages"]
    assert first["Body"] == "1"
    # Group a waits for its first message; group b does not.
    assert bodies(sqs, url) == ["3"]
    sqs.delete_message(QueueUrl=url, ReceiptHandle=first["ReceiptHandle"])
    assert bodies(sqs, url) == ["2"]
    with pytest.raises(ClientError, match="must contain the parameter MessageGroupId"):
        sqs.send_message(QueueUrl=url, MessageBody="x")


def test_tags_purge_and_deletion(client: Client) -> None:
    sqs = client("sqs")
    url = made(sqs, "kept")
    sqs.tag_queue(QueueUrl=url, Tags={"a": "1", "b": "2"})
    sqs.untag_queue(QueueUrl=url, TagKeys=["a"])
    assert sqs.list_queue_tags(QueueUrl=url)["Tags"] == {"b": "2"}
    sqs.send_message(QueueUrl=url, MessageBody="x")
    sqs.purge_queue(QueueUrl=url)
    assert received(sqs, url) == []
    assert url in sqs.list_queues(QueueNamePrefix="ke")["QueueUrls"]
    sqs.delete_queue(QueueUrl=url)
    with pytest.raises(sqs.exceptions.QueueDoesNotExist):
        sqs.send_message(QueueUrl=url, MessageBody="x")


def test_an_accepted_message_outlives_a_kill(own_server: LiveServer) -> None:
    sqs = own_server.client("sqs")
    made(sqs, "durable")
    sqs.send_message(QueueUrl="durable", MessageBody="x")
    own_server.kill()
    own_server.start()
    assert bodies(sqs, "durable") == ["x"]


def test_a_stack_makes_queues_with_a_policy(client: Client) -> None:
    sqs, cloudformation = client("sqs"), client("cloudformation")
    dead = {"Type": "AWS::SQS::Queue", "Properties": {"FifoQueue": True}}
    policy = {"deadLetterTargetArn": {"Fn::GetAtt": ["Dead", "Arn"]}, "maxReceiveCount": 3}
    queue = {
        "QueueName": "stacked.fifo",
        "FifoQueue": True,
        "VisibilityTimeout": 77,
        "RedrivePolicy": policy,
        "Tags": [{"Key": "a", "Value": "1"}],
    }
    statement = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": "*"}
    document = {"Version": "2012-10-17", "Statement": [statement]}
    template = {
        "Resources": {
            "Dead": dead,
            "Queue": {"Type": "AWS::SQS::Queue", "Properties": queue},
            "Policy": {
                "Type": "AWS::SQS::QueuePolicy",
                "Properties": {"Queues": [{"Ref": "Queue"}], "PolicyDocument": document},
            },
        },
        "Outputs": {"Url": {"Value": {"Ref": "Queue"}}},
    }
    cloudformation.create_stack(StackName="queues", TemplateBody=json.dumps(template))
    waiting = {"StackName": "queues", "WaiterConfig": {"Delay": 1, "MaxAttempts": 30}}
    cloudformation.get_waiter("stack_create_complete").wait(**waiting)
    (stack,) = cloudformation.describe_stacks(StackName="queues")["Stacks"]
    url = stack["Outputs"][0]["OutputValue"]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert (attributes["VisibilityTimeout"], attributes["FifoQueue"]) == ("77", "true")
    assert json.loads(attributes["Policy"]) == document
    assert sqs.list_queue_tags(QueueUrl=url)["Tags"]["a"] == "1"
    cloudformation.delete_stack(StackName="queues")
    cloudformation.get_waiter("stack_delete_complete").wait(**waiting)
    with pytest.raises(sqs.exceptions.QueueDoesNotExist):
        sqs.get_queue_url(QueueName="stacked.fifo")
