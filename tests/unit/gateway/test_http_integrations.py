"""HTTP_PROXY and AWS service integrations of HTTP APIs.

API Gateway Developer Guide, "Create HTTP proxy integrations for HTTP APIs", "Create AWS service integrations for HTTP
APIs", "Integration subtype reference". The answer of SQS is as recorded in public READMEs.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest
from tests.unit.gateway.test_backends import Backend
from tests.unit.gateway.test_parameter_mapping import api
from tests.unit.gateway.world import World, header
from tests.unit.http.test_client import Serve, listening

from freehold.aws.errors import AwsError
from freehold.http.messages import Response

ROLE = "arn:aws:iam::000000000000:role/gateway"
QUEUE = "http://localhost:4566/000000000000/jobs"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "apigateway.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}


@pytest.fixture
async def world() -> AsyncIterator[World]:
    world = World()
    yield world
    await world.gateway.close()


async def role(world: World, *statements: dict[str, Any], trust: Any = TRUST) -> str:
    iam = world.operations.bind(world.call)
    document = trust if isinstance(trust, str) else orjson.dumps(trust).decode()
    await iam("iam", "CreateRole", {"RoleName": "gateway", "AssumeRolePolicyDocument": document})
    policy = orjson.dumps({"Version": "2012-10-17", "Statement": list(statements)}).decode()
    await iam("iam", "PutRolePolicy", {"RoleName": "gateway", "PolicyName": "p", "PolicyDocument": policy})
    return ROLE


def allow(action: str, resource: str = "*", effect: str = "Allow") -> dict[str, Any]:
    return {"Effect": effect, "Action": action, "Resource": resource}


def proxy(address: str, method: str = "ANY", **more: Any) -> dict[str, Any]:
    return {"IntegrationType": "HTTP_PROXY", "IntegrationMethod": method, "IntegrationUri": address, **more}


async def test_a_proxy_hands_request_and_answer_on_as_they_came(world: World) -> None:
    backend = Backend(
        b"HTTP/1.1 418 Teapot\r\nX-Kind: pot\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n"
        b"Content-Length: 3\r\n\r\n\xff\x00!"
    )
    async with listening(backend) as address:
        url = await api(world, "ANY /files/{name+}", **proxy(f"{address}/base/{{name}}?fixed=1"))
        sent = [
            ("X-Mine", "1"),
            ("Content-Type", "image/png"),
            ("Connection", "close"),
            ("X-Forwarded-For", "10.0.0.1, 2001:db8::1"),
            ("X-Forwarded-Proto", "gopher"),
            ("Via", "1.0 elsewhere"),
            ("Cookie", "c=3"),
        ]
        response = await world.send("PUT", f"{url}/files/a/b%20c?q=x%26y&q=2", sent, b"\x89PNG")
    assert backend.lines == ["PUT /base/a/b%20c?fixed=1&q=x%26y&q=2 HTTP/1.1"]
    assert backend.body == b"\x89PNG"
    found = backend.headers
    assert (found["x-mine"], found["cookie"], found["host"]) == ("1", "c=3", address.removeprefix("http://"))
    assert found["forwarded"] == ('for=10.0.0.1,for="[2001:db8::1]",for=203.0.113.7;host="localhost:4566";proto=http')
    assert found["via"] == "1.0 elsewhere, HTTP/1.1 AmazonAPIGateway"
    assert not {"connection", "x-forwarded-for", "x-forwarded-proto"}.intersection(found)
    assert found["x-amzn-trace-id"].startswith("Root=1-")
    assert (response.status, response.body, header(response, "x-kind")) == (418, b"\xff\x00!", "pot")
    assert [value for name, value in response.headers if name == "Set-Cookie"] == ["a=1", "b=2"]
    assert header(response, "apigw-requestid")


async def test_a_proxy_with_a_method_of_its_own_and_no_variables(world: World) -> None:
    backend = Backend()
    async with listening(backend) as address:
        url = await api(world, "GET /things", **proxy(f"{address}/fixed", "POST"))
        await world.get(f"{url}/things")
    assert backend.lines == ["POST /fixed HTTP/1.1"]


async def test_a_stage_names_the_backend(world: World) -> None:
    backend = Backend()
    async with listening(backend) as address:
        url = await api(world, "$default", **proxy("http://${stageVariables.host}/x"))
        api_id = url.rpartition("/")[2]
        variables = {"host": address.removeprefix("http://")}
        await world.v2("UpdateStage", ApiId=api_id, StageName="$default", StageVariables=variables)
        assert (await world.get(f"{url}/anything")).status == 200
    assert backend.lines == ["GET /x HTTP/1.1"]


@pytest.mark.parametrize("path", ["..", "a%2F..", "%2e%2E"])
async def test_a_caller_cannot_leave_the_backends_folder(world: World, path: str) -> None:
    backend = Backend()
    async with listening(backend) as address:
        url = await api(world, "GET /files/{name+}", **proxy(f"{address}/public/{{name}}/x"))
        assert (await world.get(f"{url}/files/{path}")).status == 500
    assert backend.lines == []


async def _silence(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


async def _cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")


@pytest.mark.parametrize(("serve", "limit_ms"), [(_silence, 50), (_cut, 30_000)], ids=["silent", "cut"])
async def test_a_backend_that_does_not_answer_is_503(world: World, serve: Serve, limit_ms: int) -> None:
    async with listening(serve) as address:
        url = await api(world, "GET /things", **proxy(address, TimeoutInMillis=limit_ms))
        response = await world.get(f"{url}/things")
    assert (response.status, response.body) == (503, b'{"message":"Service Unavailable"}')


@pytest.mark.parametrize(
    ("integration", "message"),
    [
        (proxy("ftp://example.com"), "Invalid HTTP endpoint specified for URI ftp://example.com"),
        (
            {"IntegrationType": "HTTP_PROXY", "IntegrationUri": "https://example.com"},
            "HttpMethod must be specified for HTTP_PROXY integrations",
        ),
        (
            proxy("https://example.com", TlsConfig={"ServerNameToVerify": "example.com"}),
            "Freehold does not support TlsConfig of an integration, which belongs to a VPC link, yet.",
        ),
        (
            proxy("https://example.com", ConnectionType="VPC_LINK", ConnectionId="abc"),
            "Freehold does not support integrations through a VPC link yet.",
        ),
    ],
)
async def test_a_backend_that_cannot_be_called_is_refused(world: World, integration: Any, message: str) -> None:
    with pytest.raises(AwsError) as caught:
        await api(world, "GET /things", **integration)
    assert (caught.value.code, caught.value.message) == ("BadRequestException", message)


def subtype(name: str, **parameters: str) -> dict[str, Any]:
    return {
        "IntegrationType": "AWS_PROXY",
        "IntegrationSubtype": name,
        "PayloadFormatVersion": "1.0",
        "CredentialsArn": ROLE,
        "RequestParameters": parameters,
    }


async def test_a_message_is_sent_and_the_answer_is_xml(world: World) -> None:
    """The README of a public pattern has the answer that AWS gave."""
    await role(world, allow("sqs:SendMessage", "arn:aws:sqs:us-east-1:000000000000:jobs"))
    world.aws_answer = Response(200, [("x-amzn-RequestId", "r1")], b'{"MessageId": "m1", "MD5OfMessageBody": "d&g"}')
    wanted = subtype(
        "SQS-SendMessage",
        QueueUrl=QUEUE,
        MessageBody="$request.body",
        DelaySeconds="$request.querystring.delay",
        MessageAttributes='{"From": {"DataType": "String", "StringValue": "${request.header.x-from}"}}',
    )
    url = await api(world, "POST /submit", **wanted)
    response = await world.send("POST", f"{url}/submit?delay=3", [("X-From", "me")], b'{"a": 1}')
    asked = world.asked[0]
    assert asked.lower["x-amz-target"] == "AmazonSQS.SendMessage"
    assert "/us-east-1/sqs/aws4_request" in asked.lower["authorization"]
    assert orjson.loads(asked.body) == {
        "QueueUrl": QUEUE,
        "MessageBody": '{"a": 1}',
        "DelaySeconds": 3,
        "MessageAttributes": {"From": {"DataType": "String", "StringValue": "me"}},
    }
    assert (response.status, header(response, "content-type")) == (200, "text/xml")
    assert response.body == (
        b'<?xml version="1.0"?><SendMessageResponse xmlns="http://queue.amazonaws.com/doc/2012-11-05/">'
        b"<SendMessageResult><MessageId>m1</MessageId><MD5OfMessageBody>d&amp;g</MD5OfMessageBody></SendMessageResult>"
        b"<ResponseMetadata><RequestId>r1</RequestId></ResponseMetadata></SendMessageResponse>"
    )


async def test_messages_are_received_with_what_belongs_to_them(world: World) -> None:
    await role(world, allow("sqs:*"))
    message = {
        "MessageId": "m1",
        "Body": "<b>",
        "Attributes": {"SentTimestamp": "1", "SenderId": "2"},
        "MessageAttributes": {"n": {"DataType": "Number", "StringValue": "3"}},
    }
    world.aws_answer = Response(200, [], orjson.dumps({"Messages": [message, {"MessageId": "m2"}]}))
    wanted = subtype("SQS-ReceiveMessage", QueueUrl=QUEUE, AttributeNames='["All"]', MessageAttributeNames="n")
    url = await api(world, "GET /next", **wanted)
    response = await world.get(f"{url}/next")
    asked = orjson.loads(world.asked[0].body)
    assert asked == {"QueueUrl": QUEUE, "AttributeNames": ["All"], "MessageAttributeNames": ["n"]}
    assert (
        b"<ReceiveMessageResult><Message><MessageId>m1</MessageId><Body>&lt;b&gt;</Body>"
        b"<Attribute><Name>SentTimestamp</Name><Value>1</Value></Attribute>"
        b"<Attribute><Name>SenderId</Name><Value>2</Value></Attribute>"
        b"<MessageAttribute><Name>n</Name><Value><DataType>Number</DataType><StringValue>3</StringValue></Value>"
        b"</MessageAttribute></Message><Message><MessageId>m2</MessageId></Message></ReceiveMessageResult>"
    ) in response.body


async def test_an_error_of_the_queue_is_handed_on(world: World) -> None:
    await role(world, allow("sqs:*"))
    error = {"__type": "com.amazonaws.sqs#QueueDoesNotExist", "message": "The specified queue does not exist."}
    world.aws_answer = Response(400, [("x-amzn-RequestId", "r1")], orjson.dumps(error))
    url = await api(world, "POST /purge", **subtype("SQS-PurgeQueue", QueueUrl=QUEUE))
    response = await world.send("POST", f"{url}/purge")
    assert response.status == 400
    assert b"<Code>QueueDoesNotExist</Code><Message>The specified queue does not exist.</Message>" in response.body


async def test_an_event_is_put_on_a_bus(world: World) -> None:
    await role(world, allow("events:PutEvents", "arn:aws:events:eu-west-1:000000000000:event-bus/orders"))
    world.aws_answer = Response(200, [], b'{"FailedEntryCount":0,"Entries":[{"EventId":"e1"}]}')
    wanted = subtype(
        "EventBridge-PutEvents",
        Detail="$request.body.Detail",
        DetailType="made",
        Source="shop",
        EventBusName="orders",
        Resources='["arn:one"]',
        Region="eu-west-1",
    )
    url = await api(world, "POST /events", ResponseParameters={"200": {"overwrite:statuscode": "202"}}, **wanted)
    response = await world.send("POST", f"{url}/events", [], b'{"Detail": {"id": 7}}')
    asked = world.asked[0]
    assert (asked.lower["x-amz-target"], orjson.loads(asked.body)) == (
        "AWSEvents.PutEvents",
        {
            "Entries": [
                {
                    "Detail": '{"id":7}',
                    "DetailType": "made",
                    "Source": "shop",
                    "EventBusName": "orders",
                    "Resources": ["arn:one"],
                }
            ]
        },
    )
    assert "/eu-west-1/events/aws4_request" in asked.lower["authorization"]
    assert (response.status, response.body) == (202, b'{"FailedEntryCount":0,"Entries":[{"EventId":"e1"}]}')


_ELSEWHERE = {
    "Version": "2012-10-17",
    "Statement": [{**TRUST["Statement"][0], "Principal": {"Service": "lambda.amazonaws.com"}}],
}
_ONE_API = {
    "Version": "2012-10-17",
    "Statement": [
        {
            **TRUST["Statement"][0],
            "Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:execute-api:us-east-1:000000000000:other/*"}},
        }
    ],
}


@pytest.mark.parametrize(
    ("statements", "trust"),
    [
        (None, TRUST),
        ((), TRUST),
        ((allow("sqs:ReceiveMessage"),), TRUST),
        ((allow("sqs:SendMessage", "arn:aws:sqs:us-east-1:000000000000:other"),), TRUST),
        ((allow("sqs:*"), allow("sqs:SendMessage", effect="Deny")), TRUST),
        ((allow("sqs:*"),), _ELSEWHERE),
        ((allow("sqs:*"),), _ONE_API),
    ],
    ids=["no role", "no policy", "another action", "another queue", "denied", "trusts another", "for another API"],
)
async def test_the_role_must_trust_the_gateway_and_allow_it(world: World, statements: Any, trust: Any) -> None:
    if statements is not None:
        await role(world, *statements, trust=trust)
    wanted = subtype("SQS-SendMessage", QueueUrl=QUEUE, MessageBody="$request.body")
    url = await api(world, "POST /submit", **wanted)
    response = await world.send("POST", f"{url}/submit", [], b"hello")
    assert (response.status, response.body) == (500, b'{"message":"Internal Server Error"}')
    assert world.asked == []


async def test_a_role_that_is_allowed_later_is_asked_again(world: World) -> None:
    await role(world)
    url = await api(world, "POST /s", **subtype("SQS-SendMessage", QueueUrl=QUEUE, MessageBody="$request.body"))
    assert (await world.send("POST", f"{url}/s", [], b"x")).status == 500
    policy = orjson.dumps({"Version": "2012-10-17", "Statement": [allow("sqs:SendMessage")]}).decode()
    request = {"RoleName": "gateway", "PolicyName": "p", "PolicyDocument": policy}
    await world.operations.bind(world.call)("iam", "PutRolePolicy", request)
    assert (await world.send("POST", f"{url}/s", [], b"x")).status == 200


@pytest.mark.parametrize(
    ("integration", "message"),
    [
        (
            subtype("Kinesis-PutRecord", StreamName="s"),
            "Freehold does not support the integration subtype Kinesis-PutRecord yet.",
        ),
        (
            subtype("StepFunctions-StartExecution", StateMachineArn="s"),
            "Freehold does not support the integration subtype StepFunctions-StartExecution yet.",
        ),
        (
            subtype("AppConfig-GetConfiguration", Application="s"),
            "Freehold does not support the integration subtype AppConfig-GetConfiguration yet.",
        ),
        (subtype("SQS-Send"), "Invalid IntegrationSubtype SQS-Send"),
        (
            subtype("SQS-SendMessage", QueueUrl=QUEUE),
            "The parameter MessageBody is required for the integration subtype SQS-SendMessage",
        ),
        (
            subtype("SQS-PurgeQueue", QueueUrl=QUEUE, Speed="9"),
            "The parameter Speed is not supported by the integration subtype SQS-PurgeQueue",
        ),
        (
            {**subtype("SQS-PurgeQueue", QueueUrl=QUEUE), "CredentialsArn": ""},
            "CredentialsArn must be the ARN of a role for the integration subtype SQS-PurgeQueue",
        ),
    ],
)
async def test_a_subtype_that_cannot_be_honoured_is_refused(world: World, integration: Any, message: str) -> None:
    with pytest.raises(AwsError) as caught:
        await api(world, "POST /x", **integration)
    assert (caught.value.code, caught.value.message) == ("BadRequestException", message)
