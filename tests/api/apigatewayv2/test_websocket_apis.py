"""WebSocket APIs as boto3 makes them, and `@connections`, against a live server."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import boto3
import pytest
from botocore.exceptions import ClientError
from tests.api.lambda_.conftest import zipped
from tests.live import LiveServer
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

Client = Callable[..., Any]


@pytest.fixture
def v2(client: Client) -> Any:
    return client("apigatewayv2")


@pytest.fixture
def api_id(v2: Any) -> Iterator[str]:
    """A deployed API whose default route tells the connection's id, by a mock."""
    selection = "$request.body.action"
    api = v2.create_api(Name="chat", ProtocolType="WEBSOCKET", RouteSelectionExpression=selection)
    assert api["ApiEndpoint"].startswith("ws://")
    where = {"ApiId": api["ApiId"]}
    templates = {"$default": '{"statusCode": 200}'}
    mock = v2.create_integration(**where, IntegrationType="MOCK", RequestTemplates=templates)["IntegrationId"]
    route = v2.create_route(**where, RouteKey="$default", Target=f"integrations/{mock}")
    v2.create_route_response(**where, RouteId=route["RouteId"], RouteResponseKey="$default")
    v2.create_integration_response(
        **where,
        IntegrationId=mock,
        IntegrationResponseKey="$default",
        ResponseTemplates={"$default": "$context.connectionId"},
    )
    deployment = v2.create_deployment(**where)["DeploymentId"]
    v2.create_stage(**where, StageName="dev", DeploymentId=deployment)
    yield api["ApiId"]
    v2.delete_api(**where)


def management(server: LiveServer, place: str) -> Any:
    return server.client("apigatewaymanagementapi", path=place)


def code(caught: pytest.ExceptionInfo[ClientError]) -> tuple[str, int]:
    response = caught.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]


def test_connections_are_posted_to_described_and_closed(server: LiveServer, api_id: str) -> None:
    path = f"/_aws/execute-api/{api_id}/dev"
    backend = management(server, path)
    with connect(f"ws://127.0.0.1:{server.port}{path}", proxy=None) as client:
        client.send("who am I")
        me = str(client.recv(5))
        for number in range(50):
            backend.post_to_connection(ConnectionId=me, Data=str(number).encode())
        assert [client.recv(5) for _ in range(50)] == [str(number) for number in range(50)]
        management(server, "").post_to_connection(ConnectionId=me, Data=b"by its id alone")
        assert client.recv(5) == "by its id alone"
        described = backend.get_connection(ConnectionId=me)
        assert described["Identity"]["SourceIp"] == "127.0.0.1"
        assert described["LastActiveAt"] >= described["ConnectedAt"]
        with pytest.raises(ClientError) as caught:
            management(server, f"/_aws/execute-api/{api_id}/prod").get_connection(ConnectionId=me)
        assert code(caught) == ("GoneException", 410)
        with pytest.raises(ClientError) as caught:
            backend.post_to_connection(ConnectionId=me, Data=b"x" * (128 * 1024 + 1))
        assert code(caught) == ("PayloadTooLargeException", 413)
        backend.delete_connection(ConnectionId=me)
        with pytest.raises(ConnectionClosed):
            client.recv(5)
    with pytest.raises(ClientError) as caught:
        backend.post_to_connection(ConnectionId=me, Data=b"anybody?")
    assert code(caught) == ("GoneException", 410)


@pytest.mark.parametrize(
    ("sent", "closed"),
    [
        (bytes([0x81, 0x02]) + b"hi", 1002),  # Not masked.
        (bytes([0x82, 0x82, 0, 0, 0, 0]) + b"hi", 1003),  # Binary.
        (bytes([0x81, 0x82, 0, 0, 0, 0, 0xFF, 0xFE]), 1007),  # No UTF-8.
        (bytes([0x81, 0xFE, 0x80, 0x01, 0, 0, 0, 0]), 1009),  # A frame of 32 KB and a byte.
        (bytes([0x81, 0xFF]) + (1 << 62).to_bytes(8, "big"), 1009),  # An enormous frame.
        (bytes([0x80, 0x80, 0, 0, 0, 0]), 1002),  # A continuation of nothing.
        (bytes([0x83, 0x80, 0, 0, 0, 0]), 1002),  # An unknown opcode.
        (bytes([0xC1, 0x80, 0, 0, 0, 0]), 1002),  # Compressed, which nobody agreed on.
    ],
)
def test_a_hostile_frame_ends_its_connection_alone(server: LiveServer, api_id: str, sent: bytes, closed: int) -> None:
    url = f"ws://127.0.0.1:{server.port}/_aws/execute-api/{api_id}/dev"
    with connect(url, proxy=None) as other, connect(url, proxy=None) as client:
        client.socket.sendall(sent)
        with pytest.raises(ConnectionClosed):
            client.recv(5)
        assert client.close_code == closed
        other.send("still here?")
        assert other.recv(5)


