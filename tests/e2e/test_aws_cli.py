"""The AWS CLI against a live server: what a person types, unchanged but for the endpoint."""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path

from tests.e2e.conftest import Aws, fetch
from tests.live import LiveServer

_TEMPLATE = """
AWSTemplateFormatVersion: '2010-09-09'
Transform: AWS::Serverless-2016-10-31
Parameters:
  Greeting: {Type: String, Default: Hello}
Resources:
  Api:
    Type: AWS::Serverless::HttpApi
  Hello:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.11
      Handler: app.handler
      CodeUri: src/
      Environment: {Variables: {GREETING: !Ref Greeting}}
      Events:
        Get: {Type: HttpApi, Properties: {ApiId: !Ref Api, Path: '/hello', Method: get}}
Outputs:
  Url: {Value: !GetAtt Api.ApiEndpoint}
"""
_HANDLER = "import os\ndef handler(event, context):\n    return os.environ['GREETING'] + ', CLI'\n"


def test_a_sam_app_is_packaged_and_deployed(aws: Aws, server: LiveServer, tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "app.py").write_text(_HANDLER)
    (tmp_path / "template.yaml").write_text(_TEMPLATE)
    aws("s3", "mb", "s3://cli-artifacts")
    package = ("--template-file", "template.yaml", "--output-template-file", "out.yaml")
    aws("cloudformation", "package", *package, "--s3-bucket", "cli-artifacts")
    deploy = ("cloudformation", "deploy", "--template-file", "out.yaml", "--stack-name", "cli-app")
    deploy = (*deploy, "--capabilities", "CAPABILITY_IAM")
    assert "Successfully created/updated stack - cli-app" in aws(*deploy)
    outputs = aws("cloudformation", "describe-stacks", "--stack-name", "cli-app")["Stacks"][0]["Outputs"]
    assert fetch(f"{outputs[0]['OutputValue']}/hello").body == b"Hello, CLI"
    assert "No changes to deploy" in aws(*deploy, fails=True)
    aws(*deploy, "--parameter-overrides", "Greeting=Hi")
    assert fetch(f"{outputs[0]['OutputValue']}/hello").body == b"Hi, CLI"
    aws("cloudformation", "delete-stack", "--stack-name", "cli-app")
    aws("cloudformation", "wait", "stack-delete-complete", "--stack-name", "cli-app")
    assert "does not exist" in aws("cloudformation", "describe-stacks", "--stack-name", "cli-app", fails=True)


def test_a_function_is_made_called_and_its_log_read(aws: Aws, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "code.zip", "w") as archive:
        archive.writestr("app.py", "def handler(event, context):\n    print('seen', event)\n    return event\n")
    made = aws(
        "lambda", "create-function", "--function-name", "cli-echo", "--runtime", "python3.12",
        "--handler", "app.handler", "--role", "arn:aws:iam::000000000000:role/cli", "--zip-file", "fileb://code.zip",
    )  # fmt: skip
    assert made["State"] == "Active"
    call = ("lambda", "invoke", "--function-name", "cli-echo", "--payload", '{"a": 1}', "out.json")
    assert aws(*call)["StatusCode"] == 200
    assert json.loads((tmp_path / "out.json").read_text()) == {"a": 1}
    found = aws("logs", "filter-log-events", "--log-group-name", "/aws/lambda/cli-echo", "--filter-pattern", "seen")
    assert [event["message"].strip() for event in found["events"]] == ["seen {'a': 1}"]
    assert "ResourceNotFoundException" in aws("lambda", "get-function", "--function-name", "none", fails=True)


def test_items_are_put_and_queried(aws: Aws) -> None:
    aws(
        "dynamodb", "create-table", "--table-name", "cli-items", "--billing-mode", "PAY_PER_REQUEST",
        "--attribute-definitions", "AttributeName=id,AttributeType=S", "--key-schema", "AttributeName=id,KeyType=HASH",
    )  # fmt: skip
    aws("dynamodb", "wait", "table-exists", "--table-name", "cli-items")
    item = {"id": {"S": "1"}, "n": {"N": "42"}, "list": {"L": [{"BOOL": True}]}}
    aws("dynamodb", "put-item", "--table-name", "cli-items", "--item", json.dumps(item))
    query = ("dynamodb", "query", "--table-name", "cli-items", "--key-condition-expression", "id = :i")
    assert aws(*query, "--expression-attribute-values", '{":i": {"S": "1"}}')["Items"] == [item]


def test_files_go_to_a_bucket_and_back(aws: Aws, tmp_path: Path) -> None:
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "small.txt").write_text("small")
    (folder / "large.bin").write_bytes(os.urandom(9 * 1024 * 1024))  # Over the CLI's limit for one part.
    aws("s3", "mb", "s3://cli-files")
    aws("s3", "sync", "site", "s3://cli-files/site")
    assert sorted(line.split()[-1] for line in aws("s3", "ls", "s3://cli-files/site/").splitlines()) == [
        "large.bin",
        "small.txt",
    ]
    aws("s3", "cp", "s3://cli-files/site/large.bin", "back.bin")
    assert (tmp_path / "back.bin").read_bytes() == (folder / "large.bin").read_bytes()
    aws("s3", "rb", "s3://cli-files", "--force")
    assert "cli-files" not in aws("s3", "ls")


def test_who_am_i(aws: Aws) -> None:
    assert aws("sts", "get-caller-identity")["Account"] == "000000000000"
