"""A clock that a test sets: time stands until somebody sleeps, and then it jumps to the end of the sleep."""

from __future__ import annotations

import asyncio


class SetClock:
    def __init__(self, at_s: float = 1000.0, longest_sleep_s: float = float("inf")) -> None:
        self.at_s = at_s
        self.slept: list[float] = []
        self._longest_sleep_s = longest_sleep_s  # Who sleeps longer has nothing to do: somebody else must wake it.

    def now_s(self) -> float:
        return self.at_s

    def monotonic_s(self) -> float:
        return self.at_s

    async def sleep(self, seconds: float) -> None:
        if seconds >= self._longest_sleep_s:
            await asyncio.Event().wait()
        self.slept.append(seconds)
        self.at_s += seconds
