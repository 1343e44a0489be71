"""WebSocket APIs over a real socket of this machine, with the `websockets` client at the other end.

Events: shapes recorded from AWS (members, order, what is absent); Developer Guide, "WebSocket APIs in API Gateway".
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from tests.unit.gateway.world import AUTHORIZER, FUNCTION, World, header, invoke_uri
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from freehold.aws.errors import AwsError
from freehold.gateway.websockets import sockets
from freehold.http.server import HttpServer

Json = dict[str, Any]


class Chat(World):
    """A server in front of the gateway: `async with await chat.join(api_id) as client`."""

    def __init__(self) -> None:
        super().__init__()
        self.disconnects: asyncio.Queue[Json] = asyncio.Queue()
        self.functions.answers["hello"] = self._hello
        self.reply: Callable[[Json], Any] = lambda event: {"statusCode": 200, "body": event.get("body")}

    async def start(self) -> None:
        self.server = HttpServer(self.handle)
        _, self.port = await self.server.start("127.0.0.1", 0)

    async def stop(self) -> None:
        await self.gateway.sockets.close()
        await self.server.stop(0.1)
        await self.gateway.close()

    def url(self, api_id: str, stage: str = "dev") -> str:
        return f"ws://127.0.0.1:{self.port}/_aws/execute-api/{api_id}/{stage}"

    def join(self, api_id: str, query: str = "", **options: Any) -> Any:
        return connect(self.url(api_id) + query, proxy=None, ping_interval=None, **options)

    async def api(
        self, *route_keys: str, two_way: bool = False, connect: Json | None = None, **integration: Any
    ) -> str:
        """A deployed API whose routes call the function; its id. `connect`: more of the $connect route."""
        api = await self.v2(
            "CreateApi", Name="chat", ProtocolType="WEBSOCKET", RouteSelectionExpression="$request.body.action"
        )
        where = {"ApiId": api["ApiId"]}
        wanted = {"IntegrationType": "AWS_PROXY", "IntegrationUri": invoke_uri(FUNCTION), **integration}
        made = await self.v2("CreateIntegration", **where, **wanted)
        for key in route_keys:
            more = connect if connect and key == "$connect" else {}
            target = f"integrations/{made['IntegrationId']}"
            route = await self.v2("CreateRoute", **where, RouteKey=key, Target=target, **more)
            if two_way:
                await self.v2("CreateRouteResponse", **where, RouteId=route["RouteId"], RouteResponseKey="$default")
        await self.v2("CreateStage", **where, StageName="dev", AutoDeploy=True)
        return str(api["ApiId"])

    async def guarded(self, **authorizer: Any) -> str:
        """An API whose $connect is guarded by the function `gatekeeper`."""
        api_id = await self.api("$default")
        made = await self.v2(
            "CreateAuthorizer",
            ApiId=api_id,
            Name="gatekeeper",
            AuthorizerType="REQUEST",
            AuthorizerUri=invoke_uri(AUTHORIZER),
            **{"IdentitySource": ["route.request.header.Auth"], **authorizer},
        )
        integrations = await self.v2("GetIntegrations", ApiId=api_id)
        target = f"integrations/{integrations['Items'][0]['IntegrationId']}"
        guard = {"AuthorizationType": "CUSTOM", "AuthorizerId": made["AuthorizerId"]}
        await self.v2("CreateRoute", ApiId=api_id, RouteKey="$connect", Target=target, **guard)
        return api_id

    def events_of(self, event_type: str) -> list[Json]:
        return [event for event in self.functions.events if event["requestContext"]["eventType"] == event_type]

    def _hello(self, event: Json) -> Any:
        if event["requestContext"]["eventType"] == "DISCONNECT":
            self.disconnects.put_nowait(event)
        return self.reply(event)


@pytest.fixture
async def chat() -> AsyncIterator[Chat]:
    chat = Chat()
    await chat.start()
    yield chat
    await chat.stop()


async def told(client: ClientConnection) -> str | bytes:
    return await asyncio.wait_for(client.recv(), 5)


async def end_of(client: ClientConnection) -> tuple[int, str]:
    with pytest.raises(ConnectionClosed):
        await asyncio.wait_for(client.recv(), 5)
    return client.close_code or 0, client.close_reason or ""


async def refused(joining: Any) -> InvalidStatus:
    with pytest.raises(InvalidStatus) as caught:
        async with joining:
            pass
    return caught.value


async def test_a_connection_is_told_of_in_aws_words(chat: Chat) -> None:
    api_id = await chat.api("$connect", "$default")
    async with chat.join(api_id, "?room=a&room=b", user_agent_header="tester"):
        pass
    event = chat.events_of("CONNECT")[0]
    domain = f"{api_id}.execute-api.us-east-1.amazonaws.com"
    assert list(event) == [
        "headers", "multiValueHeaders", "queryStringParameters", "multiValueQueryStringParameters",
        "requestContext", "isBase64Encoded",
    ]  # fmt: skip
    assert event["headers"]["Host"] == domain
    assert event["headers"]["Sec-WebSocket-Version"] == "13"
    assert event["multiValueHeaders"]["Sec-WebSocket-Version"] == ["13"]
    assert not {"connection", "upgrade"} & {name.lower() for name in event["headers"]}
    assert event["queryStringParameters"] == {"room": "b"}
    assert event["multiValueQueryStringParameters"] == {"room": ["a", "b"]}
    context = event["requestContext"]
    assert len(context.pop("connectionId")) == 16
    assert context.pop("requestId") == context.pop("extendedRequestId")
    assert context == {
        "routeKey": "$connect",
        "eventType": "CONNECT",
        "requestTime": "04/Mar/2020:19:03:58 +0000",
        "messageDirection": "IN",
        "stage": "dev",
        "connectedAt": 1583348638390,
        "requestTimeEpoch": 1583348638390,
        "identity": {"userAgent": "tester", "sourceIp": "127.0.0.1"},
        "domainName": domain,
        "apiId": api_id,
    }


async def test_a_message_goes_to_the_route_that_it_selects(chat: Chat) -> None:
    api_id = await chat.api("$default", "send", "7", two_way=True)
    async with chat.join(api_id) as client:
        for message in (
            '{"action": "send"}',
            '{"action": 7}',
            '{"action": "else"}',
            "no json",
            '{"action": "$connect"}',
        ):
            await client.send(message)
            assert await told(client) == message
    events = chat.events_of("MESSAGE")
    assert [event["requestContext"]["routeKey"] for event in events] == [
        "send",
        "7",
        "$default",
        "$default",
        "$default",
    ]
    assert set(events[0]) == {"requestContext", "body", "isBase64Encoded"}
    assert len({event["requestContext"]["messageId"] for event in events}) == 5
    assert events[0]["requestContext"]["connectedAt"] == 1583348638390


async def test_without_a_route_response_nothing_is_sent_back(chat: Chat) -> None:
    api_id = await chat.api("one")
    async with chat.join(api_id) as client:
        await client.send('{"action": "one"}')
        await client.send("no route")
        frame = json.loads(await told(client))
        event = chat.events_of("MESSAGE")[0]
    assert frame["message"] == "Forbidden"
    assert frame["connectionId"] == event["requestContext"]["connectionId"]
    assert set(frame) == {"message", "connectionId", "requestId"}


@pytest.mark.parametrize("answer", [ZeroDivisionError, None, "text", [], {"statusCode": "many"}])
async def test_a_message_whose_function_fails_gets_an_error_frame(chat: Chat, answer: Any) -> None:
    def fail(event: Json) -> Any:
        if answer is ZeroDivisionError:
            raise answer
        return answer

    chat.reply = fail
    async with chat.join(await chat.api("$default")) as client:
        await client.send("hi")
        assert str(await told(client)).startswith('{"message": "Internal server error", "connectionId":"')


async def test_a_function_that_refuses_gives_the_handshake_its_status(chat: Chat) -> None:
    api_id = await chat.api("$connect")
    chat.reply = lambda event: {"statusCode": 418, "body": "no", "headers": {"Sec-WebSocket-Protocol": "x"}}
    answer = (await refused(chat.join(api_id))).response
    assert (answer.status_code, answer.body) == (418, b"no")
    assert "Sec-WebSocket-Protocol" not in answer.headers


async def test_a_function_that_fails_keeps_the_client_out(chat: Chat) -> None:
    api_id = await chat.api("$connect", "$disconnect")
    chat.reply = lambda event: 1 / 0
    answer = (await refused(chat.join(api_id))).response
    assert answer.status_code == 502
    assert json.loads(answer.body or b"")["message"] == "Internal server error"
    chat.functions.error = AwsError("AccessDeniedException", "no permission", status=403)
    assert (await refused(chat.join(api_id))).response.status_code == 502


async def test_the_function_chooses_the_subprotocol(chat: Chat) -> None:
    api_id = await chat.api("$connect")
    chat.reply = lambda event: {"statusCode": 200, "headers": {"Sec-WebSocket-Protocol": "second", "X-More": "1"}}
    async with chat.join(api_id, subprotocols=["first", "second"]) as client:
        assert client.subprotocol == "second"
        assert "X-More" not in client.response.headers
    assert chat.events_of("CONNECT")[0]["headers"]["Sec-WebSocket-Protocol"] == "first, second"


async def test_an_authorizer_decides_about_the_handshake_alone(chat: Chat) -> None:
    def judge(event: Json) -> Json:
        effect = {"good": "Allow", "bad": "Deny"}[event["headers"]["Auth"]]
        statement = {"Action": "execute-api:Invoke", "Effect": effect, "Resource": event["methodArn"]}
        return {"principalId": "me", "policyDocument": {"Statement": [statement]}, "context": {"level": 3}}

    chat.functions.answers["gatekeeper"] = judge
    api_id = await chat.guarded()
    assert (await refused(chat.join(api_id))).response.status_code == 401
    assert chat.functions.invocations == []
    assert (await refused(chat.join(api_id, additional_headers={"Auth": "bad"}))).response.status_code == 403
    assert (await refused(chat.join(api_id, additional_headers={"Auth": "ugly"}))).response.status_code == 500
    asked = chat.functions.events[0]
    assert asked["methodArn"] == f"arn:aws:execute-api:us-east-1:000000000000:{api_id}/dev/$connect"
    assert (asked["type"], asked["stageVariables"], asked["queryStringParameters"]) == ("REQUEST", {}, {})
    assert asked["requestContext"]["routeKey"] == "$connect"
    chat.functions.invocations.clear()
    async with chat.join(api_id, additional_headers={"Auth": "good"}) as client:
        await client.send("hi")
        await client.send("hi")
        while len(chat.functions.invocations) < 4:
            await asyncio.sleep(0)
    contexts = [event["requestContext"] for event in chat.functions.events]
    assert [each["eventType"] for each in contexts] == ["CONNECT", "CONNECT", "MESSAGE", "MESSAGE"]
    assert contexts[2]["authorizer"] == {"principalId": "me", "level": "3"}


def signed(url: str, key: str, secret: str, *, in_query: bool = False, token: str | None = None) -> dict[str, Any]:
    """What a client adds to a handshake at `url` (ws://...): headers, or another address."""
    request = AWSRequest("GET", url.replace("ws://", "http://"))
    credentials = Credentials(key, secret, token)
    if in_query:
        SigV4QueryAuth(credentials, "execute-api", "us-east-1").add_auth(request)
        return {"uri": str(request.url).replace("http://", "ws://")}
    SigV4Auth(credentials, "execute-api", "us-east-1").add_auth(request)
    return {"uri": url, "additional_headers": dict(request.headers)}


async def test_a_handshake_with_iam_is_signed_by_who_may(chat: Chat) -> None:
    chat.clock.at_s = time.time()  # Signers have no clock that a test sets.
    api_id = await chat.api("$connect", "$disconnect", "$default", connect={"AuthorizationType": "AWS_IAM"})
    url = chat.url(api_id)
    assert (await refused(chat.join(api_id))).response.status_code == 403
    aws = chat.operations.bind(chat.call)
    await aws("iam", "CreateUser", {"UserName": "ann"})
    key = (await aws("iam", "CreateAccessKey", {"UserName": "ann"}))["AccessKey"]
    pair = (key["AccessKeyId"], key["SecretAccessKey"])
    options: Json = {"proxy": None, "ping_interval": None}
    assert (await refused(connect(**signed(url, *pair), **options))).response.status_code == 403
    statement = {
        "Effect": "Allow",
        "Action": "execute-api:Invoke",
        "Resource": f"arn:aws:execute-api:*:*:{api_id}/dev/$connect",
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": statement})
    await aws("iam", "PutUserPolicy", {"UserName": "ann", "PolicyName": "p", "PolicyDocument": policy})
    wrong = connect(**signed(url, pair[0], "another secret"), **options)
    assert (await refused(wrong)).response.status_code == 403
    assert chat.functions.invocations == []
    for in_query in (False, True):
        async with connect(**signed(url, *pair, in_query=in_query), **options) as client:
            await client.send("hello")
            await client.close()
            end = await asyncio.wait_for(chat.disconnects.get(), 5)
        first = chat.events_of("CONNECT")[-1]
        for event in (first, chat.events_of("MESSAGE")[-1], end):
            identity = event["requestContext"]["identity"]
            assert identity["userArn"] == "arn:aws:iam::000000000000:user/ann"
            assert (identity["accessKey"], identity["sourceIp"]) == (pair[0], "127.0.0.1")
            assert "authorizer" not in event["requestContext"]


async def test_the_end_of_a_connection_is_told_with_code_and_reason(chat: Chat) -> None:
    api_id = await chat.api("$disconnect")
    async with chat.join(api_id) as client:
        await client.close(4001, "had enough")
    event = await asyncio.wait_for(chat.disconnects.get(), 5)
    context = event["requestContext"]
    assert (context["disconnectStatusCode"], context["disconnectReason"]) == (4001, "had enough")
    assert event["headers"] == {"Host": context["domainName"], "x-api-key": "", "X-Forwarded-For": "", "x-restapi": ""}
    async with chat.join(api_id) as client:
        client.transport.abort()
        event = await asyncio.wait_for(chat.disconnects.get(), 5)
    assert event["requestContext"]["disconnectStatusCode"] == 1006


async def test_a_client_that_left_during_connect_is_told_of_too(chat: Chat) -> None:
    api_id = await chat.api("$connect", "$disconnect")
    inside, go_on = asyncio.Event(), asyncio.Event()

    async def wait() -> None:
        inside.set()
        await go_on.wait()

    chat.functions.wait = wait
    joining = asyncio.ensure_future(chat.join(api_id).__aenter__())
    await inside.wait()
    joining.cancel()
    await asyncio.wait([joining])
    go_on.set()
    assert (await asyncio.wait_for(chat.disconnects.get(), 5))["requestContext"]["eventType"] == "DISCONNECT"
    assert chat.gateway.sockets.count == 0


async def test_idle_and_old_connections_are_closed(chat: Chat) -> None:
    api_id = await chat.api("$default", two_way=True)
    async with chat.join(api_id) as idle:
        chat.clock.at_s += sockets.IDLE_S - 1
        chat.gateway.sockets.sweep()
        await idle.send("still here")
        assert await told(idle) == "still here"
        chat.clock.at_s += sockets.IDLE_S - 1
        chat.gateway.sockets.sweep()
        pong = await idle.ping()
        await asyncio.wait_for(pong, 5)
        chat.clock.at_s += sockets.IDLE_S
        chat.gateway.sockets.sweep()
        assert await end_of(idle) == (1001, "Going away")
    async with chat.join(api_id) as old:
        for _ in range(int(sockets.LIFETIME_S // 500)):
            chat.clock.at_s += 500
            chat.gateway.sockets.sweep()
            await asyncio.wait_for(await old.ping(), 5)
        chat.clock.at_s += 500
        chat.gateway.sockets.sweep()
        assert await end_of(old) == (1001, "Going away")


async def test_a_server_that_stops_says_goodbye(chat: Chat) -> None:
    api_id = await chat.api("$disconnect")
    async with chat.join(api_id) as client:
        stopping = asyncio.ensure_future(chat.gateway.sockets.close())
        assert await end_of(client) == (1001, "Going away")
        await asyncio.wait_for(stopping, 5)
    assert len(chat.events_of("DISCONNECT")) == 1
    assert (await refused(chat.join(api_id))).response.status_code == 503


async def test_messages_beyond_a_limit_wait_for_those_before_them(chat: Chat) -> None:
    api_id = await chat.api("$default", two_way=True)
    running = most = 0
    release = asyncio.Event()

    async def wait() -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await release.wait()
        running -= 1

    chat.functions.wait = wait
    async with chat.join(api_id) as client:
        for number in range(200):
            await client.send(str(number))
        while running < 32:
            await asyncio.sleep(0)
        release.set()
        answers = {await told(client) for _ in range(200)}
    assert most == 32
    assert answers == {str(number) for number in range(200)}


async def test_a_deployment_is_a_snapshot(chat: Chat) -> None:
    api_id = await chat.api("$default", two_way=True)
    await chat.v2("UpdateStage", ApiId=api_id, StageName="dev", AutoDeploy=False)
    route = (await chat.v2("GetRoutes", ApiId=api_id))["Items"][0]
    await chat.v2("DeleteRoute", ApiId=api_id, RouteId=route["RouteId"])
    async with chat.join(api_id) as client:
        await client.send("hi")
        assert await told(client) == "hi"
        await chat.v2("DeleteStage", ApiId=api_id, StageName="dev")
        await client.send("anybody?")
        assert await end_of(client) == (1001, "Going away")


async def test_what_is_no_handshake_is_refused(chat: Chat) -> None:
    api_id = await chat.api("$default")
    path = f"/_aws/execute-api/{api_id}/dev"
    asks = [("Connection", "keep-alive, Upgrade"), ("Upgrade", "websocket")]
    key = ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
    assert (await chat.get(path)).status == 403
    assert (await chat.get(f"/_aws/execute-api/{api_id}/prod", *asks, key)).status == 403
    old = await chat.get(path, *asks, key, ("Sec-WebSocket-Version", "8"))
    assert (old.status, header(old, "Sec-WebSocket-Version")) == (426, "13")
    for wrong in ("", "short", "dGhlIHNhbXBsZSBub25jZ", "not base64!"):
        answer = await chat.get(path, *asks, ("Sec-WebSocket-Key", wrong), ("Sec-WebSocket-Version", "13"))
        assert answer.status == 400
    good = await chat.get(path, *asks, key, ("Sec-WebSocket-Version", "13"))
    assert header(good, "Sec-WebSocket-Accept") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


async def test_parameters_and_models_are_held_to(chat: Chat) -> None:
    api_id = await chat.api(
        "$connect", connect={"RequestParameters": {"route.request.querystring.token": {"Required": True}}}
    )
    schema = json.dumps({"type": "object", "required": ["text"], "properties": {"text": {"type": "string"}}})
    await chat.v2("CreateModel", ApiId=api_id, Name="say", Schema=schema)
    target = (await chat.v2("GetRoutes", ApiId=api_id))["Items"][0]["Target"]
    made = await chat.v2("CreateRoute", ApiId=api_id, RouteKey="say", Target=target, RequestModels={"$default": "say"})
    await chat.v2("CreateRouteResponse", ApiId=api_id, RouteId=made["RouteId"], RouteResponseKey="$default")
    answer = (await refused(chat.join(api_id))).response
    assert answer.status_code == 400
    assert json.loads(answer.body or b"")["message"] == "Missing required request parameters: [token]"
    async with chat.join(api_id, "?token=1") as client:
        await client.send('{"action": "say"}')
        assert json.loads(await told(client))["message"] == "Invalid request body"
        await client.send('{"action": "say", "text": "hi"}')
        assert await told(client) == '{"action": "say", "text": "hi"}'


async def test_a_route_is_throttled(chat: Chat) -> None:
    api_id = await chat.api("$default", two_way=True)
    limit = {"ThrottlingRateLimit": 1.0, "ThrottlingBurstLimit": 1}
    await chat.v2("UpdateStage", ApiId=api_id, StageName="dev", DefaultRouteSettings=limit)
    async with chat.join(api_id) as client:
        await client.send("a")
        assert await told(client) == "a"
        await client.send("b")
        assert json.loads(await told(client))["message"] == "Too Many Requests"


async def test_templates_make_the_event_and_the_answer(chat: Chat) -> None:
    api_id = await chat.api(
        "$default",
        two_way=True,
        IntegrationType="AWS",
        TemplateSelectionExpression="$request.body.kind",
        RequestTemplates={
            "\\$default": '{"id": "$context.connectionId", "all": $input.body, "requestContext": {"eventType": "X"}}'
        },
    )
    integration = (await chat.v2("GetIntegrations", ApiId=api_id))["Items"][0]["IntegrationId"]
    where = {"ApiId": api_id, "IntegrationId": integration}
    await chat.v2(
        "CreateIntegrationResponse",
        **where,
        IntegrationResponseKey="$default",
        ResponseTemplates={"$default": "got $input.path('$.n')"},
    )
    await chat.v2(
        "CreateIntegrationResponse", **where, IntegrationResponseKey="/Bad.*/", ResponseTemplates={"$default": "sorry"}
    )
    chat.reply = lambda event: {"n": event["all"]["n"]} if event["all"]["n"] else _bad()
    async with chat.join(api_id) as client:
        await client.send('{"n": 7}')
        assert await told(client) == "got 7"
        await client.send('{"n": 0}')
        assert await told(client) == "sorry"
    assert len(chat.functions.events[0]["id"]) == 16


def _bad() -> Any:
    raise ValueError("Bad number")


async def test_a_mock_answers_by_itself(chat: Chat) -> None:
    api_id = await chat.api(
        "$connect", "$default",
        two_way=True,
        IntegrationType="MOCK",
        TemplateSelectionExpression="200",
        RequestTemplates={"200": '{"statusCode": 200}'},
    )  # fmt: skip
    integration = (await chat.v2("GetIntegrations", ApiId=api_id))["Items"][0]["IntegrationId"]
    templates = {"$default": '{"you": "$context.identity.sourceIp"}'}
    await chat.v2(
        "CreateIntegrationResponse",
        ApiId=api_id, IntegrationId=integration, IntegrationResponseKey="/200/", ResponseTemplates=templates,
    )  # fmt: skip
    async with chat.join(api_id) as client:
        await client.send("who am I")
        assert await told(client) == '{"you": "127.0.0.1"}'
    assert chat.functions.invocations == []


async def test_each_event_of_a_connection_is_a_line_of_the_access_log(chat: Chat) -> None:
    api_id = await chat.api("$connect", "$disconnect", "add")
    settings = {
        "DestinationArn": "arn:aws:logs:us-east-1:000000000000:log-group:/chat",
        "Format": "$context.eventType $context.routeKey $context.status $context.requestId",
    }
    await chat.v2("UpdateStage", ApiId=api_id, StageName="dev", AccessLogSettings=settings)
    async with chat.join(api_id) as client:
        await client.send('{"action": "add"}')
        await client.send('{"action": "no"}')
        assert json.loads(await told(client))["message"] == "Forbidden"
    await asyncio.wait_for(chat.disconnects.get(), 5)
    await chat.gateway.sockets.close()
    lines = sorted(line.rpartition(" ")[0] for _, line in chat.logged)
    assert lines == ["CONNECT $connect 200", "DISCONNECT $disconnect 200", "MESSAGE - 403", "MESSAGE add 200"]


async def test_executions_are_logged_as_the_stage_says(chat: Chat) -> None:
    api_id = await chat.api("$connect", "$disconnect", "say", "quiet", "fail", two_way=True)
    await chat.v2(
        "UpdateStage",
        ApiId=api_id,
        StageName="dev",
        DefaultRouteSettings={"LoggingLevel": "INFO", "DataTraceEnabled": True},
        RouteSettings={"quiet": {"LoggingLevel": "OFF"}, "fail": {"LoggingLevel": "ERROR", "DataTraceEnabled": False}},
    )
    chat.reply = lambda event: 1 / 0 if "fail" in event.get("body", "") else {"statusCode": 200, "body": "answer"}
    async with chat.join(api_id) as client:
        for action in ("say", "quiet", "fail"):
            await client.send(json.dumps({"action": action}))
            await told(client)
    end = await asyncio.wait_for(chat.disconnects.get(), 5)
    await chat.gateway.sockets.close()
    me = end["requestContext"]["connectionId"]
    assert {group for group, _ in chat.logged} == {f"/aws/apigateway/{api_id}/dev"}
    lines = [line.partition(") ")[2] for _, line in chat.logged]
    routes = [line for line in lines if line.startswith("WebSocket Request Route: ")]
    assert sorted(routes) == [f"WebSocket Request Route: [{key}]" for key in ("$connect", "$disconnect", "fail", "say")]
    for line in (
        f"Client [Connection Id: {me}] connected to API [{api_id}] successfully.",
        f'WebSocket API [{api_id}] received message from client [Connection Id: {me}]. Message: [{{"action": "say"}}]',
        f"WebSocket API [{api_id}] sending message to client [Connection Id: {me}]. Message: [answer]",
        f"Client [Connection Id: {me}] disconnected from API [{api_id}].",
    ):
        assert lines.count(line) == 1
    assert any(line.startswith("Execution failed: INTEGRATION_FAILURE") for line in lines)
    assert not any("fail" in line and "Message" in line for line in lines)


async def test_levels_of_logs_are_checked_and_http_apis_have_none(chat: Chat) -> None:
    api_id = await chat.api("$default")
    with pytest.raises(AwsError, match="Invalid logging level LOUD"):
        await chat.v2("UpdateStage", ApiId=api_id, StageName="dev", DefaultRouteSettings={"LoggingLevel": "LOUD"})
    http = await chat.http_api("GET /")
    with pytest.raises(AwsError, match="not supported on protocolType HTTP"):
        await chat.v2("UpdateStage", ApiId=http, StageName="$default", DefaultRouteSettings={"LoggingLevel": "INFO"})
