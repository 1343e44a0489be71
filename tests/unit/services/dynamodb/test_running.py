"""DynamoDB's work in the background, while the disk is full."""

from __future__ import annotations

import asyncio

from tests.clocks import SetClock

from freehold.services.dynamodb.running import keep_at
from freehold.tables.storage import StorageFailed


async def test_work_that_the_storage_refuses_begins_again_later() -> None:
    turns: list[float] = []
    clock, goes_on = SetClock(at_s=0.0), asyncio.Event()

    async def work() -> None:
        turns.append(clock.now_s())
        if len(turns) < 3:
            raise StorageFailed("Nothing was written: tables.db: database or disk is full.")
        goes_on.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(keep_at(work, clock))
    await asyncio.wait_for(goes_on.wait(), 5)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert turns == sorted(set(turns)), "a pause lies between two turns"
    assert len(turns) == 3
