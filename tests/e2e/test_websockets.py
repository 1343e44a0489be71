"""A chat by a WebSocket API, from serverless.yml and a SAM template, with npm's `ws` as its visitors. Its functions
and backends of boto3 and of the SDK for JavaScript, speak to them through `@connections`.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from freehold.runtimes.node_packages import SDK, tools_directory
from tests.e2e.conftest import CommandLine, outputs
from tests.e2e.terminal import Terminal, free_port
from tests.live import LiveServer

_WS = tools_directory() / "node/node_modules/ws"
_VISITORS = Path(__file__).parent / "node" / "chat.cjs"

needs_ws = pytest.mark.skipif(not _WS.is_dir(), reason="scripts/setup dev has not installed the package ws")
needs_sdk = pytest.mark.skipif(SDK.directory is None, reason="the AWS SDKs for Node.js need npm: scripts/setup")

_SERVERLESS = """
service: chat
provider:
  name: aws
  runtime: nodejs20.x
  timeout: 20
  environment: {TABLE: !Ref Visitors}
  iam:
    role:
      statements:
        - {Effect: Allow, Action: 'dynamodb:*', Resource: !GetAtt Visitors.Arn}
functions:
  gatekeeper: {handler: gatekeeper.handler}
  coming:
    handler: chat.coming
    events:
      - websocket: {route: $connect, authorizer: {name: gatekeeper, identitySource: [route.request.querystring.name]}}
  going: {handler: chat.going, events: [{websocket: $disconnect}]}
  talk: {handler: chat.talk, events: [{websocket: say}, {websocket: left}, {websocket: out}]}
  who: {handler: chat.who, events: [{websocket: {route: who, routeResponseSelectionExpression: $default}}]}
resources:
"""
_SAM = """
Transform: AWS::Serverless-2016-10-31
Globals:
  Function:
    Runtime: nodejs20.x
    CodeUri: .
    Timeout: 20
    Environment: {Variables: {TABLE: !Ref Visitors}}
Resources:
  Chat:
    Type: AWS::ApiGatewayV2::Api
    Properties: {Name: chat, ProtocolType: WEBSOCKET, RouteSelectionExpression: $request.body.action}
  Stage: {Type: AWS::ApiGatewayV2::Stage, Properties: {ApiId: !Ref Chat, StageName: dev, AutoDeploy: true}}
  Gatekeeper: {Type: AWS::Serverless::Function, Properties: {Handler: gatekeeper.handler}}
  Authorizer:
    Type: AWS::ApiGatewayV2::Authorizer
    Properties:
      Name: gatekeeper
      ApiId: !Ref Chat
      AuthorizerType: REQUEST
      AuthorizerUri:
        !Sub 'arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Gatekeeper.Arn}/invocations'
      IdentitySource: [route.request.querystring.name]
  MayGuard:
    Type: AWS::Lambda::Permission
    Properties: {FunctionName: !Ref Gatekeeper, Action: 'lambda:InvokeFunction', Principal: apigateway.amazonaws.com}
"""
_SAM_ROUTE = """
  {name}:
    Type: AWS::Serverless::Function
    Properties:
      Handler: chat.{handler}
      Policies:
        - DynamoDBCrudPolicy: {{TableName: !Ref Visitors}}
        - Statement:
            - Effect: Allow
              Action: execute-api:ManageConnections
              Resource: !Sub 'arn:aws:execute-api:*:*:${{Chat}}/*'
  {name}Permission:
    Type: AWS::Lambda::Permission
    Properties: {{FunctionName: !Ref {name}, Action: 'lambda:InvokeFunction', Principal: apigateway.amazonaws.com}}
  {name}Integration:
    Type: AWS::ApiGatewayV2::Integration
    Properties:
      ApiId: !Ref Chat
      IntegrationType: AWS_PROXY
      IntegrationUri:
        !Sub 'arn:aws:apigateway:${{AWS::Region}}:lambda:path/2015-03-31/functions/${{{name}.Arn}}/invocations'
  {name}Route:
    Type: AWS::ApiGatewayV2::Route
    Properties: {{ApiId: !Ref Chat, RouteKey: {key}, Target: !Sub 'integrations/${{{name}Integration}}'{more}}}
