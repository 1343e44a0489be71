"""The Extensions API, request by request: who may register as what, and what is refused in AWS's words."""

from __future__ import annotations

import asyncio
import http.client
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.engines import ARN, KeptLogs, function_document
from tests.unit.engine.test_frames import Heard

from freehold.clock import RandomIds, SystemClock
from freehold.engine.environment import Environment
from freehold.engine.extension_host import ExtensionHost
from freehold.engine.functions import compile_version
from freehold.engine.link import Work
from freehold.engine.runtime_api import RuntimeApi
from freehold.engine.surroundings import Surroundings


@dataclass
class Inside:
    api: RuntimeApi
    host: ExtensionHost

    async def ask(
        self, method: str, path: str, body: object = None, identifier: str = "", **headers: str
    ) -> tuple[int, Any, Any]:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if identifier:
            named["Lambda-Extension-Identifier"] = identifier

        def ask_now() -> tuple[int, Any, Any]:
            connection = http.client.HTTPConnection(self.api.address)
            connection.request(method, path, json.dumps(body), named)
            answer = connection.getresponse()
            result = answer.status, answer.headers, json.loads(answer.read() or b"null")
            connection.close()
            return result

        return await asyncio.to_thread(ask_now)

    async def register(self, name: str, *events: str, **more: object) -> tuple[int, Any, Any]:
        path = "/2020-01-01/extension/register"
        return await self.ask("POST", path, {"events": events, **more}, Lambda_Extension_Name=name)

    async def extension(self, path: str, identifier: str, **headers: str) -> tuple[int, Any, Any]:
        method = "GET" if path == "event/next" else "POST"
        return await self.ask(method, f"/2020-01-01/extension/{path}", {}, identifier, **headers)


@pytest.fixture
async def inside(tmp_path: Path) -> AsyncIterator[Inside]:
    """An environment with the external extension "outer", and no process."""
    function = compile_version("us-east-1/f", function_document("f", tmp_path, "python3.11", "app.handler", {}))
    around = Surroundings(SystemClock(), KeptLogs(), [])
    environment = Environment(function, "stream", around)
    host = ExtensionHost(environment, ["outer"], around, RandomIds())
    api = await RuntimeApi.listen(host.extensions, also=host.begin)
    yield Inside(api, host)
    api.close()


async def test_a_registration_gets_an_identifier_and_what_the_function_is(inside: Inside) -> None:
    status, headers, body = await inside.register("outer", "INVOKE", "SHUTDOWN")
    assert status == 200
    assert len(headers["Lambda-Extension-Identifier"]) == 36
    assert body == {"functionName": "f", "functionVersion": "$LATEST", "handler": "app.handler"}


@pytest.mark.parametrize(
    ("name", "events", "more", "error"),
    [
        ("", ["INVOKE"], {}, "Extension.InvalidExtensionName"),
        ("outer", ["OTHER"], {}, "Extension.InvalidEventType"),
        ("inner", ["SHUTDOWN"], {}, "Extension.InvalidEventType"),
        ("outer", ["INVOKE"], {"configurationKeys": ["a"]}, "InvalidRequestFormat"),
    ],
)
async def test_a_registration_that_is_none_is_refused(
    inside: Inside, name: str, events: list[str], more: dict[str, object], error: str
) -> None:
    status, _, body = await inside.register(name, *events, **more)
    assert (status, body["errorType"]) == (403, error)


async def test_a_name_registers_once_and_there_are_ten_at_most(inside: Inside) -> None:
    for number in range(9):
        assert (await inside.register(f"inner{number}", "INVOKE"))[0] == 200
    assert (await inside.register("outer", "INVOKE"))[0] == 200
    assert (await inside.register("outer", "INVOKE"))[2]["errorType"] == "Extension.InvalidExtensionState"
    assert (await inside.register("inner0", "INVOKE"))[2]["errorType"] == "Extension.InvalidExtensionState"
    assert (await inside.register("inner9", "INVOKE"))[2]["errorType"] == "Extension.TooManyExtensions"