def _send_and_receive(client: ClientConnection, message: Iterator[str]) -> None:
    client.send(message)
    client.recv(5)


def test_a_message_in_parts_is_one_and_has_a_limit(server: LiveServer, api_id: str) -> None:
    url = f"ws://127.0.0.1:{server.port}/_aws/execute-api/{api_id}/dev"
    with connect(url, proxy=None) as client:
        client.send(iter(["a", "b", "c"]))
        assert client.recv(5)
        with pytest.raises(ConnectionClosed):
            _send_and_receive(client, iter(["x" * 32_768] * 5))
        assert client.close_code == 1009


_ECHO = """
import boto3
def handler(event, context):
    there = event["requestContext"]
    url = "https://" + there["domainName"] + "/" + there["stage"]
    backend = boto3.client("apigatewaymanagementapi", endpoint_url=url)
    backend.post_to_connection(ConnectionId=there["connectionId"], Data=event["body"].upper())
    return {"statusCode": 200}
"""


TRUST = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}


def allow(iam: Any, role: str, **statement: Any) -> None:
    """Gives a role leave to manage connections."""
    wanted = {"Effect": "Allow", "Action": "execute-api:ManageConnections", "Resource": "*", **statement}
    policy = json.dumps({"Version": "2012-10-17", "Statement": wanted})
    iam.put_role_policy(RoleName=role, PolicyName="connections", PolicyDocument=policy)


def test_a_function_manages_connections_as_its_role_may(server: LiveServer, client: Client) -> None:
    code = {"ZipFile": zipped({"app.py": _ECHO})}
    iam = client("iam")
    role = iam.create_role(RoleName="shouter", AssumeRolePolicyDocument=json.dumps({"Statement": TRUST}))["Role"]["Arn"]
    made = client("lambda").create_function(
        FunctionName="shout", Runtime="python3.11", Handler="app.handler", Role=role, Timeout=20, Code=code
    )
    client("lambda").add_permission(
        FunctionName="shout",
        StatementId="api",
        Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com",
    )
    v2 = client("apigatewayv2")
    where = {
        "ApiId": v2.create_api(Name="shouts", ProtocolType="WEBSOCKET", RouteSelectionExpression="$default")["ApiId"]
    }
    uri = f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{made['FunctionArn']}/invocations"
    proxy = v2.create_integration(**where, IntegrationType="AWS_PROXY", IntegrationUri=uri)["IntegrationId"]
    v2.create_route(**where, RouteKey="$default", Target=f"integrations/{proxy}")
    v2.create_stage(**where, StageName="dev", AutoDeploy=True)
    with connect(f"ws://127.0.0.1:{server.port}/_aws/execute-api/{where['ApiId']}/dev", proxy=None) as caller:
        caller.send("hello")
        assert json.loads(caller.recv(20))["message"] == "Internal server error"
        arn = f"arn:aws:execute-api:us-east-1:000000000000:{where['ApiId']}/dev"
        allow(iam, "shouter", Resource=f"{arn}/GET/@connections/*")
        caller.send("hello")
        assert json.loads(caller.recv(20))["message"] == "Internal server error"
        allow(iam, "shouter", Resource=f"{arn}/POST/@connections/*")
        caller.send("hello")
        # By the name that its event tells, and that botocore signs for.
        assert caller.recv(20) == "HELLO"


