"""The Runtime API, route by route, with raw sockets where a client library would be too polite."""

from __future__ import annotations

import asyncio
import base64
import http.client
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from tests.unit.engine.test_frames import Heard

from freehold.engine.limits import PAYLOAD_BYTES
from freehold.engine.link import Work
from freehold.engine.runtime_api import RuntimeApi, error_type_of


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
async def api(heard: Heard) -> AsyncIterator[RuntimeApi]:
    listening = await RuntimeApi.listen(heard)
    yield listening
    listening.close()


async def ask(api: RuntimeApi, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, Any, bytes]:
    def ask_now() -> tuple[int, Any, bytes]:
        connection = http.client.HTTPConnection(api.address)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, f"/2018-06-01/{path}", body, named)
        answer = connection.getresponse()
        result = answer.status, answer.headers, answer.read()
        connection.close()
        return result

    return await asyncio.to_thread(ask_now)


async def running(api: RuntimeApi, heard: Heard, request_id: str = "id") -> None:
    """Brings it to where the runtime runs an invocation."""
    ready = len(heard.events)
    asked = asyncio.ensure_future(ask(api, "GET", "runtime/invocation/next"))
    await heard.wait(ready + 1)
    api.send(Work(request_id, 5, "arn", b"{}", "Root=1", '{"a":1}'))
    status, headers, body = await asked
    assert (status, body, headers["Lambda-Runtime-Aws-Request-Id"]) == (200, b"{}", request_id)


async def raw(api: RuntimeApi, *parts: bytes, close: bool = False) -> bytes:
    """Sends the parts; what came back until the head of an answer was whole, or the connection was closed."""
    host, port = api.address.split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    for part in parts:
        writer.write(part)
        await writer.drain()
    if close:
        writer.close()
        return b""
    got = b""
    async with asyncio.timeout(5):
        while b"\r\n\r\n" not in got:
            part = await reader.read(65536)
            if not part:
                break
            got += part
    writer.close()
    return got


async def test_an_invocation_has_its_headers_and_empty_ones_are_left_out(api: RuntimeApi, heard: Heard) -> None:
    asked = asyncio.ensure_future(ask(api, "GET", "runtime/invocation/next"))
    await heard.wait(1)
    api.send(Work("id", 5, "arn", b"{}", "Root=1", '{"a":1}'))
    _, headers, _ = await asked
    told = {name: value for name, value in headers.items() if name.startswith("Lambda-Runtime-")}
    assert told == {
        "Lambda-Runtime-Aws-Request-Id": "id",
        "Lambda-Runtime-Deadline-Ms": "5",
        "Lambda-Runtime-Invoked-Function-Arn": "arn",
        "Lambda-Runtime-Trace-Id": "Root=1",
        "Lambda-Runtime-Client-Context": '{"a":1}',
    }
    assert headers["Content-Type"] == "application/json"


async def test_a_header_of_the_callers_cannot_smuggle_another(api: RuntimeApi, heard: Heard) -> None:
    asked = asyncio.ensure_future(ask(api, "GET", "runtime/invocation/next"))
    await heard.wait(1)
    api.send(Work("id", 5, "arn", b"{}", client_context="{}\r\nLambda-Runtime-Aws-Request-Id: other\r\n\r\n"))
    _, headers, _ = await asked
    assert headers.get_all("Lambda-Runtime-Aws-Request-Id") == ["id"]


async def test_an_answer_is_passed_on_at_once_and_readiness_with_the_next_call(api: RuntimeApi, heard: Heard) -> None:
    await running(api, heard)
    status, _, body = await ask(api, "POST", "runtime/invocation/id/response", b"1", Content_Type="text/x")
    assert (status, body) == (202, b'{"status":"OK"}')
    assert heard.events == [("ready",), ("response", "id", b"1", "text/x")]
    asked = asyncio.ensure_future(ask(api, "GET", "runtime/invocation/next"))
    await heard.wait(3)
    assert heard.events[2] == ("ready",)
    api.close()
    with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
        await asked


