"""Environments that are forks of a process that has run the function's init: in jails, and without."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from freehold.clock import RandomIds
from freehold.engine.invocation import Invocation, InvocationResult
from freehold.runtimes.names import RUNTIMES
from freehold.sandbox.plain import PlainSandbox
from freehold.state.store import Delete, Put
from tests.engines import ARN, RunningEngine, function_document, jail, running_engine

KEY = "us-east-1/f/1"


class Snapped:
    """`take` publishes version 1 of a function, `invoke` it."""

    def __init__(self, running: RunningEngine) -> None:
        self.running = running

    async def take(self, source: str, **configuration: Any) -> bool:
        await self.running.starter.prepare(RUNTIMES["python3.12"])
        folder = Path(tempfile.mkdtemp(dir=self.running.directory))
        folder.chmod(0o755)
        (folder / "app.py").write_text(source)
        settings = {"SnapStart": {"ApplyOn": "PublishedVersions", "OptimizationStatus": "On"}, "MemorySize": 256}
        document = function_document("f", folder, "python3.12", "app.handler", {**settings, **configuration})
        document["configuration"]["FunctionArn"] += ":1"
        is_on, failed = await self.running.engine.snapshot(KEY, document)
        assert failed is None
        self.running.store.put_now(Put("lambda.version", KEY, document))
        return is_on

    async def invoke(self, event: Any = None) -> InvocationResult:
        return await self.running.engine.invoke(Invocation(f"{ARN}f:1", json.dumps(event).encode(), RandomIds().uuid()))

    async def answer(self, event: Any = None) -> Any:
        return json.loads((await self.invoke(event)).payload)

    async def answers(self, count: int, event: Any = None) -> list[Any]:
        return await asyncio.gather(*(self.answer(event) for _ in range(count)))


@pytest.fixture(params=["jail", "plain"])
async def snapped(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Snapped]:
    sandbox = await jail(tmp_path) if request.param == "jail" else PlainSandbox()
    async with running_engine(tmp_path, sandbox=sandbox) as running:
        yield Snapped(running)


@pytest.fixture
async def jailed(tmp_path: Path) -> AsyncIterator[Snapped]:
    if os.getuid() != 0:
        pytest.skip("an ordinary user has no control groups, without which nothing is forked twice")
    async with running_engine(tmp_path, sandbox=await jail(tmp_path)) as running:
        yield Snapped(running)


_MANY = """
import os, time
MADE = time.monotonic_ns()
def handler(event, context):
    if event == "end": os._exit(3)
    if event == "child" and os.fork() == 0:
        os.setsid()
        time.sleep(600)
    if event == "wait": time.sleep(1)
    return {"made": MADE, "pid": os.getpid(), "memory": bytearray(1 << 20).count(0)}
"""


async def test_the_init_runs_once_for_many_environments(snapped: Snapped) -> None:
    if not await snapped.take(_MANY):
        pytest.skip("this machine cannot fork a process that was forked")
    answers = await snapped.answers(5, "wait")
    assert len({answer["made"] for answer in answers}) == 1
    environments = {answer["pid"] for answer in answers}
    assert len(environments) > 1
    lines = snapped.running.logs.lines
    counts = [
        sum(line.startswith(start) for line in lines)
        for start in (
            "INIT_START Runtime Version: python:3.12.v1", "INIT_REPORT Init Duration: ",
            "RESTORE_START Runtime Version: python:3.12.v1", "RESTORE_REPORT Restore Duration: ",
        )
    ]  # fmt: skip
    assert counts[:2] == [1, 1]
    assert counts[2] == counts[3] >= len(environments)


async def test_an_environment_that_ends_ends_alone(snapped: Snapped) -> None:
    if not await snapped.take(_MANY):
        pytest.skip("this machine cannot fork a process that was forked")
    first, _ = await snapped.answers(2, "wait")
    ended = await snapped.invoke("end")
    assert json.loads(ended.payload)["errorMessage"].endswith("Runtime exited with error: exit status 3")
    after = await snapped.answers(2, "wait")
    assert {answer["made"] for answer in after} == {first["made"]}


async def test_when_the_process_of_the_init_is_killed_the_init_runs_again(snapped: Snapped) -> None:
    if not await snapped.take(_MANY):
        pytest.skip("this machine cannot fork a process that was forked")
    before = await snapped.answer()
    template = await snapped.running.starter.snapshots.find(snapped.running.engine.find(f"{ARN}f:1"))
    assert template.environment is not None
    assert template.environment.process is not None
    os.kill(template.environment.process.pid, signal.SIGKILL)
    await template.environment.process.exited
    async with asyncio.timeout(20):
        while (after := await snapped.answer()).get("made") in (None, before["made"]):
            await asyncio.sleep(0.01)
    assert after["made"] > before["made"]


async def test_with_its_version_everything_goes(snapped: Snapped) -> None:
    if not await snapped.take(_MANY):
        pytest.skip("this machine cannot fork a process that was forked")
    template = await snapped.running.starter.snapshots.find(snapped.running.engine.find(f"{ARN}f:1"))
    await snapped.answers(2, "child")
    assert template.environment is not None
    assert template.environment.process is not None
    snapped.running.store.put_now(Delete("lambda.version", KEY))
    async with asyncio.timeout(20):
        await template.environment.process.exited


async def test_each_environment_has_its_memory_its_tmp_and_its_processes(jailed: Snapped) -> None:
    source = """