def test_a_known_key_must_sign_and_may_only_what_its_policies_say(
    server: LiveServer, api_id: str, client: Client
) -> None:
    iam = client("iam")
    iam.create_user(UserName="manager")
    key = iam.create_access_key(UserName="manager")["AccessKey"]
    path = f"/_aws/execute-api/{api_id}/dev"

    def backend(secret: str, path: str) -> Any:
        return boto3.client(
            "apigatewaymanagementapi",
            region_name="us-east-1",
            endpoint_url=server.endpoint + path,
            aws_access_key_id=key["AccessKeyId"],
            aws_secret_access_key=secret,
        )

    with connect(f"ws://127.0.0.1:{server.port}{path}", proxy=None) as caller:
        caller.send("{}")
        me = str(caller.recv(5))
        named = f"X-Amz-Credential={key['AccessKeyId']}/20260101/us-east-1/execute-api/aws4_request"
        with pytest.raises(HTTPError) as unsigned:
            urlopen(Request(f"{server.endpoint}{path}/@connections/{me}?{named}", b"x"))
        assert unsigned.value.code == 403
        unsigned.value.close()
        for place in (path, ""):
            with pytest.raises(ClientError, match=r"InvalidSignatureException"):
                backend("another", place).post_to_connection(ConnectionId=me, Data=b"x")
            with pytest.raises(ClientError, match=r"user/manager is not authorized to perform: execute-api:ManageConn"):
                backend(key["SecretAccessKey"], place).post_to_connection(ConnectionId=me, Data=b"x")
        statement = {"Effect": "Allow", "Action": "execute-api:ManageConnections", "Resource": f"*:{api_id}/dev/POST/*"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": statement})
        iam.put_user_policy(UserName="manager", PolicyName="p", PolicyDocument=policy)
        for place in (path, ""):
            allowed = backend(key["SecretAccessKey"], place)
            allowed.post_to_connection(ConnectionId=me, Data=b"from the manager")
            assert caller.recv(5) == "from the manager"
            with pytest.raises(ClientError, match="AccessDeniedException"):
                allowed.delete_connection(ConnectionId=me)
            allowed.close()


def test_connections_do_not_outlive_a_kill(own_server: LiveServer) -> None:
    v2 = own_server.client("apigatewayv2")
    api = v2.create_api(Name="chat", ProtocolType="WEBSOCKET", RouteSelectionExpression="$request.body.action")["ApiId"]
    v2.create_stage(ApiId=api, StageName="dev", AutoDeploy=True)
    url = f"ws://127.0.0.1:{own_server.port}/_aws/execute-api/{api}/dev"
    with connect(url, proxy=None) as client:
        client.send("no route")
        me = json.loads(client.recv(5))["connectionId"]
        own_server.kill()
        with pytest.raises(ConnectionClosed):
            client.recv(5)
    own_server.start()
    backend = management(own_server, f"/_aws/execute-api/{api}/dev")
    with pytest.raises(ClientError) as caught:
        backend.get_connection(ConnectionId=me)
    assert code(caught) == ("GoneException", 410)
    with connect(f"ws://127.0.0.1:{own_server.port}/_aws/execute-api/{api}/dev", proxy=None) as client:
        client.send("no route")
        assert json.loads(client.recv(5))["message"] == "Forbidden"
    assert json.load(urlopen(f"{own_server.endpoint}/_freehold/health"))["status"] == "ok"


@pytest.mark.parametrize(
    ("wanted", "name"),
    [
        ({"IntegrationType": "HTTP_PROXY", "IntegrationUri": "https://a.b"}, "HttpMethod must be specified"),
        ({"IntegrationType": "AWS", "IntegrationUri": "arn:aws:apigateway:us-east-1:sqs:path/a/b"}, "type AWS"),
        ({"IntegrationType": "MOCK", "ContentHandlingStrategy": "CONVERT_TO_TEXT"}, "CONVERT_TO_TEXT"),
        ({"IntegrationType": "MOCK", "RequestParameters": {"a": "b"}}, "parameter mapping"),
    ],
)
def test_what_is_not_honoured_is_refused_by_name(v2: Any, api_id: str, wanted: dict[str, Any], name: str) -> None:
    with pytest.raises(ClientError, match=name):
        v2.create_integration(ApiId=api_id, **wanted)


def test_only_connect_is_guarded(v2: Any, api_id: str) -> None:
    with pytest.raises(ClientError, match="restricted to the \\$connect route"):
        v2.create_route(ApiId=api_id, RouteKey="send", AuthorizationType="AWS_IAM")


def test_a_stage_that_is_not_there_is_forbidden(server: LiveServer, api_id: str) -> None:
    with pytest.raises(InvalidStatus) as caught:
        connect(f"ws://127.0.0.1:{server.port}/_aws/execute-api/{api_id}/prod", proxy=None)
    assert caught.value.response.status_code == 403