"""
_SAM_ROUTES = (
    ("Coming", "coming", "$connect", ", AuthorizationType: CUSTOM, AuthorizerId: !Ref Authorizer"),
    ("Going", "going", "$disconnect", ""),
    ("Say", "talk", "say", ""),
    ("Left", "talk", "left", ""),
    ("Out", "talk", "out", ""),
    ("Who", "who", "who", ", RouteResponseSelectionExpression: $default"),
)
_SAM_END = """
  WhoResponse:
    Type: AWS::ApiGatewayV2::RouteResponse
    Properties: {ApiId: !Ref Chat, RouteId: !Ref WhoRoute, RouteResponseKey: $default}
Outputs: {Address: {Value: !Sub 'wss://${Chat}.execute-api.${AWS::Region}.amazonaws.com/dev'}}
"""
_TABLE = """
  Resources:
    Visitors:
      Type: AWS::DynamoDB::Table
      Properties:
        BillingMode: PAY_PER_REQUEST
        AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
        KeySchema: [{AttributeName: id, KeyType: HASH}]
"""
_GATEKEEPER = """
exports.handler = async (event) => {
  const { name } = event.queryStringParameters;
  if (name === 'nobody') throw new Error('Unauthorized');
  const Statement = [{ Effect: name ? 'Allow' : 'Deny', Action: 'execute-api:Invoke', Resource: event.methodArn }];
  return { principalId: name, policyDocument: { Version: '2012-10-17', Statement }, context: { name } };
};
"""
_CHAT = """
const { ApiGatewayManagementApiClient, PostToConnectionCommand, DeleteConnectionCommand, GetConnectionCommand } =
  require('@aws-sdk/client-apigatewaymanagementapi');
