"""How long idle environments of one function are worth keeping, learnt from how long they were idle before.

One decision to know: what is learnt stays between a tenth and three times of what the server was told (`keep_alive_s`),
and counts only waits that keeping could have bridged: a function that runs once a day is let go soon, one that runs
each quarter of an hour stays warm. Nothing is noted for environments that are wanted again at once.
"""

from __future__ import annotations

import math
from itertools import accumulate

from freehold.clock import Clock

SHORTEST = 0.1  # Of the server's keep-alive time.
LONGEST = 3.0
_ENOUGH = 8  # Waits; with fewer nothing is known.
_MOST = 256  # Then all count half, so that what was long ago is forgotten.
_SHARE = 0.95  # Of the waits are to be bridged.
_MARGIN = 1.25
_STEPS = 4  # Buckets for each doubling.
_BUCKETS = 100  # From a tenth of a second to a month.
_FIRST_S = 0.1


class IdleHistory:
    """Of one function. A fixed number of counters, whatever happens."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._counts = [0] * _BUCKETS
        self._known: tuple[float, float] | None = None  # Told, and learnt for it.
        self._let_go_s: float | None = None  # Since when the last one was idle that was let go.

    def woken(self, idle_since_s: float) -> None:
        """An environment that had been idle for a while is wanted."""
        self._note(self._clock.monotonic_s() - idle_since_s)

    def let_go(self, idle_since_s: float) -> None:
        self._let_go_s = max(idle_since_s, self._let_go_s or 0.0)

    def starting(self) -> None:
        """An environment is wanted and there is none: one that was let go would have served."""
        if self._let_go_s is not None:
            self._note(self._clock.monotonic_s() - self._let_go_s)
            self._let_go_s = None

    def keep_alive_s(self, told_s: float) -> float:
        """How long from now on, where the server was told `told_s`."""
        if self._known is None or self._known[0] != told_s:
            self._known = told_s, self._learn(told_s)
        return self._known[1]

    def _learn(self, told_s: float) -> float:
        if sum(self._counts) < _ENOUGH:
            return told_s
        worth = self._counts[: _bucket(told_s * LONGEST) + 1]
        wanted = sum(worth) * _SHARE
        if not wanted:
            return told_s * SHORTEST
        bucket = next(index for index, seen in enumerate(accumulate(worth)) if seen >= wanted)
        return min(max(_end_s(bucket) * _MARGIN, told_s * SHORTEST), told_s * LONGEST)

    def _note(self, idle_s: float) -> None:
        self._known = None
        self._counts[_bucket(idle_s)] += 1
        if sum(self._counts) > _MOST:
            self._counts = [count // 2 for count in self._counts]


def _bucket(idle_s: float) -> int:
    if idle_s <= _FIRST_S:
        return 0
    return min(_BUCKETS - 1, math.floor(math.log2(idle_s / _FIRST_S) * _STEPS))


def _end_s(bucket: int) -> float:
    return float(_FIRST_S * 2 ** ((bucket + 1) / _STEPS))
