"""What AWS documents of the APIs inside an execution environment, rule by rule: tests/golden/runtime_apis/*.yaml.

A case is a rule and an exchange over HTTP that shows it: `ask` is a request and its answer, `begin` and `end` one that
waits meanwhile, `event` an invocation, `heard` what the engine was told of last. "$name" is what `keep` kept.
"""

from __future__ import annotations

import asyncio
import http.client
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.engines import KeptLogs, function_document
from tests.unit.engine.test_frames import Heard

from freehold.clock import RandomIds, SystemClock
from freehold.engine.environment import Environment
from freehold.engine.extension_host import ExtensionHost
from freehold.engine.functions import compile_version
from freehold.engine.link import Work
from freehold.engine.runtime_api import RuntimeApi
from freehold.engine.surroundings import Surroundings

FOLDER = Path(__file__).parent / "runtime_apis"
PAGES = {file.stem: yaml.safe_load(file.read_text()) for file in sorted(FOLDER.glob("*.yaml"))}
CASES = [(name, case) for name, page in PAGES.items() for case in page["cases"]]
_INVOCATION = {"request_id": "id", "deadline_ms": 1, "function_arn": "arn", "payload": "{}"}


class Watched(Environment):
    """An environment without a process: what it would be told is kept."""

    heard: Heard

    def on_ready(self) -> None:
        self.heard.on_ready()

    def on_response(self, request_id: str, payload: bytes, content_type: str, *_: int) -> None:
        self.heard.on_response(request_id, payload, content_type)

    def on_error(self, request_id: str, error_type: str, payload: bytes) -> None:
        self.heard.on_error(request_id, error_type, payload)

    def on_init_error(self, error_type: str, payload: bytes) -> None:
        self.heard.on_init_error(error_type, payload)


class Exchange:
    def __init__(self, api: RuntimeApi, host: ExtensionHost, heard: Heard) -> None:
        self._api = api
        self._host = host
        self._heard = heard
        self._kept: dict[str, str] = {}
        self._begun: dict[str, asyncio.Future[tuple[int, Any, bytes]]] = {}
        self._events = 0

    async def run(self, step: dict[str, Any]) -> None:
        if "event" in step:
            self._events += 1
            async with asyncio.timeout(5):
                while self._heard.events.count(("ready",)) < self._events:
                    self._heard.changed.clear()
                    await self._heard.changed.wait()
            invocation = {**_INVOCATION, **step["event"]}
            self._host.extensions.send(Work(**{**invocation, "payload": invocation["payload"].encode()}))
        elif "shutdown" in step:
            self._host.extensions.tell_shutdown(step["shutdown"]["reason"], step["shutdown"]["deadline_ms"])
        elif "heard" in step:
            last = next(event for event in reversed(self._heard.events) if event != ("ready",))
            texts = [part.decode() if isinstance(part, bytes) else part for part in last]
            assert texts[: len(step["heard"])] == step["heard"]
        elif "begin" in step:
            self._begun[step["as"]] = asyncio.ensure_future(self._ask(step["begin"], step))
            # Others answer each case's questions in turn: this one has been heard when the next has its answer.
            await self._ask("GET /2018-06-01/ping", {})
        else:
            answer = await (self._begun[step["end"]] if "end" in step else self._ask(step["ask"], step))
            self._check(step, *answer)

    def _check(self, step: dict[str, Any], status: int, headers: Any, body: bytes) -> None:
        assert status == step["status"], body
        for name, value in step.get("headers", {}).items():
            assert headers[name] == value
        for name in step.get("has", ()):
            assert headers[name]
        for name, header in step.get("keep", {}).items():
            self._kept[name] = headers[header]
        if "body" in step:
            told = json.loads(body)
            wanted = step["body"]
            assert (told if not isinstance(wanted, dict) else {name: told.get(name) for name in wanted}) == wanted

    async def _ask(self, what: str, step: dict[str, Any]) -> tuple[int, Any, bytes]:
        method, path = what.split(" ")
        headers = {
            name: self._kept[value[1:]] if value.startswith("$") else value
            for name, value in step.get("with", {}).items()
        }

        def ask_now() -> tuple[int, Any, bytes]:
            connection = http.client.HTTPConnection(self._api.address, timeout=10)
            connection.request(method, path, step.get("send"), headers)
            answer = connection.getresponse()
            result = answer.status, answer.headers, answer.read()
            connection.close()
            return result

        return await asyncio.to_thread(ask_now)


@pytest.fixture
async def exchange(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Exchange]:
    function = compile_version("us-east-1/f", function_document("f", tmp_path, "python3.11", "app.handler", {}))
    around = Surroundings(SystemClock(), KeptLogs(), [])
    environment = Watched(function, "stream", around)
    environment.heard = Heard()
    external = [] if request.node.callspec.id.startswith("runtime") else ["outer"]
    host = ExtensionHost(environment, external, around, RandomIds())
    api = await RuntimeApi.listen(host.extensions, also=host.begin)
    host.serve(api)
    host.extensions.take(api)
    yield Exchange(api, host, environment.heard)
    api.close()


@pytest.mark.parametrize("case", [case for _, case in CASES], ids=[f"{name}: {case['rule']}" for name, case in CASES])
async def test_the_apis_inside_an_environment_are_as_documented(exchange: Exchange, case: dict[str, Any]) -> None:
    for step in case["steps"]:
        await exchange.run(step)


def test_every_page_is_named() -> None:
    assert all(page["page"] and page["cases"] for page in PAGES.values())