const { DynamoDBClient } = require('@aws-sdk/client-dynamodb');
const { DynamoDBDocumentClient, PutCommand, DeleteCommand, ScanCommand } = require('@aws-sdk/lib-dynamodb');
const table = DynamoDBDocumentClient.from(new DynamoDBClient({}));
const TableName = process.env.TABLE;
exports.coming = async ({ requestContext: { connectionId: id, authorizer } }) => {
  await table.send(new PutCommand({ TableName, Item: { id, name: authorizer.name } }));
  return { statusCode: 200 };
};
exports.going = async ({ requestContext: { connectionId: id } }) => {
  await table.send(new DeleteCommand({ TableName, Key: { id } }));
  return { statusCode: 200 };
};
exports.talk = async ({ body, requestContext: { connectionId, domainName, stage, authorizer } }) => {
  const visitors = new ApiGatewayManagementApiClient({ endpoint: `https://${domainName}/${stage}` });
  const { action, text } = JSON.parse(body);
  if (action === 'out') {
    await visitors.send(new DeleteConnectionCommand({ ConnectionId: connectionId }));
    return { statusCode: 200 };
  }
  // Who has hung up is Gone, before or after the table has heard of it.
  const { Items } = await table.send(new ScanCommand({ TableName }));
  const there = [];
  for (const { id, name } of Items) {
    const here = await visitors.send(new GetConnectionCommand({ ConnectionId: id })).catch((error) => {
      if (error.name !== 'GoneException') throw error;
    });
    if (here) there.push({ id, name });
  }
  const Data = action === 'left' ? there.map(({ name }) => name).join() : `${authorizer.name}: ${text}`;
  await Promise.all(there.map(({ id }) => visitors.send(new PostToConnectionCommand({ ConnectionId: id, Data }))));
  return { statusCode: 200 };
};
exports.who = async ({ requestContext: { authorizer, identity } }) => ({
  statusCode: 200, body: JSON.stringify({ name: authorizer.name, from: identity.sourceIp }),
});
"""
_BACKEND = """
const { ApiGatewayManagementApi } = require(process.argv[2] + '/@aws-sdk/client-apigatewaymanagementapi');
const [, , , endpoint, ConnectionId] = process.argv;
const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
const visitors = new ApiGatewayManagementApi({ endpoint, region: 'us-east-1', credentials });
(async () => {
  const { Identity, ConnectedAt } = await visitors.getConnection({ ConnectionId });
  await visitors.postToConnection({ ConnectionId, Data: new TextEncoder().encode('from JavaScript') });
  const told = { ip: Identity.SourceIp, isDate: ConnectedAt instanceof Date };
  await visitors.deleteConnection({ ConnectionId });
  for (const Data of ['x', 'x'.repeat(128 * 1024 + 1)]) {
    await visitors.postToConnection({ ConnectionId: 'AAAAAAAAAAAAAAA=', Data }).catch((error) => {
      told[error.name] = error.$metadata.httpStatusCode;
    });
  }
  console.log(JSON.stringify(told));
})();
"""


def _visit(url: str) -> dict[str, Any]:
    """What the visitors of chat.cjs tell."""
    done = subprocess.run(["node", _VISITORS, _WS, url], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _check(told: dict[str, Any]) -> None:
    assert (told["stranger"], told["wrong"]) == ("401", "401")
    assert told["both"] == ["ann: hello ü"] * 2
    assert told["who"] == {"name": "ann", "from": "127.0.0.1"}
    assert told["other"] == "Forbidden"
    assert told["parts"] == ["ann: in parts"] * 2
    assert told["bob"] == [1000, "bye"]
    assert told["left"] == "ann"
    assert told["ann"][0] == 1000
    assert told["loud"] == 1009


@pytest.fixture(params=["serverless.yml", "template.yaml"])
def service(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    folder = tmp_path / "service"
    folder.mkdir()
    if request.param == "serverless.yml":
        text = _SERVERLESS + _TABLE
    else:
        routes = [_SAM_ROUTE.format(name=name, handler=to, key=key, more=more) for name, to, key, more in _SAM_ROUTES]
        table = re.sub("^  ", "", _TABLE, flags=re.MULTILINE).replace("Resources:\n", "")
        text = _SAM + "".join(routes) + table + _SAM_END
    (folder / request.param).write_text(text)
    (folder / "gatekeeper.js").write_text(_GATEKEEPER)
    (folder / "chat.js").write_text(_CHAT)
    return folder


@needs_ws
@needs_sdk
def test_visitors_talk_through_the_functions_of_a_deployed_app(own_server: LiveServer, service: Path) -> None:
    CommandLine(service)("deploy", ".", "--stack-name", "chat-dev", "--endpoint-url", own_server.endpoint)
    found = outputs(own_server, "chat-dev")
    address = found.get("Address") or found["ServiceEndpointWebsocket"]
    api = address.split("//")[1].split(".")[0]
    url = f"ws://127.0.0.1:{own_server.port}/_aws/execute-api/{api}/dev"
    _check(_visit(url))
    own_server.restart()
    _check(_visit(url))


@needs_ws
@needs_sdk
@pytest.mark.parametrize("service", ["serverless.yml"], indirect=True)
def test_visitors_come_to_the_port_of_dev(service: Path) -> None:
    port = free_port()
    with Terminal(service, "dev", "--port", str(port), "--aws-port", "0") as terminal:
        terminal.wait_for(r"Ctrl-C stops it", limit_s=60)
        shown = terminal.wait_for(rf"^ +WS +(ws://localhost:{port})\S* +.*talk.*who")
        _check(_visit(shown[1]))
        terminal.wait_for(r"^.*GET +/ .*101")


@pytest.fixture
def visited(server: LiveServer) -> Iterator[str]:
    """The path of an API that answers nothing."""
    v2 = server.client("apigatewayv2")
    api = v2.create_api(Name="quiet", ProtocolType="WEBSOCKET", RouteSelectionExpression="$request.body.action")
    v2.create_stage(ApiId=api["ApiId"], StageName="dev", AutoDeploy=True)
    yield f"/_aws/execute-api/{api['ApiId']}/dev"
    v2.delete_api(ApiId=api["ApiId"])


@needs_sdk
def test_a_backend_in_javascript_speaks_to_a_visitor(server: LiveServer, visited: str, tmp_path: Path) -> None:
    script = tmp_path / "backend.cjs"
    script.write_text(_BACKEND)
    with connect(f"ws://127.0.0.1:{server.port}{visited}", proxy=None) as visitor:
        visitor.send("{}")
        me = json.loads(visitor.recv(10))["connectionId"]
        clean = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        assert SDK.directory is not None
        command = ["node", script, SDK.directory, server.endpoint + visited, me]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=clean)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout) == {
            "ip": "127.0.0.1", "isDate": True, "GoneException": 410, "PayloadTooLargeException": 413
        }  # fmt: skip
        assert visitor.recv(10) == "from JavaScript"
        with pytest.raises(ConnectionClosed):
            visitor.recv(10)
        assert visitor.close_code == 1000
    with pytest.raises(ClientError, match="GoneException"):
        server.client("apigatewaymanagementapi", path=visited).get_connection(ConnectionId=me)
