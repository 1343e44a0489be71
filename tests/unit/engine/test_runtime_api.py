from __future__ import annotations

import asyncio
import http.client
from typing import Any

import pytest
from tests.unit.engine.test_frames import Heard

from freehold.engine.link import Work
from freehold.engine.runtime_api import RuntimeApi, error_type_of


async def _ask(api: RuntimeApi, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, Any, bytes]:
    def ask() -> tuple[int, Any, bytes]:
        connection = http.client.HTTPConnection(api.address)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, f"/2018-06-01/runtime/{path}", body, named)
        answer = connection.getresponse()
        result = answer.status, answer.headers, answer.read()
        connection.close()
        return result

    return await asyncio.to_thread(ask)


async def _working(api: RuntimeApi, heard: Heard) -> None:
    """Brings it to where the runtime runs the invocation "id"."""
    asked = asyncio.ensure_future(_ask(api, "GET", "invocation/next"))
    await heard.wait(1)
    api.send(Work("id", 5, "arn", b"{}", "Root=1", '{"a":1}'))
    status, headers, body = await asked
    assert (status, body, headers["Lambda-Runtime-Aws-Request-Id"]) == (200, b"{}", "id")
    assert headers["Lambda-Runtime-Client-Context"] == '{"a":1}'
    assert headers["Lambda-Runtime-Cognito-Identity"] is None  # Left out, for it is empty.


async def test_an_answer_is_passed_on_at_once_and_readiness_with_the_next_call() -> None:
    heard = Heard()
    api = await RuntimeApi.listen(heard)
    await _working(api, heard)
    status, _, body = await _ask(api, "POST", "invocation/id/response", b"1", Content_Type="text/x")
    assert (status, body) == (202, b'{"status":"OK"}')
    assert heard.events == [("ready",), ("response", "id", b"1", "text/x")]
    asked = asyncio.ensure_future(_ask(api, "GET", "invocation/next"))
    await heard.wait(3)
    assert heard.events[2] == ("ready",)
    api.close()
    with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
        await asked


async def test_moves_at_the_wrong_time_are_refused() -> None:
    heard = Heard()
    api = await RuntimeApi.listen(heard)
    status, _, body = await _ask(api, "POST", "invocation/id/response", b"1")
    assert status == 403
    assert b"InvalidStateTransition" in body
    await _working(api, heard)
    assert (await _ask(api, "POST", "invocation/other/response", b"1"))[0] == 400
    assert (await _ask(api, "POST", "init/error", b"{}"))[0] == 403
    assert (await _ask(api, "GET", "invocation/next"))[0] == 403
    assert (await _ask(api, "POST", "invocation/id/response", b"1"))[0] == 202
    assert (await _ask(api, "POST", "invocation/id/response", b"2"))[0] == 403
    assert [event[0] for event in heard.events] == ["ready", "response"]
    api.close()


async def test_errors_are_passed_on_verbatim_with_their_type() -> None:
    heard = Heard()
    api = await RuntimeApi.listen(heard)
    await _working(api, heard)
    await _ask(api, "POST", "invocation/id/error", b"as it is", Lambda_Runtime_Function_Error_Type="Function.Mine")
    assert heard.events[1] == ("error", "id", "Function.Mine", b"as it is")
    api.close()


async def test_an_init_error_is_passed_on() -> None:
    heard = Heard()
    api = await RuntimeApi.listen(heard)
    assert (await _ask(api, "POST", "init/error", b"{}", Lambda_Runtime_Function_Error_Type="Runtime.Init"))[0] == 202
    assert heard.events == [("init error", "Runtime.Init", b"{}")]
    assert (await _ask(api, "GET", "invocation/next"))[0] == 403
    api.close()


async def test_unknown_paths_and_what_is_not_http_are_refused() -> None:
    api = await RuntimeApi.listen(Heard())
    assert (await _ask(api, "GET", "nowhere"))[0] == 404
    host, port = api.address.split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"\0\0 no http\r\n\r\n")
    assert (await reader.read(100)).startswith(b"HTTP/1.1 400") or reader.at_eof()
    writer.close()
    api.close()


@pytest.mark.parametrize(
    ("said", "taken"),
    [
        ("Runtime.Foo", "Runtime.Foo"),
        ("Function.Foo", "Function.Foo"),
        ("Function.bad type", "Function.Unknown"),
        ("Mine", "Runtime.Unknown"),
        ("", "Runtime.Unknown"),
    ],
)
def test_error_types_are_taken_as_the_emulator_takes_them(said: str, taken: str) -> None:
    assert error_type_of({"lambda-runtime-function-error-type": said}) == taken
