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


def test_the_keys_and_plans_of_serverless_yml_are_enforced(server: LiveServer, tmp_path: Path) -> None:
    (tmp_path / "one.py").write_text(_FUNCTION)
    (tmp_path / "serverless.yml").write_text("""\
service: metered
provider:
  name: aws
  runtime: python3.11
  apiGateway:
    apiKeys:
      - free: [{name: slow-metered, value: slowslowslowslowslowslow}]
      - paid: [{name: fast-metered, value: fastfastfastfastfastfast}]
    usagePlan:
      - free: {quota: {limit: 2, period: WEEK, offset: 2}, throttle: {burstLimit: 100, rateLimit: 50}}
      - paid: {quota: {limit: 5000, period: MONTH}}
functions:
  one:
    handler: one.handler
    events: [{http: {path: things, method: get, private: true}}]
""")
    run = CommandLine(tmp_path)
    run("deploy", "--endpoint-url", server.endpoint)
    api_id = resources(server, "metered-dev")["ApiGatewayRestApi"]["PhysicalResourceId"]
    url = _address(server, api_id, "things")

    def statuses(key: str, count: int) -> list[int]:
        return [fetch(url, headers={"x-api-key": key}).status for _ in range(count)]

    assert fetch(url).json == {"message": "Forbidden"}
    assert statuses("slow" * 6, 3) == [200, 200, 429]
    assert statuses("fast" * 6, 4) == [200] * 4
    run("deploy", "--endpoint-url", server.endpoint)
    assert statuses("slow" * 6, 1) == [429]
    run("remove", "--endpoint-url", server.endpoint)
    assert server.client("apigateway").get_usage_plans(limit=500)["items"] == []


def test_a_sam_api_may_require_keys_of_its_own_plan(server: LiveServer, tmp_path: Path) -> None:
    (tmp_path / "one.py").write_text(_FUNCTION)
    (tmp_path / "template.yaml").write_text("""\
AWSTemplateFormatVersion: '2010-09-09'
Transform: AWS::Serverless-2016-10-31
Resources:
  Api:
    Type: AWS::Serverless::Api
    Properties:
      StageName: dev
      Auth:
        ApiKeyRequired: true
        UsagePlan: {CreateUsagePlan: PER_API, Quota: {Limit: 1, Period: DAY}, Throttle: {BurstLimit: 9, RateLimit: 9}}
  One:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.11
      Handler: one.handler
      CodeUri: .
      Events: {Get: {Type: Api, Properties: {RestApiId: !Ref Api, Path: /things, Method: get}}}
Outputs:
  Api: {Value: !Ref Api}
  Key: {Value: !Ref ApiApiKey}
""")
    CommandLine(tmp_path)("sam", "deploy", "--stack-name", "keyed", "--endpoint-url", server.endpoint)
    told = outputs(server, "keyed")
    key = server.client("apigateway").get_api_key(apiKey=told["Key"], includeValue=True)["value"]
    url = _address(server, told["Api"], "things")
    assert fetch(url).status == 403
    assert [fetch(url, headers={"x-api-key": key}).status for _ in range(2)] == [200, 429]


def test_the_resource_policies_of_sam_and_serverless_yml_keep_addresses_out(server: LiveServer, tmp_path: Path) -> None:
    (tmp_path / "one.py").write_text(_FUNCTION)
    (tmp_path / "template.yaml").write_text("""\
AWSTemplateFormatVersion: '2010-09-09'
Transform: AWS::Serverless-2016-10-31
Resources:
  Api:
    Type: AWS::Serverless::Api
    Properties: {StageName: dev, Auth: {ResourcePolicy: {IpRangeBlacklist: [127.0.0.0/8]}}}
  One:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.11
      Handler: one.handler
      CodeUri: .
      Events: {Get: {Type: Api, Properties: {RestApiId: !Ref Api, Path: /things, Method: get}}}
Outputs:
  Api: {Value: !Ref Api}
""")
    CommandLine(tmp_path)("sam", "deploy", "--stack-name", "policed", "--endpoint-url", server.endpoint)
    refused = fetch(_address(server, outputs(server, "policed")["Api"], "things"))
    assert refused.status == 403
    assert refused.json["Message"].startswith("User: anonymous is not authorized to perform: execute-api:Invoke")
    assert refused.json["Message"].endswith("/dev/GET/things with an explicit deny")

    (tmp_path / "serverless.yml").write_text("""\
service: policed
provider:
  name: aws
  runtime: python3.11
  apiGateway:
    resourcePolicy:
      - {Effect: Allow, Principal: '*', Action: 'execute-api:Invoke', Resource: ['execute-api:/*/*/things']}
functions:
  one:
    handler: one.handler
    events: [{http: GET /things}, {http: GET /others}]
""")
    CommandLine(tmp_path)("deploy", "--endpoint-url", server.endpoint)
    api_id = resources(server, "policed-dev")["ApiGatewayRestApi"]["PhysicalResourceId"]
    assert fetch(_address(server, api_id, "things")).status == 200
    assert fetch(_address(server, api_id, "others")).status == 403
