"""Between invocations an environment makes no progress, unless the server was told otherwise."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from freehold.engine.environment import Environment
from tests.engines import RunningEngine, jail, running_engine

BEATS = """
import os, threading, time
def beat():
    number = 0
    while True:
        number += 1
        with open(os.environ["BEATS"], "w") as file:
            file.write(str(number))
        time.sleep(0.001)
started = []
def handler(event, context):
    if not started:
        started.append(threading.Thread(target=beat, daemon=True).start())
    if event:
        os._exit(event)
    return os.getpid()
"""
OTHER = "def handler(event, context): return 1"


@pytest.fixture(params=[("frames", False), ("http", False), ("frames", True)], ids=["frames", "http", "jailed"])
async def running(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[RunningEngine]:
    transport, jailed = request.param
    async with running_engine(tmp_path, transport, sandbox=await jail(tmp_path) if jailed else None) as engine:
        yield engine


async def _until_frozen(running: RunningEngine) -> Environment:
    (environment,) = next(pool for pool in running.engine._pools.values() if pool.function.name == "f").environments
    async with asyncio.timeout(20):
        while not environment.frozen:
            await asyncio.sleep(0.005)
    return environment


def _is_stopped(environment: Environment) -> bool:
    assert environment.process is not None
    threads = Path(f"/proc/{environment.process.pid}/task")
    states = {(thread / "stat").read_text().rpartition(")")[2].split()[0] for thread in threads.iterdir()}
    return states == {"T"}


async def test_a_background_thread_makes_no_progress_between_invocations(running: RunningEngine) -> None:
    beats = running.directory / "beats"
    running.add("f", {"app.py": BEATS}, Environment={"Variables": {"BEATS": str(beats)}})
    if running.sandbox.jails:
        running.change("f", configuration=_with_beats_at(running, "/tmp/beats"))
    first = (await running.invoke("f")).payload
    environment = await _until_frozen(running)
    async with asyncio.timeout(20):
        while not _is_stopped(environment):
            await asyncio.sleep(0.005)
    if not running.sandbox.jails:
        before = beats.read_text()
        running.add("other", {"app.py": OTHER})
        await running.invoke("other")  # Time passes.
        assert beats.read_text() == before
    again = await running.invoke("f")
    assert (again.payload, again.function_error) == (first, None)


async def test_a_frozen_environment_is_ended_and_replaced(running: RunningEngine) -> None:
    running.add("f", {"app.py": OTHER})
    await running.invoke("f")
    environment = await _until_frozen(running)
    assert environment.process is not None
    running.add("f", {"app.py": "def handler(event, context): return 2"})
    async with asyncio.timeout(20):
        await environment.process.exited
    assert (await running.invoke("f")).payload == b"2"


async def test_a_deadline_runs_from_the_thaw(running: RunningEngine) -> None:
    running.add("f", {"app.py": "import time\ndef handler(event, context): time.sleep(event)"}, Timeout=1)
    await running.invoke("f", 0)
    await _until_frozen(running)
    assert (await running.invoke("f", 0.5)).function_error is None
    await _until_frozen(running)
    document = json.loads((await running.invoke("f", 60)).payload)
    assert document["errorType"] == "Sandbox.Timedout"


async def test_a_server_may_be_told_not_to_freeze(tmp_path: Path) -> None:
    async with running_engine(tmp_path, freezes=False) as running:
        beats = tmp_path / "beats"
        running.add("f", {"app.py": BEATS}, Environment={"Variables": {"BEATS": str(beats)}})
        await running.invoke("f")
        async with asyncio.timeout(20):
            while not beats.exists() or int(beats.read_text() or 0) < 500:  # Longer than it takes to be frozen.
                await asyncio.sleep(0.005)


def _with_beats_at(running: RunningEngine, place: str) -> dict[str, object]:
    configuration = running.store.documents["lambda.function", "us-east-1/f"].document["configuration"]
    return {**configuration, "Environment": {"Variables": {"BEATS": place}}}
