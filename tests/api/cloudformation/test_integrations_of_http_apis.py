"""HTTP APIs without functions, by templates: queues and buses behind routes, as public SAM patterns have them."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

import pytest
from botocore.exceptions import WaiterError
from tests.live import LiveServer

CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
COMMON = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Queue: {Type: AWS::SQS::Queue}
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: 2012-10-17
        Statement: [{Effect: Allow, Principal: {Service: [apigateway.amazonaws.com]}, Action: ['sts:AssumeRole']}]
      Policies:
        - PolicyName: send
          PolicyDocument:
            Version: 2012-10-17
            Statement:
              - {Effect: Allow, Action: ['sqs:SendMessage', 'sqs:ReceiveMessage'], Resource: !GetAtt Queue.Arn}
              - {Effect: Allow, Action: 'events:PutEvents', Resource: '*'}
Outputs:
  Api: {Value: !Ref Api}
  Queue: {Value: !Ref Queue}
"""
BODY = """
  Api:
    Type: AWS::Serverless::HttpApi
    Properties:
      DefinitionBody:
        openapi: 3.0.1
        info: {title: queue}
        paths:
          /submit:
            post:
              x-amazon-apigateway-integration:
                type: aws_proxy
                integrationSubtype: SQS-SendMessage
                credentials: {'Fn::GetAtt': [Role, Arn]}
                connectionType: INTERNET
                payloadFormatVersion: '1.0'
                requestParameters: {MessageBody: $request.body, QueueUrl: {Ref: Queue}}
                responseParameters: {'200': {'overwrite:statuscode': '202'}}
          /next:
            get:
              x-amazon-apigateway-integration:
                type: aws_proxy
                integrationSubtype: SQS-ReceiveMessage
                credentials: {'Fn::GetAtt': [Role, Arn]}
                payloadFormatVersion: '1.0'
                requestParameters: {QueueUrl: {Ref: Queue}, MaxNumberOfMessages: '10'}
          /purge:
            delete:
              x-amazon-apigateway-integration:
                type: aws_proxy
                integrationSubtype: SQS-PurgeQueue
                credentials: {'Fn::GetAtt': [Role, Arn]}
                payloadFormatVersion: '1.0'
                requestParameters: {QueueUrl: {Ref: Queue}}
"""
RESOURCES = """
  Api: {Type: AWS::ApiGatewayV2::Api, Properties: {Name: events, ProtocolType: HTTP}}
  Stage: {Type: AWS::ApiGatewayV2::Stage, Properties: {ApiId: !Ref Api, StageName: $default, AutoDeploy: true}}
  Rule:
    Type: AWS::Events::Rule
    Properties:
      EventPattern: {source: [shop]}
      Targets: [{Id: queue, Arn: !GetAtt Queue.Arn}]
  Allow:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [!Ref Queue]
      PolicyDocument:
        Version: 2012-10-17
        Statement:
          - {Effect: Allow, Principal: {Service: events.amazonaws.com}, Action: 'sqs:SendMessage', Resource: '*'}
  Put:
    Type: AWS::ApiGatewayV2::Integration
    Properties:
      ApiId: !Ref Api
      IntegrationType: AWS_PROXY
      IntegrationSubtype: EventBridge-PutEvents
      PayloadFormatVersion: '1.0'
      CredentialsArn: !GetAtt Role.Arn
      RequestParameters: {Source: shop, DetailType: made, Detail: $request.body%(more)s}
      ResponseParameters: %(answers)s
  Route:
    Type: AWS::ApiGatewayV2::Route
    Properties: {ApiId: !Ref Api, RouteKey: POST /events, Target: !Sub 'integrations/${Put}'}
"""


def template(resources: str) -> str:
    return COMMON.replace("Outputs:", resources.lstrip("\n") + "Outputs:")


