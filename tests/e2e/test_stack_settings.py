"""What serverless.yml says about the stack and the stage, beside the template, is in force after a deploy."""

from __future__ import annotations

import json
from pathlib import Path

from tests.e2e.conftest import CommandLine, resources
from tests.live import LiveServer

_SERVERLESS = """\
service: settings
provider:
  name: aws
  runtime: python3.11
  stackTags: {Team: green}
  tags: {Cost: low}
  stackParameters: [{ParameterKey: Size, ParameterValue: '3'}]
  stackPolicy: [{Effect: Allow, Principal: '*', Action: 'Update:*', Resource: '*'}]
  notificationArns: ['arn:aws:sns:us-east-1:000000000000:stacks']
  tracing: {apiGateway: true}
  apiGateway: {metrics: true}
  logs: {restApi: {format: '$context.requestId', level: ERROR, fullExecutionData: false}}
functions:
  one:
    handler: one.handler
    events: [{http: GET one}]
resources:
  Parameters: {Size: {Type: Number, Default: 1}}
  Outputs: {Size: {Value: !Ref Size}}
"""


def test_tags_parameters_policy_and_topics_are_the_stacks(server: LiveServer, tmp_path: Path) -> None:
    _deploy(server, tmp_path, _SERVERLESS)
    cloudformation = server.client("cloudformation")
    (stack,) = cloudformation.describe_stacks(StackName="settings-dev")["Stacks"]
    assert {tag["Key"]: tag["Value"] for tag in stack["Tags"]} == {"STAGE": "dev", "Team": "green"}
    assert {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}["Size"] == "3"
    assert stack["NotificationARNs"] == ["arn:aws:sns:us-east-1:000000000000:stacks"]
    policy = json.loads(cloudformation.get_stack_policy(StackName="settings-dev")["StackPolicyBody"])
    assert policy["Statement"][0]["Action"] == "Update:*"


def test_logs_tracing_metrics_and_tags_are_the_stages_and_go_again(server: LiveServer, tmp_path: Path) -> None:
    _deploy(server, tmp_path, _SERVERLESS)
    gateway = server.client("apigateway")
    api = resources(server, "settings-dev")["ApiGatewayRestApi"]["PhysicalResourceId"]
    place = {"restApiId": api, "stageName": "dev"}
    stage = gateway.get_stage(**place)
    assert stage["tracingEnabled"] is True
    assert stage["tags"] == {"Team": "green", "Cost": "low"}
    assert stage["accessLogSettings"] == {
        "format": "$context.requestId",
        "destinationArn": "arn:aws:logs:us-east-1:000000000000:log-group:/aws/api-gateway/settings-dev",
    }
    settings = stage["methodSettings"]["*/*"]
    assert settings == {"metricsEnabled": True, "loggingLevel": "ERROR", "dataTraceEnabled": False}

    start, end = _SERVERLESS.index("  tracing:"), _SERVERLESS.index("functions:")
    without = "  tracing: {apiGateway: false}\n  logs: {restApi: {accessLogging: false, executionLogging: false}}\n"
    _deploy(server, tmp_path, _SERVERLESS[:start] + without + _SERVERLESS[end:])
    stage = gateway.get_stage(**place)
    assert stage["tracingEnabled"] is False
    assert "accessLogSettings" not in stage
    assert stage["methodSettings"]["*/*"]["loggingLevel"] == "OFF"


def test_a_failed_update_stays_as_far_as_it_came_where_rollback_is_off(server: LiveServer, tmp_path: Path) -> None:
    text = _SERVERLESS.replace("service: settings", "service: kept")
    text = text.replace("name: aws\n", "name: aws\n  disableRollback: true\n")
    _deploy(server, tmp_path, text)
    properties = "Action: 'lambda:InvokeFunction', FunctionName: nobody, Principal: '*'"
    wrong = f"  Resources: {{Bad: {{Type: 'AWS::Lambda::Permission', Properties: {{{properties}}}}}}}\n"
    _deploy(server, tmp_path, text + wrong, status=1)
    (stack,) = server.client("cloudformation").describe_stacks(StackName="kept-dev")["Stacks"]
    assert stack["StackStatus"] == "UPDATE_FAILED"
    _deploy(server, tmp_path, text)


def _deploy(server: LiveServer, directory: Path, text: str, status: int = 0) -> None:
    (directory / "serverless.yml").write_text(text)
    (directory / "one.py").write_text("def handler(event, context):\n    return {'statusCode': 200}\n")
    CommandLine(directory)("deploy", "--endpoint-url", server.endpoint, status=status)
