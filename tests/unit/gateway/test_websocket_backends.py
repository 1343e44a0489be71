"""HTTP and HTTP_PROXY integrations of WebSocket APIs.

API Gateway Developer Guide, "Integrations for WebSocket APIs", "Set up data mapping for WebSocket APIs".
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.unit.gateway.test_backends import Backend
from tests.unit.gateway.test_websocket_api import Chat, chat, refused, told
from tests.unit.http.test_client import listening

from freehold.aws.errors import AwsError

__all__ = ["chat"]  # A fixture.


def backend(status: str = "200 OK", body: str = "", headers: str = "") -> Backend:
    return Backend(f"HTTP/1.1 {status}\r\n{headers}Content-Length: {len(body)}\r\n\r\n{body}".encode())


async def api(chat: Chat, *keys: str, kind: str = "HTTP_PROXY", connect: Any = None, **more: Any) -> str:
    return await chat.api(*keys, two_way=True, connect=connect, IntegrationType=kind, IntegrationMethod="POST", **more)


async def test_a_proxy_sends_the_message_as_it_came_and_its_answer_back(chat: Chat) -> None:
    there = backend(body="pong")
    async with listening(there) as address:
        api_id = await api(chat, "$default", IntegrationUri=f"{address}/base?fixed=1")
        async with chat.join(api_id) as client:
            await client.send('{"not": json}')
            assert await told(client) == "pong"
    assert there.lines == ["POST /base?fixed=1 HTTP/1.1"]
    assert there.body == b'{"not": json}'
    assert there.headers["user-agent"] == f"AmazonAPIGateway_{api_id}"
    assert there.headers["x-amzn-apigateway-api-id"] == api_id
    assert there.headers["x-amzn-trace-id"].startswith("Root=1-")


async def test_parameters_map_what_a_message_says_and_who_says_it(chat: Chat) -> None:
    there = backend(body="{}")
    async with listening(there) as address:
        api_id = await api(
            chat,
            "$default",
            IntegrationUri=f"{address}/{{room}}",
            RequestParameters={
                "integration.request.header.connectionId": "context.connectionId",
                "integration.request.header.kind": "route.request.body.kind",
                "integration.request.header.content-type": "'text/x'",
                "integration.request.querystring.stage": "stageVariables.where",
                "integration.request.querystring.none": "route.request.body.none",
                "integration.request.path.room": "route.request.body.room.id",
            },
        )
        await chat.v2("UpdateStage", ApiId=api_id, StageName="dev", StageVariables={"where": "here"})
        async with chat.join(api_id) as client:
            await client.send(json.dumps({"kind": "greeting", "room": {"id": "../a b?c"}}))
            assert json.loads(await told(client))["message"] == "Internal server error"
            await client.send(json.dumps({"kind": "greeting", "room": {"id": "a b?c"}}))
            assert await told(client) == "{}"
    assert there.lines == ["POST /a%20b%3Fc?stage=here HTTP/1.1"]
    assert (there.headers["kind"], there.headers["content-type"]) == ("greeting", "text/x")
    assert len(there.headers["connectionid"]) == 16


async def test_a_handshake_is_answered_by_the_backend(chat: Chat) -> None:
    there = backend("403 Forbidden", "no", "Sec-WebSocket-Protocol: a\r\n")
    async with listening(there) as address:
        api_id = await api(
            chat,
            "$connect",
            IntegrationUri=address,
            connect={"RequestParameters": {"route.request.querystring.token": {"Required": False}}},
            RequestParameters={"integration.request.header.token": "route.request.querystring.token"},
        )
        assert (await refused(chat.join(api_id, "?token=secret"))).response.status_code == 403
        assert there.headers["token"] == "secret"
        there.answer = backend(headers="Sec-WebSocket-Protocol: a\r\n").answer
        async with chat.join(api_id, subprotocols=["a", "b"]) as client:
            assert client.subprotocol == "a"
        assert "token" not in there.headers


async def test_templates_make_what_a_backend_gets_and_what_the_client_is_told(chat: Chat) -> None:
    there = backend("404 Not Found", '{"why": "gone"}')
    async with listening(there) as address:
        api_id = await api(
            chat,
            "$default",
            kind="HTTP",
            IntegrationUri=address,
            RequestTemplates={"$default": '{"said": $input.json("$.text")}'},
        )
        integration = (await chat.v2("GetIntegrations", ApiId=api_id))["Items"][0]["IntegrationId"]
        where = {"ApiId": api_id, "IntegrationId": integration}
        for key, template in (("/4\\d\\d/", "failed: $input.path('$.why')"), ("$default", "fine")):
            await chat.v2(
                "CreateIntegrationResponse",
                **where,
                IntegrationResponseKey=key,
                ResponseTemplates={"$default": template},
            )
        async with chat.join(api_id) as client:
            await client.send('{"text": "hi"}')
            assert await told(client) == "failed: gone"
            there.answer = backend(body="{}").answer
            await client.send('{"text": "hi"}')
            assert await told(client) == "fine"
    assert there.body == b'{"said": "hi"}'


async def test_a_backend_that_is_not_there_is_an_error_frame(chat: Chat) -> None:
    async with listening(backend()) as address:
        pass
    api_id = await api(chat, "$default", IntegrationUri=address)
    async with chat.join(api_id) as client:
        await client.send("hi")
        assert json.loads(await told(client))["message"] == "Internal server error"


async def test_a_uri_may_name_stage_variables(chat: Chat) -> None:
    there = backend(body="ok")
    async with listening(there) as address:
        api_id = await api(chat, "$default", IntegrationUri="http://${stageVariables.host}/x")
        host = address.removeprefix("http://")
        await chat.v2("UpdateStage", ApiId=api_id, StageName="dev", StageVariables={"host": host})
        async with chat.join(api_id) as client:
            await client.send("hi")
            assert await told(client) == "ok"


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ({"IntegrationUri": "ftp://a"}, "Invalid HTTP endpoint"),
        ({"IntegrationUri": "http://a", "IntegrationMethod": None}, "HttpMethod must be specified"),
        ({"IntegrationUri": "http://a", "RequestParameters": {"header.x": "'1'"}}, "Invalid mapping expression"),
        (
            {
                "IntegrationUri": "http://a",
                "RequestParameters": {"integration.request.header.x": "route.request.path.x"},
            },
            "the parameter mapping from route.request.path.x",
        ),
        ({"IntegrationUri": "http://a", "ResponseParameters": {"x": {"a": "b"}}}, "ResponseParameters"),
    ],
)
async def test_what_cannot_be_called_is_refused_by_name(chat: Chat, wanted: dict[str, Any], words: str) -> None:
    given = {name: value for name, value in {"IntegrationMethod": "POST", **wanted}.items() if value is not None}
    with pytest.raises(AwsError, match=words):
        await chat.api("$default", IntegrationType="HTTP", **given)