async def test_moves_at_the_wrong_time_are_refused(api: RuntimeApi, heard: Heard) -> None:
    await running(api, heard)
    status, _, body = await ask(api, "POST", "runtime/init/error", b"{}")
    assert status == 403
    assert json.loads(body) == {
        "errorType": "InvalidStateTransition",
        "errorMessage": "State transition from Running to InitError failed for runtime. "
        "Error: State transition is not allowed",
    }
    assert (await ask(api, "GET", "runtime/invocation/next"))[0] == 403
    assert (await ask(api, "POST", "runtime/invocation/id/response", b"1"))[0] == 202
    assert (await ask(api, "POST", "runtime/invocation/id/response", b"2"))[0] == 403
    assert (await ask(api, "POST", "runtime/invocation/id/error", b"2"))[0] == 403
    assert [event[0] for event in heard.events] == ["ready", "response"]


async def test_an_unknown_or_old_id_is_told_before_the_state(api: RuntimeApi, heard: Heard) -> None:
    status, _, body = await ask(api, "POST", "runtime/invocation/id/response", b"1")
    assert (status, json.loads(body)) == (
        400,
        {"errorType": "InvalidRequestID", "errorMessage": "Invalid request ID"},
    )
    await running(api, heard, "old")
    await ask(api, "POST", "runtime/invocation/old/response", b"1")
    await running(api, heard, "new")
    assert (await ask(api, "POST", "runtime/invocation/old/response", b"1"))[0] == 400
    assert (await ask(api, "POST", "runtime/invocation/old/error", b"1"))[0] == 400
    assert (await ask(api, "POST", "runtime/invocation/new/response", b"1"))[0] == 202


async def test_errors_are_passed_on_verbatim_with_their_type(api: RuntimeApi, heard: Heard) -> None:
    await running(api, heard)
    await ask(api, "POST", "runtime/invocation/id/error", b"as it is", Lambda_Runtime_Function_Error_Type="Function.My")
    assert heard.events[1] == ("error", "id", "Function.My", b"as it is")


async def test_an_error_with_its_cause_gives_the_caller_what_is_the_callers(api: RuntimeApi, heard: Heard) -> None:
    kind = "application/vnd.aws.lambda.error.cause+json"
    document = {"errorType": "E", "errorMessage": "m", "stackTrace": ["s"], "causes": [{"secret": 1}]}
    await running(api, heard)
    await ask(api, "POST", "runtime/invocation/id/error", json.dumps(document).encode(), Content_Type=kind)
    assert json.loads(heard.events[1][3]) == {"errorType": "E", "errorMessage": "m", "stackTrace": ["s"]}  # type: ignore[arg-type]
    await running(api, heard, "next")
    await ask(api, "POST", "runtime/invocation/next/error", b"no JSON", Content_Type=kind)
    assert heard.events[3][3] == b'"Invalid error body"'


async def test_an_init_error_is_passed_on_and_is_the_end(api: RuntimeApi, heard: Heard) -> None:
    headers = {"Lambda_Runtime_Function_Error_Type": "Runtime.Init"}
    assert (await ask(api, "POST", "runtime/init/error", b"{}", **headers))[0] == 202
    assert heard.events == [("init error", "Runtime.Init", b"{}")]
    assert (await ask(api, "GET", "runtime/invocation/next"))[0] == 403
    assert (await ask(api, "POST", "runtime/init/error", b"{}"))[0] == 403


async def test_a_streamed_answer_is_passed_on_as_it_comes(api: RuntimeApi, heard: Heard) -> None:
    await running(api, heard)
    head = (
        b"POST /2018-06-01/runtime/invocation/id/response HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
        b"Content-Type: text/y\r\nLambda-Runtime-Function-Response-Mode: streaming\r\n\r\n"
    )
    assert (await raw(api, head, b"3\r\nabc\r\n", b"2\r\nde\r\n", b"0\r\n\r\n")).startswith(b"HTTP/1.1 202 ")
    assert heard.events[-1] == ("response", "id", b"", "text/y")
    parts = heard.events[1:-1]
    assert b"".join(part[2] for part in parts if isinstance(part[2], bytes)) == b"abcde"
    assert {(part[0], part[1], part[3]) for part in parts} == {("part", "id", "text/y")}


