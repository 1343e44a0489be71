"""Cold starts in jails by runtimes that wait for their function, and what they must not change."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from freehold.sandbox.sandbox import Room, Sandbox
from tests.engines import RunningEngine, jail, running_engine

_PYTHON = """
import os
def handler(event, context):
    space = os.statvfs("/tmp")
    return {"pid": os.getpid(), "files": os.listdir("/var/task"), "value": os.environ.get("VALUE"),
            "tmp_mb": space.f_blocks * space.f_frsize // 2**20, "writable": os.access("/var/task", os.W_OK)}
"""
_NODE = """
exports.handler = async () => ({
  files: require('fs').readdirSync('/var/task'), value: process.env.VALUE, zone: new Date(0).getHours(),
});
"""


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[RunningEngine]:
    async with running_engine(tmp_path, sandbox=await jail(tmp_path)) as engine:
        yield engine


async def test_a_waiting_python_becomes_the_function(running: RunningEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    furnished = _watch(running.sandbox, monkeypatch)
    for name in ("first", "second"):
        variables = {"Variables": {"VALUE": name}}
        running.add(name, {"app.py": _PYTHON}, Environment=variables, EphemeralStorage={"Size": 600})
        await running.settled()
        answer = json.loads((await running.invoke(name)).payload)
        assert (answer["files"], answer["value"], answer["tmp_mb"], answer["writable"]) == (
            ["app.py"],
            name,
            600,
            False,
        )
    assert [room.tmp_mb for room in furnished] == [600, 600]


async def test_a_waiting_node_becomes_the_function(running: RunningEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    furnished = _watch(running.sandbox, monkeypatch)
    for name, variables in (("plain", {"VALUE": "x"}), ("zoned", {"VALUE": "x", "TZ": "Asia/Tokyo"})):
        running.add(name, {"app.js": _NODE}, "nodejs20.x", Environment={"Variables": variables})
        await running.settled()
        answer = json.loads((await running.invoke(name)).payload)
        assert answer == {"files": ["app.js"], "value": "x", "zone": 9 if name == "zoned" else 0}
    # What Node.js reads when it starts is not known to one that is up.
    assert len(furnished) == 1


async def test_one_that_has_ended_is_passed_over(running: RunningEngine) -> None:
    running.add("f", {"app.py": _PYTHON})
    await running.settled()
    for waiting in running.starter.blanks._waiting.values():
        for blank in waiting:
            blank.process.kill()
            await blank.process.exited
    assert json.loads((await running.invoke("f")).payload)["files"] == ["app.py"]


async def test_where_they_cannot_be_furnished_functions_start_as_before(
    running: RunningEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    _watch(running.sandbox, monkeypatch, "no way in")
    running.add("f", {"app.py": _PYTHON})
    await running.settled()
    assert json.loads((await running.invoke("f")).payload)["files"] == ["app.py"]
    assert running.starter.blanks.is_full
    assert not any(running.starter.blanks._waiting.values())


def _watch(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, failure: str = "") -> list[Room]:
    """The rooms that waiting processes were furnished with from now on; all fail with these words, if any."""
    from freehold.sandbox import plain
    from freehold.sandbox.sandbox import Limits, SandboxError

    furnish = plain._Process.furnish
    rooms: list[Room] = []

    async def watched(self: plain._Process, room: Room, limits: Limits) -> None:
        rooms.append(room)
        if failure:
            raise SandboxError(failure)
        await furnish(self, room, limits)

    monkeypatch.setattr(plain._Process, "furnish", watched)
    return rooms
