"""Function URLs."""

from __future__ import annotations

from typing import Any

import pytest
from tests.clocks import SetClock
from tests.unit.gateway.world import FUNCTION, World, event_of, header

from freehold.engine.answer_stream import AnswerStream
from freehold.engine.invocation import InvocationResult
from freehold.http.messages import CutShort, Response
from freehold.state.store import Delete, Put

KEY = "us-east-1/hello/"
# Lambda Developer Guide, "Control access to Lambda function URLs": the policy of a public function URL.
URL_PERMISSION = {
    "Sid": "FunctionURLAllowPublicAccess", "Effect": "Allow", "Principal": "*",
    "Action": "lambda:InvokeFunctionUrl", "Resource": FUNCTION,
    "Condition": {"StringEquals": {"lambda:FunctionUrlAuthType": "NONE"}},
}  # fmt: skip
PERMISSION = {
    "Sid": "FunctionURLInvokeAllowPublicAccess", "Effect": "Allow", "Principal": "*",
    "Action": "lambda:InvokeFunction", "Resource": FUNCTION,
    "Condition": {"Bool": {"lambda:InvokedViaFunctionUrl": "true"}},
}  # fmt: skip


async def url(world: World, **more: Any) -> None:
    document = {"FunctionArn": FUNCTION, "UrlId": "abcdef123456", "AuthType": "NONE", "InvokeMode": "BUFFERED", **more}
    await permit(world, URL_PERMISSION, PERMISSION)
    await world.store.write(Put("lambda.url", KEY, document))


async def permit(world: World, *statements: dict[str, Any]) -> None:
    policies = {"": {"statements": list(statements), "revision": "1"}}
    await world.store.write(Put("lambda.function", "us-east-1/hello", {"policies": policies}))


async def test_a_url_invokes_its_function_with_format_2(world: World) -> None:
    await url(world)
    event = event_of(await world.get("/_aws/lambda-url/abcdef123456/a%20b/c?x=1&x=2"))
    assert (event["version"], event["routeKey"], event["rawPath"]) == ("2.0", "$default", "/a%20b/c")
    assert event["queryStringParameters"] == {"x": "1,2"}
    assert event["pathParameters"] is None
    assert event["requestContext"]["accountId"] == "anonymous"
    assert event["requestContext"]["apiId"] == "abcdef123456"


@pytest.mark.parametrize("host", ["abcdef123456.lambda-url.us-east-1.on.aws", "abcdef123456.lambda-url.localhost:4566"])
async def test_a_url_is_found_by_its_host(world: World, host: str) -> None:
    await url(world)
    response = await world.send("POST", "/", host=host, body=b"{}", headers=[("Content-Type", "application/json")])
    assert event_of(response)["body"] == "{}"


async def test_an_unknown_or_deleted_url_is_not_found(world: World) -> None:
    await url(world)
    assert (await world.get("/_aws/lambda-url/other/")).status == 404
    await world.store.write(Delete("lambda.url", KEY))
    assert (await world.get("/_aws/lambda-url/abcdef123456/")).status == 404


async def test_a_url_with_iam_refuses_who_did_not_sign(world: World) -> None:
    await url(world, AuthType="AWS_IAM")
    refused = await world.get("/_aws/lambda-url/abcdef123456/")
    assert (refused.status, refused.body) == (403, b'{"Message":"Forbidden"}')
    assert world.functions.invocations == []
    signature = ("Authorization", "AWS4-HMAC-SHA256 Credential=x")
    assert (await world.get("/_aws/lambda-url/abcdef123456/", signature)).status == 403


@pytest.mark.parametrize(
    "statements",
    [
        (),
        (URL_PERMISSION,),
        (PERMISSION,),
        (URL_PERMISSION, {**PERMISSION, "Condition": {"Bool": {"lambda:InvokedViaFunctionUrl": "false"}}}),
        ({**URL_PERMISSION, "Condition": {"StringEquals": {"lambda:FunctionUrlAuthType": "AWS_IAM"}}}, PERMISSION),
        (URL_PERMISSION, {**PERMISSION, "Resource": f"{FUNCTION}2"}),
        (URL_PERMISSION, {**PERMISSION, "Principal": {"AWS": "arn:aws:iam::111111111111:root"}}),
        (URL_PERMISSION, {**PERMISSION, "Condition": {"StringEquals": {"AWS:SourceAccount": "000000000000"}}}),
        (URL_PERMISSION, PERMISSION, {**PERMISSION, "Sid": "no", "Effect": "Deny"}),
    ],
)
async def test_a_public_url_needs_both_permissions(world: World, statements: tuple[dict[str, Any], ...]) -> None:
    await url(world)
    path = "/_aws/lambda-url/abcdef123456/"
    assert (await world.get(path)).status == 200
    await permit(world, *statements)
    refused = await world.get(path)
    assert (refused.status, refused.body) == (403, b'{"Message":"Forbidden"}')
    assert header(refused, "x-amzn-ErrorType") == "AccessDeniedException"
    assert len(world.functions.invocations) == 1


