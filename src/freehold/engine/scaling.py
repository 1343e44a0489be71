"""How fast one function may get more environments: 1,000 every ten seconds, as a bucket that fills all the time.

AWS: "Lambda scaling behavior", "Concurrency scaling rate": each function scales for itself, and what it does not use it
cannot save up beyond one interval's worth. Asked at starts only: an invocation of a warm environment costs nothing.
"""

from __future__ import annotations

BURST = 1000
PER_S = 100.0
REASON = "ConcurrentInvocationLimitExceeded"
"""Of the 429: AWS documents the rate, but names no reason of its own for it."""


class ScalingRate:
    """Of one function. Times are monotonic seconds."""

    __slots__ = ("_at_s", "_left")

    def __init__(self, now_s: float) -> None:
        self._left = float(BURST)
        self._at_s = now_s

    def take(self, now_s: float) -> bool:
        """Whether one more environment may start now."""
        self._left = min(float(BURST), self._left + (now_s - self._at_s) * PER_S)
        self._at_s = now_s
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True

    def give_back(self) -> None:
        """The environment was not needed after all."""
        self._left = min(float(BURST), self._left + 1.0)
