"""What the engine promises about environments, with real ones: concurrency, new code, keep-alive, provisioned."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path

import pytest

from freehold.aws.errors import AwsError
from freehold.engine.pace import WIDTH
from freehold.state.store import Put
from tests.engines import ARN, RunningEngine, running_engine

WAIT_FOR_FILE = """
import os, time
def handler(event, context):
    if event["mark"] != "/dev/null/":
        open(event["mark"] + str(os.getpid()), "w").close()
    while not os.path.exists(event["until"]):
        time.sleep(0.005)
    return os.getpid()
"""
_GONE = {"mark": "/dev/null/", "until": "/"}  # Marks nothing and waits for nothing.
PID = "import os\ndef handler(event, context): return os.getpid()"


async def _appear(directory: Path, prefix: str, count: int) -> None:
    async with asyncio.timeout(20):
        while len(list(directory.glob(prefix + "*"))) < count:
            await asyncio.sleep(0.005)


async def test_concurrent_invocations_get_an_environment_each(tmp_path: Path) -> None:
    async with running_engine(tmp_path) as running:
        running.add("f", {"app.py": WAIT_FOR_FILE})
        event = {"mark": str(tmp_path / "mark-"), "until": str(tmp_path / "go")}
        tasks = [asyncio.ensure_future(running.invoke("f", event)) for _ in range(3)]
        await _appear(tmp_path, "mark-", 3)
        (tmp_path / "go").touch()
        pids = {(await task).payload for task in tasks}
        assert len(pids) == 3


async def test_a_quick_function_shares_environments_under_a_burst(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("freehold.engine.pool.STALL_S", 20.0)
    async with running_engine(tmp_path) as running:
        running.add("f", {"app.py": WAIT_FOR_FILE})
        await _make_quick(running, tmp_path)
        answers = await asyncio.gather(*(running.invoke("f", _GONE) for _ in range(WIDTH * 5)))
        assert len({answer.payload for answer in answers}) <= WIDTH


async def test_a_quick_function_that_waits_holds_nobody_up(tmp_path: Path) -> None:
    async with running_engine(tmp_path) as running:
        running.add("f", {"app.py": WAIT_FOR_FILE})
        await _make_quick(running, tmp_path)
        event = {"mark": str(tmp_path / "later-"), "until": str(tmp_path / "end")}
        tasks = [asyncio.ensure_future(running.invoke("f", event)) for _ in range(WIDTH + 4)]
        await _appear(tmp_path, "later-", WIDTH + 4)
        (tmp_path / "end").touch()
        assert len({(await task).payload for task in tasks}) == WIDTH + 4


async def _make_quick(running: RunningEngine, directory: Path) -> None:
    """More environments than may share, all idle, and a function known to answer at once."""
    event = {"mark": str(directory / "first-"), "until": str(directory / "go")}
    tasks = [asyncio.ensure_future(running.invoke("f", event)) for _ in range(WIDTH + 2)]
    await _appear(directory, "first-", WIDTH + 2)
    (directory / "go").touch()
    await asyncio.gather(*tasks)
    for _ in range(100):
        await running.invoke("f", _GONE)


async def test_past_reserved_concurrency_the_caller_is_told_at_once(tmp_path: Path) -> None:
    async with running_engine(tmp_path) as running:
        running.add("f", {"app.py": WAIT_FOR_FILE})
        running.change("f", reserved_concurrency=1)
        event = {"mark": str(tmp_path / "mark-"), "until": str(tmp_path / "go")}
        first = asyncio.ensure_future(running.invoke("f", event))
        await _appear(tmp_path, "mark-", 1)
        with pytest.raises(AwsError, match="Rate Exceeded") as error:
            await running.invoke("f", event)
        assert error.value.fields["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
        (tmp_path / "go").touch()
        await first
        assert (await running.invoke("f", event)).function_error is None


async def test_a_caller_that_goes_away_leaves_the_function_running(tmp_path: Path) -> None:
    async with running_engine(tmp_path) as running:
        running.add("f", {"app.py": WAIT_FOR_FILE})
        running.change("f", reserved_concurrency=1)
        event = {"mark": str(tmp_path / "mark-"), "until": str(tmp_path / "go")}
        task = asyncio.ensure_future(running.invoke("f", event))
        await _appear(tmp_path, "mark-", 1)
        task.cancel()
        await asyncio.wait([task])
        with pytest.raises(AwsError):
            await running.invoke("f", event)  # It still runs, and counts.
        (tmp_path / "go").touch()
        async with asyncio.timeout(20):
            while not running.records:
                await asyncio.sleep(0.005)
        assert running.records[0].status == ""


async def test_new_code_lets_running_invocations_finish_on_the_old(tmp_path: Path) -> None:
    async with running_engine(tmp_path) as running:
        running.add("other", {"app.py": PID})
        other = (await running.invoke("other")).payload
        running.add("f", {"app.py": WAIT_FOR_FILE})
        event = {"mark": str(tmp_path / "mark-"), "until": str(tmp_path / "go")}
        old = asyncio.ensure_future(running.invoke("f", event))
        await _appear(tmp_path, "mark-", 1)
        running.add("f", {"app.py": "def handler(event, context): return 'new'"})
        assert (await running.invoke("f", event)).payload == b'"new"'
        (tmp_path / "go").touch()
        assert json.loads((await old).payload) > 0
        assert (await running.invoke("other")).payload == other  # Nobody else was disturbed.


async def test_a_change_that_runs_alike_keeps_environments_warm(tmp_path: Path) -> None:
    async with running_engine(tmp_path) as running:
        running.add("f", {"app.py": PID})
        before = (await running.invoke("f")).payload
        running.change("f", tags={"a": "b"})
        assert (await running.invoke("f")).payload == before


async def test_a_deleted_function_is_not_found(tmp_path: Path) -> None:
    async with running_engine(tmp_path) as running:
        running.add("f", {"app.py": PID})
        await running.invoke("f")
        running.remove("f")
        with pytest.raises(AwsError, match="Function not found: " + ARN + "f"):
            await running.invoke("f")


@pytest.mark.parametrize("state", ["Pending", "Failed"])
async def test_a_function_that_is_not_active_is_not_invoked(tmp_path: Path, state: str) -> None:
    async with running_engine(tmp_path) as running:
        running.add("f", {"app.py": PID}, State=state)
        with pytest.raises(AwsError, match=f"currently in the following state: {state}") as error:
            await running.invoke("f")
        assert (error.value.code, error.value.status) == ("ResourceConflictException", 409)
        document = running.store.documents["lambda.function", "us-east-1/f"].document
        running.change("f", configuration={**document["configuration"], "State": "Active"})
        assert (await running.invoke("f")).function_error is None


async def test_idle_environments_are_let_go(tmp_path: Path) -> None:
    async with running_engine(tmp_path, keep_alive_s=0.2) as running:
        running.add("f", {"app.py": PID})
        pid = json.loads((await running.invoke("f")).payload)
        async with asyncio.timeout(20):
            while _lives(pid):
                await asyncio.sleep(0.02)


async def _idle(running: RunningEngine, count: int) -> None:
    async with asyncio.timeout(20):
        while sum(len(pool.idle) for pool in running.engine._pools.values()) < count:
            await asyncio.sleep(0.005)


async def test_for_want_of_memory_idle_environments_are_let_go_and_busy_ones_never(tmp_path: Path) -> None:
    async with running_engine(tmp_path) as running:
        running.add("idle", {"app.py": PID})
        running.add("busy", {"app.py": WAIT_FOR_FILE})
        event = {"mark": str(tmp_path / "mark-"), "until": str(tmp_path / "go")}
        busy = asyncio.ensure_future(running.invoke("busy", event))
        pid = json.loads((await running.invoke("idle")).payload)
        await _appear(tmp_path, "mark-", 1)
        running.memory_left = 0.01
        async with asyncio.timeout(20):
            while _lives(pid):
                await asyncio.sleep(0.02)
        running.memory_left = 1.0
        assert not busy.done()
        (tmp_path / "go").touch()
        assert (await busy).function_error is None


async def test_who_has_least_of_its_time_left_is_let_go_first(tmp_path: Path) -> None:
    async with running_engine(tmp_path) as running:
        for name in ("seldom", "often"):
            running.add(name, {"app.py": PID})
            await running.invoke(name)
        await _idle(running, 2)
        seldom, often = (running.engine._pools[f"us-east-1/{name}/$LATEST"] for name in ("seldom", "often"))
        for _ in range(10):  # Used again within a second, so that a minute is enough for it.
            often.history.woken(asyncio.get_running_loop().time() - 1)
        assert often.idle[0].idle_since_s > seldom.idle[0].idle_since_s
        assert running.engine._evictor.evict(1) == 1
        assert (len(seldom.idle), len(often.idle)) == (1, 0)
        assert running.engine._evictor.evict(5) == 1


async def test_an_environment_that_rested_tells_how_long(tmp_path: Path) -> None:
    async with running_engine(tmp_path, freezes=False) as running:
        running.add("f", {"app.py": PID})
        await running.invoke("f")
        await _idle(running, 1)
        (pool,) = running.engine._pools.values()
        async with asyncio.timeout(20):
            while not pool.idle[0].rested:
                await asyncio.sleep(0.01)
        await running.invoke("f")
        assert sum(pool.history._counts) == 1


async def test_new_code_lets_go_of_every_idle_environment(tmp_path: Path) -> None:
    async with running_engine(tmp_path) as running:
        running.add("f", {"app.py": WAIT_FOR_FILE})
        event = {"mark": str(tmp_path / "mark-"), "until": str(tmp_path / "go")}
        tasks = [asyncio.ensure_future(running.invoke("f", event)) for _ in range(4)]
        await _appear(tmp_path, "mark-", 4)
        (tmp_path / "go").touch()
        pids = [json.loads((await task).payload) for task in tasks]
        (pool,) = running.engine._pools.values()
        async with asyncio.timeout(20):
            while len(pool.idle) < 4:
                await asyncio.sleep(0.005)
            running.add("f", {"app.py": PID})
            while any(_lives(pid) for pid in pids):
                await asyncio.sleep(0.02)


async def test_a_full_house_takes_the_place_of_an_idle_function(tmp_path: Path) -> None:
    async with running_engine(tmp_path, max_environments=1) as running:
        running.add("a", {"app.py": PID})
        running.add("b", {"app.py": PID})
        assert (await running.invoke("a")).function_error is None
        assert (await running.invoke("b")).function_error is None
        assert (await running.invoke("a")).init_ms is not None


async def test_of_the_last_memory_a_function_without_an_environment_gets_one_and_a_greedy_one_none(
    tmp_path: Path,
) -> None:
    async with running_engine(tmp_path) as running:
        running.add("greedy", {"app.py": WAIT_FOR_FILE})
        running.add("modest", {"app.py": PID})
        event = {"mark": str(tmp_path / "mark-"), "until": str(tmp_path / "go")}
        busy = asyncio.ensure_future(running.invoke("greedy", event))
        await _appear(tmp_path, "mark-", 1)
        running.memory_left = 0.03
        with pytest.raises(AwsError) as error:
            await _invoke_until_refused(running, "greedy")
        assert error.value.fields["Reason"] == "ConcurrentInvocationLimitExceeded"
        assert (await running.invoke("modest")).function_error is None
        running.memory_left = 1.0
        (tmp_path / "go").touch()
        assert (await busy).function_error is None


async def _invoke_until_refused(running: RunningEngine, name: str) -> None:
    """What was read of the memory counts for a moment."""
    async with asyncio.timeout(20):
        while True:
            await asyncio.gather(*(running.invoke(name, _GONE) for _ in range(9)))


async def test_a_start_that_nobody_waits_for_any_more_is_spared(tmp_path: Path) -> None:
    async with running_engine(tmp_path) as running:
        running.add("f", {"app.py": PID})
        await running.invoke("f")
        answers = await asyncio.gather(*(running.invoke("f") for _ in range(100)))
        (pool,) = running.engine._pools.values()
        async with asyncio.timeout(60):
            while pool._starts:
                await asyncio.sleep(0.01)
        assert all(answer.function_error is None for answer in answers)
        assert len(pool) < 80


async def test_an_environment_that_was_killed_is_replaced(tmp_path: Path) -> None:
    async with running_engine(tmp_path) as running:
        running.add("f", {"app.py": WAIT_FOR_FILE})
        event = {"mark": str(tmp_path / "mark-"), "until": str(tmp_path / "go")}
        task = asyncio.ensure_future(running.invoke("f", event))
        await _appear(tmp_path, "mark-", 1)
        os.kill(int(next(tmp_path.glob("mark-*")).name.removeprefix("mark-")), 9)
        document = json.loads((await task).payload)
        assert document["errorMessage"].endswith("Error: Runtime exited with error: signal: killed")
        (tmp_path / "go").touch()
        assert (await running.invoke("f", event)).function_error is None


async def test_a_function_that_floods_its_log_leaves_the_server_responsive(tmp_path: Path) -> None:
    flood = "def handler(event, context):\n    line = 'x' * 1000\n    for _ in range(20000): print(line)\n    return 1"
    async with running_engine(tmp_path) as running:
        running.add("flood", {"app.py": flood})
        running.add("f", {"app.py": PID})
        await running.invoke("f")
        task = asyncio.ensure_future(running.invoke("flood"))
        async with asyncio.timeout(1):
            assert (await running.invoke("f")).function_error is None
        assert (await task).payload == b"1"
        assert running.logs.lines.count("x" * 1000) == 20000


async def test_versions_and_weighted_aliases_choose_what_runs(tmp_path: Path) -> None:
    async with running_engine(tmp_path) as running:
        running.add("f", {"app.py": "def handler(e, c): return c.function_version"})
        document = running.store.documents["lambda.function", "us-east-1/f"].document
        for version in ("1", "2"):
            running.store.put_now(Put("lambda.version", f"us-east-1/f/{version}", document))
        routing = {"RoutingConfig": {"AdditionalVersionWeights": {"2": 1.0}}}
        running.store.put_now(
            Put("lambda.alias", "us-east-1/f/live", {"FunctionVersion": "1", "Name": "live"}),
            Put("lambda.alias", "us-east-1/f/new", {"FunctionVersion": "1", "Name": "new", **routing}),
        )
        assert [
            json.loads((await running.invoke(name)).payload) for name in ("f", "f:$LATEST", "f:2", "f:live", "f:new")
        ] == ["$LATEST", "$LATEST", "2", "1", "2"]


async def test_provisioned_environments_are_up_before_anyone_asks(tmp_path: Path) -> None:
    async with running_engine(tmp_path) as running:
        running.add(
            "f", {"app.py": "import os\ndef handler(e, c): return os.environ['AWS_LAMBDA_INITIALIZATION_TYPE']"}
        )
        key = "us-east-1/f/$LATEST"
        running.engine.provision(key, 2)
        async with asyncio.timeout(20):
            while running.engine.provisioned(key)[0] < 2:
                await asyncio.sleep(0.005)
        result = await running.invoke("f")
        assert result.payload == b'"provisioned-concurrency"'


async def test_a_provisioned_init_that_fails_is_told(tmp_path: Path) -> None:
    async with running_engine(tmp_path) as running:
        running.add("f", {"app.py": "1 / 0"})
        running.engine.provision("us-east-1/f/$LATEST", 1)
        async with asyncio.timeout(20):
            while running.engine.provisioned("us-east-1/f/$LATEST")[1] is None:
                await asyncio.sleep(0.005)


async def test_one_function_may_call_itself(tmp_path: Path) -> None:
    async with running_engine(tmp_path) as running:
        running.add("f", {"app.py": WAIT_FOR_FILE})
        event = {"mark": str(tmp_path / "mark-"), "until": str(tmp_path / "go")}
        outer = asyncio.ensure_future(running.invoke("f", event))
        await _appear(tmp_path, "mark-", 1)
        inner = asyncio.ensure_future(running.invoke("f", event))
        await _appear(tmp_path, "mark-", 2)
        (tmp_path / "go").touch()
        assert (await outer).payload != (await inner).payload


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