import os, time
def handler(event, context):
    if event == "eat":
        data = bytearray(300 << 20)
        for at in range(0, len(data), 4096): data[at] = 1
    with open("/tmp/file", "a") as file: file.write("x")
    time.sleep(1)
    others = [int(name) for name in os.listdir("/proc") if name.isdigit() and int(name) > 2 and int(name) != os.getpid()]
    found = []
    for pid in others:
        try:
            os.kill(pid, 9)
            found.append("killed")
        except PermissionError:
            found.append("EPERM")
    return {"tmp": open("/tmp/file").read(), "others": found}
"""
    if not await jailed.take(source):
        pytest.skip("this machine cannot fork a process that was forked")
    answers = await jailed.answers(3)
    assert [answer["tmp"] for answer in answers] == ["x", "x", "x"]
    assert {one for answer in answers for one in answer["others"]} == {"EPERM"}
    result, other = await asyncio.gather(jailed.invoke("eat"), jailed.answer())
    assert json.loads(result.payload)["errorType"] == "Runtime.OutOfMemory"
    assert other["tmp"] in ("x", "xx")


async def test_a_fork_can_leave_for_nowhere_and_its_init_for_one_place_where_it_can_do_nothing(jailed: Snapped) -> None:
    source = """
import ctypes, errno, os
libc = ctypes.CDLL(None, use_errno=True)
USER, MOUNT, IPC, NET, PID = 0x10000000, 0x20000, 0x8000000, 0x40000000, 0x20000000
def attempt(name, *arguments):
    return "done" if getattr(libc, name)(*arguments) == 0 else errno.errorcode[ctypes.get_errno()]
def try_all():
    return [
        *(attempt("unshare", flags) for flags in (USER, MOUNT, USER | MOUNT, USER | MOUNT | IPC | NET, USER | NET, PID)),
        attempt("mount", b"x", b"/tmp", b"tmpfs", 0, None), attempt("umount2", b"/tmp", 2),
        attempt("setns", os.open("/proc/self/ns/mnt", os.O_RDONLY), 0), attempt("chroot", b"/tmp"),
    ]
FIRST = try_all()
if os.fork() == 0:
    # What its forks may ask for, its init may, too.
    left = attempt("unshare", USER | MOUNT | IPC)
    open("/tmp/left", "w").write(" ".join([left, *try_all()]))
    os._exit(0)
os.wait()
def handler(event, context):
    return {"init": FIRST, "left": open("/tmp/left").read().split(), "fork": [*try_all(), attempt("unshare", USER | MOUNT | IPC)],
            "capabilities": [line.split()[1].strip("0") for line in open("/proc/self/status") if line.startswith("Cap")]}
"""
    if not await jailed.take(source):
        pytest.skip("this machine cannot fork a process that was forked")
    answer = await jailed.answer()
    assert set(answer["init"]) == {"EPERM"}
    assert answer["left"][0] == "done"
    assert set(answer["left"][1:]) == {"EPERM"}
    assert set(answer["fork"]) == {"EPERM"}
    assert answer["capabilities"] == [""] * 5


async def test_an_init_that_speaks_for_its_forks_harms_itself_alone(jailed: Snapped) -> None:
    source = """
import os, socket, threading
def at_fork():
    os._exit(9)
os.register_at_fork(after_in_child=at_fork)
def handler(event, context):
    return os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"]
"""
    assert await jailed.take(source)
    # It cannot be forked, so its environments start as others do.
    assert await jailed.answer() == "on-demand"
    jailed.running.add("g", {"app.py": "def handler(event, context):\n    return 'well'"}, "python3.12")
    assert (await jailed.running.invoke("g")).payload == b'"well"'


async def test_nothing_is_left_in_control_groups(tmp_path: Path) -> None:
    if os.getuid() != 0:
        pytest.skip("an ordinary user has no control groups")
    async with running_engine(tmp_path, sandbox=await jail(tmp_path)) as running:
        assert isinstance(running.sandbox, PlainSandbox)
        snapped = Snapped(running)
        await snapped.take(_MANY)
        await snapped.answers(3, "child")
        spawners = [(await task)._process.pid for task in running.sandbox._spawners.values()]
    places = [*Path("/sys/fs/cgroup").glob("freehold"), *Path("/sys/fs/cgroup").glob("*/freehold")]
    assert spawners
    assert [place / str(pid) for place in places for pid in spawners if (place / str(pid)).exists()] == []
