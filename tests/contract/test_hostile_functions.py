"""Functions that do what no function should: their caller gets AWS's error, they a new environment, others notice nothing."""

from __future__ import annotations

import asyncio
import json
import os
import resource
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from freehold.state.logs import LogEvent
from tests.engines import KeptLogs, RunningEngine, jail, running_engine

HOSTILE = """
import os, signal, struct, sys, time

def handler(event, context):
    return globals()[event](context) if event else "fine"

def closes_everything(context):
    os.closerange(3, 1024)
    return 1

def closes_its_output(context):
    os.close(1)
    os.close(2)
    return 1

def forks_and_exits(context):
    if os.fork() == 0:
        time.sleep(600)
    os._exit(0)

def never_answers(context):
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    if os.fork() == 0:
        os.setsid()
    time.sleep(600)

def prints_forever(context):
    line = b"x" * 999 + b"\\n"
    while True:
        os.write(1, line * 60)

def prints_one_line_forever(context):
    while True:
        os.write(1, b"y" * 60_000)

def writes_noise(context):
    try:
        os.write(3, b"\\xff" * 100_000)
    finally:
        time.sleep(600)

def announces_four_gigabytes(context):
    os.write(3, struct.pack(">IHBx", 2**32 - 1, 0, 4))
    while True:
        os.write(3, b"z" * 60_000)

def answers_twice(context):
    meta = (context.aws_request_id + "\\0application/json").encode()
    for body in (b'"first"', b'"second"'):
        os.write(3, struct.pack(">IHBx", len(body), len(meta), 4) + meta + body)
    return "third"
"""
OTHER = "import os\ndef handler(event, context): return os.getpid()"
_MEMORY_MB = 48  # What one hostile function may cost the server at most, buffers and tests' own things included.


class CountedLogs(KeptLogs):
    """Keeps no line longer than a word: a test's own memory is not what is measured."""

    size_bytes = 0

    def append(self, region: str, group: str, stream: str, events: Sequence[LogEvent]) -> None:
        self.size_bytes += sum(len(event.message) for event in events)
        self.lines += [event.message for event in events if len(event.message) < 200]


@pytest.fixture(
    params=[("frames", False), ("http", False), ("frames", True), ("http", True)],
    ids=["frames", "http", "frames, jailed", "http, jailed"],
)
async def running(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[RunningEngine]:
    transport, jailed = request.param
    logs = CountedLogs()
    async with running_engine(
        tmp_path, transport, sandbox=await jail(tmp_path) if jailed else None, logs=logs
    ) as engine:
        engine.add("f", {"app.py": HOSTILE}, Timeout=1)
        engine.add("other", {"app.py": OTHER})
        yield engine


def _frames_only(request: pytest.FixtureRequest) -> None:
    if "http" in request.node.callspec.id:
        pytest.skip("over HTTP the socket of the frames is closed")


async def _fails(running: RunningEngine, event: str) -> tuple[str, str]:
    """Error type and message; checks that nothing is left of it and nobody else was disturbed."""
    other = (await running.invoke("other")).payload
    assert (await running.invoke("f")).payload == b'"fine"'
    await running.settled()
    before = len(_tree(os.getpid()))
    peak_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    task = asyncio.ensure_future(running.invoke("f", event))
    async with asyncio.timeout(5):
        assert (await running.invoke("other")).payload == other  # Meanwhile too.
    result = await task
    assert result.function_error == "Unhandled"
    again = await running.invoke("f")
    assert (again.payload, again.init_ms is not None) == (b'"fine"', True)
    assert (await running.invoke("other")).payload == other
    async with asyncio.timeout(20):
        while len(_tree(os.getpid())) > before:
            await asyncio.sleep(0.01)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak_kb < _MEMORY_MB * 1024
    document = json.loads(result.payload)
    return document["errorType"], document["errorMessage"].partition(" Error: ")[2]


async def test_a_function_that_closes_its_sockets_has_ended(
    running: RunningEngine, request: pytest.FixtureRequest
) -> None:
    if "http" in request.node.callspec.id:
        # AWS's client connects anew.
        assert (await running.invoke("f", "closes_everything")).payload == b"1"
        assert (await running.invoke("f")).payload == b'"fine"'
        return
    error_type, _ = await _fails(running, "closes_everything")
    assert error_type == "Runtime.ExitError"


async def test_a_function_without_output_answers(running: RunningEngine) -> None:
    assert (await running.invoke("f", "closes_its_output")).payload == b"1"
    assert (await running.invoke("f")).payload == b'"fine"'


async def test_what_a_function_forks_does_not_outlive_it(running: RunningEngine) -> None:
    assert await _fails(running, "forks_and_exits") == (
        "Runtime.ExitError",
        "Runtime exited without providing a reason",
    )


async def test_a_function_that_ignores_signals_is_ended_with_all_its_processes(running: RunningEngine) -> None:
    assert await _fails(running, "never_answers") == ("Sandbox.Timedout", "Task timed out after 1.00 seconds")


@pytest.mark.parametrize("event", ["prints_forever", "prints_one_line_forever"])
async def test_a_function_that_prints_without_end_is_slowed_and_ended(running: RunningEngine, event: str) -> None:
    assert await _fails(running, event) == ("Sandbox.Timedout", "Task timed out after 1.00 seconds")
    assert isinstance(running.logs, CountedLogs)
    assert 100_000 < running.logs.size_bytes < 32 * 1024 * 1024


@pytest.mark.parametrize("event", ["writes_noise", "announces_four_gigabytes"])
async def test_noise_on_the_link_ends_the_environment(
    running: RunningEngine, event: str, request: pytest.FixtureRequest
) -> None:
    _frames_only(request)
    assert (await _fails(running, event))[0] in ("Runtime.ExitError", "Sandbox.Timedout")


async def test_the_first_of_two_answers_counts(running: RunningEngine, request: pytest.FixtureRequest) -> None:
    _frames_only(request)
    assert (await running.invoke("f", "answers_twice")).payload == b'"first"'
    assert [(await running.invoke("f")).payload for _ in range(3)] == [b'"fine"'] * 3


def _tree(pid: int) -> list[int]:
    found, left = [], [pid]
    while left:
        one = left.pop()
        found.append(one)
        for task in Path(f"/proc/{one}/task").glob("*/children"):
            try:
                left += [int(child) for child in task.read_text().split()]
            except OSError:
                continue
    return found
