"""Functions that invoke themselves. AWS: "Use Lambda recursive loop detection to prevent infinite loops"."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.api.lambda_.test_invoke import until
from tests.live import LiveServer

Make = Callable[..., str]
# Each run is one message in a queue of the test's own, sent without the header that SDKs send, so that it is no loop.
_COUNT = """
import boto3, os
sqs = boto3.client('sqs')
def count(url):
    trace = os.environ.pop('_X_AMZN_TRACE_ID')
    sqs.send_message(QueueUrl=url, MessageBody=trace)
    os.environ['_X_AMZN_TRACE_ID'] = trace
"""
_ITSELF = """
import json
def handler(event, context):
    count(event['runs'])
    client = boto3.client('lambda')
    answer = client.invoke(FunctionName=context.function_name, InvocationType=event['type'], Payload=json.dumps(event))
    return answer.get('FunctionError', 'ok') + answer['Payload'].read().decode()
"""
_BY_QUEUE = """
def handler(event, context):
    count(os.environ['RUNS'])
    sqs.send_message(QueueUrl=os.environ['LOOP'], MessageBody='again')
"""
_BY_TOPIC = """
def handler(event, context):
    count(os.environ['RUNS'])
    boto3.client('sns').publish(TopicArn=os.environ['TOPIC'], Message='again')
