"""Extensions and their telemetry, with real processes: what AWS's Extensions, Telemetry and Logs APIs promise."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from freehold.runtimes.launch import Transport
from tests.engines import RunningEngine, jail, running_engine

EXTENSION = (
    f"#!{os.path.realpath(sys.executable)}\n" + (Path(__file__).parent / "bootstraps" / "extension.py").read_text()
)
ECHO = """
import json, os, sys, time
print("function loads")
def handler(event, context):
    print("function runs")
    if event == "exit": os._exit(4)
    if event == "sleep": time.sleep(60)
    if event == "boom": raise ValueError("no")
    return event
"""
INTERNAL = """
import http.client, json, os, threading
api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
def call(method, path, body=None, **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    api.request(method, "/2020-01-01/extension/" + path, body, named)
    answer = api.getresponse()
    return answer.status, answer.headers, answer.read().decode()
refused = call("POST", "register", json.dumps({"events": ["SHUTDOWN"]}), Lambda_Extension_Name="mine")
status, headers, body = call("POST", "register", json.dumps({"events": ["INVOKE"]}), Lambda_Extension_Name="mine")
seen = []
def follow():
    while True:
        status, _, body = call("GET", "event/next", Lambda_Extension_Identifier=headers["Lambda-Extension-Identifier"])
        seen.append(json.loads(body)["requestId"])
threading.Thread(target=follow, daemon=True).start()
def handler(event, context):
    return [refused[0], status, json.loads(body)["functionName"], len(seen), context.aws_request_id]
"""


@pytest.fixture(params=[("frames", False), ("http", False), ("frames", True)], ids=["frames", "http", "frames, jailed"])
async def running(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[RunningEngine]:
    transport, jailed = request.param
    async with running_engine(tmp_path, transport, sandbox=await jail(tmp_path) if jailed else None) as engine:
        yield engine


@pytest.fixture
async def plain(tmp_path: Path) -> AsyncIterator[RunningEngine]:
    async with running_engine(tmp_path) as engine:
        yield engine


async def add(
    running: RunningEngine, mode: str = "", names: tuple[str, ...] = ("first",), **configuration: Any
) -> None:
    variables = {"MODE": mode, "MINE": "1", **configuration.pop("variables", {})}
    running.add("f", {"app.py": ECHO}, Environment={"Variables": variables}, MemorySize=512, **configuration)
    running.change("f", layers=[await running.layer({f"extensions/{name}": EXTENSION for name in names})])


async def appear(running: RunningEngine, found: Callable[[str], bool], count: int = 1) -> list[str]:
    """The lines of the log that `found` takes, as soon as there are so many."""
    async with asyncio.timeout(20):
        while len(lines := [line for line in running.logs.lines if found(line)]) < count:
            await asyncio.sleep(0.005)
    return lines


def told(running: RunningEngine) -> list[dict[str, Any]]:
    lines = [line.split(" told ", 1)[1] for line in running.logs.lines if line.startswith("first told ")]
    return [json.loads(line) for line in lines]


async def test_an_external_extension_registers_and_follows_invocations(running: RunningEngine) -> None:
    await add(running)
    assert (await running.invoke("f", 1)).payload == b"1"
    assert (await running.invoke("f", 2)).payload == b"2"
    lines = await appear(running, lambda line: line.startswith("first got "), 2)
    await appear(running, lambda line: line.startswith("REPORT "), 2)
    events = [json.loads(line.removeprefix("first got ")) for line in lines]
    assert [event["requestId"] for event in events] == [record.request_id for record in running.records]
    assert events[0]["eventType"] == "INVOKE"
    assert events[0]["invokedFunctionArn"].endswith(":function:f")
    assert events[0]["deadlineMs"] > 0
    assert events[0]["tracing"]["type"] == "X-Amzn-Trace-Id"
    (line,) = [line for line in running.logs.lines if line.startswith("first registered ")]
    assert json.loads(line.removeprefix("first registered ")) == {
        "functionName": "f", "functionVersion": "$LATEST", "handler": "app.handler", "accountId": "000000000000",
    }  # fmt: skip
    assert "EXTENSION\tName: first\tState: Ready\tEvents: [INVOKE,SHUTDOWN]" in running.logs.lines
    # Registered before the runtime was started, and without the runtime's own variables.
    assert running.logs.lines.index(line) < running.logs.lines.index("function loads")
    assert "first sees ['MINE']" in running.logs.lines


async def test_the_answer_comes_at_once_and_the_environment_is_free_when_its_extensions_are(
    plain: RunningEngine, tmp_path: Path
) -> None:
    await add(plain, "wait", variables={"UNTIL": str(tmp_path / "go")})
    assert (await plain.invoke("f", 1)).payload == b"1"
    (pool,) = plain.engine._pools.values()
    assert not pool.idle
    assert not any(line.startswith("REPORT") for line in plain.logs.lines)
    (tmp_path / "go").touch()
    await appear(plain, lambda line: line.startswith("REPORT RequestId: "))
    assert (await plain.invoke("f", 2)).init_ms is None


async def test_the_timeout_covers_extensions_too(plain: RunningEngine) -> None:
    await add(plain, "slow", variables={"SLOW": "60"}, Timeout=1)
    result = await plain.invoke("f", 1)
    assert (result.payload, result.function_error) == (b"1", None)
    lines = await appear(plain, lambda line: line.startswith("REPORT RequestId: "))
    assert "Status: timeout" in lines[0]
    assert any(line.endswith("Task timed out after 1.00 seconds") for line in plain.logs.lines)


async def test_shutdown_is_told_with_its_reason_and_waited_for(running: RunningEngine) -> None:
    await add(running, names=("first", "second"))
    await running.invoke("f", 1)
    running.remove("f")
    await appear(running, lambda line: line in ("first goodbye spindown", "second goodbye spindown"), 2)


@pytest.mark.parametrize(("event", "reason"), [("exit", "failure"), ("sleep", "timeout")], ids=["a crash", "a timeout"])
async def test_what_ended_the_runtime_is_told_to_extensions(plain: RunningEngine, event: str, reason: str) -> None:
    await add(plain, Timeout=1)
    document = json.loads((await plain.invoke("f", event)).payload)
    assert document["errorType"] == {"exit": "Runtime.ExitError", "sleep": "Sandbox.Timedout"}[event]
    await appear(plain, lambda line: line == f"first goodbye {reason}")
    assert (await plain.invoke("f", 1)).payload == b"1"


async def test_an_extension_that_does_not_end_is_killed(plain: RunningEngine) -> None:
    await add(plain, "stays")
    await plain.invoke("f", 1)
    (pool,) = plain.engine._pools.values()
    (environment,) = pool.environments
    assert environment.process is not None
    pid = environment.process.pid
    plain.remove("f")
    await environment.process.exited
    assert not _lives(pid)


@pytest.mark.parametrize(
    ("mode", "error_type", "words"),
    [
        ("exit early", "Extension.Crash", "exit code 3"),
        ("init error", "Extension.InitError", "exit code 1"),
        ("crash", "Extension.Crash", "exit code 7"),
        ("exit error", "Extension.ExitError", "exit code 1"),
    ],
)
async def test_an_extension_that_fails_fails_the_invocation(
    plain: RunningEngine, mode: str, error_type: str, words: str
) -> None:
    await add(plain, mode)
    # The function would answer first, if it could.
    result = await plain.invoke("f", "sleep")
    document = json.loads(result.payload)
    request_id = plain.records[-1].request_id
    assert document == {"errorType": error_type, "errorMessage": f"RequestId: {request_id} Error: {words}"}
    assert result.function_error == "Unhandled"


async def test_an_extension_that_cannot_be_launched_is_told(plain: RunningEngine) -> None:
    plain.add("f", {"app.py": ECHO})
    plain.change("f", layers=[await plain.layer({"extensions/broken": "#!/no/such/interpreter\n"})])
    document = json.loads((await plain.invoke("f", 1)).payload)
    assert document["errorType"] == "Extension.LaunchError"
    assert document["errorMessage"].endswith("Error: fork/exec /opt/extensions/broken: no such file or directory")
    assert any(line.startswith("EXTENSION\tName: broken\tState: LaunchError") for line in plain.logs.lines)


async def test_an_extension_that_never_registers_ends_in_the_inits_timeout(plain: RunningEngine) -> None:
    plain.add("f", {"app.py": ECHO}, Timeout=1)
    plain.change("f", layers=[await plain.layer({"extensions/silent": "#!/bin/sh\nexec sleep 600\n"})])
    result = await plain.invoke("f", 1)
    assert json.loads(result.payload)["errorType"] == "Sandbox.Timedout"


@pytest.mark.parametrize("transport", ["frames", "http"])
async def test_an_internal_extension_follows_invocations(tmp_path: Path, transport: Transport) -> None:
    async with running_engine(tmp_path, transport) as running:
        running.add("f", {"app.py": INTERNAL})
        first = json.loads((await running.invoke("f")).payload)
        assert first[:3] == [403, 200, "f"]
        second = json.loads((await running.invoke("f")).payload)
        assert second[3] >= 1
        assert "EXTENSION\tName: mine\tState: Ready\tEvents: [INVOKE]" in running.logs.lines


@pytest.mark.parametrize("kind", ["http", "tcp"])
async def test_telemetry_tells_init_logs_and_invocations(plain: RunningEngine, kind: str) -> None:
    await add(plain, variables={"TELEMETRY": kind})
    await plain.invoke("f", 1)
    with_error = await plain.invoke("f", "boom")
    assert with_error.function_error == "Unhandled"
    await appear(plain, lambda line: '"platform.report"' in line, 2)
    events = told(plain)
    kinds = [event["type"] for event in events]
    in_order = [
        "platform.initStart", "platform.telemetrySubscription", "function", "platform.initRuntimeDone",
        "platform.initReport", "platform.start", "function", "platform.runtimeDone", "platform.report",
    ]  # fmt: skip
    at = 0
    for kind_of in kinds:
        if at < len(in_order) and kind_of == in_order[at]:
            at += 1
    assert at == len(in_order), kinds
    assert {event["record"] for event in events if event["type"] == "function"} >= {"function loads", "function runs"}
    done = [event["record"] for event in events if event["type"] == "platform.runtimeDone"]
    assert [one["status"] for one in done] == ["success", "error"]
    assert done[0]["requestId"] == plain.records[0].request_id
    report = next(event["record"] for event in events if event["type"] == "platform.report")
    assert report["metrics"]["memorySizeMB"] == 512
    assert "initDurationMs" in report["metrics"]
    assert not {"platform.end", "extension"} & set(kinds)


async def test_the_logs_api_tells_in_its_own_words(plain: RunningEngine) -> None:
    await add(plain, variables={"TELEMETRY": "logs"})
    await plain.invoke("f", 1)
    await appear(plain, lambda line: '"platform.report"' in line)
    kinds = {event["type"] for event in told(plain)}
    assert {"platform.start", "platform.end", "platform.report", "platform.logsSubscription", "function"} <= kinds
    assert not {"platform.initStart", "platform.telemetrySubscription"} & kinds


async def test_nothing_of_an_environment_with_extensions_is_left(tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    async with running_engine(tmp_path) as running:
        await add(running, variables={"TELEMETRY": "http"})
        for event in (1, "exit", 2):
            await running.invoke("f", event)
    await asyncio.sleep(0)
    assert len(os.listdir("/proc/self/fd")) <= before


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
