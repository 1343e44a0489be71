"""`sns` events of serverless.yml: topics that it makes call its functions, and results go on to another topic."""

from __future__ import annotations

import json
from pathlib import Path

from tests.e2e.conftest import CommandLine
from tests.live import LiveServer

_SERVERLESS = """\
service: topics
provider:
  name: aws
  runtime: python3.11
functions:
  all:
    handler: app.handler
    events: [{sns: orders}]
    destinations: {onSuccess: {type: sns, arn: !Ref Results}}
  some:
    handler: app.handler
    events: [{sns: {topicName: orders, filterPolicy: {size: [large]}}}]
    destinations: {onSuccess: {type: sns, arn: !Ref Results}}
resources:
  Resources:
    Kept: {Type: AWS::SQS::Queue, Properties: {QueueName: kept}}
    Results: {Type: AWS::SNS::Topic, Properties: {Subscription: [{Protocol: sqs, Endpoint: !GetAtt Kept.Arn}]}}
"""


def test_a_topic_calls_functions_and_their_results_reach_another(server: LiveServer, tmp_path: Path) -> None:
    (tmp_path / "serverless.yml").write_text(_SERVERLESS)
    (tmp_path / "app.py").write_text(
        "def handler(event, context):\n    return context.function_name + ' ' + event['Records'][0]['Sns']['Message']\n"
    )
    command_line = CommandLine(tmp_path)
    command_line("deploy", "--endpoint-url", server.endpoint)
    sns, sqs = server.client("sns"), server.client("sqs")
    topic = "arn:aws:sns:us-east-1:000000000000:orders"
    sns.publish(TopicArn=topic, Message="small")
    size = {"size": {"DataType": "String", "StringValue": "large"}}
    sns.publish(TopicArn=topic, Message="big", MessageAttributes=size)
    url, said = sqs.get_queue_url(QueueName="kept")["QueueUrl"], set()
    while len(said) < 3:
        answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=20).get("Messages", [])
        assert answer, f"only {said} came"
        said |= {json.loads(json.loads(one["Body"])["Message"])["responsePayload"] for one in answer}
    assert said == {"topics-dev-all small", "topics-dev-all big", "topics-dev-some big"}
    command_line("remove", "--endpoint-url", server.endpoint)
    assert topic not in {one["TopicArn"] for one in sns.list_topics()["Topics"]}
