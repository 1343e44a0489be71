"""HTTP, HTTP_PROXY and AWS integrations of REST APIs: what their backends are sent, and what callers get.

Developer Guide, "HTTP integrations for REST APIs in API Gateway", "Mapping parameters"; API Reference, "Integration".
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qsl

import pytest
from tests.unit.gateway.world import World, header
from tests.unit.http.test_client import Serve, listening

from freehold.http.messages import Response

JSON = "application/json"
ROLE = "arn:aws:iam::000000000000:role/gateway"


@pytest.fixture
async def world() -> AsyncIterator[World]:
    world = World()
    yield world
    await world.gateway.close()


class Backend:
    """Answers each request with `answer`, and keeps its first line, headers and body."""

    def __init__(self, answer: bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok") -> None:
        self.answer = answer
        self.lines: list[str] = []
        self.headers: dict[str, str] = {}
        self.body = b""

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        self.lines.append(head[0])
        self.headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
        self.body = await reader.readexactly(int(self.headers.get("content-length", "0")))
        writer.write(self.answer)
        await writer.drain()


async def backed(
    world: World,
    path: str = "/things",
    verb: str = "ANY",
    answers: dict[str, Any] | None = None,
    stage: dict[str, Any] | None = None,
    **integration: Any,
) -> str:
    """An API with one method; the URL of its stage."""
    api_id = await world.rest_api(deploy=False, binaryMediaTypes=["image/*"])
    where = {"restApiId": api_id, "resourceId": await world.rest_resource(api_id, path), "httpMethod": verb}
    await world.rest("PutMethod", **where, authorizationType="NONE")
    await world.rest("PutIntegration", **{**where, "integrationHttpMethod": "ANY", **integration})
    for status, answer in (answers or {}).items():
        await world.rest("PutIntegrationResponse", **where, statusCode=status, **answer)
    await world.rest("CreateDeployment", restApiId=api_id, stageName="dev", **(stage or {}))
    return f"/_aws/execute-api/{api_id}/dev"


async def test_a_proxy_hands_the_request_on_as_it_came(world: World) -> None:
    backend = Backend(b"HTTP/1.1 418 Teapot\r\nX-Kind: pot\r\nServer: tea\r\nContent-Length: 3\r\n\r\n\xff\x00!")
    async with listening(backend) as address:
        url = await backed(
            world,
            "/{all+}",
            type="HTTP_PROXY",
            uri=f"{address}/base/{{all}}?fixed=1",
            requestParameters={"integration.request.path.all": "method.request.path.all"},
        )
        sent = [
            ("X-Mine", "1"),
            ("Content-Type", "image/png"),
            ("Connection", "close"),
            ("X-Forwarded-For", "10.0.0.1"),
        ]
        response = await world.send("PUT", f"{url}/a/b%20c?q=x%26y&q=2", sent, b"\x89PNG")
    assert backend.lines == ["PUT /base/a/b%20c?fixed=1&q=x%26y&q=2 HTTP/1.1"]
    assert backend.body == b"\x89PNG"
    assert backend.headers["x-mine"] == "1"
    assert backend.headers["x-forwarded-for"] == "10.0.0.1, 203.0.113.7"
    assert backend.headers["host"] == address.removeprefix("http://")
    assert "connection" not in backend.headers
    assert backend.headers["user-agent"].startswith("AmazonAPIGateway_")
    assert (response.status, response.body) == (418, b"\xff\x00!")
    assert (header(response, "x-kind"), header(response, "x-amzn-Remapped-server")) == ("pot", "tea")


async def test_parameters_reach_path_query_and_headers(world: World) -> None:
    backend = Backend()
    async with listening(backend) as address:
        url = await backed(
            world,
            "/items/{id}",
            type="HTTP_PROXY",
            uri=f"{address}/v1/{{which}}",
            stage={"variables": {"color": "green"}},
            requestParameters={
                "integration.request.path.which": "method.request.path.id",
                "integration.request.querystring.color": "stageVariables.color",
                "integration.request.querystring.from": "method.request.body.user.name",
                "integration.request.header.X-Api": "context.apiId",
                "integration.request.header.X-Fixed": "'text'",
                "integration.request.header.X-Absent": "method.request.header.X-None",
            },
        )
        await world.send("POST", f"{url}/items/a%2Fb?from=them", [("Content-Type", JSON)], b'{"user": {"name": "Ada"}}')
    assert backend.lines == ["POST /v1/a%2Fb?color=green&from=Ada HTTP/1.1"]
    assert backend.headers["x-api"] == url.split("/")[3]
    assert backend.headers["x-fixed"] == "text"
    assert "x-absent" not in backend.headers


@pytest.mark.parametrize("climbing", ["../secret", "%2e%2e/secret", "a/%2E%2E/%2e%2e/x"])
async def test_a_path_does_not_climb_out_of_the_backends_folder(world: World, climbing: str) -> None:
    backend = Backend()
    async with listening(backend) as address:
        parameters = {"integration.request.path.all": "method.request.path.all"}
        uri = f"{address}/public/{{all}}"
        url = await backed(world, "/{all+}", type="HTTP_PROXY", uri=uri, requestParameters=parameters)
        response = await world.get(f"{url}/{climbing}")
    assert (response.status, backend.lines) == (500, [])


async def test_http_sends_what_the_template_makes_and_its_status_selects_the_answer(world: World) -> None:
    backend = Backend(b'HTTP/1.1 404 No\r\nX-Why: gone\r\nContent-Length: 13\r\n\r\n{"why":"lost"')
    backend.answer = b'HTTP/1.1 404 No\r\nX-Why: gone\r\nContent-Length: 14\r\n\r\n{"why":"lost"}'
    async with listening(backend) as address:
        url = await backed(
            world,
            type="HTTP",
            integrationHttpMethod="POST",
            uri=f"{address}/orders",
            requestTemplates={JSON: '{"order": $input.json("$.id")}#set($context.requestOverride.header.X-Over = "1")'},
            answers={
                "200": {},
                "400": {
                    "selectionPattern": r"4\d{2}",
                    "responseTemplates": {JSON: '{"because": "$input.path("$.why")"}'},
                    "responseParameters": {
                        "method.response.header.X-Because": "integration.response.header.X-Why",
                        "method.response.header.X-Why": "integration.response.body.why",
                    },
                },
            },
        )
        response = await world.send("PUT", f"{url}/things?dropped=1", [("X-Dropped", "1")], b'{"id": 7}')
    assert backend.lines == ["POST /orders HTTP/1.1"]
    assert (backend.body, backend.headers["x-over"]) == (b'{"order": 7}', "1")
    assert (backend.headers["content-type"], "x-dropped" in backend.headers) == (JSON, False)
    assert (response.status, json.loads(response.body)) == (400, {"because": "lost"})
    assert (header(response, "x-because"), header(response, "x-why")) == ("gone", "lost")


async def test_binary_bodies_are_converted_as_content_handling_says(world: World) -> None:
    backend = Backend(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n\xff\x00\xff\x00")
    async with listening(backend) as address:
        url = await backed(
            world,
            type="HTTP",
            uri=address,
            contentHandling="CONVERT_TO_TEXT",
            answers={"200": {"contentHandling": "CONVERT_TO_TEXT"}},
        )
        response = await world.send("POST", f"{url}/things", [("Content-Type", "image/png")], b"\x89PNG")
        assert (backend.body, response.body) == (b"iVBORw==", b"/wD/AA==")
        url = await backed(world, type="HTTP", uri=address, contentHandling="CONVERT_TO_BINARY", answers={"200": {}})
        response = await world.send("POST", f"{url}/things", [("Content-Type", JSON)], b"iVBORw==")
    assert (backend.body, response.body) == (b"\x89PNG", b"\xff\x00\xff\x00")


async def test_stage_variables_choose_the_backend(world: World) -> None:
    backend = Backend()
    async with listening(backend) as address:
        host = address.removeprefix("http://")
        url = await backed(
            world, type="HTTP_PROXY", uri="http://${stageVariables.host}/x", stage={"variables": {"host": host}}
        )
        assert (await world.get(f"{url}/things")).status == 200
    assert backend.lines == ["GET /x HTTP/1.1"]


async def _silence(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


async def _cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")


@pytest.mark.parametrize(
    ("serve", "message"),
    [(_silence, "Endpoint request timed out"), (_cut, "Network error communicating with endpoint")],
    ids=["silent", "cut"],
)
async def test_a_backend_that_does_not_answer_is_504(world: World, serve: Serve, message: str) -> None:
    async with listening(serve) as address:
        url = await backed(world, type="HTTP_PROXY", uri=address, timeoutInMillis=50)
        response = await world.get(f"{url}/things")
    assert (response.status, json.loads(response.body)) == (504, {"message": message})


async def test_an_action_of_dynamodb_is_called_with_what_the_template_makes(world: World) -> None:
    world.aws_answer = Response(200, [("Content-Type", "application/x-amz-json-1.0")], b'{"Item": {"id": {"S": "7"}}}')
    url = await backed(
        world,
        "/items/{id}",
        type="AWS",
        integrationHttpMethod="POST",
        uri="arn:aws:apigateway:eu-west-1:dynamodb:action/GetItem",
        credentials=ROLE,
        requestTemplates={JSON: '{"TableName": "items", "Key": {"id": {"S": "$input.params(\'id\')"}}}'},
        answers={"200": {"responseTemplates": {JSON: '{"id": "$input.path(\'$.Item.id.S\')"}'}}},
    )
    response = await world.get(f"{url}/items/7")
    asked = world.asked[0]
    assert (asked.method, asked.raw_path, asked.lower["x-amz-target"]) == ("POST", "/", "DynamoDB_20120810.GetItem")
    assert "/eu-west-1/dynamodb/aws4_request" in asked.lower["authorization"]
    assert json.loads(asked.body) == {"TableName": "items", "Key": {"id": {"S": "7"}}}
    assert (response.status, json.loads(response.body)) == (200, {"id": "7"})


async def test_a_queue_takes_a_form_and_answers_in_its_shape(world: World) -> None:
    world.aws_answer = Response(200, [("x-amzn-RequestId", "r1")], b'{"MessageId": "m1", "MD5OfMessageBody": "d"}')
    url = await backed(
        world,
        type="AWS",
        integrationHttpMethod="POST",
        uri="arn:aws:apigateway:us-east-1:sqs:path/000000000000/jobs",
        credentials=ROLE,
        requestParameters={"integration.request.header.Content-Type": "'application/x-www-form-urlencoded'"},
        requestTemplates={JSON: "Action=SendMessage&MessageBody=$util.urlEncode($input.body)&DelaySeconds=3"},
        answers={"200": {}},
    )
    response = await world.send("POST", f"{url}/things", [], b'{"a": "b&c"}')
    asked = world.asked[0]
    assert asked.lower["x-amz-target"] == "AmazonSQS.SendMessage"
    assert json.loads(asked.body) == {
        "QueueUrl": "https://sqs.amazonaws.com/000000000000/jobs",
        "MessageBody": '{"a": "b&c"}',
        "DelaySeconds": 3,
    }
    document = json.loads(response.body)["SendMessageResponse"]
    assert document["SendMessageResult"]["MessageId"] == "m1"
    assert document["ResponseMetadata"] == {"RequestId": "r1"}


async def test_an_object_of_s3_is_named_by_the_path(world: World) -> None:
    world.aws_answer = Response(200, [("Content-Type", "image/png"), ("ETag", '"e"')], b"\x89PNG")
    url = await backed(
        world,
        "/files/{name}",
        type="AWS",
        integrationHttpMethod="GET",
        uri="arn:aws:apigateway:us-east-1:s3:path/pictures/{key}",
        credentials=ROLE,
        requestParameters={
            "integration.request.path.key": "method.request.path.name",
            "integration.request.querystring.versionId": "method.request.querystring.v",
        },
        answers={"200": {"responseParameters": {"method.response.header.ETag": "integration.response.header.ETag"}}},
    )
    response = await world.get(f"{url}/files/a%20b%2Fc.png?v=1%262")
    asked = world.asked[0]
    assert (asked.method, asked.raw_path, dict(parse_qsl(asked.query))) == (
        "GET",
        "/pictures/a%20b%2Fc.png",
        {"versionId": "1&2"},
    )
    assert (response.body, header(response, "etag")) == (b"\x89PNG", '"e"')


async def test_a_caller_cannot_sign_or_name_the_operation_of_an_aws_integration(world: World) -> None:
    url = await backed(
        world,
        type="AWS",
        integrationHttpMethod="POST",
        uri="arn:aws:apigateway:us-east-1:dynamodb:action/GetItem",
        credentials=ROLE,
        answers={"200": {}},
    )
    mine = [("X-Amz-Target", "DynamoDB_20120810.DeleteTable"), ("Authorization", "AWS4-HMAC-SHA256 Credential=me")]
    await world.send("POST", f"{url}/things", mine, b"{}")
    assert world.asked[0].lower["x-amz-target"] == "DynamoDB_20120810.GetItem"
    assert "Credential=apigateway/" in world.asked[0].lower["authorization"]


async def test_an_event_invocation_is_answered_at_once(world: World) -> None:
    world.aws_answer = Response(202)
    function = "arn:aws:lambda:us-east-1:000000000000:function:later"
    url = await backed(
        world,
        type="AWS",
        integrationHttpMethod="POST",
        uri=f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{function}/invocations",
        requestParameters={"integration.request.header.X-Amz-Invocation-Type": "'Event'"},
        answers={"202": {}},
    )
    response = await world.send("POST", f"{url}/things", [], b'{"do": "it"}')
    assert (response.status, world.functions.invocations) == (202, [])
    assert (world.asked[0].lower["x-amz-invocation-type"], world.asked[0].body) == ("Event", b'{"do": "it"}')
