"""How many environments of one function work at once while its invocations only compute, and shortly.

One decision to know: sixty-four requests in one moment need sixty-four environments when the function waits for
something; when it does not, they only take the processor's caches from each other. So while a function's invocations
wait for nothing and need less than QUICK_US of the processor, as the runtime tells with each answer, WIDTH of its
environments work and further invocations wait for the first that is free, though others are idle. As soon as nobody
answers for STALL_S that was wrong: everybody who waits gets an environment at once.
"""

from __future__ import annotations

import os

QUICK_US = 1_000.0
STALL_S = 0.004
WIDTH = max(4, 2 * (os.cpu_count() or 1))
_SHARE = 0.125  # Of the newest invocation in the mean.
_WAITED_US = 20_000.0  # Stands for an invocation that waited: some thirty quick answers away from quick.


class Pace:
    __slots__ = ("_mean_us", "answers")

    def __init__(self) -> None:
        self._mean_us = _WAITED_US
        self.answers = 0

    def note(self, worked_us: int) -> None:
        """One more answer; -1: it waited for something, or the runtime does not say."""
        self.answers += 1
        self._mean_us += ((worked_us if worked_us >= 0 else _WAITED_US) - self._mean_us) * _SHARE

    def stalled(self) -> None:
        self._mean_us = _WAITED_US

    def is_full(self, working: int) -> bool:
        """Whether one more invocation had better wait for one of the `working` environments."""
        return working >= WIDTH and self._mean_us <= QUICK_US