@pytest.mark.parametrize(
    ("identifier", "error"),
    [
        ("", "Extension.MissingExtensionIdentifier"),
        ("mine", "Extension.InvalidExtensionIdentifier"),
        ("00000000-0000-4000-8000-000000000000", "Extension.UnknownExtensionIdentifier"),
    ],
)
async def test_an_identifier_that_is_nobodys_is_refused(inside: Inside, identifier: str, error: str) -> None:
    for path in ("event/next", "init/error", "exit/error"):
        status, _, body = await inside.extension(path, identifier, Lambda_Extension_Function_Error_Type="E")
        assert (status, body["errorType"]) == (403, error)
    status, _, body = await inside.ask("PUT", "/2022-07-01/telemetry", {}, identifier)
    assert (status, body["errorType"]) == (403, error)


async def test_an_environment_is_ready_when_the_runtime_and_all_extensions_are(inside: Inside) -> None:
    heard = Heard()
    environment = inside.host.environment
    environment.on_ready = heard.on_ready  # type: ignore[method-assign]
    inside.host.serve(inside.api)
    identifier = (await inside.register("outer", "INVOKE"))[1]["Lambda-Extension-Identifier"]
    runtime = asyncio.ensure_future(inside.ask("GET", "/2018-06-01/runtime/invocation/next"))
    while inside.api._waiting is None:
        await asyncio.sleep(0)
    assert heard.events == []
    following = asyncio.ensure_future(inside.extension("event/next", identifier))
    await heard.wait(1)
    assert (await inside.register("late", "INVOKE"))[2]["errorType"] == "Extension.RegistrationClosed"
    subscription = await inside.ask("PUT", "/2022-07-01/telemetry", {}, identifier)
    assert subscription[2]["errorType"] == "Telemetry.SubscriptionClosed"
    inside.host.extensions.send(Work("id", 5, ARN + "f", b"{}", "Root=1"))
    status, headers, event = await following
    assert status == 200
    assert headers["Lambda-Extension-Event-Identifier"]
    assert event == {
        "eventType": "INVOKE", "deadlineMs": 5, "requestId": "id", "invokedFunctionArn": ARN + "f",
        "tracing": {"type": "X-Amzn-Trace-Id", "value": "Root=1"},
    }  # fmt: skip
    assert (await runtime)[0] == 200


async def test_errors_need_their_header_and_their_time(inside: Inside) -> None:
    identifier = (await inside.register("outer", "INVOKE"))[1]["Lambda-Extension-Identifier"]
    assert (await inside.extension("init/error", identifier))[2]["errorType"] == "Extension.MissingHeader"
    header = {"Lambda_Extension_Function_Error_Type": "Extension.Mine"}
    assert (await inside.extension("init/error", identifier, **header))[0] == 202
    assert (await inside.extension("init/error", identifier, **header))[0] == 202  # The first word counts.
    assert (await inside.extension("event/next", identifier))[2]["errorType"] == "Extension.InvalidExtensionState"


async def test_an_extension_takes_one_of_the_two_telemetry_apis(inside: Inside) -> None:
    identifier = (await inside.register("outer", "INVOKE"))[1]["Lambda-Extension-Identifier"]
    request: dict[str, object] = {
        "schemaVersion": "2022-07-01", "types": ["platform"], "destination": {"protocol": "TCP", "port": 1}
    }  # fmt: skip
    assert (await inside.ask("PUT", "/2022-07-01/telemetry", request, identifier))[::2] == (200, "OK")
    logs = {**request, "schemaVersion": "2020-08-15"}
    assert (await inside.ask("PUT", "/2020-08-15/logs", logs, identifier))[0] == 403
    wrong = {**request, "types": ["nothing"]}
    status, _, body = await inside.ask("PUT", "/2022-07-01/telemetry", wrong, identifier)
    assert (status, body["errorType"]) == (400, "ValidationError")
