from __future__ import annotations

import asyncio

from freehold.engine.turns import Turns


async def test_functions_take_turns_however_many_starts_one_of_them_wants() -> None:
    turns, order, go = Turns(1), [], asyncio.Event()

    async def start(name: str) -> None:
        async with turns.of(name):
            await go.wait()
            order.append(name)

    tasks = [asyncio.ensure_future(start(name)) for name in ("a", *["a"] * 5, "b", "c", "b")]
    await asyncio.sleep(0)
    go.set()
    await asyncio.gather(*tasks)
    assert order == ["a", "a", "b", "c", "a", "b", "a", "a", "a"]


async def test_who_goes_away_leaves_the_turn_to_the_next() -> None:
    turns, go = Turns(1), asyncio.Event()
    started: list[str] = []

    async def start(name: str) -> None:
        async with turns.of(name):
            started.append(name)
            await go.wait()

    tasks = [asyncio.ensure_future(start(name)) for name in ("a", "b", "c")]
    await asyncio.sleep(0)
    tasks[1].cancel()
    tasks[0].cancel()  # It holds the only turn.
    await asyncio.wait(tasks[:2])
    assert started == ["a", "c"]
    go.set()
    await tasks[2]
    async with turns.of("d"):
        pass


async def test_a_turn_that_was_given_and_not_taken_is_given_on() -> None:
    turns = Turns(1)
    taken = asyncio.Event()

    async def start() -> None:
        async with turns.of("a"):
            taken.set()

    async with turns.of("a"):
        gone, next_one = asyncio.ensure_future(start()), asyncio.ensure_future(start())
        await asyncio.sleep(0)
    gone.cancel()  # Its turn has come, and it has not run since.
    await next_one
    assert taken.is_set()