async def test_the_runtime_of_a_stream_that_got_too_large_is_told_at_its_end(api: RuntimeApi, heard: Heard) -> None:
    await running(api, heard)
    heard.takes_parts = False
    head = (
        b"POST /2018-06-01/runtime/invocation/id/response HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
        b"Lambda-Runtime-Function-Response-Mode: streaming\r\n\r\n"
    )
    assert (await raw(api, head, b"3\r\nabc\r\n", b"0\r\n\r\n")).startswith(b"HTTP/1.1 413 ")
    assert [event[0] for event in heard.events] == ["ready", "part"]
    await running(api, heard, "next")


async def test_a_stream_that_nobody_fetches_is_held_up(api: RuntimeApi, heard: Heard) -> None:
    await running(api, heard)
    host, port = api.address.split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(
        b"POST /2018-06-01/runtime/invocation/id/response HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
        b"Lambda-Runtime-Function-Response-Mode: streaming\r\n\r\n1\r\na\r\n"
    )
    await heard.wait(2)
    api.hold()
    writer.write(b"1\r\nb\r\n0\r\n\r\n")
    # Whatever else the loop has to do is done by then: another connection's whole exchange.
    assert (await ask(api, "GET", "ping"))[0] == 200
    assert len(heard.events) == 2
    api.go_on()
    assert (await reader.readline()).startswith(b"HTTP/1.1 202 ")
    assert heard.events[2:] == [("part", "id", b"b", "application/json"), ("response", "id", b"", "application/json")]
    writer.close()


async def test_a_stream_that_fails_midway_says_so_in_its_trailers(api: RuntimeApi, heard: Heard) -> None:
    await running(api, heard)
    document = base64.b64encode(b'{"errorMessage":"late"}')
    head = (
        b"POST /2018-06-01/runtime/invocation/id/response HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
        b"Lambda-Runtime-Function-Response-Mode: streaming\r\n"
        b"Trailer: Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body\r\n\r\n"
    )
    trailers = (
        b"0\r\nLambda-Runtime-Function-Error-Type: Function.Late\r\n"
        b"Lambda-Runtime-Function-Error-Body: " + document + b"\r\n\r\n"
    )
    assert (await raw(api, head, b"3\r\nabc\r\n", trailers)).startswith(b"HTTP/1.1 202 ")
    assert heard.events[1:] == [
        ("part", "id", b"abc", "application/json"),
        ("error", "id", "Function.Late", b'{"errorMessage":"late"}'),
    ]


async def test_an_upload_that_is_cut_off_is_a_truncated_response(api: RuntimeApi, heard: Heard) -> None:
    await running(api, heard)
    head = b"POST /2018-06-01/runtime/invocation/id/response HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    await raw(api, head, b"3\r\nabc\r\n", close=True)
    await heard.wait(2)
    kind, request_id, error_type, payload = heard.events[1]
    assert (kind, request_id, error_type) == ("error", "id", "Runtime.TruncatedResponse")
    assert json.loads(payload)["errorType"] == "Runtime.TruncatedResponse"  # type: ignore[arg-type]
    # The runtime may go on.
    await running(api, heard, "next")


async def test_a_response_mode_that_is_none_fails_the_invocation(api: RuntimeApi, heard: Heard) -> None:
    await running(api, heard)
    headers = {"Lambda_Runtime_Function_Response_Mode": "sometimes"}
    status, _, body = await ask(api, "POST", "runtime/invocation/id/response", b"1", **headers)
    assert (status, json.loads(body)["errorType"]) == (400, "InvalidFunctionResponseMode")
    assert heard.events[1][2] == "Runtime.InvalidResponseModeHeader"