def deploy(cloudformation: Any, name: str, body: str, kind: str = "CREATE") -> dict[str, str]:
    set_name = f"{kind.lower()}-it"
    cloudformation.create_change_set(
        StackName=name, ChangeSetName=set_name, ChangeSetType=kind, TemplateBody=body, Capabilities=CAPABILITIES
    )
    cloudformation.get_waiter("change_set_create_complete").wait(
        ChangeSetName=set_name, StackName=name, WaiterConfig={"Delay": 0.1}
    )
    cloudformation.execute_change_set(StackName=name, ChangeSetName=set_name)
    waiter = cloudformation.get_waiter(f"stack_{kind.lower()}_complete")
    waiter.wait(StackName=name, WaiterConfig={"Delay": 0.1})
    (stack,) = cloudformation.describe_stacks(StackName=name)["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def ask(server: LiveServer, api_id: str, method: str, path: str, body: str = "") -> tuple[int, Any, str]:
    """Status, headers and body."""
    url = f"{server.endpoint}/_aws/execute-api/{api_id}{path}"
    request = urllib.request.Request(url, body.encode() or None, {"Content-Type": "application/json"}, method=method)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, error.read().decode()


def test_a_queue_stands_behind_an_http_api_of_a_sam_template(server: LiveServer, client: Callable[..., Any]) -> None:
    cloudformation, sqs = client("cloudformation"), client("sqs")
    found = deploy(cloudformation, "http-queue", template(BODY))
    status, headers, body = ask(server, found["Api"], "POST", "/submit", '{"id": "ä<1>"}')
    assert (status, headers["content-type"]) == (202, "text/xml")
    message_id = ElementTree.fromstring(body).findtext(".//{*}MessageId")
    (message,) = sqs.receive_message(QueueUrl=found["Queue"], VisibilityTimeout=0)["Messages"]
    assert (message["MessageId"], message["Body"]) == (message_id, '{"id": "ä<1>"}')
    status, _, body = ask(server, found["Api"], "GET", "/next")
    assert (status, ElementTree.fromstring(body).findtext(".//{*}Message/{*}Body")) == (200, '{"id": "ä<1>"}')
    # Its role may send and receive, and nothing else.
    assert ask(server, found["Api"], "DELETE", "/purge")[0] == 500
    cloudformation.delete_stack(StackName="http-queue")
    cloudformation.get_waiter("stack_delete_complete").wait(StackName="http-queue", WaiterConfig={"Delay": 0.1})


def test_an_event_goes_from_a_route_to_a_rules_target_and_a_template_takes_mappings_back(
    server: LiveServer, client: Callable[..., Any]
) -> None:
    cloudformation, sqs = client("cloudformation"), client("sqs")
    first = "{'200': {ResponseParameters: [{Destination: 'overwrite:statuscode', Source: '202'}]}}"
    made = template(RESOURCES % {"more": ", Resources: 'arn:one'", "answers": first})
    found = deploy(cloudformation, "http-events", made)
    status, _, body = ask(server, found["Api"], "POST", "/events", '{"id": 7}')
    assert (status, json.loads(body)["FailedEntryCount"]) == (202, 0)
    (message,) = sqs.receive_message(QueueUrl=found["Queue"], WaitTimeSeconds=10)["Messages"]
    event = json.loads(message["Body"])
    assert (event["detail"], event["detail-type"], event["resources"]) == ({"id": 7}, "made", ["arn:one"])
    second = "{'202': {ResponseParameters: [{Destination: 'append:header.x', Source: y}]}}"
    deploy(cloudformation, "http-events", template(RESOURCES % {"more": "", "answers": second}), "UPDATE")
    (integration,) = client("apigatewayv2").get_integrations(ApiId=found["Api"])["Items"]
    assert sorted(integration["RequestParameters"]) == ["Detail", "DetailType", "Source"]
    assert integration["ResponseParameters"] == {"202": {"append:header.x": "y"}}
    assert ask(server, found["Api"], "POST", "/events", '{"id": 8}')[0] == 200


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            ("SQS-SendMessage", "Kinesis-PutRecord"),
            "Freehold does not support the integration subtype Kinesis-PutRecord yet.",
        ),
        (
            ("overwrite:statuscode", "replace:statuscode"),
            "Invalid Response Actioned Parameter destination specified: replace:statuscode",
        ),
        (
            ("MessageBody: $request.body, ", ""),
            "The parameter MessageBody is required for the integration subtype SQS-SendMessage",
        ),
    ],
)
def test_what_cannot_be_honoured_does_not_deploy(
    client: Callable[..., Any], change: tuple[str, str], reason: str
) -> None:
    cloudformation = client("cloudformation")
    name = f"http-refused-{abs(hash(change)) % 10_000}"
    cloudformation.create_change_set(
        StackName=name,
        ChangeSetName="it",
        ChangeSetType="CREATE",
        TemplateBody=template(BODY.replace(*change)),
        Capabilities=CAPABILITIES,
    )
    cloudformation.get_waiter("change_set_create_complete").wait(
        ChangeSetName="it", StackName=name, WaiterConfig={"Delay": 0.1}
    )
    cloudformation.execute_change_set(StackName=name, ChangeSetName="it")
    with pytest.raises(WaiterError, match="ROLLBACK_COMPLETE"):
        cloudformation.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 0.1})
    events = cloudformation.describe_stack_events(StackName=name)["StackEvents"]
    assert any(reason in event.get("ResourceStatusReason", "") for event in events)