"""


@pytest.fixture
def runs(server: LiveServer, request: pytest.FixtureRequest) -> Callable[[], int]:
    sqs = server.client("sqs")
    url = sqs.create_queue(QueueName=f"runs-{request.node.name[:60]}")["QueueUrl"]

    def count() -> int:
        found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
        return int(found["Attributes"]["ApproximateNumberOfMessages"])

    count.url = url  # type: ignore[attr-defined]
    return count


@pytest.fixture
def dead(server: LiveServer, request: pytest.FixtureRequest) -> tuple[str, str]:
    """URL and ARN of a queue."""
    sqs = server.client("sqs")
    url = sqs.create_queue(QueueName=f"dead-{request.node.name[:60]}")["QueueUrl"]
    return url, sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


def _messages(server: LiveServer, url: str) -> list[Any]:
    found: list[Any] = []

    def receive() -> bool:
        wanted = {"MessageAttributeNames": ["All"], "AttributeNames": ["All"], "WaitTimeSeconds": 5}
        found.extend(server.client("sqs").receive_message(QueueUrl=url, **wanted).get("Messages", ()))
        return bool(found)

    until(receive)
    return found


def test_a_function_that_invokes_itself_later_runs_sixteen_times_and_its_event_is_a_dead_letter(
    server: LiveServer, make: Make, lambda_: Any, runs: Any, dead: tuple[str, str]
) -> None:
    name = make(_COUNT + _ITSELF, DeadLetterConfig={"TargetArn": dead[1]}, Timeout=30)
    event = json.dumps({"runs": runs.url, "type": "Event"})
    lambda_.invoke(FunctionName=name, InvocationType="Event", Payload=event)
    (letter,) = _messages(server, dead[0])
    assert letter["Body"] == event
    assert runs() == 16


def test_a_function_that_invokes_itself_and_waits_is_told(make: Make, lambda_: Any, runs: Any) -> None:
    name = make(_COUNT + _ITSELF, Timeout=60)
    answer = lambda_.invoke(FunctionName=name, Payload=json.dumps({"runs": runs.url, "type": "RequestResponse"}))
    assert "RecursiveInvocationException" in answer["Payload"].read().decode()
    assert runs() == 16


def test_the_caller_of_a_stopped_invocation_gets_awss_error(make: Make, lambda_: Any) -> None:
    name = make("import os\ndef handler(event, context):\n    return os.environ['_X_AMZN_TRACE_ID']\n")
    trace = ""

    def send(params: Any, **_: Any) -> None:
        params["headers"]["X-Amzn-Trace-Id"] = trace

    lambda_.meta.events.register("before-call.lambda.Invoke", send)
    try:
        for count in range(16):
            trace = json.loads(lambda_.invoke(FunctionName=name)["Payload"].read())
            assert trace.endswith(f":{count}")
        with pytest.raises(ClientError) as error:
            lambda_.invoke(FunctionName=name)
        assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
        assert error.value.response["Error"]["Code"] == "RecursiveInvocationException"
        lambda_.put_function_recursion_config(FunctionName=name, RecursiveLoop="Allow")
        assert json.loads(lambda_.invoke(FunctionName=name)["Payload"].read()).endswith(":16")
    finally:
        lambda_.meta.events.unregister("before-call.lambda.Invoke", send)


def test_a_loop_through_a_queue_ends_in_its_dead_letter_queue(
    server: LiveServer, make: Make, lambda_: Any, runs: Any, dead: tuple[str, str]
) -> None:
    sqs = server.client("sqs")
    redrive = json.dumps({"deadLetterTargetArn": dead[1], "maxReceiveCount": 1})
    attributes = {"VisibilityTimeout": "5", "RedrivePolicy": redrive}
    loop = sqs.create_queue(QueueName="loop", Attributes=attributes)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=loop, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    environment = {"Variables": {"RUNS": runs.url, "LOOP": loop}}
    name = make(_COUNT + _BY_QUEUE, Timeout=5, Environment=environment)
    mapping = lambda_.create_event_source_mapping(FunctionName=name, EventSourceArn=arn)["UUID"]
    sqs.send_message(QueueUrl=loop, MessageBody="first")
    (letter,) = _messages(server, dead[0])
    assert letter["Body"] == "again"
    assert "Lineage=16:" in letter["Attributes"]["AWSTraceHeader"]
    assert runs() == 16
    lambda_.delete_event_source_mapping(UUID=mapping)


def test_a_loop_through_a_topic_ends_in_the_functions_dead_letter_queue(
    server: LiveServer, make: Make, lambda_: Any, runs: Any, dead: tuple[str, str]
) -> None:
    sns = server.client("sns")
    topic = sns.create_topic(Name="loop")["TopicArn"]
    environment = {"Variables": {"RUNS": runs.url, "TOPIC": topic}}
    name = make(_COUNT + _BY_TOPIC, Environment=environment, DeadLetterConfig={"TargetArn": dead[1]}, Timeout=20)
    arn = lambda_.get_function_configuration(FunctionName=name)["FunctionArn"]
    lambda_.add_permission(
        FunctionName=name, StatementId="sns", Action="lambda:InvokeFunction", Principal="sns.amazonaws.com"
    )
    sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=arn)
    sns.publish(TopicArn=topic, Message="first")
    _messages(server, dead[0])
    assert runs() == 16


def test_a_loop_through_the_functions_own_destination_is_stopped(
    server: LiveServer, lambda_: Any, make: Make, runs: Any, dead: tuple[str, str]
) -> None:
    source = _COUNT + "def handler(event, context):\n    count(os.environ['RUNS'])\n"
    name = make(source, Environment={"Variables": {"RUNS": runs.url}}, Timeout=20)
    arn = lambda_.get_function_configuration(FunctionName=name)["FunctionArn"]
    destinations = {"OnSuccess": {"Destination": arn}, "OnFailure": {"Destination": dead[1]}}
    lambda_.put_function_event_invoke_config(FunctionName=name, DestinationConfig=destinations)
    lambda_.invoke(FunctionName=name, InvocationType="Event", Payload=b"{}")
    _messages(server, dead[0])
    assert runs() == 16


def test_a_loop_through_a_bucket_is_stopped(
    server: LiveServer, lambda_: Any, make: Make, runs: Any, dead: tuple[str, str]
) -> None:
    s3 = server.client("s3")
    s3.create_bucket(Bucket="loops")
    source = _COUNT + (
        "def handler(event, context):\n    count(os.environ['RUNS'])\n"
        "    boto3.client('s3').put_object(Bucket='loops', Key='again', Body=b'')\n"
    )
    environment = {"Variables": {"RUNS": runs.url}}
    name = make(source, Environment=environment, Timeout=20, DeadLetterConfig={"TargetArn": dead[1]})
    arn = lambda_.get_function_configuration(FunctionName=name)["FunctionArn"]
    entry = {"LambdaFunctionArn": arn, "Events": ["s3:ObjectCreated:*"]}
    s3.put_bucket_notification_configuration(
        Bucket="loops", NotificationConfiguration={"LambdaFunctionConfigurations": [entry]}
    )
    s3.put_object(Bucket="loops", Key="first", Body=b"")
    _messages(server, dead[0])
    assert runs() == 16