async def test_an_answer_over_the_limit_is_refused_and_not_kept(api: RuntimeApi, heard: Heard) -> None:
    await running(api, heard)
    status, _, body = await ask(api, "POST", "runtime/invocation/id/response", b"x" * (PAYLOAD_BYTES + 1))
    assert (status, json.loads(body)) == (
        413,
        {
            "errorType": "RequestEntityTooLarge",
            "errorMessage": f"Exceeded maximum allowed payload size ({PAYLOAD_BYTES} bytes).",
        },
    )
    assert heard.events[1] == ("too large", "id", PAYLOAD_BYTES + 1)
    await running(api, heard, "next")
    assert (await ask(api, "POST", "runtime/invocation/next/response", b"x" * PAYLOAD_BYTES))[0] == 202


async def test_a_runtime_that_lost_its_connection_gets_its_work_on_a_new_one(api: RuntimeApi, heard: Heard) -> None:
    host, port = api.address.split(":")
    _, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: a\r\n\r\n")
    await heard.wait(1)
    writer.transport.abort()
    while api._waiting is not None:
        await asyncio.sleep(0)
    api.send(Work("id", 5, "arn", b"[1]"))
    assert (await ask(api, "GET", "runtime/invocation/next"))[2] == b"[1]"
    assert heard.events == [("ready",)]


async def test_ping_answers_and_unknown_paths_and_methods_are_refused(api: RuntimeApi) -> None:
    assert (await ask(api, "GET", "ping"))[2] == b"pong"
    assert (await ask(api, "GET", "nowhere"))[0] == 404
    assert (await ask(api, "GET", "runtime/nowhere"))[0] == 404
    assert (await ask(api, "POST", "runtime/invocation/next"))[0] == 405
    assert (await ask(api, "GET", "runtime/invocation/id/response"))[0] == 405
    assert (await ask(api, "GET", "runtime/restore/next"))[0] == 404  # No snapshot was made.


async def test_what_is_not_http_is_refused(api: RuntimeApi) -> None:
    assert (await raw(api, b"\0\0 no http\r\n\r\n")).startswith(b"HTTP/1.1 400")


async def test_a_head_without_end_is_refused(api: RuntimeApi) -> None:
    part = b"X: " + b"a" * 65_536 + b"\r\n"
    assert (await raw(api, b"GET /2018-06-01/ping HTTP/1.1\r\n", *[part] * 5)).startswith(b"HTTP/1.1 400")


async def test_a_client_that_reads_no_answers_is_not_listened_to_any_more(api: RuntimeApi) -> None:
    host, port = api.address.split(":")
    _, writer = await asyncio.open_connection(host, int(port))
    request = b"GET /2018-06-01/ping HTTP/1.1\r\n\r\n" * 10_000

    async def ask_on() -> None:
        for _ in range(200):
            writer.write(request)
            await writer.drain()

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(ask_on(), 1)
    (connection,) = api._listener.connections
    assert connection._transport is not None
    assert connection._transport.get_write_buffer_size() < 2_000_000
    writer.transport.abort()


async def test_where_the_runtime_has_another_link_its_moves_are_refused(heard: Heard) -> None:
    api = await RuntimeApi.listen(heard, speaks=False)
    assert (await ask(api, "GET", "runtime/invocation/next"))[0] == 403
    assert (await ask(api, "POST", "runtime/init/error"))[0] == 403
    assert heard.events == []
    api.close()


@pytest.mark.parametrize(
    ("said", "taken"),
    [
        ("Runtime.Foo", "Runtime.Foo"),
        ("Function.Foo", "Function.Foo"),
        ("Function.bad type", "Function.Unknown"),
        ("Mine", "Runtime.Unknown"),
        ("", "Runtime.Unknown"),
        ("Function.Foo2", "Function.Foo2"),
        ("Runtime.Foo\tStatus: fine\x7f", "Runtime.FooStatus: fine"),
        ("Runtime." + "F" * 1000, "Runtime." + "F" * 248),
    ],
)
def test_error_types_are_taken_as_the_emulator_takes_them(said: str, taken: str) -> None:
    assert error_type_of({"lambda-runtime-function-error-type": said}) == taken
