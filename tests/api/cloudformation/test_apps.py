"""Whole apps by boto3: SAM with its code in S3, nested stacks, custom resources, and what a restart leaves."""

from __future__ import annotations

import io
import json
import urllib.request
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from tests.live import LiveServer

CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
SAM = """
Transform: AWS::Serverless-2016-10-31
Globals: {Function: {Runtime: python3.11, Handler: app.handler, CodeUri: 's3://%(bucket)s/code.zip'}}
Resources:
  Items:
    Type: AWS::Serverless::SimpleTable
  Get:
    Type: AWS::Serverless::Function
    Properties:
      Environment: {Variables: {TABLE: !Ref Items, GREETING: %(greeting)s}}
      Policies: [{DynamoDBCrudPolicy: {TableName: !Ref Items}}]
      Events: {Any: {Type: HttpApi, Properties: {Path: /hello, Method: get}}}
Outputs:
  Api: {Value: !Ref ServerlessHttpApi}
  Table: {Value: !Ref Items}
"""
CODE = """
import os

def handler(event, context):
    return {"greeting": os.environ["GREETING"], "table": os.environ["TABLE"]}
"""
CUSTOM = """
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: 2012-10-17
        Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: sts:AssumeRole}]
  Maker:
    Type: AWS::Lambda::Function
    Properties:
      Runtime: python3.11
      Handler: index.handler
      Timeout: 20
      Role: !GetAtt Role.Arn
      Code:
        ZipFile: |
          import cfnresponse
          def handler(event, context):
              if event["RequestType"] == "Create" and event["ResourceProperties"]["Fail"] == "true":
                  cfnresponse.send(event, context, cfnresponse.FAILED, {}, "none", reason="as asked")
              else:
                  data = {"Double": 2 * int(event["ResourceProperties"]["Number"])}
                  cfnresponse.send(event, context, cfnresponse.SUCCESS, data, "made")
  Made:
    Type: Custom::Number
    Properties: {ServiceToken: !GetAtt Maker.Arn, Number: 21, Fail: %s}
Outputs:
  Double: {Value: !GetAtt Made.Double}
"""


