"""REST APIs of serverless.yml and SAM whose front door keeps somebody out."""

from __future__ import annotations

import json
from pathlib import Path

from tests.e2e.conftest import CommandLine, fetch, outputs, resources
from tests.live import LiveServer

_FUNCTION = "def handler(event, context):\n    return {'statusCode': 200, 'body': event['body'] or ''}\n"
_SCHEMA = {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}


def _address(server: LiveServer, api_id: str, path: str) -> str:
    return f"{server.endpoint}/_aws/execute-api/{api_id}/dev/{path}"


def test_a_schema_of_serverless_yml_validates(server: LiveServer, tmp_path: Path) -> None:
    (tmp_path / "create_request.json").write_text(json.dumps(_SCHEMA))
    (tmp_path / "one.py").write_text(_FUNCTION)
    (tmp_path / "serverless.yml").write_text("""\
service: validated
provider: {name: aws, runtime: python3.11}
functions:
  one:
    handler: one.handler
    events:
      - http:
          path: things
          method: post
          request:
            parameters: {querystrings: {page: true}}
            schemas: {application/json: '${file(create_request.json)}'}
""")
    CommandLine(tmp_path)("deploy", "--endpoint-url", server.endpoint)
    api_id = resources(server, "validated-dev")["ApiGatewayRestApi"]["PhysicalResourceId"]
    url = _address(server, api_id, "things")
    assert fetch(url, "POST", {"name": "a"}).json == {"message": "Missing required request parameters: [page]"}
    assert fetch(f"{url}?page=1", "POST", {"name": 1}).json == {"message": "Invalid request body"}
    assert fetch(f"{url}?page=1", "POST", {"name": "a"}).json == {"name": "a"}


def test_a_model_of_a_sam_api_validates(server: LiveServer, tmp_path: Path) -> None:
    (tmp_path / "one.py").write_text(_FUNCTION)
    (tmp_path / "template.yaml").write_text("""\
AWSTemplateFormatVersion: '2010-09-09'
Transform: AWS::Serverless-2016-10-31
Resources:
  Api:
    Type: AWS::Serverless::Api
    Properties:
      StageName: dev
      Models:
        Item: {type: object, required: [name], properties: {name: {$ref: '#/definitions/name'}}} # SAM lowers the names
        Name: {type: string, maxLength: 3}
  One:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.11
      Handler: one.handler
      CodeUri: .
      Events:
        Post:
          Type: Api
          Properties:
            RestApiId: !Ref Api
            Path: /things
            Method: post
            RequestModel: {Model: Item, Required: true, ValidateBody: true, ValidateParameters: true}
            RequestParameters: [method.request.header.X-Token: {Required: true}]
Outputs:
  Api: {Value: !Ref Api}
""")
    CommandLine(tmp_path)("sam", "deploy", "--stack-name", "modelled", "--endpoint-url", server.endpoint)
    url = _address(server, outputs(server, "modelled")["Api"], "things")
    token = {"X-Token": "t"}
    assert fetch(url, "POST", {"name": "a"}).json == {"message": "Missing required request parameters: [X-Token]"}
    assert fetch(url, "POST", {"name": "long"}, token).json == {"message": "Invalid request body"}
    assert fetch(url, "POST", {"name": "a"}, token).json == {"name": "a"}
