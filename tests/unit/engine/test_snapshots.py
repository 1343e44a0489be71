"""Which processes that have run an init are kept to be forked, and when they go."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

from tests.engines import function_document

from freehold.engine import snapshots
from freehold.engine.environment import Environment, InitFailed, State
from freehold.engine.functions import FunctionVersion, compile_version
from freehold.engine.snapshots import THREADS, Impossible, Snapshots

FUNCTION = compile_version(
    "us-east-1/f/1", function_document("f", cast(Any, "/nowhere"), "python3.12", "app.handler", {})
)


class Process:
    """An environment that has run its init; it cannot be forked, which nobody tries here."""

    def __init__(self) -> None:
        self.state = State.IDLE
        self.process = None

    def stop(self) -> None:
        self.state = State.STOPPED


class Starts:
    def __init__(self, fails: Exception | None = None) -> None:
        self.fails = fails
        self.made: list[Process] = []

    async def __call__(self, function: FunctionVersion) -> Environment:
        if self.fails is not None:
            raise self.fails
        self.made.append(Process())
        return cast(Environment, self.made[-1])


async def test_an_init_runs_once_for_who_ever_asks_and_again_when_its_process_has_ended() -> None:
    starts = Starts()
    kept = Snapshots(starts)
    first = await kept.find(FUNCTION)
    assert await kept.find(FUNCTION) is first
    starts.made[0].stop()
    assert await kept.find(FUNCTION) is not first
    assert len(starts.made) == 2
    kept.close()
    assert [one.state for one in starts.made] == [State.STOPPED, State.STOPPED]


async def test_unused_ones_are_kept_up_to_a_number_and_used_ones_always() -> None:
    starts = Starts()
    kept = Snapshots(starts)
    used = await kept.find(FUNCTION)
    used.in_use += 1
    for number in range(2, 30):
        await kept.find(replace(FUNCTION, key=f"us-east-1/f/{number}"))
    assert sum(one.state is State.IDLE for one in starts.made[1:]) in (snapshots._UNUSED, snapshots._UNUSED + 1)
    assert starts.made[0].state is State.IDLE
    kept.retire(FUNCTION.key)
    assert starts.made[0].state is State.IDLE
    used._leave()
    assert starts.made[0].state is State.STOPPED
    kept.close()


async def test_what_cannot_be_forked_says_why_and_what_failed_is_tried_again() -> None:
    for error, why in ((InitFailed(THREADS), "threads"), (Impossible("it has a wrapper"), "wrapper")):
        template = await Snapshots(Starts(error)).find(FUNCTION)
        assert (template.environment, template.failure) == (None, None)
        assert why in template.why
    starts = Starts(InitFailed("Runtime.Unknown"))
    kept = Snapshots(starts)
    assert (await kept.find(FUNCTION)).failure is starts.fails
    starts.fails = None
    assert (await kept.find(FUNCTION)).environment is not None
    kept.renounce(FUNCTION, "the machine does not let it")
    assert (await kept.find(FUNCTION)).why == "the machine does not let it"
    assert starts.made[0].state is State.STOPPED