def zipped(**files: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(name.replace("_py", ".py"), text)
    return buffer.getvalue()


def outputs(cloudformation: Any, name: str) -> dict[str, str]:
    (stack,) = cloudformation.describe_stacks(StackName=name)["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}


def settled(cloudformation: Any, name: str) -> str:
    while True:
        status: str = cloudformation.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]
        if not status.endswith("_IN_PROGRESS"):
            return status


def get(server: LiveServer, api: str, path: str) -> Any:
    with urllib.request.urlopen(f"{server.endpoint}/_aws/execute-api/{api}{path}") as response:
        return json.load(response)


def test_a_sam_app_answers_changes_and_goes(server: LiveServer, client: Callable[..., Any]) -> None:
    cloudformation, s3 = client("cloudformation"), client("s3")
    s3.create_bucket(Bucket="sam-code")
    s3.put_object(Bucket="sam-code", Key="code.zip", Body=zipped(app_py=CODE))
    template = SAM % {"bucket": "sam-code", "greeting": "hello"}
    cloudformation.create_stack(StackName="sam-app", TemplateBody=template, Capabilities=CAPABILITIES)
    assert settled(cloudformation, "sam-app") == "CREATE_COMPLETE"
    found = outputs(cloudformation, "sam-app")
    assert get(server, found["Api"], "/hello") == {"greeting": "hello", "table": found["Table"]}

    changed = SAM % {"bucket": "sam-code", "greeting": "bye"}
    cloudformation.update_stack(StackName="sam-app", TemplateBody=changed, Capabilities=CAPABILITIES)
    assert settled(cloudformation, "sam-app") == "UPDATE_COMPLETE"
    assert get(server, found["Api"], "/hello")["greeting"] == "bye"

    cloudformation.delete_stack(StackName="sam-app")
    cloudformation.get_waiter("stack_delete_complete").wait(StackName="sam-app")
    assert found["Table"] not in client("dynamodb").list_tables()["TableNames"]
    assert not any(f["FunctionName"].startswith("sam-app-") for f in client("lambda").list_functions()["Functions"])
    assert not any(r["RoleName"].startswith("sam-app-") for r in client("iam").list_roles()["Roles"])


def test_a_nested_stack_is_made_and_goes_with_its_parent(client: Callable[..., Any]) -> None:
    cloudformation, s3 = client("cloudformation"), client("s3")
    child = (
        "Parameters: {Days: {Type: Number}}\n"
        "Resources: {G: {Type: AWS::Logs::LogGroup, Properties: {RetentionInDays: !Ref Days}}}\n"
        "Outputs: {Name: {Value: !Ref G}}"
    )
    s3.create_bucket(Bucket="nested")
    s3.put_object(Bucket="nested", Key="child.yaml", Body=child.encode())
    parent = """
Resources:
  Child:
    Type: AWS::CloudFormation::Stack
    Properties: {TemplateURL: 'https://s3.amazonaws.com/nested/child.yaml', Parameters: {Days: %d}}
Outputs: {Name: {Value: !GetAtt Child.Outputs.Name}}
"""
    cloudformation.create_stack(StackName="parent", TemplateBody=parent % 3)
    assert settled(cloudformation, "parent") == "CREATE_COMPLETE"
    name = outputs(cloudformation, "parent")["Name"]
    (nested,) = [s for s in cloudformation.describe_stacks()["Stacks"] if s["StackName"].startswith("parent-Child-")]
    assert nested["ParentId"].split("/")[1] == "parent"
    cloudformation.update_stack(StackName="parent", TemplateBody=parent % 7)
    assert settled(cloudformation, "parent") == "UPDATE_COMPLETE"
    logs = client("logs")
    assert logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"][0]["retentionInDays"] == 7
    cloudformation.delete_stack(StackName="parent")
    cloudformation.get_waiter("stack_delete_complete").wait(StackName="parent")
    assert logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"] == []
    left = [s["StackName"] for s in cloudformation.describe_stacks()["Stacks"]]
    assert not [each for each in left if each.startswith("parent")]


def test_a_custom_resource_is_what_its_function_says(client: Callable[..., Any]) -> None:
    cloudformation = client("cloudformation")
    cloudformation.create_stack(StackName="custom", TemplateBody=CUSTOM % "false", Capabilities=CAPABILITIES)
    assert settled(cloudformation, "custom") == "CREATE_COMPLETE"
    assert outputs(cloudformation, "custom") == {"Double": "42"}
    cloudformation.delete_stack(StackName="custom")
    cloudformation.get_waiter("stack_delete_complete").wait(StackName="custom")


def test_a_custom_resource_that_says_failed_rolls_back_with_its_reason(client: Callable[..., Any]) -> None:
    cloudformation = client("cloudformation")
    cloudformation.create_stack(StackName="custom-no", TemplateBody=CUSTOM % "true", Capabilities=CAPABILITIES)
    assert settled(cloudformation, "custom-no") == "ROLLBACK_COMPLETE"
    events = cloudformation.describe_stack_events(StackName="custom-no")["StackEvents"]
    (reason,) = [e["ResourceStatusReason"] for e in events if e["ResourceStatus"] == "CREATE_FAILED"]
    assert reason.startswith("Received response status [FAILED] from custom resource. Message returned: as asked")


@pytest.mark.parametrize("how", ["restart", "kill"])
def test_a_stack_is_there_after_a_restart(own_server: LiveServer, how: str) -> None:
    template = "Resources: {G: {Type: AWS::Logs::LogGroup}}\nOutputs: {Name: {Value: !Ref G}}"
    cloudformation = own_server.client("cloudformation")
    cloudformation.create_stack(StackName="stays", TemplateBody=template)
    assert settled(cloudformation, "stays") == "CREATE_COMPLETE"
    before = outputs(cloudformation, "stays")
    if how == "kill":
        own_server.kill()
        own_server.start()
    else:
        own_server.restart()
    cloudformation = own_server.client("cloudformation")
    assert outputs(cloudformation, "stays") == before
    cloudformation.delete_stack(StackName="stays")
    cloudformation.get_waiter("stack_delete_complete").wait(StackName="stays")