async def test_a_failed_function_is_502(world: World) -> None:
    await url(world)
    world.functions.answers["hello"] = lambda event: 1 / 0
    response = await world.get("/_aws/lambda-url/abcdef123456/")
    assert (response.status, response.body) == (502, b"Internal Server Error")


async def test_cors_of_a_url(world: World) -> None:
    await url(world, Cors={"AllowOrigins": ["*"], "AllowMethods": ["GET"]})
    headers = [("Origin", "https://a.com"), ("Access-Control-Request-Method", "GET")]
    preflight = await world.send("OPTIONS", "/_aws/lambda-url/abcdef123456/", headers)
    assert (preflight.status, header(preflight, "access-control-allow-methods")) == (204, "GET")
    assert world.functions.invocations == []
    answer = await world.get("/_aws/lambda-url/abcdef123456/", ("Origin", "https://a.com"))
    assert header(answer, "access-control-allow-origin") == "*"


WITH_HEAD = "application/vnd.awslambda.http-integration-response"
PATH = "/_aws/lambda-url/abcdef123456/"


def streamed(*parts: bytes, content_type: str = WITH_HEAD, failure: bytes | None = b"") -> InvocationResult:
    """A function's answer in parts; `failure` None: it has not ended yet."""
    stream = AnswerStream(SetClock(), content_type, lambda: None, lambda: None)
    for part in parts:
        stream.write(part)
    if failure is not None:
        stream.end(failure)
    return InvocationResult(b"", None, "$LATEST", content_type=content_type, stream=stream)


async def body_of(response: Response) -> bytes:
    assert response.stream is not None
    return b"".join([part async for part in response.stream])


async def test_a_streamed_answer_has_its_head_before_the_body_however_it_is_cut(world: World) -> None:
    await url(world, InvokeMode="RESPONSE_STREAM")
    head = b'{"statusCode":201,"headers":{"content-type":"text/html","x-a":"1"},"cookies":["a=1","b=2"]}'
    whole = head + bytes(8) + b"<p>\0</p>"
    for parts in ([whole], [whole[:5], whole[5:]], [whole[i : i + 1] for i in range(len(whole))]):
        world.functions.answers["hello"] = lambda event, parts=parts: streamed(*parts)  # type: ignore[misc]
        response = await world.get(PATH)
        assert (response.status, header(response, "content-type")) == (201, "text/html")
        assert [value for name, value in response.headers if name == "set-cookie"] == ["a=1", "b=2"]
        assert await body_of(response) == b"<p>\0</p>"
    assert world.functions.invocations[-1].streams


async def test_a_streamed_answer_without_a_head_is_a_body_of_its_own_type(world: World) -> None:
    await url(world, InvokeMode="RESPONSE_STREAM")
    world.functions.answers["hello"] = lambda event: streamed(b"a", bytes(8), b"b", content_type="text/x")
    response = await world.get(PATH)
    assert (response.status, header(response, "content-type")) == (200, "text/x")
    assert await body_of(response) == b"a" + bytes(8) + b"b"


async def test_what_a_function_returns_without_streaming_is_the_body_as_it_is(world: World) -> None:
    await url(world, InvokeMode="RESPONSE_STREAM")
    world.functions.answers["hello"] = lambda event: {"statusCode": 201, "body": "x"}
    response = await world.get(PATH)
    assert (response.status, response.body) == (200, b'{"statusCode":201,"body":"x"}')
    assert header(response, "content-type") == "application/json"
    only_head = InvocationResult(b'{"statusCode":204}' + bytes(8), None, "$LATEST", content_type=WITH_HEAD)
    world.functions.answers["hello"] = lambda event: only_head
    assert (await world.get(PATH)).status == 204


@pytest.mark.parametrize(
    ("parts", "failure"),
    [
        ([b'{"statusCode":200}'], b""),
        ([b'{"statusCode":200}'], b"{}"),
        ([b"no json" + bytes(8)], b""),
        ([b"[]" + bytes(8)], b""),
        ([b'{"statusCode":"x"}' + bytes(8)], b""),
        ([b"x" * 600_000] * 2, None),
    ],
)
async def test_a_head_that_is_none_is_502_and_the_stream_is_left(
    world: World, parts: list[bytes], failure: bytes | None
) -> None:
    await url(world, InvokeMode="RESPONSE_STREAM")
    answer = streamed(*parts, failure=failure)
    world.functions.answers["hello"] = lambda event: answer
    response = await world.get(PATH)
    assert (response.status, response.body) == (502, b"Internal Server Error")
    assert answer.stream is not None
    assert [part async for part in answer.stream] == []


async def test_a_function_that_fails_midway_cuts_the_body_short(world: World) -> None:
    await url(world, InvokeMode="RESPONSE_STREAM")
    world.functions.answers["hello"] = lambda event: streamed(b"{}" + bytes(8) + b"a", b"b", failure=b"{}")
    response = await world.get(PATH)
    assert response.status == 200
    stream: Any = response.stream
    assert [await anext(stream), await anext(stream)] == [b"a", b"b"]
    with pytest.raises(CutShort):
        await anext(stream)


async def test_a_url_without_streaming_asks_for_the_whole_answer(world: World) -> None:
    await url(world)
    await world.get(PATH)
    assert not world.functions.invocations[-1].streams
