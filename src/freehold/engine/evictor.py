"""Which idle environments are frozen and which are let go: after their time, for others' sake, or for want of memory.

One decision to know: whoever has least left of the time that its function's history gives it (keep_alive.py) goes
first. Busy and provisioned environments never go.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass

from freehold.clock import Clock
from freehold.engine.environment import Environment
from freehold.engine.pool import Pool

FREEZE_S = 0.1  # Idle so long: frozen. Not at once, or what runs again and again would be stopped and woken each time.
LOW_MEMORY = 0.08  # Of the machine's: with less left environments are let go.
_MEMORY_S = 1.0  # So often is looked.
_AT_LEAST, _SHARE = 4, 0.125  # Of the idle environments, each time. What they held is seen the next time.
_SWEEPS = 10  # So often within the keep-alive time idle environments are looked through.


@dataclass(frozen=True, slots=True)
class Idleness:
    """What an engine was told of idle environments."""

    keep_alive_s: float
    freezes: bool
    memory_left: Callable[[], float]  # 0 to 1.


class Evictor:
    def __init__(self, told: Idleness, clock: Clock, pools: Callable[[], Collection[Pool]]) -> None:
        self._told = told
        self._clock = clock
        self._pools = pools
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        create = asyncio.get_running_loop().create_task
        self._tasks = [create(self._sweep_forever()), create(self._rest_forever()), create(self._watch_memory())]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def evict(self, count: int) -> int:
        """Lets go of so many, the least useful first; how many there were."""
        now_s = self._clock.monotonic_s()
        idle: list[tuple[float, int, Pool, Environment]] = []
        for pool in self._pools():
            ends_s = pool.history.keep_alive_s(self._told.keep_alive_s) - now_s
            idle += [
                (one.idle_since_s + ends_s, id(one), pool, one) for one in pool.idle if not one.provisioned
            ]  # fmt: skip
        chosen = sorted(idle)[:count]
        for _, _, pool, environment in chosen:
            pool.let_go(environment)
        return len(chosen)

    async def _sweep_forever(self) -> None:
        told_s = self._told.keep_alive_s
        while True:
            await self._clock.sleep(max(0.05, told_s / _SWEEPS))
            now_s = self._clock.monotonic_s()
            for pool in self._pools():
                pool.sweep(now_s - pool.history.keep_alive_s(told_s))

    async def _rest_forever(self) -> None:
        while True:
            await self._clock.sleep(FREEZE_S)
            limit_s = self._clock.monotonic_s() - FREEZE_S
            for pool in self._pools():
                pool.rest_idle(limit_s, self._told.freezes)

    async def _watch_memory(self) -> None:
        while True:
            await self._clock.sleep(_MEMORY_S)
            if self._told.memory_left() < LOW_MEMORY:
                idle = sum(len(pool.idle) for pool in self._pools())
                self.evict(max(_AT_LEAST, int(idle * _SHARE)))
